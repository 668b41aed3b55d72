"""What the lines of an invoice at `/xero` add up to."""

from typing import Any

import pytest

from .xero_client import Json, XeroClient


def made(xero: XeroClient, *lines: Json, types: str = "Exclusive", **params: Any) -> Json:
    full = [{"Description": "x", "AccountCode": "200", **line} for line in lines]
    return xero.put("Invoices", xero.invoice_body(LineItems=full, LineAmountTypes=types), **params)


def priced(quantity: object, unit: object, **more: object) -> Json:
    return {"Quantity": quantity, "UnitAmount": unit, **more}


def test_tax_is_rounded_on_every_line(xero: XeroClient) -> None:
    whole = made(xero, *(priced(1, unit) for unit in (25.06, 25.61, 25.63)))
    assert [line["TaxAmount"] for line in whole["LineItems"]] == [3.76, 3.84, 3.84]
    assert (whole["SubTotal"], whole["TotalTax"], whole["Total"]) == (76.3, 11.44, 87.74)


@pytest.mark.parametrize(
    ("types", "sums"), [("Exclusive", [100, 15, 115]), ("Inclusive", [86.96, 13.04, 100]), ("NoTax", [100, 0, 100])]
)
def test_what_amounts_hold(xero: XeroClient, types: str, sums: list[float]) -> None:
    whole = made(xero, priced(4, 25), types=types)
    assert [whole["SubTotal"], whole["TotalTax"], whole["Total"]] == sums
    assert whole["LineItems"][0]["LineAmount"] == 100
    assert whole["LineItems"][0]["TaxType"] == ("NONE" if types == "NoTax" else "OUTPUT2")


def test_prices_have_two_decimals_or_four(xero: XeroClient) -> None:
    (line,) = made(xero, priced(1000, 0.1049))["LineItems"]
    assert (line["UnitAmount"], line["LineAmount"]) == (0.1, 100)
    fine = made(xero, priced(1000, 0.1049), unitdp=4)
    assert (fine["LineItems"][0]["UnitAmount"], fine["LineItems"][0]["LineAmount"]) == (0.1049, 104.9)
    path = f"/Invoices/{fine['InvoiceID']}"
    assert xero.one(path)["LineItems"][0]["UnitAmount"] == 0.1
    assert xero.one(f"{path}?unitdp=4")["LineItems"][0]["UnitAmount"] == 0.1049


@pytest.mark.parametrize(("reading", "unit"), [("half_up", 2.17), ("half_even", 2.16)])
def test_half_a_cent(xero: XeroClient, reading: str, unit: float) -> None:
    xero.switch(rounding=reading)
    assert made(xero, priced(1, 2.165))["LineItems"][0]["UnitAmount"] == unit
    assert made(xero, priced(1, 2.164))["LineItems"][0]["UnitAmount"] == 2.16


def test_a_quantity_has_four_decimals(xero: XeroClient) -> None:
    (line,) = made(xero, priced(1.00005, 100))["LineItems"]
    assert (line["Quantity"], line["LineAmount"]) == (1.0001, 100.01)


@pytest.mark.parametrize(
    ("given", "quantity", "unit", "amount"),
    [
        ({"LineAmount": 30, "Quantity": 3}, 3, 10, 30),
        ({"LineAmount": 30, "UnitAmount": 10}, 3, 10, 30),
        ({"LineAmount": 30}, 1, 30, 30),
        ({"UnitAmount": 10}, 1, 10, 10),
        ({"LineAmount": 10, "Quantity": 3}, 3, 3.33, 10),
    ],
)
def test_one_of_three_may_be_left_out(
    xero: XeroClient, given: Json, quantity: float, unit: float, amount: float
) -> None:
    (line,) = made(xero, given)["LineItems"]
    assert (line["Quantity"], line["UnitAmount"], line["LineAmount"]) == (quantity, unit, amount)


def test_a_line_total_must_fit(xero: XeroClient) -> None:
    assert made(xero, priced(2, 11.5, LineAmount=23))["SubTotal"] == 23
    line = {"Description": "x", "AccountCode": "200", **priced(2, 11.5, LineAmount=22.99)}
    message = xero.refusal("Invoices", xero.invoice_body(LineItems=[line]))
    assert message == "The line total 22.99 does not match the expected line total 23.00"


@pytest.mark.parametrize("discount", [{"DiscountRate": 10}, {"DiscountAmount": 2.3}])
def test_discounts(xero: XeroClient, discount: Json) -> None:
    whole = made(xero, priced(2, 11.5, **discount))
    assert (whole["LineItems"][0]["LineAmount"], whole["IsDiscounted"]) == (20.7, True)


def test_tax_can_be_overridden(xero: XeroClient) -> None:
    whole = made(xero, priced(1, 100, TaxAmount=14.99))
    assert (whole["TotalTax"], whole["Total"]) == (14.99, 114.99)
    inclusive = made(xero, priced(1, 100, TaxAmount=13), types="Inclusive")
    assert (inclusive["SubTotal"], inclusive["Total"]) == (87, 100)


def test_tax_types(xero: XeroClient) -> None:
    whole = made(xero, priced(1, 100, TaxType="ZERORATEDOUTPUT"), priced(1, 100, AccountCode="260"))
    assert [line["TaxAmount"] for line in whole["LineItems"]] == [0, 15]
    xero.plant({"TaxType": "OUTPUT2", "Status": "DELETED"}, kind="tax_rates")
    line = {"Description": "x", "AccountCode": "200", **priced(1, 1)}
    assert "The TaxType code OUTPUT2 does not exist" in xero.refusal("Invoices", xero.invoice_body(LineItems=[line]))


def test_a_rounding_line(xero: XeroClient) -> None:
    assert made(xero, priced(1, 100), priced(1, -0.01, AccountCode="860", TaxType="NONE"))["Total"] == 114.99


SUMS = {"SubTotal": 20, "TotalTax": 3}


@pytest.mark.parametrize(
    ("fields", "total"),
    [
        ({**SUMS, "Total": 23.05, "RoundingAmount": 0.05}, 23.05),
        ({**SUMS, "Total": 22.9, "RoundingAmount": -0.1}, 22.9),
        ({**SUMS, "Total": 23.2, "RoundingAmount": 0.2}, 23),
        ({**SUMS, "Total": 23.04, "RoundingAmount": 0.05}, 23),
        ({"Total": 23.05, "RoundingAmount": 0.05}, 23),
        ({**SUMS, "Total": 23.05, "RoundingAmount": 0.05, "Status": "DRAFT"}, 23),
        ({"Total": 99}, 23),
    ],
)
def test_a_rounding_amount(xero: XeroClient, fields: Json, total: float) -> None:
    whole = xero.invoice(**fields)
    assert (whole["Total"], whole["AmountDue"]) == (total, total)


def test_a_wrong_total_may_matter(xero: XeroClient) -> None:
    xero.switch(wrong_total="refuse")
    assert xero.invoice(Total=23)["Total"] == 23
    assert "total" in xero.refusal("Invoices", xero.invoice_body(Total=23.01))
