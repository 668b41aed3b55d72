"""Reads that would lose much at once, the weekly `--full`, and the settings that decide what is read."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Shop, Upstream
from test_pull import dump, mirror, upstream, upstream_id

STOCKED = "SELECT count(*) FROM catalogue WHERE available > 0"
SMALL = {"SYNCCTL_UNLEASHED_PAGE_SIZE": "50"}


def records(control: Upstream, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = control.request("GET", f"records/unleashed/{kind}")["records"]
    return found


def delete(shop: Shop, number: int) -> list[str]:
    """Deletes some products; no feed tells."""
    gone = [record["Guid"] for record in records(shop.upstream, "products")[:number]]
    for guid in gone:
        shop.upstream.delete("products", guid)
    return gone


def empty_stock(shop: Shop, *, silent: bool = True, level: str = "0") -> None:
    rows = [{"ProductGuid": r["Guid"], "AvailableQty": int(level)} for r in records(shop.upstream, "stock")]
    shop.upstream.put("stock", *rows, silent=silent)


def test_a_full_read_finds_what_no_feed_announced(shop: Shop) -> None:
    shop.ok("sync-recent")
    added = {"ProductCode": "SILENT", "DefaultSellPrice": 4, "LastModifiedOn": "/Date(1600000000000)/"}
    shop.upstream.put("products", added, silent=True)
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 5}, silent=True)
    shop.ok("sync-recent")
    assert mirror(shop) != upstream(shop)
    shop.ok("sync-recent", "--full")
    assert mirror(shop) == upstream(shop)
    assert shop.rows("SELECT price FROM catalogue WHERE sku = 'SILENT'") == [("4.00",)]


def test_what_a_full_read_does_not_show_is_confirmed_and_marked(shop: Shop) -> None:
    shop.ok("sync-recent")
    gone = delete(shop, 3)
    result = shop.ok("sync-recent", "--full", "--json").only()
    assert (result["gone"], result["calls"]) == (3, 2 + 1 + 3), "one list, then each alone"
    marked = {remote_id for (remote_id,) in shop.rows("SELECT remote_id FROM remote_products WHERE state = 'gone'")}
    assert marked == set(gone)
    assert shop.ok("sync-recent", "--full", "--json").only()["calls"] == 2


def test_stock_that_was_taken_away_becomes_zero(shop: Shop) -> None:
    shop.ok("sync-recent")
    mug = upstream_id(shop, "MUG")
    shop.upstream.delete("stock", mug)
    shop.ok("sync-recent", "--full")
    assert shop.value("SELECT available FROM catalogue WHERE sku = 'MUG'") == 0


def test_an_interrupted_full_read_goes_on_and_marks_only_at_the_end(shop: Shop) -> None:
    shop.ok("sync-recent", **SMALL)
    delete(shop, 2)
    shop.upstream.fault("html", "^/Products/2")
    assert shop.run("sync-recent", "--full", **SMALL).code == 76
    assert shop.value("SELECT count(*) FROM remote_products WHERE state = 'gone'") == 0
    result = shop.ok("sync-recent", "--full", "--json", **SMALL).only()
    assert (result["gone"], result["calls"]) == (2, 2 + 1 + 2 + 3)
    assert mirror(shop) == upstream(shop)


def test_a_full_read_interrupted_while_it_confirms_goes_on_there(shop: Shop) -> None:
    shop.ok("sync-recent")
    gone = delete(shop, 3)
    shop.upstream.fault("html", f"^/Products/{sorted(gone)[-1]}")
    assert shop.run("sync-recent", "--full").code == 76
    result = shop.ok("sync-recent", "--full", "--json").only()
    assert result["calls"] < 2 + 1 + 3, "the pages of products are not read again"
    assert mirror(shop) == upstream(shop)


@pytest.mark.parametrize(("command", "calls"), [(["sync-recent", "--full"], 1), (["sync-oldest", "--limit", "120"], 6)])
def test_more_than_a_fifth_gone_needs_a_word(shop: Shop, command: list[str], calls: int) -> None:
    shop.ok("sync-recent")
    gone = delete(shop, 25)
    before = dump(shop, "products", "remote_products", "remote_stock", "changes")
    result = shop.run(*command)
    assert result.code == 65
    assert "25 of 120" in result.err or "of 120 products" in result.err
    assert "--accept-loss" in result.err
    assert shop.upstream.calls() <= 2 + calls, "none is asked for alone"
    assert dump(shop, "products", "remote_products", "remote_stock", "changes") == before
    accepted = shop.ok(*command, "--accept-loss", "--json").only()
    assert accepted["gone"] == len(gone)
    assert mirror(shop) == upstream(shop)


def test_it_is_told_what_to_make_sure_of_a_loss_costs_before_and_while_it_does(shop: Shop) -> None:
    shop.ok("sync-recent")
    delete(shop, 40)
    told = shop.run("sync-recent", "--full", SYNCCTL_UNLEASHED_LIMITS="20/minute").err
    assert "with --accept-loss, which asks for each alone: 40 calls more, about 2 min" in told
    accepted = shop.run("sync-recent", "--full", "--accept-loss", "-v")
    assert "asking for each of 40 products that no list shows, less than a minute" in accepted.err
    assert "40 gone" in accepted.out


@pytest.mark.parametrize("command", [["sync-recent", "--full"], ["sync-oldest", "--limit", "120"]])
def test_a_fifth_gone_needs_none(shop: Shop, command: list[str]) -> None:
    shop.ok("sync-recent")
    delete(shop, 24)
    assert shop.ok(*command, "--json").only()["gone"] == 24


@pytest.mark.parametrize(("settings", "level"), [({}, "0"), (SMALL, "0"), (SMALL, "-2")])
@pytest.mark.parametrize(("args", "silent"), [(["--full"], True), ([], False)])
def test_all_stock_zero_needs_a_word_and_nothing_of_it_is_stored(
    shop: Shop, settings: dict[str, str], args: list[str], *, silent: bool, level: str
) -> None:
    """On one page and on several, in a full read and in the feed."""
    shop.ok("sync-recent", **settings)
    stocked = shop.value(STOCKED)
    empty_stock(shop, silent=silent, level=level)
    before = dump(shop, "remote_stock", "changes")
    for _ in range(2):
        result = shop.run("sync-recent", *args, **settings)
        assert result.code == 65
        assert "--accept-loss" in result.err
        assert dump(shop, "remote_stock", "changes") == before
    assert shop.value(STOCKED) == stocked > 50
    shop.ok("sync-recent", *args, "--accept-loss", **settings)
    assert shop.value(STOCKED) == 0


@pytest.mark.products(12)
class TestSmallShop:
    @pytest.mark.parametrize(("args", "silent"), [(["--full"], True), ([], False)])
    def test_all_stock_zero_needs_a_word_in_a_small_shop_too(
        self, shop: Shop, args: list[str], *, silent: bool
    ) -> None:
        shop.ok("sync-recent")
        empty_stock(shop, silent=silent)
        before = dump(shop, "remote_stock", "changes")
        assert shop.run("sync-recent", *args).code == 65
        assert dump(shop, "remote_stock", "changes") == before

    def test_the_last_thing_in_stock_is_worth_a_look(self, shop: Shop) -> None:
        shop.ok("sync-recent")
        rows = [{"ProductGuid": record["Guid"], "AvailableQty": 0} for record in records(shop.upstream, "stock")]
        shop.upstream.put("stock", *rows[1:])
        shop.ok("sync-recent")
        shop.upstream.put("stock", rows[0])
        assert shop.run("sync-recent").code == 65


def test_a_service_that_shows_no_stock_at_all_needs_a_word(shop: Shop) -> None:
    shop.ok("sync-recent")
    for record in records(shop.upstream, "stock"):
        shop.upstream.delete("stock", record["Guid"])
    before = dump(shop, "remote_stock", "changes")
    assert shop.run("sync-recent", "--full").code == 65
    assert dump(shop, "remote_stock", "changes") == before
    shop.ok("sync-recent", "--full", "--accept-loss")
    assert shop.value(STOCKED) == 0


def test_much_sold_out_is_no_reason_to_stop(shop: Shop) -> None:
    shop.ok("sync-recent")
    rows = [{"ProductGuid": record["Guid"], "AvailableQty": 0} for record in records(shop.upstream, "stock")[:-3]]
    shop.upstream.put("stock", *rows)
    shop.ok("sync-recent")
    assert 0 < shop.value(STOCKED) <= 3


def available(shop: Shop) -> dict[str, float]:
    return dict(shop.rows("SELECT sku, available FROM catalogue"))


def levels(shop: Shop, warehouse: str) -> dict[str, float]:
    """What a warehouse holds, asked for at the service."""
    found = {}
    for record in records(shop.upstream, "stock"):
        level = shop.upstream.request("GET", f"records/unleashed/stock?id={record['Guid']}@{warehouse.lower()}")[
            "records"
        ]
        found[record["ProductCode"]] = float(level[0]["AvailableQty"]) if level else 0.0
    return found


def test_another_warehouse_reads_the_stock_anew(shop: Shop) -> None:
    shop.ok("sync-recent")
    sums = available(shop)
    place = {"SYNCCTL_UNLEASHED_WAREHOUSE": second_warehouse(shop)}
    result = shop.ok("sync-recent", "--json", **place).only()
    assert result["seen"] > 20, "the products' feed is quiet, the stock is read from the beginning"
    wanted = levels(shop, place["SYNCCTL_UNLEASHED_WAREHOUSE"])
    assert available(shop) == {sku: wanted.get(sku, 0) for sku in sums}
    assert shop.ok("sync-recent", "--json", **place).only()["calls"] == 2
    shop.ok("sync-recent")
    assert available(shop) == sums


def second_warehouse(shop: Shop) -> str:
    """A warehouse that holds some of the products."""
    from syncctl.sandbox.unleashed.lookups import WAREHOUSES

    code: str = next(w["WarehouseCode"] for w in WAREHOUSES[:2] if not w["IsDefault"])
    return code


def test_a_warehouse_that_does_not_exist_empties_no_shop(shop: Shop) -> None:
    shop.ok("sync-recent")
    before = dump(shop, "remote_stock", "changes")
    for _ in range(2):
        result = shop.run("sync-recent", SYNCCTL_UNLEASHED_WAREHOUSE="MIAN")
        assert result.code == 78
        assert dump(shop, "remote_stock", "changes") == before
    assert "MIAN" in shop.run("doctor", SYNCCTL_UNLEASHED_WAREHOUSE="MIAN").out
    shop.ok("sync-recent")


def test_a_new_state_does_not_believe_a_warehouse_without_stock(shop: Shop) -> None:
    """Nothing was in stock before, so nothing is lost; but the shop would offer nothing at all."""
    typo = {"SYNCCTL_UNLEASHED_WAREHOUSE": "NOPE"}
    for _ in range(2):
        result = shop.run("sync-recent", **typo)
        assert result.code == 78
        assert "There is no stock at WAREHOUSE 'NOPE'" in result.err
        assert "SYNCCTL_UNLEASHED_WAREHOUSE with syncctl doctor" in result.err
        assert shop.value("SELECT count(*) FROM catalogue WHERE available IS NOT NULL") == 0
    shop.ok("sync-recent", "--accept-loss", **typo)
    assert shop.ok("sync-recent", "--json", **typo).only()["calls"] == 2
    shop.ok("sync-recent", SYNCCTL_UNLEASHED_WAREHOUSE="MAIN")
    assert shop.value(STOCKED) > 0


def test_the_word_about_a_loss_names_the_warehouse(shop: Shop) -> None:
    place = {"SYNCCTL_UNLEASHED_WAREHOUSE": "MAIN"}
    shop.ok("sync-recent", **place)
    empty_stock(shop, silent=False)
    result = shop.run("sync-recent", **place)
    assert result.code == 65
    assert "SYNCCTL_UNLEASHED_WAREHOUSE='MAIN'" in result.err


def test_another_warehouse_costs_no_look_ups(shop: Shop) -> None:
    """Products that it does not have are not asked for one list after the other."""
    shop.ok("sync-recent")
    place = {"SYNCCTL_UNLEASHED_WAREHOUSE": second_warehouse(shop)}
    assert len(levels(shop, place["SYNCCTL_UNLEASHED_WAREHOUSE"])) > 0
    assert shop.ok("sync-recent", "--json", **place).only()["calls"] == 2
    assert shop.ok("sync-recent", "--json").only()["calls"] == 2


def test_the_guard_counts_what_the_shop_sells_from_now(shop: Shop) -> None:
    """Stock of the warehouse that the setting named before does not hide that all is zero now."""
    shop.ok("sync-recent")
    place = {"SYNCCTL_UNLEASHED_WAREHOUSE": "MAIN"}
    shop.ok("sync-recent", **place)
    empty_stock(shop, silent=False)
    assert shop.run("sync-recent", **place).code == 65


def test_new_products_may_be_ignored(shop: Shop) -> None:
    ignore = {"SYNCCTL_NEW_PRODUCTS": "ignore"}
    shop.ok("sync-recent", **ignore)
    assert shop.value("SELECT count(*) FROM products") == 0
    assert mirror(shop) == upstream(shop)
    shop.write("INSERT INTO products (sku) VALUES ('MUG')")
    shop.ok("sync-recent", **ignore)
    assert [sku for (sku,) in shop.rows("SELECT sku FROM catalogue WHERE state = 'active'")] == ["MUG"]
    shop.ok("sync-recent")
    active = shop.value("SELECT count(*) FROM remote_products WHERE state = 'active'")
    assert shop.value("SELECT count(*) FROM catalogue WHERE state = 'active'") == active


def test_products_without_the_role_stock_cost_one_call(shop: Shop) -> None:
    roles = {"SYNCCTL_UNLEASHED_ROLES": "products"}
    assert shop.ok("sync-recent", "--json", **roles).only()["calls"] == 1
    assert shop.ok("sync-recent", "--json", **roles).only()["calls"] == 1
    assert shop.ok("sync-oldest", "--json", **roles).only()["calls"] == 1
    assert shop.value("SELECT count(*) FROM remote_stock") == 0
