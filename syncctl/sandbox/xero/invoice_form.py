"""What an invoice looks like: its shape in requests, and the document that a request makes.

developer.xero.com/documentation/api/accounting/invoices. How most refusals are worded is not known.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..wire import Number
from .contact_form import CONTACT
from .contact_rules import too_long
from .invoice_lines import LINE, NO_ACCOUNT, Setting, made_lines, totals
from .ledger import Ledger, amount
from .shapes import Shape, day, flag, guid, listed, nested, number, one_of, text
from .writing import Complaint, complain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..wire import JsonObject
    from .asked import Asked

DRAFT, SUBMITTED, AUTHORISED, PAID = "DRAFT", "SUBMITTED", "AUTHORISED", "PAID"
VOIDED, DELETED = "VOIDED", "DELETED"
NOT_MODIFIABLE = "Invoice not of valid status for modification"
_NOT_CREATABLE = "Invoice not of valid status for creation"
NEXT = {
    DRAFT: {DRAFT, SUBMITTED, AUTHORISED, DELETED},
    SUBMITTED: {SUBMITTED, AUTHORISED, DRAFT, DELETED},
    AUTHORISED: {AUTHORISED, VOIDED},
}
"""What a status can become; the others are final for the client."""
_BRANDING_THEME = "9c3f2a50-6d0e-4c9a-8a55-2f0b7a1c4e11"

INVOICE: Shape = {
    "InvoiceID": guid,
    "Type": one_of("Xero.API.Library.InvoiceType", "ACCREC", "ACCPAY"),
    "Status": one_of("Xero.API.Library.InvoiceStatus", DRAFT, SUBMITTED, AUTHORISED, PAID, VOIDED, DELETED),
    "LineAmountTypes": one_of("Xero.API.Library.LineAmountType", "Exclusive", "Inclusive", "NoTax"),
    "Contact": nested(CONTACT),
    "LineItems": listed(LINE),
    **dict.fromkeys(("Date", "DueDate", "ExpectedPaymentDate", "PlannedPaymentDate"), day),
    **dict.fromkeys(("InvoiceNumber", "Reference", "Url", "CurrencyCode"), text),
    **dict.fromkeys(("CurrencyRate", "SubTotal", "TotalTax", "Total", "RoundingAmount"), number),
    "BrandingThemeID": guid,
    "SentToContact": flag,
}
_OWN = ("Contact", "LineItems", "SubTotal", "TotalTax", "Total", "RoundingAmount")
"""Posted fields that do not become fields of the document as they stand."""


def blank_invoice() -> JsonObject:
    """A draft without anything in it."""
    return {
        "Type": "ACCREC",
        "InvoiceNumber": "",
        "Reference": "",
        **{name: [] for name in ("Payments", "CreditNotes", "Prepayments", "Overpayments")},
        **dict.fromkeys(("AmountDue", "AmountPaid", "AmountCredited"), Number("0.00")),
        "CurrencyRate": Number("1.0000000000"),
        "SentToContact": False,
        **dict.fromkeys(("IsDiscounted", "HasAttachments", "HasErrors"), False),
        "BrandingThemeID": _BRANDING_THEME,
        "Status": DRAFT,
        "LineAmountTypes": "Exclusive",
        "LineItems": [],
        **dict.fromkeys(("SubTotal", "TotalTax", "Total"), Number("0.00")),
        "CurrencyCode": "NZD",
    }


def next_status(before: JsonObject | None, given: JsonObject) -> str:
    """The status a document gets; refuses what the status before it does not allow."""
    wanted: str = given.get("Status") or (before["Status"] if before else DRAFT)
    if before is None:
        if wanted not in {DRAFT, SUBMITTED, AUTHORISED}:
            raise Complaint(_NOT_CREATABLE)
    elif wanted not in NEXT.get(before["Status"], ()) or (wanted == VOIDED and amount(before, "AmountPaid")):
        raise Complaint(NOT_MODIFIABLE)
    return wanted


class InvoiceForm:
    """Makes the document that a request asks for; stores nothing."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def filled(self, given: JsonObject, before: JsonObject, asked: Asked) -> tuple[JsonObject, list[str]]:
        """The document with the given fields over it, and warnings; raises :class:`Complaint`."""
        fields = {name: value for name, value in given.items() if name not in _OWN}
        record: JsonObject = {"Date": self._ledger.today(), **before, **fields}
        complain([*_text_faults(given), *self._ledger.lock_faults(record["Date"])])
        self._set_currency(record, given)
        setting = self._setting(record, asked)
        if {"LineItems", "LineAmountTypes"} & set(given):
            self._set_lines(record, given, setting)
        elif setting.is_approved and not all(line.get("AccountCode") for line in record["LineItems"]):
            raise Complaint(NO_ACCOUNT)
        if not any(line.get("Description") for line in record["LineItems"]):
            raise Complaint("One or more line items with a description must be specified.")
        if setting.is_approved and not record.get("DueDate"):
            raise Complaint("The DueDate of an approved invoice cannot be empty.")
        return {**record, "SentToContact": setting.is_approved and record["SentToContact"]}, setting.warnings

    def _setting(self, record: JsonObject, asked: Asked) -> Setting:
        return Setting(
            ledger=self._ledger,
            types=record["LineAmountTypes"],
            is_sale=record["Type"] == "ACCREC",
            is_approved=record["Status"] in {SUBMITTED, AUTHORISED},
            price_places=4 if asked.param("unitdp") == "4" else 2,
        )

    def _set_currency(self, record: JsonObject, given: JsonObject) -> None:
        currency = self._ledger.currency(given.get("CurrencyCode") or record.get("CurrencyCode"))
        if currency is None:
            raise Complaint(f"Organisation is not subscribed to currency {given.get('CurrencyCode')}")
        record["CurrencyCode"], rate = currency
        record["CurrencyRate"] = given.get("CurrencyRate", rate)

    def _set_lines(self, record: JsonObject, given: JsonObject, setting: Setting) -> None:
        before: list[JsonObject] = record["LineItems"]
        same = [{"LineItemID": line["LineItemID"]} for line in before]
        record["LineItems"] = made_lines(given.get("LineItems", same), before, setting)
        sums = totals(record["LineItems"], given, setting)
        record |= {name: Number(f"{value:.2f}") for name, value in sums.items()}
        record["AmountDue"] = Number(f"{sums['Total'] - amount(record, 'AmountPaid'):.2f}")
        discounts = (amount(line, name) for line in record["LineItems"] for name in ("DiscountRate", "DiscountAmount"))
        record["IsDiscounted"] = any(value > Decimal(0) for value in discounts)


def _text_faults(given: JsonObject) -> Iterator[str]:
    yield from too_long(given, {"InvoiceNumber": 255, "Reference": 255})
    url = given.get("Url", "")
    if url and (not urlsplit(url).netloc or "xero" in url.lower()):
        yield "The Url must be absolute and must not contain the word Xero."
