"""Sales of Vend's copy: creating, repeating and changing them, their amounts, and what they do to stock."""

from decimal import Decimal
from uuid import uuid4

import pytest

from .vend_client import Json, VendClient
from .vend_sale import new_order, posted, put, stored, with_line


@pytest.fixture
def order(vend: VendClient) -> Json:
    return new_order(vend)


def level(vend: VendClient) -> float:
    (row,) = vend.control("GET", "records/vend/stock?sku=QMUG")["records"]
    return float(row["current_inventory_level"])


def test_a_sale_under_the_client_s_own_id(vend: VendClient, order: Json) -> None:
    answer = vend.send("POST", "/sales", order)
    assert answer.status_code == 200
    sale = answer.json()["data"]
    assert sale == stored(vend, order)
    assert (sale["id"], sale["state"], sale["date"]) == (order["id"], "closed", "2026-11-23T05:00:00+00:00")
    assert (sale["invoice_number"], sale["receipt_number"], sale["note"]) == ("WEB-1", "WEB-1", "web order")
    assert sale["source"]["author"] == {"id": order["source"]["author_id"]}
    assert sale["source"]["outlet_id"] == vend.data("/outlets")[0]["id"]
    assert sale["source"]["id"] == "SHOP-1"
    assert sale["_metadata"]["version"] > 2**32
    assert vend.writes("sales") == {order["id"]: 1}


def test_a_sale_s_amounts(vend: VendClient, order: Json) -> None:
    sale = vend.made("/sales", order)
    assert sale["totals"] == {"price": 20, "tax": 3, "price_incl_tax": 23, "surcharge": 0, "loyalty": 0}
    (line,) = sale["line_items"]
    assert (line["pricing"]["price"], line["pricing"]["total"], line["pricing"]["cost_total"]) == (10, 20, 8.4)
    assert (line["tax"]["amount"], line["tax"]["total"]) == (1.5, 3)
    rate = vend.data("/taxes")[0]["rates"][0]["id"]
    assert sale["taxes"] == [{"id": rate, "tax": 3}]
    assert line["_metadata"]["tax_components"] == [{"rate_id": rate, "total_tax": 3}]
    (payment,) = sale["payments"]
    assert (payment["amount"], payment["type"]["name"], payment["date"]) == (23, "Card", sale["date"])


def test_numbers_and_decimal_texts_mean_the_same(vend: VendClient, order: Json) -> None:
    line = {"quantity": "3", "pricing": {"price": "2.63158"}, "tax": order["line_items"][0]["tax"] | {"amount": "0.4"}}
    totals = vend.made("/sales", with_line(order, **line))["totals"]
    assert [Decimal(str(totals[name])) for name in ("price", "price_incl_tax")] == [
        Decimal("7.89474"),
        Decimal("9.09474"),
    ]


def test_the_catalogue_s_price_holds_unless_it_is_overridden(vend: VendClient, order: Json) -> None:
    plain = with_line(order, _metadata={})
    assert vend.made("/sales", plain)["totals"] == {"price": 40, "tax": 6, "price_incl_tax": 46} | {
        "surcharge": 0,
        "loyalty": 0,
    }
    vend.switch(sale_prices="as_sent")
    assert vend.made("/sales", plain | {"id": str(uuid4())})["totals"]["price"] == 20


@pytest.mark.parametrize(("form", "expected"), [("id", {"id": 1}), ("text", 1)])
def test_only_the_id_is_answered_by_switch(vend: VendClient, order: Json, form: str, expected: object) -> None:
    vend.switch(sale_create_answer=form)
    answer = vend.made("/sales", order)
    assert answer == ({"id": order["id"]} if isinstance(expected, dict) else order["id"])
    assert vend.send("PUT", f"/sales/{order['id']}", order).json()["data"] == stored(vend, order)


def test_the_first_version_creates_or_updates_and_answers_the_id(vend: VendClient, order: Json) -> None:
    vend.switch(sale_repeated="409")
    for _ in range(2):
        answer = vend.send("POST", "/sales", order, "2026-01")
        assert (answer.status_code, answer.json()) == (200, {"data": {"id": order["id"]}})
    assert level(vend) == 8


def test_a_repeated_id_is_the_same_sale_or_a_409(vend: VendClient, order: Json) -> None:
    before = vend.made("/sales", order)
    again = vend.made("/sales", order | {"note": "twice"})
    assert (again["note"], again["created_at"], level(vend)) == ("twice", before["created_at"], 8)
    assert len(again["line_items"]) == len(again["payments"]) == 1
    assert again["_metadata"]["version"] > before["_metadata"]["version"]
    vend.switch(sale_repeated="409")
    assert posted(vend, order) == 409
    assert stored(vend, order) == again
    assert vend.writes("sales") == {order["id"]: 2}


def test_lines_without_an_id_replace_or_add(vend: VendClient, order: Json) -> None:
    before = vend.made("/sales", order)
    vend.switch(sale_lines_without_id="append")
    doubled = vend.made("/sales", order)
    assert (len(doubled["line_items"]), len(doubled["payments"]), level(vend)) == (2, 2, 6)
    own = {name: [{**order[name][0], "id": before[name][0]["id"]}] for name in ("line_items", "payments")}
    assert len(vend.made("/sales", order | own)["payments"]) == 2
    vend.switch(sale_lines_without_id="replace")
    (line,) = vend.made("/sales", order | own)["line_items"]
    assert line == before["line_items"][0]


@pytest.mark.parametrize("name", ["line_items", "payments"])
def test_an_id_of_a_line_or_payment_means_one_that_exists(vend: VendClient, order: Json, name: str) -> None:
    assert posted(vend, order, **{name: [order[name][0] | {"id": str(uuid4())}]}) == 404
    assert vend.status(f"/sales/{order['id']}") == 404
    assert level(vend) == 10


def test_what_is_left_out_gets_a_default(vend: VendClient, order: Json) -> None:
    bare = {"state": "parked", "source": {"author_id": order["source"]["author_id"]}}
    number = vend.data("/registers?page_size=1")[0]["invoice_sequence"]
    sale = vend.made("/sales", bare)
    register = vend.record("registers", sale["source"]["register_id"])
    assert sale["invoice_number"] == f"T-{number}"
    assert register["invoice_sequence"] == number + 1
    assert "customer_id" not in sale
    assert (sale["line_items"], sale["payments"], sale["totals"]["price"]) == ([], [], 0)
    assert vend.made("/sales", bare | {"id": str(uuid4())})["invoice_number"] == f"T-{number + 1}"
    assert vend.control("GET", "clock")["now"][:10] in sale["date"]


def test_invoice_numbers_may_repeat(vend: VendClient, order: Json) -> None:
    assert [posted(vend, order, id=str(uuid4())) for _ in range(2)] == [200, 200]
    assert len(vend.data("/search?type=sales&invoice_number=WEB-1")) == 2


def test_a_put_keeps_what_it_leaves_out(vend: VendClient, order: Json) -> None:
    before = vend.made("/sales", order | {"state": "pending"})
    kept = {name: value for name, value in order.items() if name not in {"line_items", "payments", "invoice_number"}}
    after = vend.send("PUT", f"/sales/{order['id']}", kept | {"note": "paid"}).json()["data"]
    same = ("line_items", "payments", "invoice_number", "customer_id", "created_at")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert (after["state"], after["note"], level(vend)) == ("closed", "paid", 8)
    assert vend.send("PUT", f"/sales/{uuid4()}", order).status_code == 404


def test_a_change_stays_at_its_register(vend: VendClient, order: Json) -> None:
    harbour = {"register_id": vend.data("/registers")[1]["id"]}
    vend.made("/sales", order | {"state": "pending", "source": order["source"] | harbour})
    author = {"author_id": order["source"]["author_id"]}
    put(vend, order, source=author)
    source = stored(vend, order)["source"]
    assert (source["register_id"], source["id"], source["type"]) == (harbour["register_id"], "SHOP-1", "shop")


# States and stock


@pytest.mark.parametrize(
    ("state", "attributes", "left"),
    [
        ("parked", [], 10),
        ("pending", [], 10),
        ("pending", ["delivery"], 10),
        ("pending", ["onaccount"], 8),
        ("closed", ["onaccount"], 8),
        ("closed", ["delivery"], 8),
        ("closed", [], 8),
    ],
)
def test_closed_and_on_account_take_stock_and_voided_returns_it(
    vend: VendClient, order: Json, state: str, attributes: list[str], left: float
) -> None:
    assert posted(vend, order, state=state, attributes=attributes) == 200
    assert level(vend) == left
    assert put(vend, order, state="voided", attributes=attributes * (state != "parked")) == 200
    assert level(vend) == 10
    assert stored(vend, order)["payments"] == []


def test_what_may_follow_a_state(vend: VendClient, order: Json) -> None:
    steps = ("parked", "pending", "parked", "closed", "closed", "pending", "voided", "voided", "closed")
    statuses = [posted(vend, order, state=step) for step in steps]
    assert statuses == [200, 200, 200, 200, 200, 422, 200, 422, 422]


@pytest.mark.parametrize(
    ("state", "attributes", "status"),
    [
        ("dispatched", [], 400),
        (None, [], 400),
        ("closed", ["gift"], 400),
        ("closed", "onaccount", 400),
        ("pending", ["onaccount", "layby"], 422),
        ("closed", ["pickup", "delivery"], 422),
        ("parked", ["layby"], 422),
        ("pending", ["onaccount", "delivery"], 200),
    ],
)
def test_states_and_attributes(vend: VendClient, order: Json, state: str, attributes: object, status: int) -> None:
    assert posted(vend, order, state=state, attributes=attributes) == status


def test_stock_moves_by_what_changes_and_bumps_its_row(vend: VendClient, order: Json) -> None:
    before, product = max(row["version"] for row in vend.inventory(size=5000)), vend.data("/products?sku=QMUG")[0]
    posted(vend, order)
    assert put(vend, with_line(order, quantity=5)) == 200
    assert level(vend) == 5
    (row,) = vend.inventory(after=before)
    assert row["product_id"] == product["id"]
    assert vend.data("/products?sku=QMUG")[0] == product
    vend.switch(stock_bumps_product="yes")
    put(vend, with_line(order, quantity=1))
    assert level(vend) == 9
    assert vend.data("/products?sku=QMUG")[0]["version"] > product["version"]


def test_stock_moves_where_the_register_is(vend: VendClient, order: Json) -> None:
    harbour = vend.data("/registers")[1]
    posted(vend, order, source=order["source"] | {"register_id": harbour["id"]})
    rows = vend.inventory(product_id=order["line_items"][0]["product"]["id"])
    levels = {row["outlet_id"]: row["current_inventory_level"] for row in rows}
    assert levels == {vend.data("/outlets")[0]["id"]: 10, harbour["outlet_id"]: -2}


def test_a_product_without_inventory_has_none_after_a_sale(vend: VendClient, order: Json) -> None:
    (key,) = vend.plant("products", {"sku": "FREIGHT", "has_inventory": False})
    assert posted(vend, with_line(order, product={"id": key})) == 200
    assert vend.inventory(product_id=key) == []


def test_a_discount_is_a_line_of_its_own_product(vend: VendClient, order: Json) -> None:
    product = {"product": {"id": vend.data("/retailer")["discount_product_id"]}}
    discount = order["line_items"][0] | product | {"quantity": -1, "pricing": {"price": 5}}
    assert vend.made("/sales", order | {"line_items": [*order["line_items"], discount]})["totals"]["price"] == 15
    assert level(vend) == 8


# Reading


def test_the_list_of_sales_goes_by_version_and_ignores_dates(vend: VendClient, order: Json) -> None:
    end = vend.data("/sales")[-1]["_metadata"]["version"]
    posted(vend, order)
    page = vend.get(f"/sales?after={end}&date_from=2100-01-01T00:00:00Z")
    sale = stored(vend, order)
    assert page == {
        "data": [sale],
        "version": {"min": sale["_metadata"]["version"], "max": sale["_metadata"]["version"]},
    }
    rows = vend.walk("/sales?page_size=3")
    assert len({row["id"] for row in rows}) == len(rows) == 21


def test_a_deleted_sale_is_gone(vend: VendClient, order: Json) -> None:
    posted(vend, order)
    vend.plant("sales", {"id": order["id"], "deleted_at": "2026-11-01T00:00:00+00:00"})
    assert vend.status(f"/sales/{order['id']}") == put(vend, order) == 404
    assert order["id"] not in {row["id"] for row in vend.walk("/sales?page_size=50&deleted=true")}


def test_a_planted_sale_is_kept_as_it_is(vend: VendClient) -> None:
    record = {"id": str(uuid4()), "only": 1, "line_items": "odd", "attributes": None}
    vend.plant("sales", record, replace=True, silent=True)
    assert vend.data(f"/sales/{record['id']}") == record
    (key,) = vend.plant("sales", {"invoice_number": "X", "state": "closed"})
    before = vend.record("sales", key)
    vend.plant("sales", {"invoice_number": "X", "note": "silent"}, silent=True)
    assert vend.record("sales", key) == before | {"note": "silent"}
    vend.plant("sales", {"invoice_number": "X", "note": "loud"})
    assert vend.record("sales", key)["_metadata"]["version"] > before["_metadata"]["version"]


def test_a_sale_before_dates(vend: VendClient, order: Json) -> None:
    posted(vend, order, attributes=["delivery"])
    old = vend.data(f"/sales/{order['id']}", "2.0")
    assert old["version"] == stored(vend, order)["_metadata"]["version"]
    assert (old["status"], old["total_price"], old["total_tax"]) == ("DISPATCHED_CLOSED", 20, 3)
    assert (old["source"], old["source_id"], old["user_id"]) == ("shop", "SHOP-1", order["source"]["author_id"])
    assert (old["line_items"][0]["price_set"], old["line_items"][0]["tax"]) == (1, 1.5)
    assert old["payments"][0]["retailer_payment_type_id"] == order["payments"][0]["type"]["config_id"]
    assert vend.get("/sales", "2.0")["version"] == vend.get("/sales")["version"]


def test_the_same_seed_gives_the_same_sales(vend: VendClient) -> None:
    def facts() -> list[Json]:
        names = ("id", "customer_id", "totals", "_metadata")
        return [{name: sale[name] for name in names} for sale in vend.records("sales")]

    before = facts()
    vend.control("POST", "reset")
    assert facts() == before


def test_the_seeded_sales(vend: VendClient) -> None:
    sales = vend.records("sales")
    assert len(sales) == 20
    customers = {row["id"] for row in vend.records("customers") if not row["deleted_at"]}
    products = {row["id"] for row in vend.data("/products?page_size=1000")}
    assert {sale["customer_id"] for sale in sales} <= customers
    assert {line["product"]["id"] for sale in sales for line in sale["line_items"]} <= products
    assert {"closed", "pending"} <= {sale["state"] for sale in sales}
    for sale in sales:
        paid = sum(payment["amount"] for payment in sale["payments"])
        assert paid == pytest.approx(sale["totals"]["price_incl_tax"] if sale["state"] == "closed" else 0)
