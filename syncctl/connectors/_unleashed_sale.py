"""An order of the shop as Unleashed wants it: prices without tax, and sums that it recomputes and compares.

Each line is rounded by itself: `LineTotal = round2(OrderQuantity x UnitPrice)`, `LineTax = round2(LineTotal x
TaxRate)`, and the sums are those of the rounded lines (help article 13672908). Which way it rounds a half is not
documented, so a caller may have it either way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from syncctl.connectors._posting import CENT, HeldError, as_entered, difference, gather, tax_code
from syncctl.models import Struct, money_text

if TYPE_CHECKING:
    from syncctl.connectors.declared import Values
    from syncctl.models_push import Outgoing, Sale
    from syncctl.shop.order import Line

Json = dict[str, Any]
_FINE = Decimal("0.0001")  # prices are kept with four decimals
CHARGE_SETTINGS = {"shipping": "SHIPPING", "discount": "DISCOUNT", "fee": "FEE"}  # of the lines that are no products
_ADDRESS = {
    "address1": "DeliveryStreetAddress", "address2": "DeliveryStreetAddress2", "suburb": "DeliverySuburb",
    "city": "DeliveryCity", "region": "DeliveryRegion", "country": "DeliveryCountry", "postcode": "DeliveryPostCode",
}  # fmt: skip
_LENGTHS = {"DeliveryPostCode": 50, "CustomerRef": 500, "Comments": 2048}
_MOST_DELIVERY = 500


class Priced(Struct):
    """A line as Unleashed computes it."""

    quantity: Decimal
    price: Decimal
    total: Decimal
    tax: Decimal
    rate: Decimal


def sale_body(values: Values, row: Outgoing, sale: Sale, warehouse: str, halves: str) -> Json:
    """The body of POST /SalesOrders/{guid}. Raises `HeldError`."""
    order = sale.order
    lines = gather(
        [partial(_line_body, values, sale, number, line, halves) for number, line in enumerate(order.lines, 1)],
        [partial(_currency, values, sale)],
    )
    missing = difference(values, order.total, _sum(lines, "LineTotal") + _sum(lines, "LineTax"), _sums(lines))
    if missing:
        lines.append(_rounding_line(values, len(lines) + 1, missing))
    if not lines:
        raise HeldError("no-lines", "it has no lines", "Add its lines, or drop it from the queue")
    subtotal, tax = _sum(lines, "LineTotal"), _sum(lines, "LineTax")
    body = {
        "Guid": row.guid,
        "OrderStatus": "Parked" if values.get("STATUS") == "Parked" else "Placed",
        "SourceId": row.reference,
        "CustomerRef": order.number,
        "OrderDate": f"{sale.day:%Y-%m-%d}T00:00:00",
        "Customer": {"Guid": sale.customer},
        "Warehouse": {"WarehouseCode": warehouse},
        **_currency(values, sale),
        "DiscountRate": 0,
        "Tax": {"TaxCode": lines[0]["LineTaxCode"], "TaxRate": lines[0]["TaxRate"]},
        "TaxRate": lines[0]["TaxRate"],
        "SubTotal": subtotal,
        "TaxTotal": tax,
        "Total": subtotal + tax,
        "SalesOrderLines": lines,
        "Comments": as_entered(order),
        **_delivery(sale),
    }
    if sale.due:
        body["PaymentDueDate"] = f"{sale.due:%Y-%m-%d}T00:00:00"
    return {name: _cut(name, value) for name, value in body.items()}


def _currency(values: Values, sale: Sale) -> Json:
    """The rate is 1 in the account's own currency; another one needs the rate that the order carries."""
    own, order = values.get("CURRENCY"), sale.order
    if not own:
        message = f"{values.variable('CURRENCY')} is not set, so nobody knows whether {order.currency} is the account's"
        raise HeldError("settings", message, f"Set {values.variable('CURRENCY')}")
    if order.currency == own:
        return {"ExchangeRate": 1}
    if not order.exchange_rate:
        message = f"it is in {order.currency}, the account in {own}, and the order has no exchange_rate"
        raise HeldError("currency", message, "Give the order its exchange_rate, and enable the currency in Unleashed")
    return {"Currency": {"CurrencyCode": order.currency}, "ExchangeRate": order.exchange_rate}


def _line_body(values: Values, sale: Sale, number: int, line: Line, halves: str) -> Json:
    code = tax_code(values, line.tax_rate, f"line {number}")
    priced = _priced(line, number, halves, includes_tax=sale.order.prices_include_tax)
    return {
        "LineNumber": number,
        **_what(values, sale, line),
        "OrderQuantity": priced.quantity,
        "UnitPrice": priced.price,
        "DiscountRate": 0,
        "LineTotal": priced.total,
        "TaxRate": priced.rate,
        "LineTax": priced.tax,
        "LineTaxCode": code,
    }


def _what(values: Values, sale: Sale, line: Line) -> Json:
    """The product, or for shipping and the like the one that a setting names, else a charge line."""
    if line.kind == "product":
        return {"Product": {"Guid": sale.products[line.sku or ""]}}
    return _charge(values.get(CHARGE_SETTINGS[line.kind]), line.description or line.kind.capitalize())


def _charge(code: str, words: str) -> Json:
    if code and code != "charge":
        return {"Product": {"ProductCode": code}}
    return {"LineType": "Charge", "Product": {"ProductDescription": words[:500]}}


def _priced(line: Line, number: int, halves: str, *, includes_tax: bool) -> Priced:
    rate = line.tax_rate or Decimal(0)
    if not line.quantity:
        raise HeldError("quantity", f"line {number} has the quantity 0", "Correct the order in the shop")
    price = line.unit_price / (1 + rate) if includes_tax else line.unit_price
    price = price.quantize(_FINE, ROUND_HALF_UP)
    total = (line.quantity * price).quantize(CENT, halves)
    return Priced(line.quantity, price, total, (total * rate).quantize(CENT, halves), rate)


def _rounding_line(values: Values, number: int, missing: Decimal) -> Json:
    code = tax_code(values, Decimal(0), "the rounding line")
    return {
        "LineNumber": number,
        **_charge(values.get("ROUNDING"), "Rounding"),
        "OrderQuantity": Decimal(1),
        "UnitPrice": missing,
        "DiscountRate": 0,
        "LineTotal": missing,
        "TaxRate": Decimal(0),
        "LineTax": Decimal(0),
        "LineTaxCode": code,
    }


def _sum(lines: Sequence[Json], name: str) -> Decimal:
    return sum((line[name] for line in lines), Decimal(0))


def _sums(lines: Sequence[Json]) -> list[str]:
    goods, tax = _sum(lines, "LineTotal"), _sum(lines, "LineTax")
    return [f"{len(lines)} lines {money_text(goods)}", f"tax {money_text(tax)}"]


def _delivery(sale: Sale) -> Json:
    """Where it goes, as entered; the delivery fields belong to this order alone."""
    customer = sale.order.customer
    address: Mapping[str, str] = customer.shipping or customer.billing or {}
    told = {_ADDRESS[part]: value for part, value in address.items() if part in _ADDRESS and value}
    return {"DeliveryName": address.get("name") or customer.name, **told} if told else {}


def _cut(name: str, value: Any) -> Any:
    """Texts longer than the service takes are cut; addresses stand in the comments too."""
    if not isinstance(value, str):
        return value
    return value[: _LENGTHS.get(name, _MOST_DELIVERY)]
