"""What Vend is told: customers, products, and sales under an id of ours; nothing that is there is ever written to.

Facts: x-series-api.lightspeedhq.com (reference of POST /sales, /customers, /products from 2026-04 on). Whether a sale
posted twice under one id is refused, is overwritten or gets its lines twice is not documented: it is posted again
only where its own address says that it is not there. Customers and products take no id: they are known by their code
and SKU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from syncctl.connectors._fields import number, quoted, text
from syncctl.connectors._posting import HeldError, amount, cents, objection
from syncctl.connectors._vend_answers import unwrapped
from syncctl.connectors._vend_records import WALK_IN
from syncctl.connectors._vend_refusals import UNKNOWN, cause_of, is_taken, remedy_of
from syncctl.connectors._vend_sale import Json, sale_body, same_sum
from syncctl.connectors._vend_settings import CHARGES
from syncctl.errors import AnswerError, RefusedError, SyncctlError
from syncctl.models import Kind
from syncctl.models_push import NewCustomer, NewProduct, Outcome, Outgoing, Sale, Seen

if TYPE_CHECKING:
    from syncctl.connectors.base import Answer, Http
    from syncctl.connectors.declared import Values

Path = Callable[..., str]
MOST_READ_BACK = 10  # sales a run, where the service answers with their ids alone: the others come to their sum alike
_ADDRESS = {
    "address1": "address_1", "address2": "address_2", "suburb": "suburb", "city": "city", "region": "state",
    "postcode": "postcode", "country": "country_id",
}  # fmt: skip
_BARCODES = {8: "EAN", 12: "UPC", 13: "EAN", 14: "ITF"}  # by the number of digits


class Desk:
    """Writes records of one account down, and looks for those of ours that stand there."""

    def __init__(self, values: Values, http: Http, path: Path) -> None:
        self.values = values
        self.http = http
        self.path = path
        self._read_back = 0

    def push(self, row: Outgoing) -> Outcome:
        """Creates one record."""
        writers: Mapping[type, Callable[[Outgoing], Outcome]] = {
            NewCustomer: self._customer, NewProduct: self._product, Sale: self._sale,
        }  # fmt: skip
        try:
            return writers[type(row.record)](row)
        except HeldError as held:
            return held.as_outcome()

    def objection(self, row: Outgoing) -> Outcome | None:
        """Why an order cannot be written down, whatever its customer and products are called there."""
        sale = row.record
        assert isinstance(sale, Sale)  # noqa: S101 - for the type checker
        return objection(lambda: sale_body(self.values, row, sale))

    def seek(self, kind: Kind, row: Outgoing) -> Seen | None:
        """What stands under the row's id, code or SKU."""
        seekers = {
            Kind.CUSTOMERS: self._seek_customer, Kind.PRODUCTS: self._seek_product, Kind.ORDERS: self._seek_sale,
        }  # fmt: skip
        return seekers[kind](row)

    def _customer(self, row: Outgoing) -> Outcome:
        try:
            return self._created(self.http.write("POST", self.path("customers"), customer_body(row)))
        except RefusedError as error:
            return self._exists(Kind.CUSTOMERS, row, error) or self._refused(error, taken="code-taken")

    def _product(self, row: Outgoing) -> Outcome:
        """As the shop knows it; where its name or barcode is another product's, with a name of its own alone."""
        first, second = (product_body(self.values, row, distinct=distinct) for distinct in (False, True))
        try:
            return self._created(self.http.write("POST", self.path("products"), first))
        except RefusedError as error:
            if outcome := self._exists(Kind.PRODUCTS, row, error):
                return outcome
            if not is_taken(error) or first == second:
                return self._refused(error, taken="sku-taken")
        try:
            return self._created(self.http.write("POST", self.path("products"), second))
        except RefusedError as error:
            return self._refused(error, taken="sku-taken")

    def _exists(self, kind: Kind, row: Outgoing, error: RefusedError) -> Outcome | None:
        """Where it is refused as being there, and a look finds it: whoever sent it will look, and judge whose it is."""
        if not is_taken(error) or not self.seek(kind, row):
            return None
        return Outcome("unknown", cause="exists", message=error.message, call=error.call)

    def _sale(self, row: Outgoing) -> Outcome:
        sale = row.record
        assert isinstance(sale, Sale)  # noqa: S101 - for the type checker
        body = sale_body(self.values, row, sale)
        try:
            answer = self.http.write("POST", self.path("sales"), body)
        except RefusedError as error:
            return self._exists(Kind.ORDERS, row, error) or self._refused_sale(sale, error)
        outcome = self._created(answer)
        if outcome.result != "done":
            return outcome
        total = _total(unwrapped(answer.json()))
        if total is None:
            total = self._total_there(outcome.remote_id)
        if total is not None:
            total = sale.order.total if same_sum(total, sale.order.total) else cents(total)
        return outcome.changed(total=total)

    def _total_there(self, remote_id: str) -> Decimal | None:
        """The total of a sale of which only the id came. It is posted, whatever becomes of this look."""
        if self._read_back >= MOST_READ_BACK:
            return None
        self._read_back += 1
        try:
            return _total(self._get("sales", remote_id)[0])
        except SyncctlError:
            return None

    @staticmethod
    def _created(answer: Answer) -> Outcome:
        """The id comes in a record, as a text, or as the only one of a list."""
        try:
            data = unwrapped(answer.json())
        except AnswerError:
            return Outcome("unknown", cause="answer", message="its answer is no JSON", call=answer.call)
        data = data[0] if isinstance(data, list) and len(data) == 1 else data
        found = data.get("id") if isinstance(data, dict) else data
        if not isinstance(found, str) or not found:
            return Outcome("unknown", cause="answer", message="its answer shows no such record", call=answer.call)
        return Outcome("done", text(found).lower(), call=answer.call)

    def _refused(self, error: RefusedError, cause: str = "", taken: str = "", remedy: str = "") -> Outcome:
        cause = cause or (taken if taken and is_taken(error) else cause_of(error))
        cause = "refused" if cause in UNKNOWN else cause
        told = remedy or remedy_of(self.values, cause)
        return Outcome("refused", cause=cause, message=error.message, remedy=told, call=error.call)

    def _refused_sale(self, sale: Sale, error: RefusedError) -> Outcome:
        """A customer or product that is not there any more has to be looked for, or made, anew."""
        cause = cause_of(error)
        if cause not in UNKNOWN:
            return self._refused(error, cause)
        gone = self._gone(sale, cause, error.message.lower())
        settings = {self.values.get(name): name for name in (*CHARGES.values(), "ROUNDING")}
        wrong = [self.values.variable(settings[each]) for each in gone if each in settings]
        if wrong:
            remedy = f"Correct {' and '.join(wrong)}: Vend has no such product"
            return self._refused(error, "settings", remedy=remedy)
        if gone:
            return self._refused(error, UNKNOWN[cause]).changed(strangers=tuple(gone))
        return self._refused(error, "refused")

    def _gone(self, sale: Sale, cause: str, words: str) -> list[str]:
        """Which of the sale's records are not there, as each says itself: of those that are named, else of all."""
        if cause == "customer":
            return [sale.customer] if sale.customer and not self._is_there("customers", sale.customer) else []
        kinds = {line.kind for line in sale.order.lines}
        charges = [self.values.get(setting) for kind, setting in CHARGES.items() if kind in kinds]
        used = sorted({*sale.products.values(), *charges, self.values.get("ROUNDING")} - {""})
        named = [each for each in used if each.lower() in words]
        return [each for each in named or used if not self._is_there("products", each)]

    def _is_there(self, kind: str, remote_id: str) -> bool:
        found, _ = self._get(kind, remote_id)
        return isinstance(found, dict) and not found.get("deleted_at")

    def _get(self, kind: str, remote_id: str) -> tuple[Any, int]:
        """A record by its own address, None where there is none; and the call."""
        try:
            answer = self.http.get(self.path(kind, remote_id), may_miss=True)
        except RefusedError as error:
            if error.status == 404:
                return None, error.call
            raise
        return unwrapped(answer.json()), answer.call

    def _seek_sale(self, row: Outgoing) -> Seen | None:
        """Its own address is the only one that neither lags nor needs an index."""
        found, call = self._get("sales", row.guid)
        if not isinstance(found, dict) or not found.get("id"):
            return None
        source, total = found.get("source"), _total(found)
        return Seen(
            remote_id=text(found["id"]).lower(),
            reference=text(source.get("id")) if isinstance(source, dict) else "",
            live=text(found.get("state")).lower() != "voided" and not found.get("deleted_at"),
            total=None if total is None else cents(total),
            customer=text(found.get("customer_id")),
            call=call,
        )

    def _seek_customer(self, row: Outgoing) -> Seen | None:
        """By its code, compared here; the search lags behind, for which `Push.settle` allows."""
        query = f"type=customers&customer_code={quoted(row.reference)}&page_size=1000"
        return self._only(self.path("search"), query, "customer_code", row.reference)

    def _seek_product(self, row: Outgoing) -> Seen | None:
        return self._only(self.path("products"), f"sku={quoted(row.reference)}", "sku", row.reference)

    def _only(self, path: str, query: str, field: str, wanted: str) -> Seen | None:
        """The first record that has exactly this value and is not deleted; the walk-in customer is nobody."""
        answer = self.http.get(path, query)
        rows = unwrapped(answer.json())
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and text(row.get(field)).strip() == wanted and not row.get("deleted_at"):
                if field == "customer_code" and wanted.upper() == WALK_IN:
                    continue
                return Seen(text(row.get("id")).lower(), wanted, call=answer.call)
        return None


def customer_body(row: Outgoing) -> Json:
    """The body of POST /customers, with the data as entered; card numbers in it are blacked out without a word."""
    new = row.record
    assert isinstance(new, NewCustomer)  # noqa: S101 - for the type checker
    first, _, last = new.name.partition(" ")
    told = {
        "customer_code": row.reference,
        "company_name": new.company,
        "email": new.email,
        "phone": new.phone,
        **_address("physical", new.shipping or new.billing),
        **_address("postal", new.billing or new.shipping),
    }
    names = {"first_name": first or None, "last_name": last or None}  # both have to be there
    return names | {name: value for name, value in told.items() if value}


def _address(kind: str, address: Mapping[str, str]) -> Json:
    return {f"{kind}_{name}": address[part] for part, name in _ADDRESS.items() if address.get(part)}


def product_body(values: Values, row: Outgoing, *, distinct: bool) -> Json:
    """The body of POST /products with one of the two prices, never both.

    Products share neither names nor codes; `distinct` puts the SKU into the name, and leaves the barcode out.
    """
    new = row.record
    assert isinstance(new, NewProduct)  # noqa: S101 - for the type checker
    name = new.name or new.sku
    body: Json = {"name": f"{name} ({new.sku})" if distinct and name != new.sku else name, "sku": new.sku}
    if new.barcode and not distinct:
        kind = _BARCODES.get(len(new.barcode), "CUSTOM") if new.barcode.isdecimal() else "CUSTOM"
        body["product_codes"] = [{"type": "CUSTOM", "code": new.sku}, {"type": kind, "code": new.barcode}]
    tier = values.get("PRICE_TIER")
    price = _price(new, including=tier == "including_tax")
    return body if price is None else body | {f"price_{tier}": price}


def _price(new: NewProduct, *, including: bool) -> Decimal | None:
    """The shop's price with or without tax; None where it cannot be told."""
    includes = including if new.price_includes_tax is None else new.price_includes_tax
    if new.price is None or includes == including:
        return new.price
    if new.tax_rate is None:
        return None
    factor = 1 + new.tax_rate
    return (new.price * factor if including else new.price / factor).quantize(Decimal("0.00001"), ROUND_HALF_UP)


def _total(sale: Any) -> Decimal | None:
    """What a sale comes to, tax included; numbers may be texts."""
    totals = sale.get("totals") if isinstance(sale, dict) else None
    return amount(number(totals.get("price_incl_tax"))) if isinstance(totals, dict) else None
