"""Payments at `/xero`, and what they do to the invoice."""

from typing import Any

import pytest

from .xero_client import Json, XeroClient


def payment(invoice: Json, amount: object, **fields: Any) -> Json:
    named = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}}
    return {**named, "Date": "2026-11-21", "Amount": amount, **fields}


def state(xero: XeroClient, invoice: Json) -> tuple[str, float, float, int]:
    now = xero.one(f"/Invoices/{invoice['InvoiceID']}")
    return now["Status"], now["AmountPaid"], now["AmountDue"], len(now["Payments"])


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_invoice_is_paid_in_two_parts_and_one_is_taken_back(xero: XeroClient, method: str) -> None:
    invoice = xero.invoice("WEB-1")
    first = xero.put("Payments", payment(invoice, 10, Reference="a"), method)
    assert (first["Status"], first["PaymentType"], first["Account"]["Code"]) == ("AUTHORISED", "ACCRECPAYMENT", "090")
    assert (first["Invoice"]["InvoiceNumber"], first["Reference"]) == ("WEB-1", "a")
    assert state(xero, invoice) == ("AUTHORISED", 10, 13, 1)
    xero.put("Payments", payment(invoice, 13), method)
    assert state(xero, invoice) == ("PAID", 23, 0, 2)
    target = f"Payments/{first['PaymentID']}"
    assert xero.post(target, {"Status": "DELETED"})["Status"] == "DELETED"
    assert state(xero, invoice) == ("AUTHORISED", 13, 10, 1)
    assert "status" in xero.refusal(target, {"Status": "DELETED"}, "POST")
    assert xero.one(f"/{target}")["Status"] == "DELETED"
    assert xero.writes("payments", first["PaymentID"]) == 2


def test_nothing_makes_a_payment_unique(xero: XeroClient) -> None:
    invoice = xero.invoice()
    both = [xero.put("Payments", payment(invoice, 5, Reference="same")) for _ in range(2)]
    assert both[0]["PaymentID"] != both[1]["PaymentID"]
    assert state(xero, invoice) == ("AUTHORISED", 10, 13, 2)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Amount": 23.01}, "Payment amount exceeds the amount outstanding on this document"),
        ({"Amount": 0}, "greater than zero"),
        ({"Account": {"Code": "200"}}, "Account must be valid."),
        ({"Account": {"Code": "881"}}, "Account must be valid."),
        ({"Account": {}}, "Account must be valid."),
        ({"Invoice": {"InvoiceNumber": "NOPE"}}, "could not be found"),
        ({"Invoice": {}}, "could not be found"),
        ({"Date": "2023-12-31"}, "period lock date"),
    ],
)
def test_what_is_refused(xero: XeroClient, fields: Json, message: str) -> None:
    invoice = xero.invoice("WEB-1")
    assert message in xero.refusal("Payments", {**payment(invoice, 23), **fields})
    assert state(xero, invoice) == ("AUTHORISED", 0, 23, 0)


def test_accounts_that_take_payments(xero: XeroClient) -> None:
    invoice = xero.invoice("WEB-1")
    xero.put("Payments", payment(invoice, 1, Account={"Code": "882"}, Invoice={"InvoiceNumber": "WEB-1"}))
    (bank,) = xero.envelope("/Accounts/090")["Accounts"]
    assert xero.put("Payments", payment(invoice, 1, Account={"AccountID": bank["AccountID"]}))["Amount"] == 1


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_only_approved_invoices_are_paid(xero: XeroClient, status: str) -> None:
    assert "Authorised" in xero.refusal("Payments", payment(xero.invoice(Status=status), 1))


def test_a_batch_cannot_pay_too_much(xero: XeroClient) -> None:
    invoice = xero.invoice()
    answer = xero.send("PUT", "Payments", *[payment(invoice, 20)] * 2, summarizeErrors="false")
    assert [each["StatusAttributeString"] for each in answer.json()["Payments"]] == ["OK", "ERROR"]
    assert [each["HasValidationErrors"] for each in answer.json()["Payments"]] == [False, True]
    assert state(xero, invoice) == ("AUTHORISED", 20, 3, 1)


def test_what_a_paid_invoice_refuses(xero: XeroClient) -> None:
    invoice = xero.invoice("WEB-1")
    target = f"Invoices/{invoice['InvoiceID']}"
    xero.put("Payments", payment(invoice, 1))
    for fields in ({"Status": "VOIDED"}, {"Reference": "x"}):
        assert "valid status for modification" in xero.refusal(target, fields, "POST")
    xero.advance(60)
    stamp = xero.one(f"/{target}")["UpdatedDateUTC"]
    later = xero.post(target, {"DueDate": "2027-01-31"})
    assert (later["DueDateString"][:10], later["UpdatedDateUTC"]) == ("2027-01-31", stamp)
    xero.put("Payments", payment(invoice, 22))
    assert "valid status" in xero.refusal(target, {"DueDate": "2027-01-31"}, "POST")
    assert "must be unique" in xero.refusal("Invoices", xero.invoice_body("WEB-1"))


def test_payments_are_listed_in_pages(xero: XeroClient) -> None:
    made = xero.put("Payments", payment(xero.invoice(), 1))
    total = xero.envelope("/Payments?page=1&pageSize=1")["pagination"]["itemCount"]
    assert total == len(xero.envelope("/Payments")["Payments"])
    assert xero.envelope(f"/Payments?page={total}&pageSize=1")["Payments"] == [made]


def test_a_payment_from_behind_counts(xero: XeroClient) -> None:
    invoice = xero.invoice()
    named = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 23}
    (key,) = xero.plant(named, kind="payments")
    assert state(xero, invoice) == ("PAID", 23, 0, 1)
    xero.control("DELETE", f"records/xero/payments?id={key}")
    assert state(xero, invoice) == ("AUTHORISED", 0, 23, 0)
