"""What Unleashed is told: customers, products and sales orders, each under a guid of ours, and that one is complete.

POST with a guid creates, and for customers and products it overwrites what is there; so syncctl looks before it
creates, and posts a guid again only where nothing is known to stand under it. Facts: apidocs.unleashedsoftware.com
(Customers, Products, SalesOrders, StatusCodes).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from syncctl.connectors._fields import quoted, text
from syncctl.connectors._posting import HeldError, amount, objection
from syncctl.connectors._unleashed_refusals import (
    cause_of,
    cause_of_taken,
    charge_setting,
    complaints_of,
    exists,
    remedy_of,
    strangers_of,
)
from syncctl.connectors._unleashed_sale import Json, sale_body
from syncctl.errors import AnswerError, RefusedError
from syncctl.models import Kind
from syncctl.models_push import Completion, NewCustomer, NewProduct, Outcome, Outgoing, Sale, Seen

if TYPE_CHECKING:
    from syncctl.connectors.base import Http
    from syncctl.connectors.declared import Values

_PATHS = {
    Kind.CUSTOMERS: "/Customers", Kind.PRODUCTS: "/Products", Kind.ORDERS: "/SalesOrders",
    Kind.COMPLETIONS: "/SalesOrders",
}  # fmt: skip
_COMPLETED = frozenset({"complete", "completed"})  # both are seen
_DELETED = frozenset({"deleted"})


class Desk:
    """Writes records of one account down, and looks for those of ours that stand there."""

    def __init__(self, values: Values, http: Http) -> None:
        self.values = values
        self.http = http
        self._warehouse = values.get("WAREHOUSE")

    def push(self, kind: Kind, row: Outgoing) -> Outcome:
        """Creates one record."""
        try:
            return self._writer(row)(row)
        except HeldError as held:
            return held.as_outcome()
        except RefusedError as error:
            return self._refused(kind, row, error)

    def _writer(self, row: Outgoing) -> Callable[[Outgoing], Outcome]:
        writers = {
            NewCustomer: self._customer, NewProduct: self._product, Sale: self._order, Completion: self._complete,
        }  # fmt: skip
        return writers[type(row.record)]

    def _customer(self, row: Outgoing) -> Outcome:
        return self._create(Kind.CUSTOMERS, row, customer_body(row, self.values.get("CURRENCY")))

    def _product(self, row: Outgoing) -> Outcome:
        return self._create(Kind.PRODUCTS, row, product_body(row))

    def _order(self, row: Outgoing) -> Outcome:
        """Posts it with halves rounded up; where its sums are refused and come out otherwise, to even."""
        assert isinstance(row.record, Sale)  # noqa: S101 - for the type checker
        first = sale_body(self.values, row, row.record, self.warehouse(), ROUND_HALF_UP)
        if row.record.order.currency != self.values.get("CURRENCY"):
            self._check_currency(row.record)
        try:
            return self._create(Kind.ORDERS, row, first)
        except RefusedError as error:
            if cause_of(complaints_of(error)) != "totals":
                raise
            second = sale_body(self.values, row, row.record, self.warehouse(), ROUND_HALF_EVEN)
            if second == first:
                raise
        return self._create(Kind.ORDERS, row, second)

    def _check_currency(self, sale: Sale) -> None:
        """An order is in its customer's currency, whatever it says itself. Raises `HeldError`."""
        found = self.http.get(f"/Customers/{quoted(sale.customer)}").json()
        theirs = _currency(found) if isinstance(found, dict) else ""
        if theirs != sale.order.currency:
            message = f"it is in {sale.order.currency}, and its customer in {theirs or 'no currency'} there"
            remedy = "Unleashed posts an order in its customer's currency: give it a customer in that currency"
            raise HeldError("currency", message, remedy)

    def _complete(self, row: Outgoing) -> Outcome:
        assert isinstance(row.record, Completion)  # noqa: S101 - for the type checker
        answer = self.http.write("POST", f"/SalesOrders/{quoted(row.record.remote_id)}/Complete")
        return Outcome("done", row.record.remote_id, call=answer.call)

    def _create(self, kind: Kind, row: Outgoing, body: Json) -> Outcome:
        answer = self.http.write("POST", f"{_PATHS[kind]}/{row.guid}", body)
        try:
            stored = answer.json()
        except AnswerError:
            return Outcome("unknown", cause="answer", message="its answer is no JSON", call=answer.call)
        if not isinstance(stored, dict) or text(stored.get("Guid")).lower() != row.guid:
            return Outcome("unknown", cause="answer", message="its answer shows no such record", call=answer.call)
        return Outcome("done", row.guid, amount(stored.get("Total")), call=answer.call, currency=_currency(stored))

    def warehouse(self) -> str:
        """The configured warehouse, else the account's default one: an order cannot be without."""
        if not self._warehouse:
            answer = self.http.get("/Warehouses", "pageSize=1000").json()
            items = answer.get("Items") if isinstance(answer, dict) else None
            found = [item for item in items or () if isinstance(item, dict) and item.get("IsDefault") is True]
            if len(found) != 1:
                setting = self.values.variable("WAREHOUSE")
                raise HeldError("warehouse", f"Unleashed has {len(found)} default warehouses", f"Set {setting}")
            self._warehouse = text(found[0].get("WarehouseCode"))
        return self._warehouse

    def objection(self, row: Outgoing) -> Outcome | None:
        """Why an order cannot be written down, whatever its customer and products are called there."""
        sale = row.record
        assert isinstance(sale, Sale)  # noqa: S101 - for the type checker
        return objection(lambda: sale_body(self.values, row, sale, self._warehouse, ROUND_HALF_UP))

    def seek(self, kind: Kind, row: Outgoing) -> Seen | None:
        """What stands under the row's guid; asked for by its own address, as lists lag and hide what is deleted."""
        remote_id = row.record.remote_id if isinstance(row.record, Completion) else row.guid
        try:
            answer = self.http.get(f"{_PATHS[kind]}/{quoted(remote_id)}", may_miss=True)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        found = answer.json()
        if not isinstance(found, dict) or not found.get("Guid"):
            return None
        if kind is Kind.COMPLETIONS:
            return _completed(found, answer.call)
        return _seen(kind, found, answer.call)

    def _refused(self, kind: Kind, row: Outgoing, error: RefusedError) -> Outcome:
        complaints = complaints_of(error)
        if kind is Kind.COMPLETIONS or exists(complaints):  # it may be ours: a look will tell
            return Outcome("unknown", cause="exists", message=error.message, call=error.call)
        cause = cause_of(complaints) if kind is Kind.ORDERS else cause_of_taken(complaints)
        remedy = remedy_of(self.values, cause)
        if cause == "unknown-product" and (setting := charge_setting(self.values, row, complaints)):
            cause, remedy = "settings", f"Correct {setting}: there is no such product in Unleashed that can be sold"
        strangers = strangers_of(cause, row, complaints)
        return Outcome(
            "refused", cause=cause, message=error.message, remedy=remedy, call=error.call, strangers=strangers
        )


def customer_body(row: Outgoing, own: str) -> Json:
    """The body of POST /Customers/{guid}, with the data as entered; `own` is the currency that it has by itself."""
    new = row.record
    assert isinstance(new, NewCustomer)  # noqa: S101 - for the type checker
    first, _, last = new.name.partition(" ")
    body: Json = {
        "Guid": row.guid,
        "CustomerCode": row.reference[:500],
        "CustomerName": (new.company or new.name or new.email or row.reference)[:500],
        "ContactFirstName": first,
        "ContactLastName": last,
        "Email": new.email,
        "PhoneNumber": new.phone,
        "Addresses": [
            _address(name, address)
            for name, address in (("Postal", new.billing), ("Shipping", new.shipping))
            if any(address.values())
        ],
    }
    if new.currency != own:
        body["Currency"] = {"CurrencyCode": new.currency}
    return {name: value for name, value in body.items() if value}


def _address(kind: str, address: Mapping[str, str]) -> Json:
    names = {
        "name": "AddressName", "address1": "StreetAddress", "address2": "StreetAddress2", "suburb": "Suburb",
        "city": "City", "region": "Region", "country": "Country", "postcode": "PostalCode",
    }  # fmt: skip
    told = {names[part]: value[:500] for part, value in address.items() if part in names and value}
    return {"AddressType": kind, **told}


def product_body(row: Outgoing) -> Json:
    """The body of POST /Products/{guid}; prices are kept without tax."""
    new = row.record
    assert isinstance(new, NewProduct)  # noqa: S101 - for the type checker
    body: Json = {"Guid": row.guid, "ProductCode": new.sku, "ProductDescription": (new.name or new.sku)[:500]}
    if new.barcode:
        body["Barcode"] = new.barcode
    if new.price is not None and not (new.price_includes_tax and new.tax_rate is None):
        rate = new.tax_rate if new.price_includes_tax and new.tax_rate else Decimal(0)
        body["DefaultSellPrice"] = (new.price / (1 + rate)).quantize(Decimal("0.0001"))
    return body


def _seen(kind: Kind, found: Json, call: int) -> Seen:
    guid = text(found["Guid"]).lower()
    if kind is not Kind.ORDERS:
        name = "CustomerCode" if kind is Kind.CUSTOMERS else "ProductCode"
        return Seen(guid, text(found.get(name)), call=call)
    customer = found.get("Customer")
    return Seen(
        remote_id=guid,
        reference=text(found.get("SourceId")),
        live=text(found.get("OrderStatus")).lower() not in _DELETED,
        total=amount(found.get("Total")),
        currency=_currency(found),
        customer=text(customer.get("Guid")) if isinstance(customer, dict) else "",
        call=call,
    )


def _currency(found: Json) -> str:
    currency = found.get("Currency")
    return text(currency.get("CurrencyCode")) if isinstance(currency, dict) else ""


def _completed(found: Json, call: int) -> Seen | None:
    status = text(found.get("OrderStatus")).lower()
    if status in _DELETED:
        return Seen(text(found["Guid"]).lower(), live=False, call=call)
    return Seen(text(found["Guid"]).lower(), call=call) if status in _COMPLETED else None
