"""What all writes to Vend's copy have in common: scopes, lost answers, the forms of errors."""

import pytest
import requests

from .vend_client import Json, VendClient
from .vend_sale import new_order, posted

JO: Json = {"first_name": "Jo", "last_name": "Example", "customer_code": "WEB-1"}
JUG: Json = {"name": "Jug", "sku": "JUG"}


@pytest.mark.parametrize("kind", ["customers", "sales", "products"])
def test_a_write_needs_its_scope(vend: VendClient, kind: str) -> None:
    key = vend.records(kind)[5]["id"]
    scopes = vend.tokens()["scope"].split()
    vend.token = vend.refresh().json()["access_token"]
    vend.tokens(scope=" ".join(each for each in scopes if each != f"{kind}:write"))
    for method, path in (("POST", f"/{kind}"), ("PUT", f"/{kind}/{key}")):
        answer = vend.send(method, path, {})
        assert answer.status_code == 403
        assert f"{kind}:write" in answer.text
    assert vend.writes(kind) == {}


@pytest.mark.parametrize("fault", [{"kind": "drop-after"}, {"kind": "truncated"}, {"kind": "500", "when": "after"}])
def test_a_write_whose_answer_is_lost(vend: VendClient, fault: Json) -> None:
    order = new_order(vend)
    for path, body in (("customers", JO), ("products", JUG), ("sales", order)):
        vend.fault(**fault, match={"method": "POST", "path": f"/{path}$"})
        try:
            assert vend.send("POST", f"/{path}", body).status_code == 500
        except requests.RequestException:
            assert fault["kind"] != "500"
        assert list(vend.writes(path).values()) == [1]
    assert posted(vend, order) == 200
    assert vend.writes("sales") == {order["id"]: 2}


@pytest.mark.parametrize("fault", [{"kind": "drop-before"}, {"kind": "500"}, {"kind": "429"}, {"kind": "502-html"}])
def test_a_write_that_never_arrived(vend: VendClient, fault: Json) -> None:
    order = new_order(vend)
    vend.fault(**fault)
    try:
        assert posted(vend, order) in {429, 500, 502}
    except requests.ConnectionError:
        assert fault["kind"] == "drop-before"
    assert vend.writes("sales") == {}


@pytest.mark.parametrize(
    ("shape", "fields"), [("message", {"error", "message"}), ("details", {"error", "details"}), ("errors", {"errors"})]
)
def test_a_refusal_comes_in_every_form(vend: VendClient, shape: str, fields: set[str]) -> None:
    vend.switch(error_shape=shape)
    for path, body in (("/customers", {}), ("/products", {}), ("/sales", {}), ("/products", {"name": "Mug"})):
        answer = vend.send("POST", path, body)
        assert answer.status_code in {400, 422}
        assert set(answer.json()) == fields


def test_what_was_refused_changes_nothing(vend: VendClient) -> None:
    before = {kind: vend.records(kind) for kind in ("customers", "sales", "products", "stock", "registers")}
    order = {name: value for name, value in new_order(vend).items() if name != "invoice_number"}
    vend.plant("registers", {"id": order["source"]["register_id"], "is_open": False}, silent=True)
    sold = vend.data("/products?sku=QMUG")[0]["id"]
    assert posted(vend, order) == 422
    vend.plant("registers", {"id": order["source"]["register_id"], "is_open": True}, silent=True)
    vend.control("DELETE", f"records/vend/products?id={sold}")
    assert {kind: vend.records(kind) for kind in before} == before
