"""Searching customers and sales of Vend's copy."""

from urllib.parse import urlencode

import pytest

from .vend_client import Json, VendClient

JO: Json = {"first_name": "Jo", "last_name": "Exemplar", "email": "Jo@Shop.test", "customer_code": "WEB-1"}
MORE: Json = {"company_name": "Jo & Co", "mobile": "021 1", "phone": "09 1"}


def codes(vend: VendClient, **query: object) -> list[str]:
    return [row["customer_code"] for row in vend.data(f"/search?{urlencode({'type': 'customers'} | query)}")]


def found(vend: VendClient, **query: object) -> list[str]:
    return [row["invoice_number"] for row in vend.data(f"/search?{urlencode({'type': 'sales'} | query)}")]


@pytest.fixture
def sale(vend: VendClient) -> Json:
    """A sale of two mugs, planted as it stands."""
    (customer,) = vend.plant("customers", JO)
    product = vend.data("/products?sku=MUG")[0]["id"]
    register = vend.data("/registers")[0]
    record = {
        "state": "pending",
        "attributes": ["onaccount"],
        "date": "2026-11-20T10:00:00+00:00",
        "invoice_number": "WEB-1042",
        "customer_id": customer,
        "source": {"id": "SHOP-7", "register_id": register["id"], "outlet_id": register["outlet_id"]},
        "line_items": [{"product": {"id": product}}],
        "payments": [{"type": {"config_id": vend.data("/payment_types")[0]["id"]}}],
        "totals": {"price_incl_tax": 23.0},
    }
    (key,) = vend.plant("sales", record)
    return vend.record("sales", key)


@pytest.mark.parametrize(
    "query",
    [
        {"customer_code": "WEB-1"},
        {"first_name": "jO", "last_name": "exemplar"},
        {"company_name": "jo & co"},
        {"mobile": "021 1", "phone": "09 1"},
        {"email": "jo@shop.TEST"},
    ],
)
def test_customers_by_every_field(vend: VendClient, query: dict[str, object]) -> None:
    vend.plant("customers", JO | MORE, {"first_name": "Joan", "customer_code": "WEB-2", "email": "joan@shop.test"})
    assert codes(vend, **query) == ["WEB-1"]
    assert codes(vend, **dict.fromkeys(query, "other")) == []


def test_how_an_email_is_compared(vend: VendClient) -> None:
    vend.plant("customers", JO)
    asked = ("jo@shop.test", "Jo@Shop.test", "jo@s")
    hits = {}
    for mode in ("any_case", "exact", "prefix"):
        vend.switch(email_search=mode)
        hits[mode] = [len(codes(vend, email=email)) for email in asked]
    assert hits == {"any_case": [1, 1, 0], "exact": [0, 1, 0], "prefix": [1, 1, 1]}


def test_a_shared_email_finds_them_all_page_by_page(vend: VendClient) -> None:
    both = codes(vend, email="family@example.test")
    assert len(both) == 2
    assert [codes(vend, email="family@example.test", page_size=1, offset=n) for n in (0, 1, 2)] == [
        both[:1],
        both[1:],
        [],
    ]
    assert codes(vend, email="gone@example.test") == []
    assert len(codes(vend, email="gone@example.test", deleted="true")) == 1


def test_the_index_learns_of_a_new_record_later(vend: VendClient) -> None:
    vend.switch(search_lag=5)
    created = vend.made("/customers", JO)
    product = vend.made("/products", {"name": "Late", "sku": "late"})[0]
    assert codes(vend, customer_code="WEB-1") == vend.skus("/search?type=products&sku=late") == []
    assert vend.data(f"/customers/{created['id']}") in vend.data("/customers?page_size=1000")
    assert vend.data(f"/products/{product}")["sku"] == "late"
    vend.control("POST", "clock", {"advance": 6})
    assert codes(vend, customer_code="WEB-1") == ["WEB-1"]
    assert vend.skus("/search?type=products&sku=late") == ["late"]
    vend.send("PUT", f"/customers/{created['id']}", JO)
    assert codes(vend, customer_code="WEB-1") == ["WEB-1"]


@pytest.mark.parametrize(
    "query",
    [
        {"invoice_number": "WEB-1042"},
        {"state": "pending"},
        {"status": "onaccount"},
        {"attributes": "onaccount"},
        {"sale_total": "23"},
        {"customer_name": "jo ex"},
        {"date_from": "2026-11-20T10:00:00Z", "date_to": "2026-11-20T23:00:00+13:00"},
    ],
)
def test_sales_by_what_they_are(vend: VendClient, sale: Json, query: dict[str, object]) -> None:
    assert "WEB-1042" in found(vend, **query)
    other = {"state": "parked", "attributes": [], "customer_id": "x", "date": "2000-01-01T00:00:00+00:00"}
    vend.plant("sales", {"id": sale["id"], **other, "invoice_number": "OTHER", "totals": {"price_incl_tax": 1}})
    assert not {"OTHER", "WEB-1042"} & set(found(vend, **query))


def test_sales_by_what_they_name(vend: VendClient, sale: Json) -> None:
    source, other = sale["source"], sale["id"]
    ids = {
        "customer_id": sale["customer_id"],
        "outlet_id": source["outlet_id"],
        "register_id": source["register_id"].upper(),
        "product_id": sale["line_items"][0]["product"]["id"],
        "payment_type_id": sale["payments"][0]["type"]["config_id"],
    }
    for name, key in ids.items():
        assert "WEB-1042" in found(vend, **{name: key})
        assert found(vend, **{name: other}) == []


def test_a_reference_of_the_shop_is_not_searched(vend: VendClient, sale: Json) -> None:
    everything = found(vend)
    assert found(vend, source_id="SHOP-7") == found(vend, source_id="nothing") == everything
    assert found(vend, invoice_number="SHOP-7") == []


@pytest.mark.parametrize("query", [{"date_from": "2026-11-20"}, {"date_to": "x"}, {"sale_total": "x"}])
def test_filters_that_make_no_sense(vend: VendClient, query: dict[str, object]) -> None:
    assert vend.status(f"/search?{urlencode({'type': 'sales'} | query)}") == 400
