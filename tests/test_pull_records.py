"""Records that no shop can use: each is told with its name and what to do, and none stops the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from conftest import Shop
from requests_mock import Mocker

pytestmark = pytest.mark.products(30)
GUID = "bbbbbbbb-0000-4000-8000-000000000001"
OTHER = "bbbbbbbb-0000-4000-8000-000000000002"


def plant(shop: Shop, text: str, kind: str = "products", query: str = "") -> None:
    """Plants a record from its JSON text, which may hold what no JSON library writes."""
    answer = requests.post(f"{shop.upstream.url}/records/unleashed/{kind}{query}", data=text, timeout=30)
    assert answer.ok, answer.text


def product(sku: str, guid: str = GUID, **fields: object) -> dict[str, object]:
    return {"Guid": guid, "ProductCode": sku, "ProductDescription": sku, "DefaultSellPrice": 10, **fields}


def errors(shop: Shop, *args: str, **settings: str) -> list[dict[str, str]]:
    """Runs a command that meets a record which needs a person."""
    result = shop.run(*args, "--json", **settings)
    assert result.code == 65, result
    found: list[dict[str, str]] = result.only()["errors"]
    assert len(result.err.splitlines()) == len(found)
    assert all(error["remedy"] for error in found), found
    return found


def price_of(shop: Shop, sku: str) -> Any:
    return shop.value("SELECT price FROM catalogue WHERE sku = ?", sku)


@pytest.mark.parametrize(
    "token", ['"12,50"', "NaN", "-Infinity", "1e400", "1e99999999999999999999", "-0.01", "[1]", "1" * 5000]
)
def test_a_bad_price_is_told_and_the_old_one_stays(shop: Shop, token: str) -> None:
    shop.upstream.put("products", product("GOOD", OTHER))
    shop.upstream.put("products", product("BAD"))
    shop.ok("sync-recent")
    plant(shop, f'{{"Guid":"{GUID}","DefaultSellPrice":{token}}}')
    shop.upstream.put("products", product("GOOD", OTHER, DefaultSellPrice=11))
    (error,) = errors(shop, "sync-recent")
    assert error["record"] == "BAD"
    assert "price" in error["message"]
    assert len(error["message"]) < 200
    assert (price_of(shop, "BAD"), price_of(shop, "GOOD")) == ("10.00", "11.00")
    shop.upstream.put("products", product("BAD", DefaultSellPrice=12))
    shop.ok("sync-recent")
    assert price_of(shop, "BAD") == "12.00"


@pytest.mark.parametrize("kind", ["products", "stock"])
def test_what_is_wrong_is_told_once_and_again_where_everything_is_asked_for(shop: Shop, kind: str) -> None:
    shop.upstream.put("products", product("BAD"))
    shop.upstream.put("stock", {"ProductGuid": GUID, "QtyOnHand": 3, "AllocatedQty": 0})
    shop.ok("sync-recent")
    field = {"products": '"Guid":"%s","DefaultSellPrice"', "stock": '"ProductGuid":"%s","AvailableQty"'}[kind] % GUID
    plant(shop, f'{{{field}:"12,50"}}', kind)
    errors(shop, "sync-recent")
    shop.ok("sync-recent")
    assert [error["record"] for error in errors(shop, "sync-recent", "--full")] == ["BAD"]


@pytest.mark.parametrize(
    ("token", "shown"), [("null", None), ("0", "0.00"), ("-0.0", "0.00"), ("1.5e1", "15.00"), ("2.6315800", "2.63158")]
)
def test_an_unusual_price_is_none(shop: Shop, token: str, shown: str | None) -> None:
    shop.upstream.put("products", product("ODD"))
    shop.ok("sync-recent")
    plant(shop, f'{{"Guid":"{GUID}","DefaultSellPrice":{token}}}')
    shop.ok("sync-recent")
    assert price_of(shop, "ODD") == shown


def test_a_new_product_with_a_bad_price_has_none(shop: Shop) -> None:
    plant(shop, f'{{"Guid":"{GUID}","ProductCode":"NEW-BAD","DefaultSellPrice":"12,50"}}')
    (error,) = errors(shop, "sync-recent")
    assert (error["record"], error["message"]) == ("NEW-BAD", "its price '12,50' is not a number but text")
    assert error["remedy"] == "Correct it in Unleashed; the old price stays until then, if there is one"
    assert price_of(shop, "NEW-BAD") is None
    assert shop.value("SELECT count(*) FROM remote_products") == 31


@pytest.mark.parametrize(("token", "shown"), [("2.5", 2.5), ("-3", -3), ("0.0001", 0.0001), ("1E+3", 1000)])
def test_quantities_may_be_fractions_and_negative(shop: Shop, token: str, shown: float) -> None:
    shop.upstream.put("products", product("QTY"))
    plant(shop, f'{{"ProductGuid":"{GUID}","AvailableQty":{token}}}', "stock")
    shop.ok("sync-recent")
    assert shop.value("SELECT available FROM catalogue WHERE sku = 'QTY'") == shown


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ('"5"', "'5' is not a number but text"), ("null", "is missing"), ("NaN", "'NaN' is not a number"),
        ("1e400", "'1E+400' is too large"), ("[]", "'[]' is not a number"),
    ],
)  # fmt: skip
def test_a_bad_quantity_is_told_and_the_old_one_stays(shop: Shop, token: str, words: str) -> None:
    shop.upstream.put("products", product("QTY"))
    shop.upstream.put("stock", {"ProductGuid": GUID, "AvailableQty": 5})
    shop.ok("sync-recent")
    plant(shop, f'{{"ProductGuid":"{GUID}","AvailableQty":{token}}}', "stock")
    (error,) = errors(shop, "sync-recent")
    assert (error["record"], f"its available quantity {words}" in error["message"]) == ("QTY", True)
    assert shop.value("SELECT available FROM catalogue WHERE sku = 'QTY'") == 5


NAMES = {
    "line\nbreak\r\n": "line break",
    "tab\tand\x00nul\x1b[31m": "tab and nul [31m",
    "lone\ud800surrogate": "lone surrogate",
    "right\u202eto left": "right to left",
    "n" * 10_000: "n" * 10_000,
    "emoji 🥣 crème 漢": "emoji 🥣 crème 漢",
    "'; DROP TABLE products; --": "'; DROP TABLE products; --",
}


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_is_one_line_of_text_whatever_the_service_says(shop: Shop, name: str) -> None:
    plant(shop, json.dumps(product("NAMED", ProductDescription=name)))
    shop.ok("sync-recent")
    assert shop.value("SELECT name FROM catalogue WHERE sku = 'NAMED'").split() == NAMES[name].split()
    assert len(shop.ok("explain", "product", "NAMED").out.splitlines()[0]) < 250
    shop.ok("sync-product", "NAMED", "-v")


@pytest.mark.parametrize("code", ["", "   ", None, "\x00", "\ud800"])
def test_a_product_without_sku_is_told_and_kept_out_of_the_shop(shop: Shop, code: str | None) -> None:
    plant(shop, json.dumps(product("x") | {"ProductCode": code, "ProductDescription": "Nameless mug"}))
    (error,) = errors(shop, "sync-recent")
    assert error["record"] == GUID
    assert "has no SKU (Nameless mug)" in error["message"]
    assert shop.value("SELECT count(*) FROM remote_products") == 31
    assert shop.value("SELECT count(*) FROM products WHERE trim(sku) = ''") == 0
    shop.ok("sync-recent")


def test_blanks_around_an_sku_are_none_of_it(shop: Shop) -> None:
    shop.upstream.put("products", product("  PADDED \u00a0"))
    shop.ok("sync-recent")
    assert price_of(shop, "PADDED") == "10.00"


@pytest.mark.parametrize("page_size", ["200", "1"])
def test_two_products_with_one_sku_are_told_and_neither_is_sold(shop: Shop, page_size: str) -> None:
    """On one page, and on two."""
    shop.upstream.put("products", product("TWIN"), product("TWIN", OTHER, DefaultSellPrice=99))
    (error,) = errors(shop, "sync-recent", SYNCCTL_UNLEASHED_PAGE_SIZE=page_size)
    assert error["record"] == "TWIN"
    assert GUID in error["message"]
    assert OTHER in error["message"]
    assert shop.value("SELECT count(product_id) FROM remote_products WHERE sku = 'TWIN'") == 0
    assert shop.value("SELECT count(*) FROM remote_products") == 32
    shop.ok("sync-recent")


@pytest.mark.parametrize("page_size", ["200", "1"])
@pytest.mark.parametrize("mended", ["renamed", "deleted"])
def test_twins_that_were_mended_come_into_the_shop(shop: Shop, page_size: str, mended: str) -> None:
    shop.upstream.put("products", product("TWIN"), product("TWIN", OTHER, DefaultSellPrice=99))
    errors(shop, "sync-recent", SYNCCTL_UNLEASHED_PAGE_SIZE=page_size)
    if mended == "renamed":
        shop.upstream.put("products", product("TWIN-2", OTHER))
        shop.ok("sync-recent")
        assert price_of(shop, "TWIN-2") == "10.00"
    else:
        shop.upstream.delete("products", OTHER)
        shop.ok("sync-recent", "--full")
    shop.ok("sync-recent")
    assert price_of(shop, "TWIN") == "10.00"


def test_a_twin_of_a_linked_product_does_not_take_its_place(shop: Shop) -> None:
    shop.upstream.put("products", product("TWIN"))
    shop.ok("sync-recent")
    shop.upstream.put("products", product("TWIN", OTHER, DefaultSellPrice=99))
    (error,) = errors(shop, "sync-recent")
    assert error["record"] == "TWIN"
    assert price_of(shop, "TWIN") == "10.00"
    shop.ok("sync-recent")


def test_the_old_sku_of_a_renamed_product_is_not_given_to_another(shop: Shop) -> None:
    """The link holds by id; whoever takes over the SKU in the back office is told of once."""
    shop.upstream.put("products", product("ONE"))
    shop.ok("sync-recent")
    shop.upstream.put("products", product("ONE-RENAMED"), product("ONE", OTHER, DefaultSellPrice=99))
    assert {error["record"] for error in errors(shop, "sync-recent")} == {"ONE"}
    assert price_of(shop, "ONE") == "10.00"
    shop.ok("sync-recent")


def test_a_linked_product_renamed_to_the_sku_of_another_is_told_each_time(shop: Shop) -> None:
    shop.upstream.put("products", product("ONE"), product("TWO", OTHER, DefaultSellPrice=99))
    shop.ok("sync-recent")
    shop.upstream.put("products", product("TWO"))
    changes = [product("TWO", DefaultSellPrice=11), product("TWO", OTHER, DefaultSellPrice=98)]
    for change in [None, *changes]:
        if change:
            shop.upstream.put("products", change)
        (error,) = errors(shop, "sync-recent")
        assert (error["record"], "several products have this SKU" in error["message"]) == ("TWO", True)
        assert GUID in error["message"]
        assert OTHER in error["message"]
        assert "UPDATE" not in error["remedy"]
    assert (price_of(shop, "ONE"), price_of(shop, "TWO")) == ("11.00", "98.00")


def test_no_rename_is_proposed_to_an_sku_that_the_shop_has(shop: Shop) -> None:
    shop.upstream.put("products", product("ONE"))
    shop.ok("sync-recent")
    shop.write("INSERT INTO products (sku) VALUES ('OWN')")
    shop.upstream.put("products", product("OWN"))
    (error,) = errors(shop, "sync-recent")
    assert (error["record"], "is now called OWN" in error["message"]) == ("ONE", True)
    assert "UPDATE" not in error["remedy"]


def test_a_linked_product_that_loses_its_sku_keeps_its_link(shop: Shop) -> None:
    shop.upstream.put("products", product("ONE"))
    shop.ok("sync-recent")
    shop.upstream.put("products", product("", DefaultSellPrice=11))
    (error,) = errors(shop, "sync-recent")
    assert (error["record"], "has no SKU any more" in error["message"]) == ("ONE", True)
    assert error["remedy"] == "Give it one there"
    assert price_of(shop, "ONE") == "11.00"


def test_skus_that_differ_only_in_case_are_told_and_stay_apart(shop: Shop) -> None:
    shop.upstream.put("products", product("Case-1"), product("CASE-1", OTHER))
    (error,) = errors(shop, "sync-recent")
    assert {error["record"], *error["message"].replace(",", "").split()} >= {"Case-1", "CASE-1"}
    assert shop.value("SELECT count(*) FROM products WHERE sku = 'Case-1' COLLATE NOCASE") == 1
    shop.ok("sync-recent")


def answered(items: list[object]) -> dict[str, object]:
    paging = {"NumberOfItems": len(items), "PageSize": 200, "PageNumber": 1, "NumberOfPages": 1}
    return {"Items": items, "Pagination": paging}


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ({"ProductCode": "NO-GUID"}, "NO-GUID"),
        ({"Guid": None, "ProductCode": "NO-GUID"}, "NO-GUID"),
        ({"Guid": "  ", "ProductCode": "NO-GUID"}, "NO-GUID"),
        ("just a text", "products 2 of page 1"),
        (None, "products 2 of page 1"),
        ([], "products 2 of page 1"),
        ({}, "product ? on page 1"),
    ],
)
def test_what_is_no_record_is_told_by_its_place(shop: Shop, requests_mock: Mocker, record: object, word: str) -> None:
    base = shop.env["SYNCCTL_UNLEASHED_BASE_URL"]
    good = [product("FIRST"), product("LAST", OTHER)]
    requests_mock.get(f"{base}/Products/1", json=answered([good[0], record, good[1]]))
    requests_mock.get(f"{base}/StockOnHand/1", json=answered([]))
    (error,) = errors(shop, "sync-recent")
    assert word in error["record"]
    assert shop.rows("SELECT sku FROM catalogue ORDER BY sku") == [("FIRST",), ("LAST",)]


def test_stock_without_a_product_is_told(shop: Shop, requests_mock: Mocker) -> None:
    base = shop.env["SYNCCTL_UNLEASHED_BASE_URL"]
    requests_mock.get(f"{base}/Products/1", json=answered([product("FIRST")]))
    rows = [{"ProductCode": "NO-GUID", "AvailableQty": 3}, {"ProductGuid": GUID.upper(), "AvailableQty": 4}]
    requests_mock.get(f"{base}/StockOnHand/1", json=answered([*rows]))
    (error,) = errors(shop, "sync-recent")
    assert "NO-GUID" in error["record"]
    assert shop.rows("SELECT sku, available FROM catalogue") == [("FIRST", 4)]


def test_a_record_shown_twice_counts_once(shop: Shop, requests_mock: Mocker) -> None:
    base = shop.env["SYNCCTL_UNLEASHED_BASE_URL"]
    twice = [product("SAME", DefaultSellPrice=1), product("SAME", DefaultSellPrice=2)]
    requests_mock.get(f"{base}/Products/1", json=answered([*twice]))
    requests_mock.get(f"{base}/StockOnHand/1", json=answered([]))
    shop.ok("sync-recent")
    assert shop.rows("SELECT sku, price FROM catalogue") == [("SAME", "2.00")]
