"""developer.xero.com/documentation/api/accounting/invoices.

What is put into `Contact` beside the id updates that contact: the copy does so, that a client's test
can prove it never happens.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, ClassVar

from .. import wire
from ..store import Query
from ..wire import Number
from .account import date
from .answers import Refused, not_found
from .asked import Asked
from .contact_rules import ARCHIVED
from .contacts import Change, Contacts
from .invoice_form import (
    AUTHORISED,
    DELETED,
    INVOICE,
    NOT_MODIFIABLE,
    PAID,
    VOIDED,
    InvoiceForm,
    blank_invoice,
    next_status,
)
from .invoice_lines import CENT
from .ledger import Ledger, amount
from .query import among
from .records import STAMP, column_text
from .stock import Stock
from .writing import Complaint, Outcome, Written, complain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import Value
    from ..wire import JsonObject
    from .account import Account

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HARMLESS = {"InvoiceID", "InvoiceNumber", "DueDate", "SentToContact", "ExpectedPaymentDate", "Status", "Type"}
"""What can be said of a partly paid invoice; changing it moves no stamp."""
_LISTS = {"IDs": "id", "InvoiceNumbers": "code", "ContactIDs": "contact", "Statuses": "status"}


class Invoices(Written):
    """Sales invoices and bills."""

    resource = "Invoices"
    envelope = "Invoices"
    id_field = "InvoiceID"
    code_field = "InvoiceNumber"
    error_flag = "HasErrors"
    paged = True
    shape = INVOICE
    start = Query(order="modified")
    orders: ClassVar[Mapping[str, str]] = {
        "updateddateutc": "modified",
        "invoiceid": "id",
        "invoicenumber": "sort",
        "date": "dated",
    }

    def __init__(self, account: Account) -> None:
        super().__init__(account, account.invoices)
        self._contacts = Contacts(account)
        self._ledger = Ledger(account)
        self._form = InvoiceForm(self._ledger)
        self._stock = Stock(account)

    # Reading

    def narrowed(self, query: Query, asked: Asked) -> Query:
        """Lists of ids, numbers, contacts and statuses narrow the list."""
        lists = {column: asked.several(name) for name, column in _LISTS.items() if asked.several(name)}
        for column, values in lists.items():
            lower = column in {"id", "contact"}
            query = among(query, column, [value.lower() if lower else value for value in values])
        # Whether they come along in a plain list is unconfirmed by the vendor.
        if not lists and self.account.switches["voided_listed"] == "no":
            query = query.where("status NOT IN (?, ?)", VOIDED, DELETED)
        return query

    def is_found(self, body: str, asked: Asked) -> bool:
        """`searchTerm` looks into number and reference."""
        term = (asked.param("searchTerm") or "").casefold()
        record = wire.loads(body) if term else {}
        return not term or any(term in str(record.get(name)).casefold() for name in ("InvoiceNumber", "Reference"))

    def text(self, body: str, asked: Asked) -> str:
        """With the contact as it is now and dates as texts, too; without pages there are no lines."""
        record = {**wire.loads(body)}
        if isinstance(record.get("Contact"), dict):
            record["Contact"] = self._shown_contact(record["Contact"], asked)
        if asked.flag("summaryOnly"):
            record = {name: value for name, value in record.items() if name not in {"LineItems", "Payments"}}
        elif not asked.is_full:
            record["LineItems"] = []
        elif asked.param("unitdp") != "4" and isinstance(record.get("LineItems"), list):
            record["LineItems"] = [_in_cents(line) for line in record["LineItems"]]
        return wire.dumps({**record, **twins(record)})

    def _shown_contact(self, named: JsonObject, asked: Asked) -> JsonObject:
        row = self._contacts.table.get(column_text(named.get("ContactID")))
        contact = wire.loads(row["body"]) if row else named
        if asked.is_full and not asked.flag("summaryOnly"):
            return {**contact}
        return {name: contact[name] for name in ("ContactID", "Name") if name in contact}

    # Storing

    def row(self, record: JsonObject) -> dict[str, Value]:
        """What the filters look at."""
        contact = record.get("Contact")
        return {
            **super().row(record),
            "contact": column_text(contact.get("ContactID")).lower() if isinstance(contact, dict) else "",
            "status": column_text(record.get("Status")),
            "dated": wire.milliseconds(record.get("Date")) or 0,
        }

    def blank(self) -> JsonObject:
        """A new draft of today."""
        return {STAMP: date(self.account.clock.milliseconds()), **blank_invoice(), "Date": self._ledger.today()}

    # Writing

    def written(self, given: JsonObject, asked: Asked) -> Outcome:
        """`PUT` creates; `POST` creates, or changes the invoice with the same id or number."""
        before = self._before(given, asked)
        status = next_status(before, given)
        if before is not None and status in {VOIDED, DELETED}:
            return self._ended(before, status)
        _check_change(given, before)
        change = self._contact(given, before)
        old = before or {**blank_invoice(), "InvoiceID": self.account.new_id()}
        own = {"InvoiceID": old["InvoiceID"], "Status": status}
        record, warnings = self._form.filled({**given, **own}, old, asked)
        effect = self._stock.effect(before, record)
        if not asked.flag("allowBackorders"):
            complain(self._stock.shortages(effect))
        # Nothing is stored before this line, and nothing is refused after it.
        self._commit_contact(change, sold=record["Type"] == "ACCREC")
        contact = {name: change.record.get(name) for name in ("ContactID", "Name")}
        record = self._saved(self._numbered({**record, "Contact": contact}), before)
        self._stock.move(effect)
        return Outcome(record, tuple(warnings))

    def _saved(self, record: JsonObject, before: JsonObject | None) -> JsonObject:
        is_partly_paid = before is not None and amount(before, "AmountPaid")
        stored = record if is_partly_paid else self.stamped(record)
        self.save(stored)
        return stored

    def _before(self, given: JsonObject, asked: Asked) -> JsonObject | None:
        """The invoice that a `POST` changes; a taken number is refused where it would be taken twice."""
        named = given.get("InvoiceID") if asked.method == "POST" else None
        row = self.table.get(named) if named else None
        if named and row is None:
            raise Refused(not_found())
        taken = self._taken(given, row["id"] if row else "", row["body"] if row else "")
        if taken is not None and (asked.method == "PUT" or row is not None):
            raise Complaint(self._not_unique())
        found: JsonObject | None = taken or (wire.loads(row["body"]) if row else None)
        return found

    def _taken(self, given: JsonObject, key: str, body: str) -> JsonObject | None:
        """The sales invoice that has the given number; a voided one keeps it.

        Whether a deleted draft keeps its number is unconfirmed (switch `deleted_number`).
        """
        number = given.get("InvoiceNumber")
        kind = given.get("Type") or (wire.loads(body)["Type"] if body else "ACCREC")
        if not number or kind != "ACCREC":
            return None
        records = [wire.loads(row["body"]) for row in self.table.all_where("sort = ? AND id <> ?", number.upper(), key)]
        frees = {DELETED} if self.account.switches["deleted_number"] == "free" else set()
        holders = [each for each in records if each.get("Type") == "ACCREC" and each.get("Status") not in frees]
        return next(iter(holders), None)

    def _not_unique(self) -> str:
        return (
            "Invoice # must be unique." if self.account.switches["final_dot"] == "yes" else "Invoice # must be unique"
        )

    def _ended(self, before: JsonObject, status: str) -> Outcome:
        complain(self._ledger.lock_faults(before.get("Date")))
        record = self.stamped({**before, "Status": status, "AmountDue": Number("0.00")})
        self.save(record)
        self._stock.move(self._stock.effect(before, record))
        return Outcome(record)

    def _contact(self, given: JsonObject, before: JsonObject | None) -> Change:
        """The contact of the invoice, changed by whatever was put beside its id."""
        named = given.get("Contact") or (before and {"ContactID": before["Contact"]["ContactID"]})
        if not named:
            raise Complaint("A Contact must be specified for this type of transaction.")
        readings = self.account.switches
        unknown = "ContactID" in named and self._contacts.table.get(named["ContactID"]) is None
        if unknown and readings["unknown_contact"] == "element":
            raise Complaint("The Contact could not be found.")
        if set(named) != {"ContactID"}:
            return self._contacts.planned(named)
        contact = self._contacts.one(named["ContactID"])
        if contact.get("ContactStatus") == "ARCHIVED" and readings["archived_on_invoice"] != "accept":
            raise Complaint(ARCHIVED if readings["archived_on_invoice"] == "refuse" else "The Contact is archived.")
        return Change(contact, is_needed=False)

    def _commit_contact(self, change: Change, *, sold: bool) -> None:
        contact = change.record
        if change.is_needed:
            contact = self._contacts.stamped(contact)
            self._contacts.save(contact)
            self._contacts.table.count_write(contact["ContactID"])
        self._contacts.deal_with(contact, sold=sold)

    def _numbered(self, record: JsonObject) -> JsonObject:
        number = record["InvoiceNumber"]
        while not number and record["Type"] == "ACCREC":
            candidate = self.account.next_number()
            number = "" if self.table.all_where("sort = ?", candidate.upper()) else candidate
        return {**record, "InvoiceNumber": number}

    def settle(self, key: str, *, silent: bool = False) -> None:
        """Make what is due, what is paid and the status of an invoice follow from its payments."""
        row = self.table.get(key)
        if row is None:
            return
        invoice = wire.loads(row["body"])
        payments = [wire.loads(each["body"]) for each in self.account.payments.all_where("invoice = ?", row["id"])]
        valid = [payment for payment in payments if payment.get("Status") == AUTHORISED]
        paid = sum((amount(payment, "Amount") for payment in valid), Decimal(0))
        due = amount(invoice, "Total") - paid
        invoice |= {"AmountPaid": Number(f"{paid:.2f}"), "AmountDue": Number(f"{due:.2f}")}
        names = ("PaymentID", "Date", "Amount", "Reference", "CurrencyRate")
        invoice["Payments"] = [{name: payment[name] for name in names if name in payment} for payment in valid]
        if invoice["Status"] in {AUTHORISED, PAID}:
            invoice["Status"] = PAID if valid and due <= 0 else AUTHORISED
        self.save(invoice if silent else self.stamped(invoice))


def _check_change(given: JsonObject, before: JsonObject | None) -> None:
    if before is None and "Type" not in given:
        raise Complaint("The Type of an invoice must be specified.")
    if before is not None and amount(before, "AmountPaid") and set(given) - _HARMLESS:
        raise Complaint(NOT_MODIFIABLE)


def _in_cents(line: JsonObject) -> JsonObject:
    unit = wire.decimal(line.get("UnitAmount")) if isinstance(line, dict) else None
    return line if unit is None else {**line, "UnitAmount": Number(f"{unit.quantize(CENT, rounding=ROUND_HALF_UP)}")}


def twins(record: JsonObject) -> JsonObject:
    """Dates once more as texts; one that was planted beyond all calendars has no such text."""
    texts = {f"{name}String": _spelt(wire.milliseconds(record.get(name))) for name in ("Date", "DueDate", STAMP)}
    stamp = f"{STAMP}String"
    return {name: f"{text}Z" if name == stamp else text for name, text in texts.items() if text}


def _spelt(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    try:
        return f"{_EPOCH + timedelta(milliseconds=milliseconds):%Y-%m-%dT%H:%M:%S}"
    except OverflowError:
        return ""
