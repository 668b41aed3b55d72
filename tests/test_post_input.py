"""Whatever a shop's orders hold, each is posted rightly or held with one sentence, and stops no other."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from conftest import Shop
from offices import Office
from postbox import Postbox, serving
from posting import Json, customer, line, moment, order, place

LONG = {"address1": "1 Long Road " * 50, "city": "Wellington", "postcode": "6011", "country": "NZ"}
POSTED: dict[str, Json] = {
    "plain": {},
    "many lines": {"lines": tuple(line("BIG", price="1.00") for _ in range(300)), "total": "345.00"},
    "worth nothing": {"lines": (line(price="0.00"),), "total": "0.00"},
    "a fraction": {"lines": (line(price="2.00", quantity="0.333"),), "total": "0.77"},
    "a SKU with spaces": {"lines": (line("TWO WORDS"),)},
    "a SKU with slash and quotes": {"lines": (line("a/b'c\"d"),)},
    "a SKU of other letters": {"lines": (line("TÄßE-日本"),)},
    "a SKU like a filter": {"lines": (line("50%+A&B=C#D"),)},
    "an e-mail with +": {"customer": {"email": "jo+web@shop.test"}},
    "an e-mail in capitals": {"customer": {"email": "JO@SHOP.TEST"}},
    "an e-mail without @": {"customer": {"email": "no address"}},
    "a name with tags and emoji": {"customer": {"name": "<b>Jo</b> 🙂 O'Neil & Söhne"}},
    "a name of control characters": {"customer": {"name": "Jo\x00\x07 \u202eEx"}},
    "a long name": {"customer": {"name": "J" * 700}},
    "a long address": {"customer": {"shipping": LONG}},
    "a day of tomorrow, as a clock that is wrong has it": {"placed_at": moment(hours=-20)},
    "a number with a slash": {"number": "2026/11-7"},
    "a number with spaces": {"number": "A 1 & 2"},
    "a long note": {"note": "x" * 5000},
}
HELD: dict[str, tuple[Json, str]] = {
    "an unknown currency": ({"currency": "XYZ"}, "currency|exchange_rate|SYNCCTL_VEND_CURRENCY"),
    "no currency": ({"currency": "dollars"}, "ISO 4217"),
    "a total that is not theirs": ({"total": "99.00"}, "87.50 more than its lines add up to"),
    "no lines": ({"lines": (), "total": "0.00"}, "no lines"),
    "a quantity of 0": ({"lines": (line(quantity="0"),), "total": "0.00"}, "quantity"),
    "a quantity below 0": ({"lines": (line(quantity="2"), line(quantity="-1"))}, "quantity"),
    "a line without SKU": ({"lines": ({**line(), "sku": None},)}, "no sku"),
    "a rate without a code": ({"lines": (line(rate="0.2"),), "total": "12.00"}, "0.20:CODE"),
}
LOCKED = {"placed_at": "2023-06-01T00:00:00Z"}


def placed(shop: Shop, change: Json) -> Json:
    """An order of a customer of its own, in tables that check nothing; what it was made of."""
    number = change.get("number") or f"N{shop.value('SELECT count(*) FROM orders')}"
    who = {"code": f"C-{number}", "email": f"{number.replace(' ', '')}@shop.test", "name": f"Jo {number}"}
    who |= change.get("customer", {})
    known = customer(shop, code=who["code"], email=who["email"])
    made = order(number) | change | {"number": number, "customer": who, "customer_id": known}
    place(shop, made, checked=False)
    return made


@pytest.mark.parametrize("roles", ["products,stock,customers,invoices", "invoices"])
def test_each_is_posted_rightly_or_held_with_one_sentence(office: Office, roles: str) -> None:
    """With customers and products in the mirror, and where each has to be looked up."""
    posted = {name: placed(office.shop, change) for name, change in POSTED.items()}
    held = {name: (placed(office.shop, change)["number"], words) for name, (change, words) in HELD.items()}
    locked = placed(office.shop, LOCKED)
    if office.name == "xero":
        held["a day in a locked period"] = (locked["number"], "lock date")
    result = office.run("--yes-all", POST_SINCE="2020-01-01", ROLES=roles)
    check_held(result.only()["errors"], held)
    there = office.posted()
    for name, made in posted.items():
        (record,) = there.pop(made["number"], [{}])
        assert record, f"{name}: it is not there"
        assert office.total(record) == Decimal(made["total"]), name
        assert len(record[office.form.lines]) == len(made["lines"]), name
    assert set(there) <= {locked["number"]}
    check_once(office, posted)


def check_held(errors: list[Json], held: dict[str, tuple[str, str]]) -> None:
    """One sentence each, with what to mend."""
    told = {error["record"]: f"{error['message']}. {error['remedy']}" for error in errors if error["remedy"]}
    assert len(told) == len(errors)
    for name, (number, words) in held.items():
        assert any(word in told.get(number, "") for word in words.split("|")), f"{name}: {told.get(number)}"


def check_once(office: Office, posted: dict[str, Json]) -> None:
    """Each new customer and each new product was made once."""
    codes = Counter(record.get(office.form.code) for record in office.records("customers"))
    assert [codes[made["customer"]["code"]] for made in posted.values()] == [1] * len(posted)
    skus = Counter(record.get(office.form.sku) for record in office.records("products"))
    assert {skus[each["sku"]] for made in posted.values() for each in made["lines"]} == {1}


def test_nothing_is_created_for_an_order_that_is_held_for_its_own_sake(office: Office) -> None:
    placed(office.shop, {"lines": (line("HELD-1", rate="0.2"),), "total": "12.00"})
    before = office.writes()
    assert office.run().only()["rejected"] == 1
    assert office.writes() == before


def test_an_order_of_a_day_to_come_waits_for_it_or_until_it_is_mended(office: Office) -> None:
    shop, before = office.shop, office.writes()
    day = moment(days=-9)
    placed(shop, {"number": "E1", "placed_at": day})
    assert "0 calls" in shop.run("post-invoices", "--dry-run").out
    for args in ((), ("--order", "E1")):
        result = office.run(*args)
        assert (result.code, result.only()["errors"], office.writes()) == (0, [], before)
        assert [result.only()[word] for word in ("waiting", "rejected")] == [1, 0]
    (row,) = shop.ok("queue", "list", "--json").json()["rows"]
    assert [row[name] for name in ("state", "cause", "due_at", "tries")] == ["waiting", "to-come", day, 0]
    for command in (("queue", "list"), ("explain", "order", "E1")):
        told = shop.ok(*command).out
        assert "waiting (to-come): it is dated 20" in told
        assert f"Next try {day}." in told
    shop.write(f"UPDATE orders SET placed_at = '{moment()}'")
    assert office.run().only()["posted"] == 1


@pytest.mark.parametrize("office", ["unleashed"], indirect=True)
def test_a_date_that_is_mistyped_is_told(office: Office) -> None:
    placed(office.shop, {"number": "E1", "placed_at": moment(days=-40)})
    result, before = office.run(), office.writes()
    (error,) = result.only()["errors"]
    assert (result.code, error["record"], office.writes()) == (65, "E1", before)
    assert "more than a month ahead" in error["message"]
    office.shop.write("UPDATE orders SET placed_at = ?", moment())
    assert office.run().only()["posted"] == 1


@pytest.mark.parametrize("office", ["unleashed"], indirect=True)
def test_an_order_of_a_day_to_come_is_no_failure_and_is_posted_on_its_day(office: Office) -> None:
    shop, day = office.shop, moment(days=-9)
    placed(shop, {"number": "E1", "placed_at": day})
    with serving(Postbox()) as box:
        shop.ok("post-invoices", **box.env())
        assert not box.mails
    orders = shop.ok("status", "--json").only()["orders"]
    assert [orders[name] for name in ("waiting", "rejected", "oldest_seconds")] == [1, 0, None]
    assert f"none due before {day}" in shop.ok("retry-queue", "-v").out
    calls = office.upstream.calls()
    assert (office.run().code, office.upstream.calls()) == (0, calls)
    shop.write("UPDATE orders SET placed_at = ?", moment())
    shop.write("UPDATE outbox SET state = 'waiting', due_at = 0")  # as if nobody had changed it, and the day had come
    assert shop.ok("retry-queue", "--json").only()["posted"] == 1
