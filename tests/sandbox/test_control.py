"""What `/_sandbox/` offers besides faults."""

import pytest

from .client import Client


def test_calls_are_counted_and_listed(client: Client) -> None:
    client.get("/products/2?pageSize=1")
    client.get("/Products/3?pageSize=1")
    client.status("GET", "/Nothing")
    report = client.control("GET", "calls?list=1")
    assert report["total"] == 3
    assert report["counts"] == [
        {"service": "unleashed", "method": "GET", "path": "/Products/{page}", "status": 200, "count": 2},
        {"service": "unleashed", "method": "GET", "path": "/nothing", "status": 404, "count": 1},
    ]
    first = {"service": "unleashed", "method": "GET", "path": "/products/2?pageSize=1", "status": 200}
    assert report["calls"][0] == first
    assert "calls" not in client.control("GET", "calls")
    assert client.control("DELETE", "calls") == {"total": 0, "counts": []}


def test_planting_merges_and_moves_the_stamp_unless_silent(client: Client) -> None:
    (guid,) = client.plant("products", {"ProductCode": "NEW", "SellPriceTier1": {"Value": 5}})
    before = client.record("products", guid)
    assert before["SellPriceTier1"] == {"Name": "Sell Price Tier 1", "Value": 5}
    client.control("POST", "clock", {"advance": 60})
    assert client.plant("products", {"ProductCode": "NEW", "Barcode": "7"}, silent=True) == [guid]
    silent = client.record("products", guid)
    assert silent == {**before, "Barcode": "7"}
    client.control("POST", "records/unleashed/products?silent=1", {"Guid": guid, "Barcode": "8"})
    assert client.record("products", guid)["LastModifiedOn"] == before["LastModifiedOn"]
    client.plant("products", {"Guid": guid, "Barcode": "9"})
    assert client.record("products", guid)["LastModifiedOn"] > before["LastModifiedOn"]


@pytest.mark.parametrize(
    "token", ['"12,50"', "NaN", "1e400", "-3", "null", "14.5", "1.00000000000000000001", r'"a\nb\u0001"', r'"\ud800"']
)
def test_any_value_is_planted_and_served_as_it_stands(client: Client, token: str) -> None:
    text = f'{{"ProductCode":"ODD","DefaultSellPrice":{token}}}'
    client.control("POST", "records/unleashed/products", text=text)
    served = client.call("GET", "/Products?productCode=ODD").text
    assert f'"DefaultSellPrice":{token},' in served
    listed = client.ask_control("GET", "records/unleashed/products?sku=ODD").text
    assert f'"DefaultSellPrice":{token},' in listed


@pytest.mark.parametrize("token", ['"12,50"', "NaN", "1e400", "null"])
def test_odd_stock_shows_in_the_sum_too(client: Client, token: str) -> None:
    client.plant("products", {"ProductCode": "ODD"})
    client.control("POST", "records/unleashed/stock", text=f'{{"ProductCode":"ODD","QtyOnHand":{token}}}')
    (guid,) = (record["Guid"] for record in client.items("/Products?productCode=ODD"))
    served = client.call("GET", f"/StockOnHand?productId={guid}").text
    assert f'"QtyOnHand":{token},' in served


def test_names_of_any_kind(client: Client) -> None:
    name = "é" + "x" * 10_000 + "\n\t\x00"
    (guid,) = client.plant("products", {"ProductCode": "ODD", "ProductDescription": name})
    assert client.get(f"/Products/{guid}")["ProductDescription"] == name


def test_missing_and_duplicate_codes(client: Client) -> None:
    bare, again = client.plant("products", {"ProductDescription": "No code"}, {"Guid": "0" * 8, "ProductCode": "MUG"})
    assert client.record("products", bare)["ProductCode"] is None
    assert client.record("products", again)["ProductCode"] == "MUG"
    assert len(client.control("GET", "records/unleashed/products?sku=MUG")["records"]) == 2


def test_a_record_without_any_default(client: Client) -> None:
    body = {"records": [{"Guid": "7d3c2a10-5b1e-5c55-9a3a-1f0c6f5e0001", "Only": 1}], "replace": True}
    client.control("POST", "records/unleashed/products", {**body, "silent": True})
    assert client.get("/Products/7d3c2a10-5b1e-5c55-9a3a-1f0c6f5e0001") == body["records"][0]  # type: ignore[index]


def test_listing_records_in_parts(client: Client) -> None:
    whole = client.control("GET", "records/unleashed/products")
    assert whole["total"] == len(whole["records"]) == 60
    part = client.control("GET", "records/unleashed/products?offset=10&limit=5")
    assert part["records"] == whole["records"][10:15]
    assert client.control("GET", "records/unleashed/invoices")["records"]


def test_writes_by_the_client_are_counted_per_record(client: Client) -> None:
    created = client.call("POST", "/Products", {"ProductCode": "NEW", "ProductDescription": "N"}).json()
    client.call("POST", f"/Products/{created['Guid']}", {"ProductCode": "NEW", "ProductDescription": "N"})
    client.plant("products", {"ProductCode": "NEW", "Barcode": "1"})
    report = client.control("GET", f"records/unleashed/products?id={created['Guid'].upper()}")
    assert report["writes"] == {created["Guid"]: 2}


def test_removing_is_final_and_silent(client: Client) -> None:
    (guid,) = client.plant("customers", {"CustomerCode": "GONE"})
    client.control("DELETE", f"records/unleashed/customers?id={guid}")
    assert client.status("GET", f"/Customers/{guid}") == 404
    assert client.ask_control("DELETE", f"records/unleashed/customers?id={guid}").status_code == 404


def test_planting_orders_and_invoices(client: Client) -> None:
    client.plant("sales_orders", {"OrderNumber": "SO-9", "OrderStatus": "Placed", "SourceId": "s"})
    client.plant("invoices", {"InvoiceNumber": "SI-9", "InvoiceStatus": "Deleted", "OrderNumber": "SO-9"})
    assert [item["OrderNumber"] for item in client.items("/SalesOrders?sourceId=s")] == ["SO-9"]
    assert client.items("/Invoices?orderNumber=SO-9") == []
    assert len(client.items("/Invoices?orderNumber=SO-9&invoiceStatus=Deleted")) == 1
    assert len(client.items("/Invoices?invoiceNumber=SI-9")) == 1


def test_a_planted_order_can_be_completed(client: Client) -> None:
    (guid,) = client.plant("sales_orders", {"OrderNumber": "SO-9", "OrderStatus": "Placed"})
    assert client.status("POST", f"/SalesOrders/{guid}/Complete") == 200
    assert client.items("/Invoices?orderNumber=SO-9")


def test_reset_goes_back_to_the_seed(client: Client) -> None:
    def guids() -> list[str]:
        return [record["Guid"] for record in client.control("GET", "records/unleashed/products")["records"]]

    before = guids()
    client.plant("products", {"ProductCode": "NEW"})
    client.control("DELETE", f"records/unleashed/products?id={before[0]}")
    client.switch(past_end="404")
    client.control("POST", "limits", {"unleashed": {"minute": 0}})
    client.control("POST", "clock", {"advance": 3600})
    client.fault("500", times=None)
    client.control("POST", "reset")
    assert guids() == before
    assert client.control("GET", "faults") == {"faults": []}
    assert client.control("GET", "clock")["offset"] == 0
    assert client.control("GET", "calls")["total"] == 0
    assert client.control("GET", "switches")["unleashed"]["past_end"]["value"] == "empty"
    assert client.control("GET", "limits")["unleashed"]["minute"]["limit"] is None


def test_switches_tell_what_is_allowed(client: Client) -> None:
    report = client.control("GET", "switches")["unleashed"]["too_long"]
    assert report == {"value": "404", "allowed": ["404", "414", "400"]}
    answer = client.ask_control("POST", "switches", {"unleashed": {"too_long": 500}})
    assert answer.status_code == 400
    assert "404, 414, 400" in answer.json()["error"]
    assert "search_lag" in client.ask_control("POST", "switches", {"unleashed": {"lag": 1}}).json()["error"]
    assert client.ask_control("POST", "switches", {"unleashed": {"search_lag": "soon"}}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "text", "status"),
    [
        ("GET", "nothing", None, 404),
        ("GET", "", None, 404),
        ("PUT", "calls", None, 405),
        ("GET", "records/unleashed", None, 404),
        ("GET", "records/unleashed/sales", None, 404),
        ("GET", "records/xero/products", None, 404),
        ("GET", "records/unleashed/products?limit=many", None, 400),
        ("POST", "records/unleashed/products", "{", 400),
        ("POST", "records/unleashed/products", "[1]", 400),
        ("DELETE", "records/unleashed/products", None, 400),
        ("POST", "clock", '{"advance": "far"}', 400),
        ("POST", "switches", '{"unleashed": 1}', 400),
        ("POST", "switches", '{"moon": {}}', 200),
        ("POST", "limits", '{"unleashed": {"decade": 1}}', 400),
        ("POST", "limits", '{"unleashed": {"minute": -1}}', 400),
        ("POST", "quota", '{"service": "moon", "used": 1}', 404),
        ("POST", "quota", '{"service": "unleashed"}', 400),
    ],
)
def test_what_makes_no_sense_is_answered_with_a_sentence(
    client: Client, method: str, path: str, text: str | None, status: int
) -> None:
    answer = client.ask_control(method, path, text=text)
    assert answer.status_code == status
    if status != 200:
        assert len(answer.json()["error"]) > 10
