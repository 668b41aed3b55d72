"""What Vend's copy refuses of a sale."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from .vend_client import Json, VendClient
from .vend_sale import new_order, posted, stored, with_line


@pytest.fixture
def order(vend: VendClient) -> Json:
    return new_order(vend)


def line(order: Json) -> Json:
    found: Json = order["line_items"][0]
    return found


def payment(order: Json) -> Json:
    found: Json = order["payments"][0]
    return found


@pytest.mark.parametrize("missing", ["product", "quantity", "pricing", "tax"])
def test_what_a_line_needs(vend: VendClient, order: Json, missing: str) -> None:
    bare = {name: value for name, value in line(order).items() if name != missing}
    assert posted(vend, order, line_items=[bare]) == 400
    assert posted(vend, with_line(order, **{missing: {}})) == 400


@pytest.mark.parametrize("missing", ["type", "amount"])
def test_what_a_payment_needs(vend: VendClient, order: Json, missing: str) -> None:
    bare = {name: value for name, value in payment(order).items() if name != missing}
    assert posted(vend, order, payments=[bare]) == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"source": {}},
        {"source": None},
        {"state": None},
        {"id": "WEB-1"},
        {"date": "2026-11-23 05:00:00"},
        {"date": "yesterday"},
        {"note": 5},
        {"invoice_number": 1042},
        {"line_items": {}},
        {"line_items": ["x"]},
        {"payments": "none"},
    ],
)
def test_what_a_sale_needs(vend: VendClient, order: Json, changes: Json) -> None:
    answer = vend.send("POST", "/sales", order | changes)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Bad Request"


@pytest.mark.parametrize("number", ["1e3", "12,50", "", None, True, "NaN", [1]])
def test_numbers_that_are_none(vend: VendClient, order: Json, number: object) -> None:
    assert posted(vend, with_line(order, quantity=number)) == 400
    assert posted(vend, order, payments=[payment(order) | {"amount": number}]) == 400


Change = Callable[[Json, Any], Json]
NAMED: dict[str, Change] = {
    "customer": lambda order, key: order | {"customer_id": key},
    "user": lambda order, key: order | {"source": order["source"] | {"author_id": key}},
    "register": lambda order, key: order | {"source": order["source"] | {"register_id": key}},
    "product": lambda order, key: with_line(order, product={"id": key}),
    "tax": lambda order, key: with_line(order, tax={"id": key, "amount": 1}),
    "type": lambda order, key: order | {"payments": [payment(order) | {"type": {"config_id": key}}]},
    "till": lambda order, key: order | {"payments": [payment(order) | {"source": {"register_id": key}}]},
}


@pytest.mark.parametrize("named", NAMED)
def test_an_unknown_id(vend: VendClient, order: Json, named: str) -> None:
    for mode in ("422", "404", "400"):
        vend.switch(unknown_reference=mode)
        assert posted(vend, NAMED[named](order, str(uuid4()))) == int(mode)
    assert vend.status(f"/sales/{order['id']}") == 404


@pytest.mark.parametrize(("named", "kind"), [("user", "users"), ("register", "registers"), ("customer", "customers")])
def test_a_deleted_record_is_unknown_too(vend: VendClient, order: Json, named: str, kind: str) -> None:
    gone = next(row["id"] for row in vend.records(kind) if row["deleted_at"])
    assert posted(vend, NAMED[named](order, gone)) == 422


def test_a_closed_register_takes_no_payments(vend: VendClient, order: Json) -> None:
    vend.plant("registers", {"id": order["source"]["register_id"], "is_open": False})
    assert posted(vend, order) == 422
    assert posted(vend, order, payments=[]) == 200
    assert posted(vend, order, payments=[payment(order) | {"source": {}}]) == 422
    other = vend.data("/registers?page_size=2")[0]["id"]
    assert other != order["source"]["register_id"]
    assert posted(vend, order, payments=[payment(order) | {"source": {"register_id": other}}]) == 200


def test_payments_must_match_by_switch(vend: VendClient, order: Json) -> None:
    short = {"payments": [payment(order) | {"amount": "22.99"}]}
    assert posted(vend, order, **short) == posted(vend, order, payments=[]) == 200
    vend.switch(payments_must_match="yes")
    fresh = order | {"id": str(uuid4())}
    assert posted(vend, fresh, **short) == posted(vend, fresh, payments=[]) == 422
    assert posted(vend, fresh, state="pending", **short) == 200
    assert posted(vend, fresh) == 200


def test_an_accounting_reference_is_for_sales_on_account(vend: VendClient, order: Json) -> None:
    reference = {"accounts_transaction_id": "XERO-1"}
    posted(vend, order, state="pending", **reference)
    assert stored(vend, order)["accounts_transaction_id"] is None
    posted(vend, order, state="pending", attributes=["onaccount"], **reference)
    assert stored(vend, order)["accounts_transaction_id"] == "XERO-1"
