"""`sync-recent`: what it reads, what it costs, what it leaves alone, and how it goes on after it was stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest
from conftest import Result, Shop

QUIET_TABLES = ("products", "remote_products", "remote_stock", "changes")
SMALL = {"SYNCCTL_UNLEASHED_PAGE_SIZE": "25"}  # of 120 products 5 pages, of their stock 5


def dump(shop: Shop, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    return {table: shop.rows(f"SELECT rowid, * FROM {table}") if table in ("products", "changes", "remote_products")
            else shop.rows(f"SELECT * FROM {table}") for table in tables}  # fmt: skip


def upstream(shop: Shop) -> dict[str, tuple[str, str, str | None, float | None]]:
    """What the back office has: by id the SKU, name, price and available quantity."""
    products = shop.upstream.request("GET", "records/unleashed/products")["records"]
    stock = shop.upstream.request("GET", "records/unleashed/stock")["records"]
    available = {row["Guid"]: float(row["AvailableQty"]) for row in stock}
    return {
        p["Guid"]: (
            p["ProductCode"],
            p["ProductDescription"] or "",
            amount(p["DefaultSellPrice"]),
            available.get(p["Guid"]),
        )
        for p in products
    }


def amount(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def mirror(shop: Shop) -> dict[str, tuple[str, str, str | None, float | None]]:
    """The same as the mirror has it."""
    rows = shop.rows(
        "SELECT remote_id, sku, name, prices ->> '$.default', available / 1000000.0"
        " FROM remote_products LEFT JOIN remote_stock USING (record) WHERE state <> 'gone'"
    )
    return {remote_id: (sku, name, price, available) for remote_id, sku, name, price, available in rows}


def stamps(shop: Shop) -> dict[str, int]:
    rows = shop.rows("SELECT kind, stamp FROM cursors WHERE feed = 'delta'")
    return {kind: json.loads(stamp)["stamp"] for kind, stamp in rows}


def calls(result: Result) -> int:
    number: int = result.only()["calls"]
    return number


def test_the_first_read_brings_everything(shop: Shop) -> None:
    result = shop.ok("sync-recent", "--json").only()
    assert mirror(shop) == upstream(shop)
    assert (result["created"], result["changed"], result["calls"]) == (120, 0, 2)
    inactive = shop.value("SELECT count(*) FROM remote_products WHERE state = 'inactive'")
    assert inactive
    assert shop.value("SELECT count(*) FROM products") == 120 - inactive


def test_a_change_shows_with_the_next_run(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 19.9, "ProductDescription": "Best mug"})
    shop.upstream.put("products", {"ProductCode": "FRESH", "ProductDescription": "Fresh", "DefaultSellPrice": 1})
    shop.upstream.put("stock", {"ProductCode": "BOWL", "AvailableQty": 5})
    result = shop.ok("sync-recent", "--json").only()
    assert (result["calls"], result["created"], result["changed"]) == (2, 1, 2)
    assert mirror(shop) == upstream(shop)
    assert shop.rows("SELECT name, price FROM catalogue WHERE sku = 'MUG'") == [("Best mug", "19.90")]
    assert shop.rows("SELECT price FROM catalogue WHERE sku = 'FRESH'") == [("1.00",)]
    assert shop.value("SELECT available FROM catalogue WHERE sku = 'BOWL'") == 5


def forbid_writing(shop: Shop) -> None:
    """Lets any write to these tables fail, also one that writes what is there."""
    for table in QUIET_TABLES:
        for what in ("INSERT", "UPDATE", "DELETE"):
            body = f"SELECT RAISE(ABORT, '{what} on {table}')"
            shop.write(f"CREATE TRIGGER no_{what}_{table} BEFORE {what} ON {table} BEGIN {body}; END")


def test_a_quiet_run_is_two_calls_and_writes_no_row(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 19.9})
    shop.ok("sync-recent")
    forbid_writing(shop)
    for _ in range(2):
        result = shop.ok("sync-recent", "--json").only()
        assert (result["calls"], result["changed"], result["created"]) == (2, 0, 0)


def test_a_full_read_of_what_is_known_writes_no_row(shop: Shop) -> None:
    shop.ok("sync-recent", **SMALL)
    forbid_writing(shop)
    result = shop.ok("sync-recent", "--full", "--json", **SMALL).only()
    assert (result["calls"], result["seen"]) == (10, 120 + len(shop.rows("SELECT 1 FROM remote_stock")))


@pytest.mark.products(260)
class TestManyChanges:
    def test_two_hundred_changes_of_each_kind_are_two_calls(self, shop: Shop) -> None:
        shop.ok("sync-recent")
        skus = [sku for (sku,) in shop.rows("SELECT sku FROM remote_products ORDER BY sku LIMIT 200")]
        shop.upstream.put("products", *({"ProductCode": sku, "DefaultSellPrice": 2} for sku in skus))
        shop.upstream.put("stock", *({"ProductCode": sku, "AvailableQty": 3} for sku in skus))
        assert calls(shop.ok("sync-recent", "--json")) == 2
        assert mirror(shop) == upstream(shop)

    def test_a_large_import_is_read_once_and_not_for_ever(self, shop: Shop) -> None:
        """Whatever the overlap, an account in which nothing else happens becomes quiet again."""
        shop.ok("sync-recent")
        skus = [sku for (sku,) in shop.rows("SELECT sku FROM remote_products ORDER BY sku")]
        shop.upstream.put("products", *({"ProductCode": sku, "DefaultSellPrice": 2} for sku in skus))
        assert calls(shop.ok("sync-recent", "--json")) == 3
        shop.upstream.advance(2 * 86400)
        shop.ok("sync-recent")
        assert calls(shop.ok("sync-recent", "--json")) == 2


def test_the_stamp_never_passes_what_is_not_stored(shop: Shop) -> None:
    """While page 1 is stored and page 2 not, the stamp stands where it stood."""
    shop.ok("sync-recent")
    shop.upstream.advance(3600)
    before = stamps(shop)
    skus = [sku for (sku,) in shop.rows("SELECT sku FROM remote_products ORDER BY sku LIMIT 60")]
    shop.upstream.put("products", *({"ProductCode": sku, "DefaultSellPrice": 2} for sku in skus))
    shop.upstream.fault("html", "^/Products/2")
    assert shop.run("sync-recent", **SMALL).code == 76
    assert stamps(shop) == before
    assert shop.value("SELECT count(*) FROM changes WHERE field = 'price'") == 25
    assert calls(shop.ok("sync-recent", "--json", **SMALL)) == 3, "pages 2 and 3, and the stock"
    assert stamps(shop)["products"] > before["products"]
    assert mirror(shop) == upstream(shop)


def test_a_change_dated_ahead_of_the_clock_hides_none(shop: Shop) -> None:
    """A record with a date far in the future must not move the stamp there."""
    shop.ok("sync-recent")
    ahead = {"ProductCode": "MUG", "LastModifiedOn": "/Date(4102444800000)/"}
    shop.upstream.put("products", ahead, silent=True)
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "BOWL", "DefaultSellPrice": 2})
    shop.ok("sync-recent")
    assert mirror(shop) == upstream(shop)


@pytest.mark.parametrize("page", [1, 2, 5, 6, 7, 10])
def test_a_first_read_stopped_at_any_page_goes_on_there(shop: Shop, page: int) -> None:
    path = f"^/Products/{page}" if page <= 5 else f"^/StockOnHand/{page - 5}"
    shop.upstream.fault("html", path)
    assert shop.run("sync-recent", **SMALL).code == 76
    assert shop.upstream.calls() == page
    changed_since = 0 if page <= 5 else 1  # of the products, once all are in
    assert calls(shop.ok("sync-recent", "--json", **SMALL)) == 11 - page + changed_since
    assert mirror(shop) == upstream(shop)


def test_status_shows_how_far_a_first_read_is(shop: Shop) -> None:
    shop.upstream.fault("html", "^/Products/3")
    shop.run("sync-recent", **SMALL)
    (reading,) = shop.ok("status", "--json").only()["reading"]
    assert (reading["kind"], reading["read"], reading["of"]) == ("products", 50, 120)
    assert "50 of 120" in shop.ok("status").out
    shop.ok("sync-recent", **SMALL)
    assert shop.ok("status", "--json").only()["reading"] == []


def start(shop: Shop, *args: str, **settings: str) -> subprocess.Popen[str]:
    """Syncctl as a process of its own."""
    env = shop.env | {"SYNCCTL_STATE": str(shop.state)} | settings
    command = [sys.executable, "-m", "syncctl", *args]
    return subprocess.Popen(command, env=env, cwd=shop.folder, text=True, stderr=subprocess.PIPE)


def until_held(shop: Shop, process: subprocess.Popen[str]) -> None:
    """Waits until the service holds a request back."""
    while process.poll() is None:
        if any(fault["holding"] for fault in shop.upstream.request("GET", "faults")["faults"]):
            return
    raise AssertionError(process.communicate()[1])


@pytest.mark.parametrize("page", [1, 4, 5])
def test_a_killed_run_loses_one_call_at_most(shop: Shop, page: int) -> None:
    shop.upstream.fault("hold", f"^/Products/{page}")
    process = start(shop, "sync-recent", **SMALL)
    until_held(shop, process)
    process.kill()
    process.communicate()
    shop.upstream.request("DELETE", "faults")
    assert ("none came to an end so far" in shop.ok("status").out) == (page > 1)
    assert calls(shop.ok("sync-recent", "--json", **SMALL)) == 11 - page
    assert mirror(shop) == upstream(shop)
    assert shop.value("SELECT count(*) FROM calls") == 11


def test_a_terminated_run_stores_the_page_that_it_waits_for(shop: Shop) -> None:
    shop.upstream.fault("hold", "^/Products/2", when="after")
    process = start(shop, "sync-recent", **SMALL)
    until_held(shop, process)
    process.send_signal(signal.SIGTERM)
    shop.upstream.request("POST", "faults/release")
    _, err = process.communicate()
    assert process.returncode == 130, err
    assert shop.value("SELECT count(*) FROM remote_products") == 50
    assert calls(shop.ok("sync-recent", "--json", **SMALL)) == 8
    assert mirror(shop) == upstream(shop)


def test_a_full_read_that_was_interrupted_long_ago_begins_anew(shop: Shop) -> None:
    """Also one of which all pages were in: what happened since must be seen."""
    shop.ok("sync-recent", **SMALL)
    ghost = upstream_id(shop, "MUG")
    shop.upstream.delete("products", ghost)
    shop.upstream.fault("html", f"^/Products/{ghost}")
    assert shop.run("sync-recent", "--full", **SMALL).code == 76
    shop.write("UPDATE cursors SET started_at = started_at - 90000000 WHERE feed = 'full'")
    shop.upstream.put("products", {"ProductCode": "BOWL", "DefaultSellPrice": 2}, silent=True)
    shop.ok("sync-recent", "--full", **SMALL)
    assert mirror(shop) == upstream(shop)


def upstream_id(shop: Shop, sku: str) -> str:
    guid: str = shop.upstream.request("GET", f"records/unleashed/products?sku={sku}")["records"][0]["Guid"]
    return guid


def test_a_full_read_goes_on_after_other_commands_looked_at_the_rest(shop: Shop) -> None:
    """What others verified in between neither looks like a repeated page nor is read twice."""
    shop.ok("sync-recent", **SMALL)
    shop.upstream.fault("html", "^/Products/2")
    assert shop.run("sync-recent", "--full", **SMALL).code == 76
    shop.ok("sync-oldest", "--limit", "120")
    assert calls(shop.ok("sync-recent", "--full", "--json", **SMALL)) == 9
    assert mirror(shop) == upstream(shop)


def test_a_first_read_is_not_read_twice_because_somebody_asked_for_a_product(shop: Shop) -> None:
    shop.upstream.fault("html", "^/Products/2")
    assert shop.run("sync-recent", **SMALL).code == 76
    last = shop.upstream.request("GET", "records/unleashed/products")["records"][-1]["ProductCode"]
    shop.ok("sync-product", last)
    assert calls(shop.ok("sync-recent", "--json", **SMALL)) == 9


def test_max_seconds_ends_in_good_order(shop: Shop) -> None:
    result = shop.run("sync-recent", "--max-seconds", "0", "--json", **SMALL)
    assert result.code == 0
    assert result.only()["deferred_until"]
    assert result.only()["calls"] <= 1
    shop.ok("sync-recent", **SMALL)
    assert mirror(shop) == upstream(shop)
