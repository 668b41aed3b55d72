"""`syncctl status`: its counts are kept by triggers, and must be those that counting would find."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Shop
from test_cli import holder

from syncctl.clock import SystemClock
from syncctl.models import iso
from syncctl.state.locks import hold

pytestmark = pytest.mark.products(30)
COUNTED = "SELECT connector, oldest_at / 300000, count(*) FROM looks WHERE oldest_at > 0 GROUP BY 1, 2"
KEPT = "SELECT connector, bucket, products FROM look_counts"


def age(shop: Shop, **ago: float) -> None:
    """Lets each product have been looked at some time ago."""
    ms = round(timedelta(**ago).total_seconds() * 1000)
    shop.write(
        "UPDATE looks SET (product_at, stock_at, oldest_at) = (product_at - ?1, stock_at - ?1, oldest_at - ?1)", ms
    )


def test_the_counts_follow_every_look(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "NEW", "DefaultSellPrice": 5})
    age(shop, days=3)
    shop.ok("sync-recent")
    shop.ok("sync-product", "NEW")
    assert sorted(shop.rows(KEPT)) == sorted(shop.rows(COUNTED))
    shop.upstream.delete("products", shop.value("SELECT remote_id FROM remote_products WHERE sku = 'NEW'"))
    shop.ok("sync-oldest")
    assert sorted(shop.rows(KEPT)) == sorted(shop.rows(COUNTED))
    assert shop.value("SELECT sum(products) FROM look_counts") == 30
    assert shop.ok("status", "--json").only()["age_seconds"]["never"] == 0


def test_the_ages_are_those_of_single_products(shop: Shop) -> None:
    shop.ok("sync-recent")
    for number, (remote_id,) in enumerate(shop.rows("SELECT remote_id FROM looks ORDER BY remote_id")):
        shop.write("UPDATE looks SET oldest_at = oldest_at - ? WHERE remote_id = ?", number * 20_000, remote_id)
    ages = shop.ok("status", "--json").only()["age_seconds"]
    assert ages["oldest"] - ages["median"] == pytest.approx(15 * 20, abs=1)
    assert ages["oldest"] - ages["p95"] == pytest.approx(20, abs=1)
    assert ages["never"] == 0


def test_what_was_never_looked_at_is_counted_and_the_oldest(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.write("UPDATE looks SET stock_at = 0, oldest_at = 0 WHERE record <= 2")
    found = shop.ok("status", "--json").only()
    assert (found["products"], found["age_seconds"]["never"]) == (30, 2)
    assert found["age_seconds"]["oldest"] is found["age_seconds"]["p95"] is None
    assert found["age_seconds"]["median"] >= 0


def test_calls_are_counted_by_day_and_purpose(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.ok("sync-oldest")
    counted = shop.rows("SELECT connector, at / 86400000, purpose, count(*) FROM calls GROUP BY 1, 2, 3")
    assert shop.rows("SELECT connector, day, purpose, calls FROM call_counts") == counted


def last_success(shop: Shop, command: str) -> str | None:
    commands = shop.ok("status", "--json").only()["commands"]
    found: str | None = next(each["last_success"] for each in commands if each["command"] == command)
    return found


def test_a_doctor_that_found_something_wrong_is_no_success(shop: Shop) -> None:
    assert shop.run("doctor", SYNCCTL_UNLEASHED_WAREHOUSE="NOWHERE").code == 78
    assert last_success(shop, "doctor") is None
    shop.ok("doctor")
    assert last_success(shop, "doctor")


def last_errors(shop: Shop) -> list[str]:
    return [each["message"] for each in shop.ok("status", "--json").only()["last_errors"]]


def test_an_error_is_told_with_its_time_and_run(shop: Shop) -> None:
    assert shop.run("sync-recent", SYNCCTL_UNLEASHED_API_KEY="wrong").code == 77
    shop.write("UPDATE runs SET started_at = started_at - 7200000, finished_at = finished_at - 7200000")
    assert "last error      2 h ago, run 1: The service refuses the credentials" in shop.ok("status").out
    (error,) = shop.ok("status", "--json").only()["last_errors"]
    assert (error["run"], error["at"] < iso(datetime.now(UTC) - timedelta(hours=1))) == (1, True)


def test_a_lock_that_was_met_is_no_error_that_stays(shop: Shop) -> None:
    shop.ok("sync-recent")
    with hold(shop.state, "unleashed", holder(timedelta(hours=1)), clock=SystemClock()):
        assert shop.run("sync-recent").code == 75
    assert last_errors(shop) == []


def test_a_success_in_the_future_is_told_as_that(shop: Shop) -> None:
    shop.ok("sync-recent")
    assert re.search(r"sync-recent +succeeded \d+ s ago \(", shop.ok("status").out)
    shop.write("UPDATE runs SET finished_at = finished_at + 3605000")
    assert "succeeded 1 h ahead of this machine's clock, which was wrong then or is now (20" in shop.ok("status").out


def test_an_error_stays_shown_until_a_sync_has_called_the_service(shop: Shop) -> None:
    shop.upstream.fault("401", times=99)
    assert shop.run("sync-recent").code == 77
    told = last_errors(shop)
    assert "401" in told[0]
    assert shop.run("doctor", SYNCCTL_UNLEASHED_WAREHOUSE="NOWHERE").code == 77
    shop.upstream.request("DELETE", "faults")
    shop.ok("doctor")
    shop.run("sync-recent", SYNCCTL_UNLEASHED_LIMITS="1/month")
    assert last_errors(shop) == told
    shop.ok("sync-recent")
    assert last_errors(shop) == []


def to_mend(shop: Shop) -> dict[str, list[str]]:
    """What status says is to be mended at the service; its check warns of the same."""
    told = shop.ok("status", "--json").only()["to_mend"]
    check, printed = shop.run("status", "--check"), shop.ok("status").out
    assert (check.code, "look at syncctl status" in check.out) == ((1, True) if told else (0, False))
    assert all(name in printed for each in told for name in each["first"])
    assert all(each["count"] == len(each["first"]) for each in told)
    return {each["cause"]: each["first"] for each in told}


def guid(number: int) -> str:
    return f"bbbbbbbb-0000-4000-8000-{number:012}"


@pytest.mark.parametrize(
    ("kind", "key", "field"), [("products", "Guid", "DefaultSellPrice"), ("stock", "ProductGuid", "AvailableQty")]
)
def test_a_value_that_cannot_be_used_stands_until_it_is_mended(shop: Shop, kind: str, key: str, field: str) -> None:
    shop.upstream.put("products", {"Guid": guid(1), "ProductCode": "BAD", "DefaultSellPrice": 5})
    shop.upstream.put("stock", {"ProductGuid": guid(1), "AvailableQty": 5})
    shop.ok("sync-recent")
    shop.upstream.put(kind, {key: guid(1), field: "12,50"})
    assert shop.run("sync-recent").code == 65
    shop.upstream.put("products", {"ProductCode": "OTHER", "DefaultSellPrice": 5})
    shop.ok("sync-recent")
    assert to_mend(shop) == {"unusable-value": ["BAD"]}
    assert "cannot be used: BAD (syncctl explain product BAD)" in shop.ok("status").out
    shop.upstream.put(kind, {key: guid(1), field: 7})
    shop.ok("sync-recent")
    assert to_mend(shop) == {}


def test_what_is_gone_needs_nobody(shop: Shop) -> None:
    shop.upstream.put("products", {"Guid": guid(1), "ProductCode": "BAD", "DefaultSellPrice": "12,50"})
    assert shop.run("sync-recent").code == 65
    assert to_mend(shop) == {"unusable-value": ["BAD"]}
    shop.upstream.delete("products", guid(1))
    assert shop.run("sync-product", "BAD").code == 65
    assert to_mend(shop) == {}


def test_a_quantity_is_nobodys_affair_where_no_stock_is_wanted(shop: Shop) -> None:
    shop.ok("sync-recent")
    remote_id = shop.value("SELECT min(remote_id) FROM remote_products")
    shop.upstream.put("stock", {"ProductGuid": remote_id, "AvailableQty": "five"})
    assert shop.run("sync-recent").code == 65
    assert "unusable-value" in to_mend(shop)
    shop.extra["SYNCCTL_UNLEASHED_ROLES"] = "products"
    assert to_mend(shop) == {}


def test_twins_and_products_without_a_sku_stand_until_they_are_mended(shop: Shop) -> None:
    shop.ok("sync-recent")
    twins = [{"Guid": guid(number), "ProductCode": "TWIN", "DefaultSellPrice": 5} for number in (1, 2)]
    shop.upstream.put("products", *twins, {"Guid": guid(3), "ProductCode": " ", "DefaultSellPrice": 5})
    assert shop.run("sync-recent").code == 65
    assert to_mend(shop) == {"shared-sku": ["TWIN"], "no-sku": [guid(3)]}
    assert "1 SKU of several products: TWIN (syncctl links list --ambiguous)" in shop.ok("status").out
    shop.upstream.put("products", {"Guid": guid(2), "ProductCode": "MENDED"}, {"Guid": guid(3), "ProductCode": "NAMED"})
    shop.ok("sync-recent")
    assert to_mend(shop) == {}


def test_the_first_of_many_are_named(shop: Shop) -> None:
    products = [{"Guid": guid(n), "ProductCode": f"BAD {n}", "DefaultSellPrice": "12,50"} for n in range(1, 6)]
    shop.upstream.put("products", *products)
    assert shop.run("sync-recent").code == 65
    said = shop.ok("status").out
    assert "5 products with a price or quantity that cannot be used: BAD 1, BAD 2, BAD 3 and 2 more" in said
    assert "(syncctl explain product 'BAD 1')" in said
