"""Whatever a shop's orders hold, each is posted rightly or held with one sentence, and stops no other."""

from __future__ import annotations

from decimal import Decimal

import pytest
from conftest import Shop
from posting import SETTINGS, Json, arrived, line, moment, once, order, place, post, records, sales, states


@pytest.fixture(autouse=True)
def posting(shop: Shop) -> None:
    shop.extra |= SETTINGS
    shop.ok("sync-recent")
    shop.ok("sync-customers")


@pytest.fixture
def catalogue_size() -> int:
    return 6


LONG = {"address1": "1 Long Road " * 50, "city": "Wellington", "postcode": "6011", "country": "NZ"}
ODD: dict[str, Json] = {
    "many lines": {"lines": tuple(line(price="1.00") for _ in range(300)), "total": "345.00"},
    "worth nothing": {"lines": (line(price="0.00"),), "total": "0.00"},
    "a fraction": {"lines": (line(price="2.00", quantity="0.333"),), "total": "0.77"},
    "a SKU with spaces": {"lines": (line("TWO WORDS"),)},
    "a SKU with slash and quotes": {"lines": (line("a/b'c\"d"),)},
    "a SKU of other letters": {"lines": (line("TÄßE-日本"),)},
    "a SKU like a filter": {"lines": (line("50%+A&B=C#D"),)},
    "an e-mail with +": {"customer": {"email": "jo+web@shop.test", "name": "Jo"}},
    "an e-mail in capitals": {"customer": {"email": "JO@SHOP.TEST", "name": "Jo"}},
    "an e-mail without @": {"customer": {"email": "no address", "name": "Jo"}},
    "a name with tags and emoji": {"customer": {"email": "jo@shop.test", "name": "<b>Jo</b> 🙂 O'Neil & Söhne"}},
    "a long address": {"customer": {"email": "jo@shop.test", "name": "Jo", "shipping": LONG}},
    "a future day": {"placed_at": moment(days=-2)},
    "a number with a slash": {"number": "2026/11-7"},
    "a number with spaces": {"number": "A 1 & 2"},
    "a long note": {"note": "x" * 5000},
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
@pytest.mark.parametrize("role", ["", "products,stock,customers,invoices"])
def test_an_odd_order_arrives_rightly(shop: Shop, change: Json, role: str) -> None:
    """With customers and products in the mirror, and where each has to be looked up."""
    odd = order("1") | change
    place(shop, odd, order("2"))
    result = post(shop, SYNCCTL_UNLEASHED_ROLES=role or "invoices")
    assert (result["errors"], result["posted"]) == ([], 2)
    assert arrived(shop) == once([odd["number"], "2"])
    (stored,) = [each for each in sales(shop) if each["CustomerRef"] == odd["number"]]
    assert Decimal(str(stored["Total"])) == Decimal(odd["total"])
    assert len(stored["SalesOrderLines"]) == len(odd["lines"])
    skus = {each["sku"] for each in odd["lines"]}
    assert {each["Product"]["ProductCode"] for each in stored["SalesOrderLines"]} == skus
    assert all([each["ProductCode"] for each in records(shop, "products")].count(sku) == 1 for sku in skus)


BAD: dict[str, Json] = {
    "nothing to pay with": {"currency": "XYZ"},
    "a total that is not theirs": {"total": "99.00"},
    "no lines": {"lines": (), "total": "0.00"},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_a_bad_order_is_held_with_one_sentence_and_stops_no_other(shop: Shop, change: Json) -> None:
    place(shop, {**order("1"), "placed_at": moment(seconds=1), **change})
    place(shop, order("2"))
    result = post(shop, "--order", "1", "--order", "2")
    (error,) = result["errors"]
    assert (error["record"], bool(error["message"] and error["remedy"])) == ("1", True)
    assert (arrived(shop), states(shop)) == (once(["2"]), {"done": 1, "due": 1})
