"""`syncctl import orders`: each order whole or not at all, and once."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Shop
from hypothesis import event, given, settings
from hypothesis import strategies as st

from syncctl.models import Problem
from syncctl.shop.listing import read as read_list
from syncctl.shop.order import Order
from syncctl.shop.order_check import orders
from syncctl.state.database import Database, open_database
from syncctl.state.orders import load, store

LINES = [
    {"sku": "MUG", "description": "A mug", "quantity": "2", "unit_price": "10.00", "tax_rate": "0.15"},
    {"kind": "discount", "unit_price": "-1.00", "tax_rate": "0.15"},
]
PAID = [{"method": "card", "amount": "21.85", "paid_at": "2026-11-23T05:01:00Z"}]


def order(number: str = "1001", **fields: Any) -> dict[str, Any]:
    plain = {"number": number, "placed_at": "2026-11-23T18:00:00+13:00", "currency": "NZD", "status": "paid"}
    return {**plain, "lines": LINES, "payments": PAID, "total": "21.85", **fields}


def bring(shop: Shop, *orders: dict[str, Any], options: tuple[str, ...] = ("-v",)) -> Result:
    (shop.folder / "orders.jsonl").write_text("".join(json.dumps(each) + "\n" for each in orders))
    return shop.run("import", "orders", "orders.jsonl", *options)


def again(shop: Shop, **fields: Any) -> tuple[str, int]:
    """Imports the order with these fields instead; what was said, and by how much its revision rose."""
    before = shop.value("SELECT revision FROM orders")
    result = bring(shop, order(**fields))
    assert (result.code, result.err) == (0, "")
    return result.out, shop.value("SELECT revision FROM orders") - before


def read(shop: Shop) -> list[Order | None]:
    with contextlib.closing(open_database(shop.state)) as database:
        ids = [row["id"] for row in database.rows("SELECT id FROM orders ORDER BY id")]
        return [each.order for each in load(database, ids)]


def test_an_order_stands_in_the_tables(shop: Shop) -> None:
    who = {"code": "C-1", "email": "ann@example.org", "billing": {"country": "nz"}}
    bring(shop, order(customer=who, exchange_rate="1.10", tax_total="2.85", subtotal="19", note="x"))
    columns = "number, placed_at, currency, exchange_rate, status, prices_include_tax, customer, subtotal, tax_total"
    assert shop.rows(f"SELECT {columns}, total, note, created_by FROM orders") == [
        (
            *("1001", "2026-11-23T05:00:00Z", "NZD", "1.1", "paid", 0),
            '{"billing": {"country": "NZ"}, "code": "C-1", "email": "ann@example.org"}',
            *("19.00", "2.85", "21.85", "x", "import"),
        )
    ]
    assert shop.rows("SELECT position, kind, sku, description, quantity, unit_price, tax_rate FROM order_lines") == [
        (1, "product", "MUG", "A mug", "2", "10.00", "0.15"),
        (2, "discount", None, None, "1", "-1.00", "0.15"),
    ]
    assert shop.rows("SELECT * FROM order_payments") == [(1, 1, "card", "21.85", "2026-11-23T05:01:00Z")]


def test_the_same_list_again_changes_nothing(shop: Shop) -> None:
    assert bring(shop, order(), order("1002")).out == "2 new, 0 changed, 0 unchanged\n"
    before = shop.rows("SELECT * FROM orders")
    reworded = order(placed_at="2026-11-23T05:00:00.5Z", currency="nzd", total="21.850", note="")
    assert bring(shop, reworded, order("1002")).out == "0 new, 0 changed, 2 unchanged\n"
    assert shop.rows("SELECT * FROM orders") == before


def test_a_new_status_is_no_change_of_what_was_sold(shop: Shop) -> None:
    bring(shop, order())
    assert again(shop, status="completed") == ("0 new, 1 changed, 0 unchanged\n", 0)
    assert shop.value("SELECT status FROM orders") == "completed"


@pytest.mark.parametrize(
    "fields",
    [
        {"lines": LINES[:1], "total": "23.00"},
        {"lines": [{**LINES[0], "sku": "CUP"}, LINES[1]]},
        {"payments": []},
        {"note": "Ring the bell"},
        {"customer": {"name": "Bob"}},
        {"placed_at": "2026-11-24T00:00:00Z"},
    ],
)
def test_an_order_that_changed_is_replaced_and_can_be_told(shop: Shop, fields: dict[str, Any]) -> None:
    bring(shop, order())
    made = shop.value("SELECT created_at FROM orders")
    out, risen = again(shop, **fields)
    assert (out, risen > 0) == ("0 new, 1 changed, 0 unchanged\n", True)
    (now,) = read(shop)
    assert again(shop, **fields) == ("0 new, 0 changed, 1 unchanged\n", 0)
    assert read(shop) == [now]
    assert shop.rows("SELECT id, created_at FROM orders") == [(1, made)]


def test_an_order_that_another_program_spoilt_is_mended(shop: Shop) -> None:
    bring(shop, order())
    shop.write("DELETE FROM order_lines")
    assert read(shop) == [None]
    assert again(shop)[0] == "0 new, 1 changed, 0 unchanged\n"
    assert shop.value("SELECT count(*) FROM order_lines") == 2


def test_a_list_of_many_is_stored_whole(shop: Shop) -> None:
    many = [order(str(number)) for number in range(450)]
    assert bring(shop, *many).out == "450 new, 0 changed, 0 unchanged\n"
    many[449]["note"] = "x"
    assert bring(shop, *many).out == "0 new, 1 changed, 449 unchanged\n"


@pytest.mark.parametrize("kind", ["orders", "customers", "products"])
def test_a_list_with_nothing_in_it_is_no_failure(shop: Shop, kind: str) -> None:
    (shop.folder / "empty").touch()
    result = shop.run("import", kind, "empty", "--json")
    assert (result.code, result.err, result.json()["stored"]) == (0, "", False)
    assert shop.run("import", kind, "empty", "-v").err == f"There is nothing in the list, so no {kind} came.\n"


def test_one_bad_order_never_stops_the_next(shop: Shop) -> None:
    bad = order("1002", total="21.86", currency="NZD")
    result = bring(shop, order(), bad, {"number": "1003"}, order("1004"), options=("--skip-bad",))
    assert result.code == 65
    assert result.err.splitlines()[0] == (
        "line 2: total 21.86 is 0.01 more than its lines add up to (21.85)."
        " Mend the amounts, or give each line its tax_amount as it was rounded."
    )
    assert [line.partition(".")[0] for line in result.err.splitlines()[1:]] == [
        f"line 3: It has no {key}" for key in ("placed_at", "currency", "status", "lines", "total")
    ]
    assert shop.rows("SELECT number FROM orders") == [("1001",), ("1004",)]


def test_of_lines_with_one_number_none_is_taken(shop: Shop) -> None:
    result = bring(shop, order("A1"), order("1002"), order("a1"), order("1003"), order("1003"), options=("--skip-bad",))
    assert [line.partition(".")[0] for line in result.err.splitlines()] == [
        "line 1: order number 'A1' differs only in case from 'a1' in line 3",
        "line 3: order number 'a1' differs only in case from 'A1' in line 1",
        "line 4: order number '1003' stands also in line 5",
        "line 5: order number '1003' stands also in line 4",
    ]
    assert shop.rows("SELECT number FROM orders") == [("1002",)]


def test_a_number_that_differs_in_case_from_the_shops_is_a_bad_line(shop: Shop) -> None:
    bring(shop, order("A1"))
    assert "order number 'a1' differs only in case from 'A1', which the shop has" in bring(shop, order("a1")).err


def test_a_list_that_is_no_json_is_said_line_by_line(shop: Shop) -> None:
    (shop.folder / "list.csv").write_text("number,total\n1001,5\n")
    result = shop.run("import", "orders", "list.csv")
    assert (result.code, result.err.count("This is not JSON")) == (65, 2)


def test_a_dry_run_stores_nothing(shop: Shop) -> None:
    who = {"code": "C-1"}
    assert bring(shop, order(customer=who), options=("--dry-run",)).code == 0
    assert shop.value("SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM customers)") == 0


def test_the_order_in_the_readme_is_taken(shop: Shop) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    (example,) = [text for text in re.findall("```json\n(.*?)```", readme, re.DOTALL) if '"placed_at"' in text]
    assert bring(shop, json.loads(example)).out == "1 new, 0 changed, 0 unchanged\n"


TEXTS = st.text(max_size=8) | st.sampled_from(["\U0001f469\u200d\U0001f4bb", "<b>", "'\"", " ", "a\x00b", "\u00a0x"])
WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8) | st.sampled_from(
    ["a b", "'", " x "]
)
AMOUNTS = st.decimals(0, 10**12 - 1, places=12).map(lambda amount: f"{amount:f}") | st.sampled_from(["0", "-0", "7.5"])
RATES = st.decimals(0, 1, places=12).map(lambda rate: f"{rate:f}")
CUSTOMERS = st.fixed_dictionaries(
    {}, optional={"code": WORDS, "name": TEXTS, "email": TEXTS, "billing": st.fixed_dictionaries({"city": TEXTS})}
)
TAXES = {"quantity": AMOUNTS, "tax_rate": RATES, "tax_amount": AMOUNTS, "description": TEXTS}
ROWS = st.fixed_dictionaries(
    {"unit_price": AMOUNTS, "sku": WORDS, "kind": st.sampled_from(["product", "shipping", "fee"])}, optional=TAXES
) | st.fixed_dictionaries(
    {"unit_price": st.sampled_from(["-0.01", "-0", "0", "-5"]), "kind": st.just("discount")}, optional=TAXES
)
ANY = {
    "status": WORDS,
    "note": TEXTS,
    "exchange_rate": AMOUNTS,
    "prices_include_tax": st.booleans(),
    "customer": CUSTOMERS,
    "payments": st.lists(st.fixed_dictionaries({"method": WORDS, "amount": AMOUNTS}), max_size=2),
}


def added_up(given_order: dict[str, Any]) -> dict[str, Any]:
    """The order with the total that the refusal of another one names."""
    item = next(read_list("-", io.BytesIO(json.dumps(given_order).encode()), orders()))
    total = re.search(r"^total .* add up to \((.*)\)", item.message) if isinstance(item, Problem) else None
    return given_order | {"total": total[1]} if total else given_order


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with contextlib.closing(open_database(tmp_path_factory.mktemp("state") / "state.db")) as found:
        yield found


@settings(max_examples=200)
@given(st.lists(ROWS, min_size=1, max_size=3), st.fixed_dictionaries({}, optional=ANY))
def test_whatever_passes_the_check_can_be_stored_and_is_read_again(
    database: Database, lines: list[dict[str, str]], fields: dict[str, Any]
) -> None:
    """The schema refuses nothing that the check of a list takes: one odd order must not stop the others."""
    given_order = added_up(order(lines=lines, **{"payments": [], **fields}))
    items = list(read_list("-", io.BytesIO(json.dumps(given_order).encode()), orders()))
    taken = [item for item in items if not isinstance(item, Problem)]
    event("taken" if taken else "refused")
    store(database, taken)
    assert store(database, taken).unchanged == len(taken)
    (row,) = database.rows("SELECT max(id) AS id FROM orders")
    assert [each.order for each in load(database, [row["id"]])] == [item.order for item in taken] or not taken


# Whose order it is


def customers(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows("SELECT code, name, email, created_by FROM customers ORDER BY id")


def test_a_customer_that_is_missing_is_made_of_the_order(shop: Shop) -> None:
    bring(shop, order(customer={"code": "C-1", "name": "Ann", "email": "ann@example.org"}))
    assert customers(shop) == [("C-1", "Ann", "ann@example.org", "order")]
    assert shop.value("SELECT customer_id FROM orders") == 1


def test_a_customer_that_is_there_is_never_overwritten(shop: Shop) -> None:
    bring(shop, order(customer={"code": "C-1", "name": "Ann", "email": "ann@example.org"}))
    bring(shop, order("1002", customer={"code": "C-1", "name": "Bob", "email": "bob@example.org"}))
    assert customers(shop) == [("C-1", "Ann", "ann@example.org", "order")]
    assert shop.rows("SELECT customer_id FROM orders") == [(1,), (1,)]


@pytest.mark.parametrize(
    ("entered", "customer"),
    [
        ({"email": "ANN@Example.org"}, 1),
        ({"email": "two@example.org"}, None),
        ({"email": "new@example.org"}, None),
        ({"name": "Ann"}, None),
    ],
)
def test_without_a_code_the_email_must_be_of_one_customer(
    shop: Shop, entered: dict[str, str], customer: int | None
) -> None:
    bring(shop, order("1000", customer={"code": "C-1", "email": "ann@example.org"}))
    shop.write("INSERT INTO customers (code, email) VALUES ('C-2', 'two@example.org'), ('C-3', 'Two@example.org')")
    bring(shop, order(customer=entered))
    assert shop.value("SELECT customer_id FROM orders WHERE number = '1001'") == customer
    assert len(customers(shop)) == 3


def test_an_order_that_gets_another_customer_is_linked_anew(shop: Shop) -> None:
    bring(shop, order(customer={"code": "C-1"}))
    bring(shop, order(customer={"code": "C-2"}))
    assert shop.value("SELECT customer_id FROM orders") == 2


# What an older integration has posted


def posted(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows("SELECT number, connector, remote_id FROM posted_elsewhere JOIN orders ON orders.id = order_id")


def test_remote_ids_of_an_older_integration_are_kept(shop: Shop) -> None:
    result = bring(shop, order(posted={"unleashed": "abc"}), options=("--posted", "-v"))
    assert (result.code, result.out) == (0, "1 new, 0 changed, 0 unchanged\n")
    assert posted(shop) == [("1001", "unleashed", "abc")]
    same = bring(shop, order(posted={"unleashed": "abc"}), options=("--posted", "-v"))
    other = bring(shop, order(posted={"unleashed": "def"}), options=("--posted", "-v"))
    assert (same.out, other.out) == ("0 new, 0 changed, 1 unchanged\n", "0 new, 1 changed, 0 unchanged\n")
    bring(shop, order())
    assert posted(shop) == [("1001", "unleashed", "def")]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"xero": "1"}, "posted names 'xero', which is no connector. SYNCCTL_CONNECTORS has unleashed"),
        ({"unleashed": ""}, "posted: It has no unleashed"),
        ({"unleashed": 5}, "posted: unleashed is not a text"),
        ({}, "posted names no connector"),
        ("abc", "posted names no connector"),
        (None, "It has no posted"),
    ],
)
def test_what_is_posted_where_must_be_told(shop: Shop, value: object, said: str) -> None:
    result = bring(shop, order(posted=value), options=("--posted",))
    assert result.code == 65
    assert result.err.startswith(f"line 1: {said}")
    assert shop.rows("SELECT * FROM orders") == []


def test_posted_needs_its_option(shop: Shop) -> None:
    assert "There is no key 'posted'" in bring(shop, order(posted={"unleashed": "1"})).err
