"""`sync-oldest`: what was looked at longest ago is looked at again, and what no feed told comes to light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from conftest import Shop
from test_pull import dump, mirror, upstream, upstream_id

from syncctl.connectors.base import Found
from syncctl.connectors.unleashed import Unleashed
from syncctl.models import Kind, Problem


def age(shop: Shop, sku: str, *, product: int, stock: int) -> None:
    """Makes a product look as if it had been looked at these many hours ago."""
    hour = 3_600_000
    shop.write(
        "UPDATE looks SET product_at = product_at - ?1, stock_at = stock_at - ?2,"
        " oldest_at = min(product_at - ?1, stock_at - ?2)"
        " WHERE remote_id = (SELECT remote_id FROM remote_products WHERE sku = ?3)",
        product * hour,
        stock * hour,
        sku,
    )


def oldest(shop: Shop, *args: str, **settings: str) -> dict[str, Any]:
    return shop.ok("sync-oldest", "--json", *args, **settings).only()


def state(shop: Shop, sku: str) -> str:
    found: str = shop.value("SELECT state FROM remote_products WHERE sku = ?", sku)
    return found


@pytest.mark.parametrize(
    ("limit", "calls", "verified"), [("1", 2, 50), ("10", 2, 50), ("50", 2, 50), ("51", 4, 100), ("500", 6, 120)]
)
def test_two_calls_verify_fifty(shop: Shop, limit: str, calls: int, verified: int) -> None:
    """What fits into the calls already paid is verified too."""
    shop.ok("sync-recent")
    before = dump(shop, "products", "remote_products", "remote_stock", "changes")
    result = oldest(shop, "--limit", limit)
    assert (result["calls"], result["verified"]) == (calls, verified)
    assert (result["drifted"], result["gone"], result["changed"]) == (0, 0, 0)
    assert dump(shop, "products", "remote_products", "remote_stock", "changes") == before


def test_everything_is_verified_once_before_anything_twice(shop: Shop) -> None:
    shop.ok("sync-recent")
    since = shop.value("SELECT max(id) FROM calls")
    for _ in range(3):  # 120 products, 50 a run
        oldest(shop)
    assert shop.value("SELECT count(*) FROM looks WHERE product_call <= ? OR stock_call <= ?", since, since) == 0


def test_the_older_of_the_two_looks_decides(shop: Shop) -> None:
    """Of 120 products 50 fit into a list: the one whose stock is oldest, and the one whose product is oldest."""
    shop.ok("sync-recent")
    skus = [sku for (sku,) in shop.rows("SELECT sku FROM remote_products ORDER BY sku DESC LIMIT 49")]
    for sku in skus[:48]:
        age(shop, sku, product=5, stock=5)
    age(shop, "MUG", product=0, stock=9)
    age(shop, "BOWL", product=9, stock=0)
    since = shop.value("SELECT max(id) FROM calls")
    oldest(shop)
    looked = "SELECT sku FROM looks JOIN remote_products USING (record) WHERE product_call > ?"
    assert {sku for (sku,) in shop.rows(looked, since)} == {*skus[:48], "MUG", "BOWL"}


def test_a_change_without_a_trace_is_drift(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 77}, silent=True)
    shop.upstream.put("stock", {"ProductCode": "BOWL", "AvailableQty": 3}, silent=True)
    result = oldest(shop, "--limit", "120")
    assert (result["drifted"], result["changed"], result["verified"]) == (2, 2, 118)
    assert shop.rows("SELECT field, after, rule FROM changes ORDER BY field DESC") == [
        ("price", "77.00", "drift"),
        ("available", "3", "drift"),
    ]
    assert mirror(shop) == upstream(shop)
    assert oldest(shop, "--limit", "120")["drifted"] == 0
    assert "2 drifts in 7 days" in shop.ok("status").out


def test_a_change_that_the_feed_will_tell_is_none(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 77})
    result = oldest(shop, "--limit", "120")
    assert (result["drifted"], result["changed"]) == (0, 1)
    assert shop.rows("SELECT field, rule FROM changes") == [("price", "oldest")]


def test_stock_that_was_taken_away_is_drift(shop: Shop) -> None:
    shop.upstream.put("stock", {"ProductCode": "MUG", "AvailableQty": 3})
    shop.ok("sync-recent")
    shop.upstream.delete("stock", upstream_id(shop, "MUG"))
    assert oldest(shop, "--limit", "120")["drifted"] == 1
    assert shop.rows("SELECT before, after, rule FROM changes WHERE field = 'available'") == [("3", "0", "drift")]
    assert shop.value("SELECT available FROM catalogue WHERE sku = 'MUG'") == 0


def test_a_ghost_is_marked_and_not_deleted(shop: Shop) -> None:
    shop.upstream.put("stock", {"ProductCode": "MUG", "AvailableQty": 3})
    shop.ok("sync-recent")
    shop.upstream.delete("products", upstream_id(shop, "MUG"))
    result = oldest(shop, "--limit", "120")
    assert (result["gone"], result["verified"], result["calls"]) == (1, 119, 6 + 1)
    assert state(shop, "MUG") == "gone"
    assert shop.rows("SELECT price IS NOT NULL, available, state FROM catalogue WHERE sku = 'MUG'") == [(1, 0, "gone")]
    assert "1 gone" in shop.ok("status").out
    again = oldest(shop, "--limit", "500")
    assert (again["gone"], again["verified"], again["calls"]) == (0, 119, 6), "a ghost costs nothing more"


@pytest.mark.parametrize("command", [["sync-recent"], ["sync-recent", "--full"], ["sync-product", "MUG"]])
def test_a_ghost_that_comes_back_is_unmarked(shop: Shop, command: list[str]) -> None:
    shop.ok("sync-recent")
    mug = upstream_id(shop, "MUG")
    (record,) = shop.upstream.request("GET", f"records/unleashed/products?id={mug}")["records"]
    shop.upstream.delete("products", mug)
    oldest(shop, "--limit", "120")
    shop.upstream.put("products", record)
    shop.upstream.put("stock", {"ProductGuid": mug, "AvailableQty": 6})
    shop.ok(*command)
    assert state(shop, "MUG") == "active"
    assert shop.rows("SELECT available, state FROM catalogue WHERE sku = 'MUG'") == [(6, "active")]
    rows = shop.rows("SELECT before, after FROM changes WHERE field = 'state' ORDER BY id")
    assert rows == [("active", "gone"), ("gone", "active")]


def test_inactive_is_neither_active_nor_gone(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "MUG", "Obsolete": True}, silent=True)
    result = oldest(shop, "--limit", "120")
    assert (result["drifted"], result["gone"]) == (1, 0)
    assert shop.rows("SELECT state FROM catalogue WHERE sku = 'MUG'") == [("inactive",)]
    shop.upstream.put("products", {"ProductCode": "MUG", "Obsolete": False})
    shop.ok("sync-recent")
    assert state(shop, "MUG") == "active"


def test_a_list_that_forgets_a_product_is_not_believed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.ok("sync-recent")
    mug, plain = upstream_id(shop, "MUG"), Unleashed.lookup
    shop.upstream.put("stock", {"ProductGuid": mug, "AvailableQty": 3}, silent=True)

    def lookup(self: Unleashed, kind: Kind, remote_ids: Sequence[str]) -> Found:
        found = plain(self, kind, remote_ids)
        if len(remote_ids) == 1 or mug not in remote_ids or kind is Kind.STOCK:
            return found
        records = [record for record in found.records if isinstance(record, Problem) or record.remote_id != mug]
        return Found(records, [mug], found.call)

    monkeypatch.setattr(Unleashed, "lookup", lookup)
    result = oldest(shop, "--limit", "120")
    assert (result["gone"], result["calls"]) == (0, 6 + 2)
    assert mirror(shop) == upstream(shop)


def test_a_broken_off_run_goes_on_with_the_oldest(shop: Shop) -> None:
    shop.ok("sync-recent")
    since = shop.value("SELECT max(id) FROM calls")
    shop.upstream.fault("html", "StockOnHand", skip=1)
    result = shop.run("sync-oldest", "--limit", "120", "--json")
    assert (result.code, result.only()["calls"]) == (76, 4)
    oldest(shop)
    oldest(shop)
    assert shop.value("SELECT count(*) FROM looks WHERE product_call <= ? OR stock_call <= ?", since, since) == 0


def test_before_anything_was_read_there_is_nothing_to_verify(shop: Shop) -> None:
    assert oldest(shop)["calls"] == 0


def test_what_a_dry_run_promises_is_what_it_costs(shop: Shop) -> None:
    shop.ok("sync-recent")
    promised = shop.ok("sync-oldest", "--limit", "60", "--dry-run", "--json").only()
    assert promised["expected"] == promised["minimum"] == oldest(shop, "--limit", "60")["calls"] == 4
