"""Items at `/xero` as the client writes them, and their stock as invoices move it."""

from typing import Any

import pytest

from .xero_client import Json, XeroClient

HAT = {"Code": "HAT", "Name": "Hat", "SalesDetails": {"UnitPrice": 9.5, "AccountCode": "200", "TaxType": "OUTPUT2"}}
TRACKED = {"InventoryAssetAccountCode": "630", "PurchaseDetails": {"UnitPrice": 4, "COGSAccountCode": "310"}}


def test_an_item_is_created_changed_and_deleted(xero: XeroClient) -> None:
    hat = xero.put("Items", HAT)
    assert (hat["IsTrackedAsInventory"], hat["IsSold"], "QuantityOnHand" in hat) == (False, True, False)
    changed = xero.post("Items", {"Code": "HAT", "Name": "Warm hat"})
    assert (changed["ItemID"], changed["SalesDetails"]) == (hat["ItemID"], hat["SalesDetails"])
    target = f"Items/{hat['ItemID']}"
    assert xero.post(target, {"Code": "CAP"})["Name"] == "Warm hat"
    assert xero.writes("products", hat["ItemID"]) == 3
    assert xero.status(f"/{target}", method="DELETE") == 204
    assert xero.status(f"/{target}", method="DELETE") == 404
    assert xero.status("/Items/CAP") == 404


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Code": "MUG"}, "Price List Item with Code 'MUG' already exists"),
        ({"Code": None}, "Code must be specified"),
        ({"Code": "x" * 31}, "Code"),
        ({"Name": "x" * 51}, "Name"),
        ({"Description": "x" * 4001}, "Description"),
        ({"SalesDetails": {"AccountCode": "999"}}, "Account must be valid."),
        ({"SalesDetails": {"TaxType": "GST"}}, "Tax rate must be valid."),
    ],
)
def test_what_is_refused(xero: XeroClient, fields: Json, message: str) -> None:
    before = xero.codes()
    assert message in xero.refusal("Items", {**HAT, **fields})
    assert xero.codes() == before


def test_a_code_is_not_taken_over(xero: XeroClient) -> None:
    key = xero.put("Items", HAT)["ItemID"]
    assert "already exists" in xero.refusal(f"Items/{key}", {"Code": "MUG"}, "POST")


def test_whether_what_is_left_out_stays(xero: XeroClient) -> None:
    xero.put("Items", {**HAT, **TRACKED})
    xero.plant({"Code": "HAT", "QuantityOnHand": 3})
    xero.switch(item_update="whole")
    item = xero.post("Items", {"Code": "HAT", **TRACKED})
    assert ("Name" in item, item["SalesDetails"], item["QuantityOnHand"]) == (False, {}, 3)


def test_what_is_not_sold_has_no_sales_details(xero: XeroClient) -> None:
    xero.put("Items", HAT)
    item = xero.post("Items", {"Code": "HAT", "IsSold": False})
    assert (item["IsSold"], item["SalesDetails"]) == (False, {})


def test_prices_are_rounded_as_they_are_written(xero: XeroClient) -> None:
    xero.put("Items", {"Code": "A", "SalesDetails": {"UnitPrice": 1.2345}})
    xero.put("Items", {"Code": "B", "SalesDetails": {"UnitPrice": 1.2345}}, unitdp=4)
    assert [xero.one(f"/Items/{code}?unitdp=4")["SalesDetails"]["UnitPrice"] for code in "AB"] == [1.23, 1.2345]


def test_a_tracked_item(xero: XeroClient) -> None:
    item = xero.put("Items", {**HAT, **TRACKED, "QuantityOnHand": 9, "TotalCostPool": 9})
    assert (item["IsTrackedAsInventory"], item["QuantityOnHand"], item["TotalCostPool"]) == (True, 0, 0)


def test_scopes(xero: XeroClient) -> None:
    for scope, status in {"accounting.settings": 200, "accounting.invoices.read": 401}.items():
        token = xero.log_in(scope=scope)
        assert xero.status("/Items", method="POST", token=token, json=HAT) == status


# Stock


def tracked(xero: XeroClient, quantity: float) -> None:
    xero.put("Items", {**HAT, **TRACKED, "Description": "Hat"})
    xero.plant({"Code": "HAT", "QuantityOnHand": quantity, "TotalCostPool": quantity * 4})


def stock(xero: XeroClient) -> tuple[float, float]:
    item = xero.one("/Items/HAT")
    return item["QuantityOnHand"], item["TotalCostPool"]


def sale(quantity: float, **fields: Any) -> Json:
    return {"LineItems": [{"ItemCode": "HAT", "Quantity": quantity}], **fields}


def test_an_item_brings_what_the_line_lacks(xero: XeroClient) -> None:
    tracked(xero, 5)
    (line,) = xero.invoice(**sale(2))["LineItems"]
    found = [line[name] for name in ("Description", "UnitAmount", "AccountCode", "TaxType", "LineAmount")]
    assert found == ["Hat", 9.5, "200", "OUTPUT2", 19]


def test_an_approved_invoice_takes_and_a_voided_one_gives_back(xero: XeroClient) -> None:
    tracked(xero, 5)
    key = xero.invoice(**sale(2, Status="DRAFT"))["InvoiceID"]
    assert stock(xero) == (5, 20)
    xero.post(f"Invoices/{key}", {"Status": "AUTHORISED"})
    assert stock(xero) == (3, 12)
    xero.post(f"Invoices/{key}", sale(1))
    assert stock(xero) == (4, 16)
    xero.post(f"Invoices/{key}", {"Status": "VOIDED"})
    assert stock(xero) == (5, 20)


def test_a_bill_brings_stock(xero: XeroClient) -> None:
    tracked(xero, 5)
    xero.invoice(**sale(3, Type="ACCPAY", LineItems=[{"ItemCode": "HAT", "Quantity": 3, "AccountCode": "310"}]))
    assert stock(xero)[0] == 8


def test_no_more_is_sold_than_there_is(xero: XeroClient) -> None:
    tracked(xero, 1)
    body = xero.invoice_body(**sale(2))
    assert "not enough stock" in xero.refusal("Invoices", body)
    assert "not enough" in xero.refusal("Invoices", {**body, "LineItems": [*sale(1)["LineItems"]] * 2})
    assert xero.put("Invoices", body, allowBackorders="true")["Status"] == "AUTHORISED"
    assert stock(xero)[0] == -1


@pytest.mark.parametrize("bumps", ["no", "yes"])
def test_whether_a_sale_moves_the_stamp_of_the_item(xero: XeroClient, bumps: str) -> None:
    tracked(xero, 5)
    before = xero.one("/Items/HAT")["UpdatedDateUTC"]
    xero.advance(60)
    xero.switch(quantity_bumps=bumps)
    xero.invoice(**sale(1))
    assert (xero.one("/Items/HAT")["UpdatedDateUTC"] != before) == (bumps == "yes")
    assert stock(xero)[0] == 4
