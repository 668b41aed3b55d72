"""One order: what is taken, what is refused with which sentence, and that its lines must add up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.shop.customer import Customer
from syncctl.shop.fields import BadLineError, flat, json_object
from syncctl.shop.order import Line, LineKind, Order, Payment
from syncctl.shop.order_check import order

CENT = Decimal("0.01")
MUG: dict[str, object] = {"sku": "MUG", "unit_price": "10.00"}


def told(**fields: object) -> dict[str, object]:
    """An order of one mug, with these fields instead."""
    plain = {"number": "1001", "placed_at": "2026-11-23T05:00:00Z", "currency": "NZD", "status": "paid"}
    return {**plain, "lines": [MUG], "total": "10.00", **fields}


def made(**fields: object) -> Order:
    """As a list tells it, through JSON."""
    return order(json_object(json.dumps(told(**fields))))


def faults(given_order: dict[str, object]) -> list[str]:
    found: list[BadLineError] = []
    try:
        order(json_object(json.dumps(given_order)))
    except* BadLineError as group:
        found = flat(group)
    assert all(fault.remedy for fault in found)
    return [str(fault) for fault in found]


def said(**fields: object) -> list[str]:
    return faults(told(**fields))


# What is taken


def test_everything_that_an_order_can_tell() -> None:
    address = {"address1": "1 High St", "city": "Wellington", "country": "nz", "phone": ""}
    line = {"kind": "shipping", "sku": "S", "description": "Post", "quantity": "2", "unit_price": "2.5"}
    found = made(
        placed_at="2026-11-23T18:00:00.7+13:00",
        currency="nzd",
        exchange_rate="1.08",
        prices_include_tax=True,
        customer={"code": " C-1 ", "name": "Ann", "company": "A", "email": "a", "phone": "1", "billing": address},
        lines=[{**line, "tax_rate": "0.15", "tax_amount": "0.65"}],
        payments=[{"method": "card", "amount": "9", "paid_at": "2026-11-23T05:01:00Z"}],
        subtotal="4.35",
        tax_total="0.65",
        total=5,
        note="Ring\nthe bell",
    )
    at = datetime(2026, 11, 23, 5, tzinfo=UTC)
    where = {"address1": "1 High St", "city": "Wellington", "country": "NZ"}
    assert found == Order(
        number="1001",
        placed_at=at,
        currency="NZD",
        status="paid",
        exchange_rate=Decimal("1.08"),
        prices_include_tax=True,
        customer=Customer("C-1", "Ann", "A", "a", "1", where),
        lines=(Line(Decimal("2.5"), LineKind.SHIPPING, "S", "Post", Decimal(2), Decimal("0.15"), Decimal("0.65")),),
        payments=(Payment("card", Decimal(9), at.replace(minute=1)),),
        subtotal=Decimal("4.35"),
        tax_total=Decimal("0.65"),
        total=Decimal(5),
        note="Ring the bell",
    )


def test_what_may_be_missing() -> None:
    assert made() == Order(
        number="1001",
        placed_at=datetime(2026, 11, 23, 5, tzinfo=UTC),
        currency="NZD",
        status="paid",
        lines=(Line(Decimal(10), sku="MUG"),),
        total=Decimal(10),
    )
    nothing = dict.fromkeys(("customer", "payments", "note", "subtotal", "exchange_rate", "prices_include_tax"))
    assert made(**nothing) == made()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ('<b>"Ann" & \U0001f469\u200d\U0001f4bb</b>', '<b>"Ann" & \U0001f469\u200d\U0001f4bb</b>'),
        ("a\x00b\tc\u2028d", "a b c d"),
        ("x" * 10_000, "x" * 10_000),
    ],
)
def test_names_stay_as_they_were_entered(name: str, kept: str) -> None:
    assert made(customer={"name": name}).customer.name == kept


@pytest.mark.parametrize("email", ["Ann+Tag@Example.ORG", "no at sign", "ä@ö"])
def test_an_email_is_free_text(email: str) -> None:
    assert made(customer={"email": f" {email} "}).customer.email == email


@pytest.mark.parametrize("sku", ["A B", "A/B", "it's", 'a"b', "\u0160-1"])
def test_a_sku_may_have_any_visible_character(sku: str) -> None:
    assert made(lines=[{**MUG, "sku": sku}]).lines[0].sku == sku


@pytest.mark.parametrize("paid", ["3", "1000", "-4.20", "0"])
def test_payments_are_kept_whatever_they_add_up_to(paid: str) -> None:
    assert made(payments=[{"method": "card", "amount": paid}]).payments == (Payment("card", Decimal(paid)),)


def test_numbers_are_taken_as_they_are_written() -> None:
    text = json.dumps(told(lines=[{**MUG, "unit_price": "PRICE", "tax_amount": "0"}], total="0.10"))
    found = order(json_object(text.replace('"PRICE"', "0.10000000001")))
    assert found.lines[0].unit_price == Decimal("0.10000000001")


def test_three_hundred_lines_and_a_total_of_nothing() -> None:
    lines = [{**MUG, "sku": f"S{number}"} for number in range(299)]
    free = {"kind": "discount", "unit_price": "-2990"}
    assert made(lines=[*lines, free], total=0).total == 0


# What is refused


@pytest.mark.parametrize("key", ["number", "placed_at", "currency", "status", "lines", "total"])
@pytest.mark.parametrize("value", [None, ""])
def test_what_an_order_must_tell(key: str, value: object) -> None:
    missing = told(**{key: value})
    if value is None:
        assert faults({name: each for name, each in missing.items() if name != key}) == [f"It has no {key}"]
    assert faults(missing) == [f"It has no {key}"] or (key, value) == ("lines", "")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"number": 12}, "number is not a text"),
        ({"number": "1\u200b2"}, "number '1\\u200b2' has an invisible character (U+200B)"),
        ({"placed_at": "2026-11-23T05:00:00"}, "placed_at '2026-11-23T05:00:00' does not tell its zone"),
        ({"placed_at": "2026-11-23"}, "placed_at '2026-11-23' does not tell its zone"),
        ({"placed_at": "yesterday"}, "placed_at 'yesterday' is not a time"),
        ({"placed_at": "9999-12-31T23:00:00-05:00"}, "placed_at '9999-12-31T23:00:00-05:00' is not a time"),
        ({"placed_at": "0001-01-01T00:00:00Z"}, "placed_at '0001-01-01T00:00:00Z' is before 1970"),
        ({"currency": "NZ$"}, "currency 'NZ$' is not a currency"),
        ({"exchange_rate": "0"}, "exchange_rate '0' is not more than 0"),
        ({"prices_include_tax": "maybe"}, "prices_include_tax 'maybe' is neither true nor false"),
        ({"customer": "Ann"}, "customer is not an object"),
        ({"customer": {"nmae": "Ann"}}, "customer: There is no key 'nmae'; there are code, name,"),
        ({"customer": {"billing": {"zip": "1"}}}, "customer: billing: There is no key 'zip'; there are address1,"),
        ({"customer": {"shipping": {"country": "NZL"}}}, "customer: shipping: country 'NZL' is not the code"),
        ({"lines": {}}, "lines is not an array"),
        ({"lines": []}, "It has no lines"),
        ({"lines": [[]]}, "Order line 1: This is not an object"),
        ({"lines": [MUG, {"unit_price": "0"}]}, "Order line 2: A product has no sku"),
        ({"lines": [{"sku": "A"}]}, "Order line 1: It has no unit_price"),
        ({"lines": [{**MUG, "kind": "gift"}]}, "Order line 1: kind 'gift' is no kind of line"),
        ({"lines": [{**MUG, "quantity": "0"}]}, "Order line 1: quantity '0' is not more than 0"),
        ({"lines": [{**MUG, "quantity": -1}]}, "Order line 1: quantity '-1' is not more than 0"),
        ({"lines": [{**MUG, "unit_price": "1,5"}]}, "Order line 1: unit_price '1,5' is not an amount"),
        ({"lines": [{**MUG, "unit_price": "1e3"}]}, "Order line 1: unit_price '1e3' is not an amount"),
        ({"lines": [{**MUG, "unit_price": "-1"}]}, "Order line 1: unit_price -1 is below 0"),
        ({"lines": [{**MUG, "tax_rate": 15}]}, "Order line 1: tax_rate 15 is not a fraction of 1"),
        ({"lines": [{**MUG, "colour": "red"}]}, "Order line 1: There is no key 'colour'; there are kind, sku,"),
        (
            {"lines": [{"kind": "discount", "unit_price": "1"}]},
            "Order line 1: The discount's unit_price 1 is above 0",
        ),
        ({"payments": [{"amount": "1"}]}, "Payment 1: It has no method"),
        ({"payments": [{"method": "card"}]}, "Payment 1: It has no amount"),
        ({"total": "-1"}, "total -1 is below 0"),
        ({"totl": "1"}, "There is no key 'totl'; there are number, placed_at,"),
        ({"posted": {"xero": "1"}}, "There is no key 'posted'"),
    ],
)
def test_what_is_refused(fields: dict[str, object], sentence: str) -> None:
    (found,) = said(**fields)
    assert found.startswith(sentence)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    lines = [{**MUG, "quantity": "0", "unit_price": "x"}, {**MUG, "kind": "gift"}]
    found = said(currency="NZ", customer={"email": 5, "billing": []}, lines=lines, total="")
    assert len(found) == 7


# The arithmetic


@pytest.mark.parametrize(
    ("line", "included", "sums"),
    [
        ({"unit_price": "10.00", "tax_rate": "0.15"}, False, ("10.00", "1.50", "11.50")),
        ({"unit_price": "11.50", "tax_rate": "0.15"}, True, ("10.00", "1.50", "11.50")),
        ({"unit_price": "0.03", "tax_rate": "0.5"}, False, ("0.03", "0.02", "0.05")),  # half a cent goes up
        ({"unit_price": "1.3333", "quantity": "3", "tax_rate": "0"}, False, ("4.00", "0", "4.00")),
        ({"unit_price": "9.99", "quantity": "0.125", "tax_rate": "0.15"}, True, ("1.09", "0.16", "1.25")),
        ({"unit_price": "10.03", "quantity": "0.95", "tax_rate": "0.5"}, False, ("9.53", "4.77", "14.30")),
        ({"unit_price": "10", "tax_rate": "0.15", "tax_amount": "1.49"}, False, ("10", "1.49", "11.49")),
        ({"unit_price": "10", "tax_rate": "0.15", "tax_amount": "1.29"}, True, ("8.71", "1.29", "10")),
        ({"unit_price": "10"}, True, ("10", "0", "10")),
        ({"unit_price": "-0.25", "tax_rate": "0.1", "kind": "discount"}, False, ("-0.25", "-0.03", "-0.28")),
        ({"unit_price": "999999999999.99", "quantity": "999999999999", "tax_rate": "0"}, False, None),
    ],
)
def test_what_a_line_adds_up_to(line: dict[str, str], included: bool, sums: tuple[str, str, str] | None) -> None:
    base = {"kind": "fee", "unit_price": "100"}
    if sums is None:
        exact = Decimal("999999999999.99") * 999999999999 + 100
        assert said(lines=[base, {**MUG, **line}], total="1")[0].endswith(f"than its lines add up to ({exact})")
        return
    subtotal, tax, total = (Decimal(each) for each in sums)
    made(
        lines=[base, {**MUG, **line}],
        prices_include_tax=included,
        subtotal=str(subtotal + 100),
        tax_total=str(tax),
        total=str(total + 100),
    )


def test_what_does_not_add_up_is_told_with_the_difference() -> None:
    assert said(total="10.01") == ["total 10.01 is 0.01 more than its lines add up to (10.00)"]
    assert said(subtotal="9.00", tax_total="1.00") == [
        "subtotal 9.00 is 1.00 less than its lines add up to (10.00)",
        "tax_total 1.00 is 1.00 more than its lines add up to (0.00)",
    ]


@pytest.mark.parametrize(("currency", "total"), [("JPY", "116"), ("NZD", "115.50"), ("KWD", "115.500")])
def test_tax_is_rounded_to_what_the_currency_has(currency: str, total: str) -> None:
    line = {"sku": "A", "unit_price": "105", "tax_rate": "0.10"}
    assert made(currency=currency, lines=[line], total=total).total == Decimal(total)


def cents(most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most).map(lambda number: number * CENT)


LINE = st.fixed_dictionaries(
    {"kind": st.sampled_from(list(LineKind)), "price": cents(100_000), "quantity": st.integers(1, 2000)},
    optional={"tax_rate": st.sampled_from(["0", "0.05", "0.125", "0.15"]), "tax_amount": cents(5000)},
)


def written(line: dict[str, Any]) -> dict[str, str]:
    """A line as JSON tells it; the quantity in hundredths."""
    sign = -1 if line["kind"] is LineKind.DISCOUNT else 1
    found = {"kind": line["kind"].value, "sku": "A", "unit_price": str(sign * line["price"])}
    found["quantity"] = str(line["quantity"] * CENT)
    return found | {key: str(line[key]) for key in ("tax_rate", "tax_amount") if key in line}


def rounded(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def paid(line: dict[str, str], included: bool) -> tuple[Decimal, Decimal]:
    """What a line costs with its tax, and the tax: the README's rule, written once more."""
    base = rounded(Decimal(line["unit_price"]) * Decimal(line["quantity"]))
    rate = Decimal(line.get("tax_rate", "0"))
    own = rounded(base - base / (1 + rate)) if included else rounded(base * rate)
    tax = Decimal(line["tax_amount"]) if "tax_amount" in line else own
    return (base if included else base + tax), tax


@given(st.lists(LINE, min_size=1, max_size=12), st.booleans(), st.sampled_from([CENT, -CENT]))
def test_totals_that_add_up_are_taken_and_a_cent_more_or_less_is_not(
    lines: list[dict[str, Any]], included: bool, step: Decimal
) -> None:
    rows = [written(line) for line in lines]
    rows.append({"kind": "fee", "unit_price": "30000000", "quantity": "1"})  # keeps the total above 0
    costs = [paid(row, included) for row in rows]
    total, tax = sum(cost for cost, _ in costs), sum(tax for _, tax in costs)
    sums = {"prices_include_tax": included, "tax_total": str(tax), "subtotal": str(total - tax)}
    assert made(lines=rows, total=str(total), **sums).total == total
    (found,) = said(lines=rows, total=str(total + step), **sums)
    assert found.startswith(f"total {total + step} is 0.01 {'more' if step > 0 else 'less'} than")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([*told(), "customer", "payments", "note", "tax_total", "exchange_rate"]), JSON)
def test_nonsense_is_refused_or_taken_but_never_crashes(key: str, value: object) -> None:
    said(**{key: value})
    said(lines=[{**MUG, "kind": value, "tax_rate": value}], payments=[{"method": value, "amount": value}])
    said(customer={"name": value, "billing": value, "shipping": {"country": value}})
