"""What the shop sees: the view `catalogue`, how products are linked, and where each value came from."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import Shop
from test_pull import upstream_id

pytestmark = pytest.mark.products(30)
GUID = "bbbbbbbb-0000-4000-8000-000000000001"


def product(sku: str = "ONE", guid: str = GUID, **fields: object) -> dict[str, object]:
    return {"Guid": guid, "ProductCode": sku, "ProductDescription": "One", "DefaultSellPrice": 10, **fields}


def row(shop: Shop, sku: str = "ONE") -> dict[str, Any]:
    columns = ("sku", "name", "price", "price_includes_tax", "currency", "available", "state", "as_of")
    (found,) = shop.rows(f"SELECT {', '.join(columns)} FROM catalogue WHERE sku = ?", sku)
    return dict(zip(columns, found, strict=True))


def test_each_column_of_the_catalogue(shop: Shop) -> None:
    shop.upstream.put("products", product())
    shop.upstream.put("stock", {"ProductGuid": GUID, "QtyOnHand": 8, "AllocatedQty": 3})
    before = datetime.now(UTC).replace(microsecond=0)
    shop.ok("sync-recent")
    found = row(shop)
    as_of = datetime.fromisoformat(found.pop("as_of"))
    assert before <= as_of <= datetime.now(UTC)
    assert found == {
        "sku": "ONE",
        "name": "One",
        "price": "10.00",
        "price_includes_tax": 0,
        "currency": "NZD",
        "available": 5,
        "state": "active",
    }


def test_as_of_is_the_older_of_both_looks(shop: Shop) -> None:
    shop.upstream.put("products", product())
    shop.ok("sync-recent")
    for column in ("product_at", "stock_at"):
        shop.write("UPDATE looks SET product_at = 1700000000000, stock_at = 1700000000000")
        shop.write(f"UPDATE looks SET {column} = 1600000000000")
        assert row(shop)["as_of"] == "2020-09-13T12:26:40Z"


def test_a_price_tier_may_be_chosen_and_takes_no_call(shop: Shop) -> None:
    shop.upstream.put("products", product(SellPriceTier3={"Value": 7.5}, SellPriceTier10={"Value": 0}))
    shop.ok("sync-recent")
    calls = shop.upstream.calls()
    for tier, price in [("3", "7.50"), ("10", "0.00"), ("4", None), ("", "10.00")]:
        shop.ok("status", SYNCCTL_UNLEASHED_PRICE_TIER=tier)
        assert row(shop)["price"] == price
    assert shop.upstream.calls() == calls


@pytest.mark.parametrize("currency", ["EUR", ""])
def test_the_currency_is_what_the_settings_say(shop: Shop, currency: str) -> None:
    shop.upstream.put("products", product())
    shop.ok("sync-recent", SYNCCTL_UNLEASHED_CURRENCY=currency)
    assert row(shop)["currency"] == (currency or None)


def test_no_price_is_null_and_not_zero(shop: Shop) -> None:
    shop.upstream.put("products", product(DefaultSellPrice=None))
    shop.ok("sync-recent")
    assert row(shop)["price"] is None
    assert "no price" in shop.ok("explain", "product", "ONE").out
    shop.upstream.put("products", product(DefaultSellPrice=0))
    shop.ok("sync-recent")
    assert row(shop)["price"] == "0.00"


@pytest.mark.parametrize("quantity", [3, 2.5, 0, -4, -0.25, 999_999_999])
def test_any_quantity_is_shown_as_it_is(shop: Shop, quantity: float) -> None:
    shop.upstream.put("products", product())
    shop.upstream.put("stock", {"ProductGuid": GUID, "AvailableQty": quantity})
    shop.ok("sync-recent")
    found = row(shop)["available"]
    assert found == quantity
    assert isinstance(found, int) == (quantity == int(quantity))


def test_stock_is_the_sum_or_that_of_the_warehouse(shop: Shop) -> None:
    shop.upstream.put("products", product())
    places = ["MAIN", *other_warehouses()]
    for number, place in enumerate(places, 1):
        shop.upstream.put("stock", {"ProductGuid": GUID, "WarehouseCode": place, "QtyOnHand": number})
    shop.ok("sync-recent")
    assert row(shop)["available"] == sum(range(1, len(places) + 1))
    for number, place in enumerate(places, 1):
        shop.ok("sync-recent", "--accept-loss", SYNCCTL_UNLEASHED_WAREHOUSE=place)
        assert row(shop)["available"] == number


def other_warehouses() -> list[str]:
    from syncctl.sandbox.unleashed.lookups import WAREHOUSES

    return [place["WarehouseCode"] for place in WAREHOUSES if place["WarehouseCode"] != "MAIN"]


def test_a_product_that_never_moved_has_none(shop: Shop) -> None:
    shop.upstream.put("products", product())
    shop.ok("sync-recent")
    assert row(shop)["available"] == 0


def test_a_new_product_shows_no_stock_before_it_was_looked_at(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", product())
    shop.ok("sync-recent")
    assert row(shop)["available"] is None
    shop.ok("sync-oldest")
    assert row(shop)["available"] == 0


@pytest.mark.parametrize("first", ["shop", "service"])
def test_a_product_of_the_shop_is_linked_whoever_has_it_first(shop: Shop, first: str) -> None:
    ignore = {"SYNCCTL_NEW_PRODUCTS": "ignore"}
    shop.ok("sync-recent", **ignore)
    insert = "INSERT INTO products (sku, name, price) VALUES ('ONE', 'Our own name', '3.00')"
    if first == "shop":
        shop.write(insert)
        assert (row(shop)["name"], row(shop)["price"], row(shop)["state"]) == ("Our own name", None, None)
    shop.upstream.put("products", product())
    shop.ok("sync-recent", **ignore)
    if first == "service":
        shop.write(insert)
        calls = shop.upstream.calls()
        shop.ok("sync-recent", **ignore)
        assert shop.upstream.calls() - calls == 2
    assert (row(shop)["name"], row(shop)["price"], row(shop)["state"]) == ("One", "10.00", "active")
    assert shop.value("SELECT name FROM products") == "Our own name", "what the shop wrote is not overwritten"


def test_a_product_that_the_shop_deletes_and_inserts_again_is_linked_again(shop: Shop) -> None:
    ignore = {"SYNCCTL_NEW_PRODUCTS": "ignore"}
    shop.upstream.put("products", product())
    shop.ok("sync-recent")
    shop.write("PRAGMA foreign_keys = ON")
    shop.write("UPDATE remote_products SET product_id = NULL WHERE remote_id = ?", GUID)
    shop.write("DELETE FROM products WHERE sku = 'ONE'")
    shop.ok("sync-recent", **ignore)
    shop.write("INSERT INTO products (sku) VALUES ('ONE')")
    shop.ok("sync-recent", **ignore)
    assert row(shop)["price"] == "10.00"


def test_a_product_whose_ghost_is_linked_is_taken_by_its_successor(shop: Shop) -> None:
    """Somebody deletes a product in the back office and makes it anew: same SKU, another id."""
    successor = "bbbbbbbb-0000-4000-8000-000000000002"
    shop.upstream.put("products", product())
    shop.ok("sync-recent")
    shop.upstream.delete("products", GUID)
    shop.ok("sync-oldest")
    shop.upstream.put("products", product(guid=successor, DefaultSellPrice=12))
    shop.ok("sync-recent")
    assert (row(shop)["price"], row(shop)["state"]) == ("12.00", "active")
    links = "SELECT remote_id FROM remote_products WHERE product_id IS NOT NULL AND sku = 'ONE'"
    assert shop.rows(links) == [(successor,)]


def story(shop: Shop, sku: str = "ONE") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shop.ok("explain", "product", sku, "--json").out)
    return found


def test_each_value_is_traced_to_the_call_that_brought_it(shop: Shop) -> None:
    shop.upstream.put("products", product())
    shop.upstream.put("stock", {"ProductGuid": GUID, "AvailableQty": 4})
    shop.ok("sync-recent")
    shop.upstream.put("products", product(DefaultSellPrice=11))
    shop.ok("sync-recent")
    shop.upstream.put("stock", {"ProductGuid": GUID, "AvailableQty": 3})
    shop.ok("sync-product", "ONE")
    calls = shop.upstream.calls()
    told = story(shop)
    assert shop.upstream.calls() == calls, "it is told offline"
    (record,) = told["records"]
    price, stock = record["changes"]
    assert (price["field"], price["before"], price["after"], price["rule"]) == ("price", "10.00", "11.00", "feed")
    assert (price["call"], price["run"], price["command"]) == (3, 2, "sync-recent")
    assert price["request"].startswith("GET /Products/1?modifiedSince=")
    assert (stock["field"], stock["before"], stock["after"], stock["rule"]) == ("available", "4", "3", "manual")
    assert stock["request"].startswith(f"GET /StockOnHand?productId={GUID}")
    assert (record["first_seen"]["call"], record["product_last_seen"]["call"]) == (1, 5)
    assert record["stock_last_seen"]["call"] == stock["call"] == 6
    assert told["catalogue"] == row(shop)


def test_the_story_reads_from_now_to_the_beginning(shop: Shop) -> None:
    shop.upstream.put("products", product(LastModifiedOn="/Date(1600000000000)/"), silent=True)
    shop.ok("sync-recent")
    shop.upstream.put("products", product(DefaultSellPrice=11, Obsolete=True, ProductDescription="Uno"), silent=True)
    shop.ok("sync-oldest")
    text = shop.ok("explain", "product", "ONE").out
    assert text.startswith("ONE in the shop: 'Uno', 11.00 NZD without tax, 0 available, inactive, as of 20")
    places = [text.index(words) for words in ("product seen last", "price: 10.00 -> 11.00; drift", "first seen")]
    assert places == sorted(places)
    assert "state: active -> inactive" in text
    assert "name: One -> Uno" in text
    assert "call 3, run 2 (sync-oldest): GET /Products?productId=" in text


def test_a_gone_product_can_still_be_explained(shop: Shop) -> None:
    shop.upstream.put("products", product())
    shop.ok("sync-recent")
    shop.upstream.delete("products", GUID)
    shop.ok("sync-oldest")
    assert row(shop)["as_of"] is None
    text = shop.ok("explain", "product", "ONE").out
    assert "state: active -> gone; a look at the oldest products showed it" in text
    assert f"GET /Products/{GUID}" in text, "the call that confirmed it"
    assert "None" not in text
    assert text.splitlines()[0].endswith(", gone"), "which somebody has looked at"


def test_a_product_is_explained_by_the_back_office_s_sku_too(shop: Shop) -> None:
    shop.upstream.put("products", product(Obsolete=True))
    shop.ok("sync-recent")
    assert story(shop)["catalogue"] is None
    assert "not linked" in shop.ok("explain", "product", "ONE").out
    unknown = shop.run("explain", "product", "NOWHERE")
    assert unknown.code == 65
    assert "syncctl sync-product NOWHERE" in unknown.err


def test_status_tells_age_ghosts_and_windows(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.write("UPDATE looks SET product_at = product_at - 7200000, oldest_at = product_at - 7200000")
    shop.write(
        "UPDATE looks SET stock_at = 0, stock_call = 0, oldest_at = 0 WHERE remote_id = ?", upstream_id(shop, "MUG")
    )
    found = shop.ok("status", "--json").only()
    assert found["products"] == 30
    assert found["age_seconds"]["never"] == 1
    assert 7200 <= found["age_seconds"]["median"] < 7300
    windows = {window["window"]: window for window in found["windows"]}
    assert (windows["month"]["used"], windows["month"]["limit"]) == (2, 125_000)
    (command,) = found["commands"]
    assert command["command"] == "sync-recent"
    assert command["last_success"]
    text = shop.ok("status").out
    assert "1 not looked at yet" in text
    assert "median 2 h" in text
    assert f"state     {shop.state}" in text


def test_status_tells_the_last_error_and_that_it_never_succeeded(shop: Shop) -> None:
    shop.upstream.fault("401", times=9)
    assert shop.run("sync-recent").code == 77
    text = shop.ok("status").out
    assert "never succeeded" in text
    assert "refuses the credentials" in text


@pytest.mark.parametrize("command", [["sync-recent"], ["sync-oldest"], ["sync-product", "MUG"]])
def test_every_command_links_what_the_shop_has_got_since(shop: Shop, command: list[str]) -> None:
    ignore = {"SYNCCTL_NEW_PRODUCTS": "ignore"}
    shop.upstream.put("products", product())
    shop.ok("sync-recent", **ignore)
    shop.write("INSERT INTO products (sku) VALUES ('ONE')")
    shop.ok(*command, **ignore)
    assert row(shop)["price"] == "10.00"


def test_stock_of_another_warehouse_shows_once_it_is_read(shop: Shop) -> None:
    shop.ok("sync-recent")
    before = shop.rows("SELECT sku, available FROM catalogue ORDER BY sku")
    place = {"SYNCCTL_UNLEASHED_WAREHOUSE": "SHOP"}
    shop.ok("status", **place)
    assert shop.rows("SELECT sku, available FROM catalogue ORDER BY sku") == before
    shop.ok("sync-recent", **place)
    assert shop.rows("SELECT sku, available FROM catalogue ORDER BY sku") != before


def test_a_refused_price_stays_visible_after_the_run_that_refused_it(shop: Shop) -> None:
    shop.upstream.put("products", {"ProductCode": "ODD", "ProductDescription": "Odd", "DefaultSellPrice": 5})
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "ODD", "DefaultSellPrice": "12,50"})
    assert shop.run("sync-recent").code == 65
    shop.upstream.put("products", {"ProductCode": "ODD", "DefaultSellPrice": 5})
    shop.ok("sync-recent")
    assert "'12,50' is not a number" in shop.ok("explain", "product", "ODD").out
    (problem,) = shop.ok("explain", "product", "ODD", "--json").json()["problems"]
    assert (problem["connector"], problem["run"]) == ("unleashed", 2)
