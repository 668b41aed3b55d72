"""An independent client, xero-python from PyPI, writes: contacts, invoices, payments and items."""

import warnings
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from .test_xero_python import here, kept
from .xero_client import XeroClient

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from xero_python import accounting as model
    from xero_python.exceptions import HTTPStatusException

__all__ = ["here"]  # a fixture: it is used by being known
ANN = {"name": "Ann Tui", "contact_number": "WEB-1", "email_address": "ann@example.nz"}


@pytest.fixture
def api(xero: XeroClient) -> Iterator[Any]:
    with kept(xero, xero.custom) as keeper:
        keeper.token = keeper.tokens.get_client_credentials_token(app_store_billing=False)
        yield keeper.accounting


def contacts(*each: dict[str, Any]) -> Any:
    return model.Contacts(contacts=[model.Contact(**fields) for fields in each])


def invoices(contact: str, *numbers: str, **more: Any) -> Any:
    line = model.LineItem(description="Mug", quantity=2, unit_amount=Decimal("11.5"), account_code="200")
    dates = {"date": date(2026, 11, 20), "due_date": date(2026, 12, 20)}
    fields = {
        "type": "ACCREC",
        "status": "AUTHORISED",
        "line_items": [line],
        "line_amount_types": model.LineAmountTypes.INCLUSIVE,
    }
    named = {"contact": model.Contact(contact_id=contact)}
    return model.Invoices(
        invoices=[model.Invoice(invoice_number=number, **(fields | dates | named | more)) for number in numbers]
    )


def messages(element: Any) -> list[str]:
    return [each.message for each in element.validation_errors or ()]


def test_it_creates_and_finds_a_contact(api: Any) -> None:
    phone = model.Phone(phone_type="MOBILE", phone_number="123")
    (made,) = api.create_contacts("", contacts({**ANN, "phones": [phone]}), idempotency_key="k").contacts
    (again,) = api.create_contacts("", contacts({**ANN, "phones": [phone]}), idempotency_key="k").contacts
    assert made.contact_id == again.contact_id
    assert {each.phone_type: each.phone_number for each in made.phones}["MOBILE"] == "123"
    assert api.get_contact("", made.contact_id).contacts[0].email_address == "ann@example.nz"
    found = api.get_contacts("", search_term="ann tui", page=1, page_size=1000)
    assert ([each.contact_number for each in found.contacts], found.pagination.item_count) == (["WEB-1"], 1)


def test_it_sees_who_is_refused(api: Any) -> None:
    api.create_contacts("", contacts(ANN))
    with pytest.raises(HTTPStatusException) as refused:
        api.create_contacts("", contacts({"name": "ann tui"}))
    assert refused.value.status == 400
    assert "already assigned" in str(refused.value)
    told = api.create_contacts("", contacts({"name": "ann tui"}, {"name": "Bob"}), summarize_errors=False).contacts
    assert [each.status_attribute_string for each in told] == ["ERROR", "OK"]
    assert "already assigned" in messages(told[0])[0]
    (updated,) = api.update_or_create_contacts("", contacts({"name": "ann tui", "first_name": "Ann"})).contacts
    assert (updated.first_name, updated.email_address) == ("Ann", "ann@example.nz")


def test_it_creates_reads_and_voids_an_invoice(api: Any, xero: XeroClient) -> None:
    (made,) = api.create_invoices("", invoices(xero.buyer(), "WEB-1"), unitdp=4).invoices
    assert (made.status, made.total, made.total_tax) == ("AUTHORISED", Decimal("23.00"), Decimal("3.00"))
    assert (made.date, made.line_items[0].tax_type) == (date(2026, 11, 20), "OUTPUT2")
    (found,) = api.get_invoices("", invoice_numbers=["WEB-1"], page=1).invoices
    assert (found.invoice_id, found.contact.name) == (made.invoice_id, "Ann Tui")
    void = model.Invoices(invoices=[model.Invoice(invoice_id=made.invoice_id, status="VOIDED")])
    assert api.update_invoice("", made.invoice_id, void).invoices[0].status == "VOIDED"


def test_it_sees_which_invoices_are_refused(api: Any, xero: XeroClient) -> None:
    key = xero.buyer()
    api.create_invoices("", invoices(key, "WEB-1"))
    told = api.create_invoices("", invoices(key, "WEB-1", "WEB-2"), summarize_errors=False).invoices
    assert [each.has_errors for each in told] == [True, False]
    assert messages(told[0]) == ["Invoice # must be unique."]
    with pytest.raises(HTTPStatusException) as refused:
        api.create_invoices("", invoices(key, "WEB-2", "WEB-3"))
    assert refused.value.status == 400
    assert len(api.get_invoices("", invoice_numbers=["WEB-1", "WEB-2", "WEB-3"]).invoices) == 3


def test_it_pays_and_takes_back(api: Any, xero: XeroClient) -> None:
    (invoice,) = api.create_invoices("", invoices(xero.buyer(), "WEB-1")).invoices
    named = {"invoice": model.Invoice(invoice_id=invoice.invoice_id), "account": model.Account(code="090")}
    payment = model.Payment(**named, amount=23, date=date(2026, 11, 21))
    (paid,) = api.create_payments("", model.Payments(payments=[payment])).payments
    now = api.get_invoice("", invoice.invoice_id).invoices[0]
    assert (now.status, now.amount_due, len(now.payments)) == ("PAID", 0, 1)
    with pytest.raises(HTTPStatusException):
        api.create_payment("", payment)
    api.delete_payment("", paid.payment_id, model.PaymentDelete(status="DELETED"))
    assert api.get_invoice("", invoice.invoice_id).invoices[0].amount_due == 23
    assert api.get_payment("", paid.payment_id).payments[0].status == "DELETED"


def test_it_writes_items(api: Any) -> None:
    prices = model.Purchase(unit_price=Decimal("9.5"), account_code="200")
    item = model.Item(code="HAT", name="Hat", sales_details=prices)
    (made,) = api.create_items("", model.Items(items=[item])).items
    with pytest.raises(HTTPStatusException):
        api.create_items("", model.Items(items=[item]))
    (changed,) = api.update_or_create_items("", model.Items(items=[model.Item(code="HAT", name="Warm hat")])).items
    assert (changed.item_id, changed.name, changed.sales_details.unit_price) == (
        made.item_id,
        "Warm hat",
        Decimal("9.5"),
    )
    api.delete_item("", made.item_id)
    with pytest.raises(HTTPStatusException):
        api.get_item("", made.item_id)
