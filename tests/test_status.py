"""`syncctl status`: its counts are kept by triggers, and must be those that counting would find."""

from __future__ import annotations

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
