"""Sales of Vend's copy under the path and the names of 0.9."""

from typing import Any
from uuid import uuid4

import pytest
import requests

from .vend_client import Json, VendClient
from .vend_sale import new_order


@pytest.fixture
def old(vend: VendClient) -> Json:
    """The usual sale in its old form."""
    order = new_order(vend)
    (line,), (payment,) = order["line_items"], order["payments"]
    product = {
        "product_id": line["product"]["id"],
        "quantity": 2,
        "price": "10.00",
        "price_set": 1,
        "tax": 1.5,
        "tax_id": line["tax"]["id"],
    }
    paid = {"retailer_payment_type_id": payment["type"]["config_id"], "amount": "23.00"}
    return {
        "id": order["id"],
        "register_id": order["source"]["register_id"],
        "user_id": order["source"]["author_id"],
        "status": "CLOSED",
        "sale_date": "2026-11-23 05:00:00",
        "source": "shop",
        "source_id": "SHOP-1",
        "register_sale_products": [product],
        "register_sale_payments": [paid | {"payment_date": "2026-11-23 05:01:00"}],
    }


def post(vend: VendClient, body: Json) -> requests.Response:
    return vend.call("POST", "register_sales", body)


def get(vend: VendClient, key: str) -> Any:
    answer = vend.call("GET", f"register_sales/{key}")
    assert answer.status_code == 200
    return answer.json()


def test_a_sale_is_the_same_in_both_forms(vend: VendClient, old: Json) -> None:
    answer = post(vend, old)
    assert answer.status_code == 200
    sale = answer.json()["register_sale"]
    assert get(vend, old["id"]) == {"register_sales": [sale]}
    assert (sale["status"], sale["sale_date"], sale["total_price"]) == ("CLOSED", "2026-11-23 05:00:00", 20)
    assert sale["register_sale_payments"][0]["payment_date"] == "2026-11-23 05:01:00"
    newer = vend.data(f"/sales/{old['id']}")
    assert (newer["state"], newer["date"]) == ("closed", "2026-11-23T05:00:00+00:00")
    assert (newer["source"]["id"], newer["source"]["type"]) == ("SHOP-1", "shop")
    assert newer["totals"]["price_incl_tax"] == newer["payments"][0]["amount"] == 23


def test_nobody_in_particular_is_the_walk_in_customer(vend: VendClient, old: Json) -> None:
    key = post(vend, old).json()["register_sale"]["customer_id"]
    assert vend.data(f"/customers/{key}")["customer_code"] == "WALKIN"
    assert "customer_id" not in vend.data(f"/sales/{old['id']}")


def test_posting_again_updates_whatever_the_switch_says(vend: VendClient, old: Json) -> None:
    vend.switch(sale_repeated="409")
    versions = [post(vend, old).json()["register_sale"]["version"] for _ in range(2)]
    assert versions[0] < versions[1]
    assert vend.writes("sales") == {old["id"]: 2}
    gone = post(vend, {name: value for name, value in old.items() if name != "register_sale_products"})
    assert gone.json()["register_sale"]["register_sale_products"] == []


def test_an_unknown_sale_is_an_empty_list(vend: VendClient) -> None:
    assert get(vend, str(uuid4())) == {"register_sales": []}


@pytest.mark.parametrize(
    ("status", "state", "attributes"),
    [("saved", "parked", []), ("AWAITING_DISPATCH", "pending", ["delivery"]), ("VOIDED", "voided", [])],
)
def test_a_status_is_state_and_attributes(
    vend: VendClient, old: Json, status: str, state: str, attributes: list[str]
) -> None:
    assert post(vend, old | {"status": status}).json()["register_sale"]["status"] == status.upper()
    newer = vend.data(f"/sales/{old['id']}")
    assert (newer["state"], newer["attributes"]) == (state, attributes)


@pytest.mark.parametrize(
    "changes",
    [
        {"register_id": None},
        {"user_id": None},
        {"status": "DISPATCHED"},
        {"sale_date": "soon"},
        {"register_sale_products": [{"quantity": 1}]},
        {"register_sale_products": ["x"]},
        {"register_sale_payments": [{"amount": 1}]},
    ],
)
def test_what_is_refused(vend: VendClient, old: Json, changes: Json) -> None:
    assert post(vend, old | changes).status_code == 400
    assert get(vend, old["id"]) == {"register_sales": []}


def test_other_methods_and_paths(vend: VendClient, old: Json) -> None:
    assert vend.call("PUT", f"register_sales/{old['id']}", old).status_code == 405
    assert vend.call("POST", "2026-07/register_sales", old).status_code == 404
