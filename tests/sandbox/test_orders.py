from typing import Any
from uuid import uuid4

import pytest

from .client import Client, Json


@pytest.fixture
def order(client: Client) -> Json:
    """A valid order of 3 mugs at 14.50: its tax is a tie, 6.525."""
    client.plant("products", {"ProductCode": "QMUG", "ProductDescription": "Mug"})
    client.plant("customers", {"CustomerCode": "WEB-1", "CustomerName": "Jo"})
    client.plant("stock", {"ProductCode": "QMUG", "QtyOnHand": 10})
    line = {
        "LineNumber": 1,
        "Product": {"ProductCode": "QMUG"},
        "OrderQuantity": 3,
        "UnitPrice": 14.5,
        "LineTotal": 43.5,
        "LineTax": 6.53,
    }
    return {
        "OrderStatus": "Placed",
        "SourceId": "shop:1",
        "Customer": {"CustomerCode": "WEB-1"},
        "Warehouse": {"WarehouseCode": "MAIN"},
        "OrderDate": "2026-11-20T09:30:00",
        "ExchangeRate": 1,
        "Tax": {"TaxCode": "G.S.T.", "TaxRate": 0.15},
        "TaxRate": 0.15,
        "SubTotal": 43.5,
        "TaxTotal": 6.53,
        "Total": 50.03,
        "SalesOrderLines": [line],
    }


def with_tax(order: Json, tax: float) -> Json:
    line = {**order["SalesOrderLines"][0], "LineTax": tax}
    return {**order, "TaxTotal": tax, "Total": round(43.5 + tax, 2), "SalesOrderLines": [line]}


def stock(client: Client) -> tuple[float, float]:
    (row,) = client.control("GET", "records/unleashed/stock?sku=QMUG")["records"]
    return row["QtyOnHand"], row["AllocatedQty"]


def fields(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [item["Field"] for item in answer.json()["Items"]]


def test_a_placed_order_allocates_and_a_completed_one_takes(client: Client, order: Json) -> None:
    path = f"/SalesOrders/{uuid4()}"
    created = client.call("POST", path, order)
    assert created.status_code == 201
    assert created.json()["OrderNumber"].startswith("SO-")
    assert created.json()["Customer"]["CustomerName"] == "Jo"
    assert client.get(path) == created.json()
    assert stock(client) == (10, 3)
    done = client.call("POST", f"{path}/Complete")
    assert (done.status_code, done.json()["OrderStatus"]) == (200, "Completed")
    assert stock(client) == (7, 0)
    assert client.status("POST", f"{path}/Complete") == 400


def test_completing_makes_an_invoice_and_a_shipment(client: Client, order: Json) -> None:
    created = client.call("POST", "/SalesOrders", {**order, "OrderStatus": "Completed"}).json()
    (invoice,) = client.items(f"/Invoices?orderNumber={created['OrderNumber']}")
    assert (invoice["Total"], invoice["InvoiceStatus"]) == (50.03, "Completed")
    assert client.get(f"/Invoices/{invoice['Guid']}") == invoice
    assert client.items(f"/Invoices?invoiceNumber={invoice['InvoiceNumber']}&customerCode=NOBODY") == [invoice]
    assert invoice in client.items("/Invoices?customerCode=WEB&invoiceStatus=Completed,Parked")
    assert client.items("/Invoices?startDate=2100-01-01") == []
    (shipment,) = client.items(f"/SalesShipments?orderNumber={created['OrderNumber']}")
    assert shipment["ShipmentStatus"] == "Dispatched"
    assert client.status("POST", "/Invoices", {}) == 405


def test_a_parked_order_allocates_nothing(client: Client, order: Json) -> None:
    client.call("POST", "/SalesOrders", {**order, "OrderStatus": "Parked"})
    assert stock(client) == (10, 0)


def test_rounding_of_a_tie(client: Client, order: Json) -> None:
    assert fields(client.call("POST", "/SalesOrders", with_tax(order, 6.52))) == ["SalesOrderLines[0].LineTax"]
    client.switch(rounding="bankers")
    assert client.status("POST", "/SalesOrders", with_tax(order, 6.52)) == 201
    assert client.status("POST", "/SalesOrders", with_tax(order, 6.53)) == 400


def test_tolerance_of_a_cent_per_line(client: Client, order: Json) -> None:
    client.switch(tolerance="0.01")
    assert client.status("POST", "/SalesOrders", with_tax(order, 6.54)) == 201
    assert client.status("POST", "/SalesOrders", with_tax(order, 6.55)) == 400
    assert fields(client.call("POST", "/SalesOrders", {**order, "Total": 50.04})) == ["Total"]


def test_a_wrong_line_total_is_spelt_out(client: Client, order: Json) -> None:
    line = {**order["SalesOrderLines"][0], "DiscountRate": 0.1}
    answer = client.call("POST", "/SalesOrders", {**order, "SalesOrderLines": [line]})
    assert fields(answer) == ["SalesOrderLines[0].LineTotal"]
    assert "(OrderQuantity:'3' * UnitPrice:'14.5' * (1 - DiscountRate:'0.1'))" in answer.json()["Description"]


@pytest.mark.parametrize("missing", ["OrderStatus", "Customer", "Warehouse", "Tax", "TaxRate", "SubTotal", "Total"])
def test_what_is_required(client: Client, order: Json, missing: str) -> None:
    assert fields(client.call("POST", "/SalesOrders", {k: v for k, v in order.items() if k != missing})) == [missing]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Customer": {"CustomerCode": "NOBODY"}}, "Customer"),
        ({"Warehouse": {"WarehouseCode": "MOON"}}, "Warehouse"),
        ({"Tax": {"TaxCode": "VAT"}}, "Tax"),
        ({"TaxRate": 0.2}, "TaxRate"),
        ({"OrderStatus": "Lost"}, "OrderStatus"),
        ({"CustomerRef": "x" * 501}, "CustomerRef"),
        ({"SalesOrderLines": []}, "SalesOrderLines"),
    ],
)
def test_what_must_be_valid(client: Client, order: Json, change: Json, field: str) -> None:
    assert fields(client.call("POST", "/SalesOrders", {**order, **change})) == [field]


def test_lines_must_be_complete_and_name_a_product(client: Client, order: Json) -> None:
    line = order["SalesOrderLines"][0]
    unknown = {**order, "SalesOrderLines": [{**line, "Product": {"ProductCode": "NOPE"}}]}
    assert fields(client.call("POST", "/SalesOrders", unknown)) == ["SalesOrderLines[0].Product"]
    bare = {**order, "SalesOrderLines": [{"Product": line["Product"]}]}
    assert "SalesOrderLines[0].UnitPrice" in fields(client.call("POST", "/SalesOrders", bare))


def test_a_charge_line_needs_no_product_code(client: Client, order: Json) -> None:
    freight = {
        "LineNumber": 2,
        "LineType": "Charge",
        "Product": {"ProductDescription": "Freight"},
        "OrderQuantity": 1,
        "UnitPrice": 2,
        "LineTotal": 2,
        "LineTax": 0.3,
    }
    sums = {"SubTotal": 45.5, "TaxTotal": 6.83, "Total": 52.33}
    lines = [*order["SalesOrderLines"], freight]
    assert client.status("POST", "/SalesOrders", {**order, **sums, "SalesOrderLines": lines}) == 201


def test_the_same_guid_twice(client: Client, order: Json) -> None:
    path = f"/SalesOrders/{uuid4()}"
    first = client.call("POST", path, order).json()
    assert fields(client.call("POST", path, order)) == ["Guid"]
    client.switch(repost="overwrite")
    again = client.call("POST", path, {**order, "CustomerRef": "again"})
    assert again.status_code == 201
    assert (again.json()["OrderNumber"], again.json()["CustomerRef"]) == (first["OrderNumber"], "again")
    assert stock(client) == (10, 3)


def test_an_order_number_belongs_to_one_order(client: Client, order: Json) -> None:
    numbered = {**order, "OrderNumber": "WEB-1"}
    assert client.call("POST", "/SalesOrders", numbered).json()["OrderNumber"] == "WEB-1"
    assert fields(client.call("POST", "/SalesOrders", numbered)) == ["OrderNumber"]


def test_put_replaces_an_order_that_exists(client: Client, order: Json) -> None:
    path = f"/SalesOrders/{uuid4()}"
    assert client.status("PUT", path, order) == 404
    assert client.status("PUT", "/SalesOrders", order) == 405
    client.call("POST", path, order)
    assert client.status("PUT", path, {**order, "Total": 1}) == 400
    assert client.status("PUT", path, {**order, "OrderStatus": "Parked"}) == 200
    assert stock(client) == (10, 0)


def test_deleting_is_a_status_that_lists_hide(client: Client, order: Json) -> None:
    guid = client.call("POST", "/SalesOrders", order).json()["Guid"]
    assert client.status("DELETE", f"/SalesOrders/{guid}") == 200
    assert stock(client) == (10, 0)
    assert guid not in {item["Guid"] for item in client.items("/SalesOrders")}
    assert guid in {item["Guid"] for item in client.items("/SalesOrders?orderStatus=Placed,Deleted")}
    assert client.get(f"/SalesOrders/{guid}")["OrderStatus"] == "Deleted"
    assert client.status("DELETE", f"/SalesOrders/{guid}") == 400


def test_deleting_a_line_adds_up_again(client: Client, order: Json) -> None:
    created = client.call("POST", "/SalesOrders", order).json()
    after = client.call("DELETE", f"/SalesOrders/Lines/{created['SalesOrderLines'][0]['Guid']}").json()
    assert (after["SalesOrderLines"], after["Total"], after["BCTotal"]) == ([], 0, 0)
    assert stock(client) == (10, 0)
    assert client.status("DELETE", f"/SalesOrders/Lines/{uuid4()}") == 404


def test_source_id_and_order_number_override_other_filters(client: Client, order: Json) -> None:
    created = client.call("POST", "/SalesOrders", order).json()
    rest = "modifiedSince=2100-01-01&warehouseCode=SHOP"
    for query in (f"sourceId=shop:1&{rest}", f"orderNumber={created['OrderNumber']}&{rest}"):
        assert client.items(f"/SalesOrders?{query}") == [created]
    assert client.items(f"/SalesOrders?{rest}") == []


def test_filters_of_orders(client: Client, order: Json) -> None:
    created = client.call("POST", "/SalesOrders", {**order, "CustomOrderStatus": "Gift"}).json()
    customer = created["Customer"]["Guid"]
    for query in (
        *("customerCode=web", f"customerId={customer}", "customOrderStatus=Gift&orderStatus=Parked"),
        *("orderStatus=Placed&customerCode=WEB-1", "startDate=2026-11-20&endDate=2026-11-20&customerCode=WEB"),
    ):
        assert client.items(f"/SalesOrders?{query}") == [created], query
    assert client.items("/SalesOrders?customerCode=WEB&endDate=2026-11-19") == []
    assert client.items("/SalesOrders?customerCode=WEB&completedAfter=2000-01-01") == []
    client.call("POST", f"/SalesOrders/{created['Guid']}/Complete")
    assert len(client.items("/SalesOrders?customerCode=WEB&completedAfter=2000-01-01")) == 1
    assert client.items("/SalesOrders?customerCode=WEB&completedBefore=2000-01-01") == []


def test_the_latest_change_comes_first(client: Client, order: Json) -> None:
    first, second = (client.call("POST", "/SalesOrders", order).json()["Guid"] for _ in range(2))
    client.control("POST", "clock", {"advance": 5})
    client.call("PUT", f"/SalesOrders/{first}", order)
    assert [item["Guid"] for item in client.items("/SalesOrders")][:2] == [first, second]


def test_a_partial_save_is_a_500_and_yet_stored(client: Client, order: Json) -> None:
    client.switch(partial_save_500="yes")
    path = f"/SalesOrders/{uuid4()}"
    assert client.status("POST", path, order) == 500
    assert client.get(path)["SourceId"] == "shop:1"
    assert stock(client) == (10, 3)


def test_search_lag(client: Client, order: Json) -> None:
    client.switch(search_lag=30)
    created = client.call("POST", "/SalesOrders", order).json()
    assert client.items("/SalesOrders?sourceId=shop:1") == []
    assert client.get(f"/SalesOrders/{created['Guid']}") == created
    client.control("POST", "clock", {"advance": 31})
    assert client.items("/SalesOrders?sourceId=shop:1") == [created]
