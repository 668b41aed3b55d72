"""What Xero is told: contacts, items, invoices and payments, up to fifty in one call, each with an outcome of its own.

PUT creates and never updates; POST, which would rewrite what has the same number, is used only for what a merchant
wants changed of a contact, by its id. A status of 200 says nothing: an element is stored if it has an id. A refusal of
the whole call, or a lost answer, says nothing either: the numbers are looked for. Payments have no number, so there the
invoices are looked at. Facts: developer.xero.com (accounting/contacts, items, invoices, payments, idempotency).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from syncctl.connectors._fields import text
from syncctl.connectors._posting import HeldError, amount, objection
from syncctl.connectors._xero_causes import messages, not_found, refusal
from syncctl.connectors._xero_contacts import whole_contact
from syncctl.connectors._xero_records import contact_body, entered_body, item_body, left_out, suffixed, tells_news
from syncctl.connectors._xero_sale import invoice_body, payment_body
from syncctl.connectors._xero_seek import Seeker, agreeing, is_id
from syncctl.errors import RefusedError, SyncctlError
from syncctl.models import Kind
from syncctl.models_push import NewCustomer, Outcome, Outgoing, Sale, Seen, Updated

if TYPE_CHECKING:
    from syncctl.connectors.base import Answer, Http
    from syncctl.connectors.declared import Values

Json = dict[str, Any]
Pair = tuple[Outgoing, Json]
_QUERY = "summarizeErrors=false&unitdp=4"
_LISTS = {
    Kind.CUSTOMERS: "Contacts", Kind.PRODUCTS: "Items", Kind.ORDERS: "Invoices", Kind.PAYMENTS: "Payments",
}  # fmt: skip
_IDS = {
    Kind.CUSTOMERS: "ContactID", Kind.PRODUCTS: "ItemID", Kind.ORDERS: "InvoiceID", Kind.PAYMENTS: "PaymentID",
}  # fmt: skip
_MENDABLE = ("name-taken", "email", "no-id")
_NUMBERS = {Kind.CUSTOMERS: "ContactNumber", Kind.PRODUCTS: "Code", Kind.ORDERS: "InvoiceNumber"}


class Desk:
    """Writes records of one organisation down, and looks for those of ours that stand there."""

    def __init__(self, values: Values, http: Http) -> None:
        self.values = values
        self.http = http
        self.seeker = Seeker(http)

    def push(self, kind: Kind, rows: Sequence[Outgoing]) -> list[Outcome]:
        """One call, where nothing is wrong with it."""
        outcomes: dict[str, Outcome] = {}
        pairs: list[Pair] = []
        for row in rows:
            try:
                pairs.append((row, self._body(kind, row)))
            except HeldError as held:
                outcomes[row.guid] = held.as_outcome()
        if pairs:
            outcomes |= _by_guid(pairs, self._put(kind, pairs))
            outcomes |= self._afterwards(kind, pairs, outcomes)
        return [outcomes[row.guid] for row in rows]

    def objection(self, row: Outgoing) -> Outcome | None:
        """Why an order cannot be written down, whatever its customer and products are called there."""
        sale = row.record
        assert isinstance(sale, Sale)  # noqa: S101 - for the type checker
        return objection(lambda: invoice_body(self.values, row, sale))

    def seek(self, kind: Kind, rows: Sequence[Outgoing]) -> list[Seen | None]:
        """What stands there under the references of these rows; a payment, in the invoice that it belongs to."""
        return self.seeker.seek(kind, rows)

    def _body(self, kind: Kind, row: Outgoing) -> Json:
        if kind is Kind.CUSTOMERS:
            return contact_body(row)
        if kind is Kind.PRODUCTS:
            return item_body(self.values, row)
        if kind is Kind.PAYMENTS:
            return payment_body(self.values, row)
        assert isinstance(row.record, Sale)  # noqa: S101 - for the type checker
        return invoice_body(self.values, row, row.record)

    def _afterwards(self, kind: Kind, pairs: Sequence[Pair], outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
        """What else is to be done at once. The first call is over: nothing may be raised from here on."""
        if kind is Kind.CUSTOMERS:
            again = [pair for pair in pairs if outcomes[pair[0].guid].cause in _MENDABLE]
            return self._later(again, lambda: self._second_try(again, outcomes)) if again else {}
        if kind is Kind.ORDERS and self.values.get("CONTACT") == "as-entered":
            return self._update_contacts([row for row, _ in pairs], outcomes)
        return {}

    # -- creating

    def _put(self, kind: Kind, pairs: Sequence[Pair]) -> list[Outcome]:
        try:
            answer = self._write("PUT", kind, pairs)
        except RefusedError as error:
            if len(pairs) > 1:
                return self._apart(kind, pairs)
            return [self._refused(kind, pairs[0][0], error)]
        elements = _elements(answer, _LISTS[kind])
        if len(elements) != len(pairs):
            return _unknown(pairs, f"its answer shows {len(elements)} records and not {len(pairs)}", answer.call)
        return [self._outcome(kind, pair, element, answer.call) for pair, element in zip(pairs, elements, strict=True)]

    def _write(self, method: str, kind: Kind, pairs: Sequence[Pair]) -> Answer:
        name = _LISTS[kind]
        body = {name: [body for _, body in pairs]}
        tenant = self.values.get("TENANT_ID") or self.values.get("CLIENT_ID")
        tries = [row.idempotency for row, _ in pairs]
        key = hashlib.sha256(json.dumps([tenant, method, body, tries], default=str).encode()).hexdigest()
        return self.http.write(method, f"/{name}?{_QUERY}", body, headers={"Idempotency-Key": key})

    def _outcome(self, kind: Kind, pair: Pair, element: Json, call: int) -> Outcome:
        """A record is there if it has an id, whatever its status says."""
        row, body = pair
        if not _is_same(kind, body, element):
            return Outcome("unknown", cause="answer", message="its answer shows another record", call=call)
        errors, remote_id = messages(element, "ValidationErrors"), text(element.get(_IDS[kind])).lower()
        if is_id(remote_id):
            if errors:
                return Outcome("unknown", cause="answer", message="; ".join(errors), call=call)
            return self._stored(kind, pair, element, Outcome("done", remote_id, call=call))
        if errors or text(element.get("StatusAttributeString")) == "ERROR":
            return refusal(self.values, kind, row, errors, call)
        return Outcome("unknown", cause="no-id", message="its answer shows no id", call=call)

    def _stored(self, kind: Kind, pair: Pair, element: Json, outcome: Outcome) -> Outcome:
        row, body = pair
        notes = messages(element, "Warnings")
        if kind is Kind.CUSTOMERS:
            assert isinstance(row.record, NewCustomer)  # noqa: S101 - for the type checker
            notes += [f"without {what}" for what in left_out(row.record, body)]
        if kind is not Kind.ORDERS:
            return _noted(outcome, notes)
        status = text(element.get("Status"))
        if status not in (body["Status"], "PAID"):  # an invoice of 0.00 is paid at once
            notes.append(f"its status is {status}")
        told = outcome.changed(total=amount(element.get("Total")), currency=text(element.get("CurrencyCode")))
        return _noted(told, notes)

    def _refused(self, kind: Kind, row: Outgoing, error: RefusedError) -> Outcome:
        if error.status == 404:
            return not_found(self.values, kind, row, error.message, error.call)
        elements = _listed(_object(error.body).get("Elements"))
        said = [words for element in elements for words in messages(element, "ValidationErrors")]
        return refusal(self.values, kind, row, said or [error.message], error.call)

    def _apart(self, kind: Kind, pairs: Sequence[Pair]) -> list[Outcome]:
        """The call was refused as a whole, and a part may be stored all the same: the others are sent in halves."""

        def look() -> dict[str, Outcome]:
            seen = self.seek(kind, [row for row, _ in pairs])
            there = [pair for pair, found in zip(pairs, seen, strict=True) if found]
            return _by_guid(there, _unknown(there, "its call was refused, and it is there"))

        outcomes = self._later(pairs, look)
        rest = [pair for pair in pairs if pair[0].guid not in outcomes]
        middle = (len(rest) + 1) // 2
        for half in filter(None, (rest[:middle], rest[middle:])):
            outcomes |= self._later(half, lambda half=half: _by_guid(half, self._put(kind, half)))  # type: ignore[misc]
        return [outcomes[row.guid] for row, _ in pairs]

    def _later(self, pairs: Sequence[Pair], work: Callable[[], dict[str, Outcome]]) -> dict[str, Outcome]:
        """Does what comes after a first call. Where it fails nobody knows yet, and the next run finds out."""
        try:
            return work()
        except SyncctlError as error:
            return _by_guid(pairs, _unknown(pairs, error.message))

    # -- contacts

    def _second_try(self, pairs: Sequence[Pair], first: Mapping[str, Outcome]) -> dict[str, Outcome]:
        """Without the e-mail address that was not taken; under another name, where somebody has that one already.

        Whoever has name and number, or name and address, is the same; two people are never made one. A name that
        somebody has may also be the reason where an element has no id, and no word says why.
        """
        holders = self.seeker.by_name([body["Name"] for row, body in pairs if first[row.guid].cause != "email"])
        names = {text(holder.get("Name")).casefold() for holder in holders}
        outcomes: dict[str, Outcome] = {}
        others: list[Pair] = []
        for row, body in pairs:
            same = agreeing(holders, body)
            if len(same) == 1:
                outcomes[row.guid] = Outcome("done", same[0])
            elif first[row.guid].cause == "email":
                others.append((row, {name: value for name, value in body.items() if name != "EmailAddress"}))
            elif first[row.guid].cause == "name-taken" or body["Name"].casefold() in names:
                others.append((row, suffixed(body)))
        return outcomes | (_by_guid(others, self._put(Kind.CUSTOMERS, others)) if others else {})

    def _update_contacts(self, rows: Sequence[Outgoing], outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
        """Sends the data as entered with a customer's newest order, once that is there; a failure costs nothing else.

        By a call of its own, since bad data of a contact would have the invoice refused.
        """
        pairs = [
            (row, entered_body(row.record))
            for row in rows
            if isinstance(row.record, Sale) and tells_news(row.record) and outcomes[row.guid].result == "done"
        ]
        if not pairs:
            return {}
        try:
            answer = self._write("POST", Kind.CUSTOMERS, pairs)
            elements = _elements(answer, "Contacts")
        except SyncctlError as error:
            return {row.guid: _not_updated(outcomes[row.guid], [error.message]) for row, _ in pairs}
        return {
            row.guid: _with_contact((row, body), element, outcomes[row.guid], answer.call)
            for (row, body), element in zip(pairs, elements, strict=False)
        }


def _not_updated(outcome: Outcome, said: Sequence[str]) -> Outcome:
    return _noted(outcome, ["its contact was not updated: " + "; ".join(said)])


def _with_contact(pair: Pair, element: Json, outcome: Outcome, call: int) -> Outcome:
    """The outcome of an order with what became of its contact."""
    if said := messages(element, "ValidationErrors"):
        return _not_updated(outcome, said)
    return _noted(outcome, _omitted(*pair)).changed(updated=Updated(whole_contact(element), call))


def _omitted(row: Outgoing, body: Json) -> list[str]:
    assert isinstance(row.record, Sale)  # noqa: S101 - for the type checker
    return [f"its contact was updated without {what}" for what in left_out(row.record.order.customer, body)]


def _by_guid(pairs: Sequence[Pair], outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    return {row.guid: outcome for (row, _), outcome in zip(pairs, outcomes, strict=True)}


def _unknown(pairs: Sequence[Pair], message: str, call: int = 0) -> list[Outcome]:
    return [Outcome("unknown", cause="answer", message=message, call=call)] * len(pairs)


def _noted(outcome: Outcome, notes: Sequence[str]) -> Outcome:
    """What a person should know of a record that is there."""
    said = "; ".join(filter(None, (outcome.message, *notes)))
    return outcome.changed(message=said, remedy="Look at it in Xero" if said else "")


def _is_same(kind: Kind, body: Json, element: Json) -> bool:
    """Elements come in the order in which they were sent, which is worth a look."""
    name = _NUMBERS.get(kind)
    if name is None:
        ours, theirs = body["Invoice"]["InvoiceID"], _object(element.get("Invoice")).get("InvoiceID")
    else:
        ours, theirs = body[name], element.get(name)
    return not theirs or text(theirs).lower() == text(ours).lower()


def _elements(answer: Answer, name: str) -> list[Json]:
    data = answer.json()
    if not isinstance(data, dict) or not isinstance(data.get(name), list):
        raise answer.unfit(f"The answer has no list of {name}", "Look at it with syncctl explain")
    return [element if isinstance(element, dict) else {} for element in data[name]]


def _listed(value: object) -> list[Json]:
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def _object(value: object) -> Json:
    """A JSON object, or the text of one; {} for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
