"""Looks in Xero for what stands there under references of ours, many in one call; only reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from syncctl.connectors._fields import microsoft_date, quoted, text
from syncctl.connectors._posting import amount
from syncctl.models import Kind, from_ms, in_batches
from syncctl.models_push import Outgoing, Payment, Seen

if TYPE_CHECKING:
    from syncctl.connectors.base import Http

Json = dict[str, Any]
_MOST_NUMBERS = 40  # of ids or numbers in one address: about fifty ids are too long for one
_FEW = 5  # contacts that are asked for one by one
_PAGE = 1000
_STATUSES = "DRAFT,SUBMITTED,AUTHORISED,PAID,VOIDED,DELETED"  # whether dead ones are listed unasked is not documented
_DEAD = frozenset({"VOIDED", "DELETED"})
_NO_ID = "00000000-0000-0000-0000-000000000000"


class Seeker:
    """Finds records by what we called them."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def seek(self, kind: Kind, rows: Sequence[Outgoing]) -> list[Seen | None]:
        """What there is for each row, in their order; of several one that lives."""
        if kind is Kind.PAYMENTS:
            return self._payments(rows)
        look = {Kind.CUSTOMERS: self._contacts, Kind.PRODUCTS: self._items, Kind.ORDERS: self._invoices}[kind]
        found: dict[str, Seen] = {}
        for seen in look([row.reference for row in rows]):
            key = seen.reference.lower()
            if key not in found or seen.live:
                found[key] = seen
        return [found.get(row.reference.lower()) for row in rows]

    def by_name(self, names: Sequence[str]) -> list[Json]:
        """The living contacts that may have one of these names; whoever asks compares."""
        return [contact for contact, _ in self._contacts_with("Name", names) if _is_active(contact)]

    def by_id(self, remote_id: str) -> Seen | None:
        """The invoice to a customer that has this id."""
        return next(self._sales(f"IDs={quoted(remote_id)}&Statuses={_STATUSES}"), None)

    def _contacts(self, numbers: Sequence[str]) -> Iterator[Seen]:
        for contact, call in self._contacts_with("ContactNumber", numbers):
            if is_id(remote_id := text(contact.get("ContactID")).lower()):
                yield Seen(
                    remote_id,
                    text(contact.get("ContactNumber")),
                    live=_is_active(contact),
                    call=call,
                    archived=not _is_active(contact),
                )

    def _contacts_with(self, field: str, values: Sequence[str]) -> Iterator[tuple[Json, int]]:
        """Few by a call each, else all contacts in pages of a thousand: nobody promises filters of many terms."""
        wanted = list(dict.fromkeys(values))
        if len(wanted) > _FEW:
            yield from self._pages("/Contacts", "includeArchived=true&order=ContactID", "Contacts")
            return
        for value in wanted:
            yield from self._pages("/Contacts", f"{_asking(field, value)}&includeArchived=true", "Contacts")

    def _items(self, codes: Sequence[str]) -> Iterator[Seen]:
        """All there are, in one call; whether a filter takes every code nobody has shown."""
        wanted = {code.lower() for code in codes}
        answer = self.http.get("/Items", keep_body=False)
        for item in answer.elements("Items"):
            code = text(item.get("Code")) if isinstance(item, dict) else ""
            if code.lower() in wanted:
                yield Seen(text(item.get("ItemID")).lower(), code, call=answer.call)

    def _invoices(self, numbers: Sequence[str]) -> Iterator[Seen]:
        listable = [number for number in numbers if "," not in number]
        for some in in_batches(listable, _MOST_NUMBERS):
            query = f"InvoiceNumbers={quoted(','.join(some))}&Statuses={_STATUSES}"
            yield from self._sales(query)
        for number in (number for number in numbers if "," in number):
            where = quoted(f'InvoiceNumber=="{number}"')
            yield from self._sales(f"where={where}")

    def _sales(self, query: str) -> Iterator[Seen]:
        """Invoices to customers: bills of suppliers may have any number."""
        for invoice, call in self._pages("/Invoices", f"{query}&includeArchived=true", "Invoices"):
            if text(invoice.get("Type")) != "ACCPAY" and is_id(text(invoice.get("InvoiceID"))):
                yield _seen_invoice(invoice, call)

    def _payments(self, rows: Sequence[Outgoing]) -> list[Seen | None]:
        """Payments have no number: each is looked for in its invoice, and no payment is taken for two of ours."""
        ids = list(dict.fromkeys(_invoice_id(row) for row in rows))
        there: dict[str, list[tuple[Json, int]]] = {}
        for some in in_batches([remote_id for remote_id in ids if remote_id], _MOST_NUMBERS):
            for invoice, call in self._pages("/Invoices", f"IDs={','.join(some)}", "Invoices"):
                listed = invoice.get("Payments")
                paid = [each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict)]
                alive = [each for each in paid if text(each.get("Status")) != "DELETED"]
                there.setdefault(text(invoice.get("InvoiceID")).lower(), []).extend((each, call) for each in alive)
        return [_taken(row, there.get(_invoice_id(row), [])) for row in rows]

    def _pages(self, path: str, query: str, name: str) -> Iterator[tuple[Json, int]]:
        """The records of a list, with the call that showed them."""
        page = 0
        while True:
            page += 1
            answer = self.http.get(path, f"{query}&page={page}&pageSize={_PAGE}&unitdp=4")
            found = [element for element in answer.elements(name) if isinstance(element, dict)]
            yield from ((element, answer.call) for element in found)
            if len(found) < _PAGE:
                return


def agreeing(contacts: Sequence[Json], body: Json) -> list[str]:
    """The ids of those contacts that have the name of a new one, and its number or its e-mail address too."""
    address = text(body.get("EmailAddress")).casefold()
    return [
        text(contact.get("ContactID")).lower()
        for contact in contacts
        if text(contact.get("Name")).casefold() == body["Name"].casefold()
        and (
            text(contact.get("ContactNumber")) == body["ContactNumber"]
            or (address and text(contact.get("EmailAddress")).casefold() == address)
        )
    ]


def is_id(value: str) -> bool:
    """Whether it is the id of something that is stored: what is not has the zero id, or none."""
    return bool(value) and value != _NO_ID


def _seen_invoice(invoice: Json, call: int) -> Seen:
    contact = invoice.get("Contact")
    return Seen(
        remote_id=text(invoice.get("InvoiceID")).lower(),
        reference=text(invoice.get("InvoiceNumber")),
        live=text(invoice.get("Status")) not in _DEAD,
        total=amount(invoice.get("Total")),
        currency=text(invoice.get("CurrencyCode")),
        customer=text(contact.get("ContactID")).lower() if isinstance(contact, dict) else "",
        call=call,
    )


def _invoice_id(row: Outgoing) -> str:
    return row.record.remote_id.lower() if row.record and hasattr(row.record, "remote_id") else ""


def _taken(row: Outgoing, payments: list[tuple[Json, int]]) -> Seen | None:
    """The payment with our reference; where none is shown, one of that amount and day. It is taken off the list."""
    fitting = [each for each in payments if _is_ours(row, each[0])]
    if not fitting:
        return None
    found = next((each for each in fitting if each[0].get("Reference")), fitting[0])
    payments.remove(found)
    return Seen(text(found[0].get("PaymentID")).lower(), call=found[1])


def _is_ours(row: Outgoing, told: Json) -> bool:
    if told.get("Reference"):
        return text(told["Reference"]) == row.reference
    payment = row.record
    if not isinstance(payment, Payment) or amount(told.get("Amount")) != payment.amount:
        return False
    return from_ms(microsoft_date(told.get("Date"))).date() == payment.day


def _is_active(contact: Json) -> bool:
    return text(contact.get("ContactStatus") or "ACTIVE") == "ACTIVE" and not contact.get("MergedToContactID")


def _asking(field: str, value: str) -> str:
    """A filter; with a quote, whose spelling there is not documented, a search, which finds more."""
    if '"' in value or "\\" in value:
        return f"searchTerm={quoted(value)}"
    where = f'{field}=="{value}"'
    return f"where={quoted(where)}"
