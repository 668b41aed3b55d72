"""developer.xero.com/documentation/api/accounting/payments: nothing makes a payment unique."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .. import wire
from ..store import Query
from ..wire import Number
from .account import date
from .answers import Refused, not_found
from .asked import Asked
from .invoice_form import AUTHORISED, DELETED
from .invoices import Invoices, twins
from .ledger import Ledger, amount
from .records import STAMP, column_text
from .shapes import Shape, day, flag, guid, nested, number, one_of, text
from .writing import Complaint, Outcome, Written, complain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..service import Planting
    from ..store import Value
    from ..wire import JsonObject
    from .account import Account

_EXCEEDS = "Payment amount exceeds the amount outstanding on this document"
"""The only message known; how the others are worded is not."""


class Payments(Written):
    """Payments of invoices."""

    resource = "Payments"
    envelope = "Payments"
    id_field = "PaymentID"
    code_field = "PaymentID"
    paged = True
    start = Query(order="modified")
    orders: ClassVar[Mapping[str, str]] = {"updateddateutc": "modified", "paymentid": "id"}
    shape: ClassVar[Shape] = {
        "PaymentID": guid,
        "Invoice": nested({"InvoiceID": guid, "InvoiceNumber": text}),
        "Account": nested({"AccountID": guid, "Code": text}),
        "Date": day,
        "Amount": number,
        "Reference": text,
        "CurrencyRate": number,
        "IsReconciled": flag,
        "Status": one_of("Xero.API.Library.PaymentStatus", AUTHORISED, DELETED),
    }

    def __init__(self, account: Account) -> None:
        super().__init__(account, account.payments)
        self._invoices = Invoices(account)
        self._ledger = Ledger(account)

    def row(self, record: JsonObject) -> dict[str, Value]:
        """A payment is found by its invoice."""
        invoice = record.get("Invoice")
        key = invoice.get("InvoiceID") if isinstance(invoice, dict) else None
        return {**super().row(record), "invoice": column_text(key).lower()}

    def blank(self) -> JsonObject:
        """A payment of today."""
        return {
            STAMP: date(self.account.clock.milliseconds()),
            "Date": self._ledger.today(),
            "Amount": Number("0.00"),
            "CurrencyRate": Number("1.0000000000"),
            "PaymentType": "ACCRECPAYMENT",
            "Status": AUTHORISED,
            "HasAccount": True,
            "IsReconciled": False,
            "HasValidationErrors": False,
        }

    def text(self, body: str, asked: Asked) -> str:
        """With dates as texts, too."""
        record = wire.loads(body)
        own = {name: value for name, value in twins(record).items() if name == f"{STAMP}String"}
        return wire.dumps({**record, **own})

    def plant(self, record: JsonObject, how: Planting) -> str:
        """A planted payment counts on its invoice."""
        key = super().plant(record, how)
        self._settle(wire.loads(self.row_of(key)["body"]), silent=how.silent)
        return key

    def remove(self, key: str) -> bool:
        """A removed one does not count any more."""
        row = self.table.get(key)
        gone = super().remove(key)
        if row is not None:
            self._settle(wire.loads(row["body"]))
        return gone

    def written(self, given: JsonObject, asked: Asked) -> Outcome:
        """Pay an invoice, or with an id take a payment back."""
        if "PaymentID" in given:
            return self._deleted(given)
        invoice = self._invoice(given.get("Invoice", {}))
        account = self._account(given.get("Account", {}))
        paid = {**self.blank(), **given, "PaymentID": self.account.new_id()}
        complain([*_amount_faults(given, invoice), *self._ledger.lock_faults(paid["Date"])])
        kind = "ACCRECPAYMENT" if invoice["Type"] == "ACCREC" else "ACCPAYPAYMENT"
        names = ("Type", "InvoiceID", "InvoiceNumber", "Contact", "CurrencyCode")
        record = self.stamped(
            {
                **paid,
                "Amount": Number(f"{amount(paid, 'Amount'):.2f}"),
                "PaymentType": kind,
                "Invoice": {name: invoice[name] for name in names},
                "Account": {name: account[name] for name in ("AccountID", "Code")},
            }
        )
        self.save(record)
        self._settle(record)
        return Outcome(record)

    def _deleted(self, given: JsonObject) -> Outcome:
        row = self.table.get(given["PaymentID"])
        if row is None:
            raise Refused(not_found())
        payment = wire.loads(row["body"])
        if given.get("Status") != DELETED or payment["Status"] == DELETED:
            raise Complaint("Payment not of valid status for modification")
        complain(self._ledger.lock_faults(payment["Date"]))
        record = self.stamped({**payment, "Status": DELETED})
        self.save(record)
        self._settle(record)
        return Outcome(record)

    def _settle(self, payment: JsonObject, *, silent: bool = False) -> None:
        invoice = payment.get("Invoice")
        if isinstance(invoice, dict):
            self._invoices.settle(column_text(invoice.get("InvoiceID")), silent=silent)

    def _invoice(self, named: JsonObject) -> JsonObject:
        """The invoice to be paid; only an approved one can be."""
        key, number = named.get("InvoiceID"), named.get("InvoiceNumber", "")
        row = self._invoices.table.get(key) if key else None
        rows = [row] if row else [] if key else self._invoices.table.all_where("code = ? AND code <> ''", number)
        invoices: list[JsonObject] = [wire.loads(each["body"]) for each in rows]
        approved = [invoice for invoice in invoices if invoice["Status"] == AUTHORISED]
        if not invoices:
            raise Complaint("An existing Invoice with the specified InvoiceID or InvoiceNumber could not be found")
        if not approved:
            raise Complaint("Payments can only be made against Authorised documents")
        return approved[0]

    def _account(self, named: JsonObject) -> JsonObject:
        account = self._ledger.account_of(str(named.get("AccountID") or named.get("Code", "")))
        if account is None or not self._ledger.takes_payments(account):
            raise Complaint("Account must be valid.")
        return account


def _amount_faults(given: JsonObject, invoice: JsonObject) -> list[str]:
    if amount(given, "Amount") <= 0:
        return ["The payment amount must be greater than zero."]
    return [_EXCEEDS] if amount(given, "Amount") > amount(invoice, "AmountDue") else []
