"""An order of the shop as Vend wants it: prices and tax of one unit, told so that the lines come to the shop's amounts.

A line is `(price + tax) x quantity`, both with up to five decimals; Vend takes them as they are sent where the line
says that its price is overridden (reference of POST /sales, `is_price_override`).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from syncctl.connectors._posting import (
    MOST_ROUNDING,
    HeldError,
    as_entered,
    cents,
    difference,
    gather,
    mapping,
    tax_code,
)
from syncctl.connectors._vend_settings import CHARGES, STATES
from syncctl.models import iso, money_text

if TYPE_CHECKING:
    from syncctl.connectors.declared import Values
    from syncctl.models_push import Outgoing, Sale
    from syncctl.shop.order import Line, Order

Json = dict[str, Any]
_FINE = Decimal("0.00001")
_HALF_A_CENT = Decimal("0.005")


def sale_body(values: Values, row: Outgoing, sale: Sale) -> Json:
    """The body of POST /sales. Only the sale has an id of ours: one of a line would mean that it is there already.

    Raises `HeldError`.
    """
    order = sale.order
    needed = [partial(_needed, values, name) for name in ("REGISTER", "USER")]
    register, user = gather(needed, [partial(_check_currency, values, order)])
    state, attributes = STATES[values.get("STATUS") or "CLOSED"]
    if "onaccount" in attributes and not sale.customer:
        message = f"it has no customer, and {values.variable('STATUS')}=ONACCOUNT needs one who owes"
        raise HeldError("no-customer", message, "Give the order its customer, or set another status")
    body: Json = {
        "id": row.guid,
        "state": state,
        "attributes": list(attributes),
        "source": {"author_id": user, "register_id": register, "id": row.reference, "type": "syncctl"},
        "date": iso(order.placed_at),
        "note": f"{row.reference}\n{as_entered(order)}".strip(),
        "invoice_number": row.reference,
        "line_items": _lines(values, sale),
        "payments": _payments(values, order, register, state),
    }
    return body | ({"customer_id": sale.customer} if sale.customer else {})


def same_sum(told: Decimal, wanted: Decimal) -> bool:
    """Whether two sums differ by less than what can be paid: a tax of one unit has parts of a cent."""
    return abs(told - wanted) < _HALF_A_CENT


def _check_currency(values: Values, order: Order) -> None:
    own = _needed(values, "CURRENCY")
    if order.currency != own:
        message = f"it is in {order.currency}, and Vend takes {own} alone ({values.variable('CURRENCY')})"
        raise HeldError("currency", message, "Post it by hand, or have the shop sell in the store's currency")


def _needed(values: Values, setting: str) -> str:
    if not values.get(setting):
        variable = values.variable(setting)
        raise HeldError("settings", f"{variable} is not set", f"Set {variable}, as syncctl doctor tells")
    return values.get(setting)


def _lines(values: Values, sale: Sale) -> list[Json]:
    order = sale.order
    lines = gather(
        [partial(_line, values, sale, number, line) for number, line in enumerate(order.lines)],
        [
            *(partial(tax_code, values, line.tax_rate, f"line {n}") for n, line in enumerate(order.lines, 1)),
            *(partial(_payment_type, values, payment.method) for payment in order.payments if payment.amount),
        ],
    )
    reached = sum(map(_sum, lines), Decimal(0))
    if not same_sum(reached, order.total):
        missing = difference(values, order.total, cents(reached), [f"{len(lines)} lines"])
        product, tax = values.get("ROUNDING"), tax_code(values, Decimal(0), "the rounding line")
        lines.append(_item(product, Decimal(1), (missing, Decimal(0)), tax, len(lines)))
    return lines


def _line(values: Values, sale: Sale, number: int, line: Line) -> Json:
    where = f"line {number + 1}"
    tax = tax_code(values, line.tax_rate, where)
    if not line.quantity:
        raise HeldError("quantity", f"{where} has the quantity 0", "Correct the order in the shop")
    product = sale.products[line.sku or ""] if line.kind == "product" else _charge(values, line, where)
    return _item(product, line.quantity, _unit(sale.order, line, where), tax, number)


def _charge(values: Values, line: Line, where: str) -> str:
    setting = CHARGES[line.kind]
    if not values.get(setting):
        variable = values.variable(setting)
        message = f"{where} is a {line.kind} line, and {variable} is not set"
        raise HeldError("settings", message, f"Set {variable} to the id of the product that stands for it in Vend")
    return values.get(setting)


def _unit(order: Order, line: Line, where: str) -> tuple[Decimal, Decimal]:
    """Price and tax of one, which come to the shop's own amount and tax of the line."""
    whole = order.tax(line)
    _check_tax(order, line, whole, where)
    amount, tax = ((each / line.quantity).quantize(_FINE, ROUND_HALF_UP) for each in (order.amount(line), whole))
    return amount - tax if order.prices_include_tax else amount, tax


def _check_tax(order: Order, line: Line, tax: Decimal, where: str) -> None:
    """A tax that is told must be that of the rate, but for rounding: Vend's tax report goes by the rate."""
    rate = line.tax_rate or Decimal(0)
    of_rate = order.amount(line) * (rate / (1 + rate) if order.prices_include_tax else rate)
    if abs(tax - of_rate) > MOST_ROUNDING:
        told, wanted = money_text(tax), money_text(of_rate.quantize(Decimal("0.01"), ROUND_HALF_UP))
        message = f"{where} has the tax {told}, and its rate {money_text(rate)} makes {wanted}"
        raise HeldError("tax-differs", message, "Correct its tax_rate or its tax_amount in the shop")


def _item(product: str, quantity: Decimal, unit: tuple[Decimal, Decimal], tax: str, sequence: int) -> Json:
    return {
        "product": {"id": product},
        "quantity": quantity,
        "pricing": {"price": unit[0], "discount": 0},
        "tax": {"id": tax, "amount": unit[1]},
        "_metadata": {"sequence": sequence, "is_price_override": True},
    }


def _sum(item: Json) -> Decimal:
    amount: Decimal = (item["pricing"]["price"] + item["tax"]["amount"]) * item["quantity"]
    return amount


def _payments(values: Values, order: Order, register: str, state: str) -> Sequence[Json]:
    """What was paid, as the order tells it; a parked sale takes none, and a closed one is paid as a whole."""
    if state == "parked":
        return []
    paid = [payment for payment in order.payments if payment.amount]
    sums = sum((payment.amount for payment in paid), Decimal(0))
    if state == "closed" and sums != order.total:
        told = f"its payments come to {money_text(sums)} and not to" if paid else "it has no payments, and comes to"
        remedy = f"Give the order its payments in the shop, or set {values.variable('STATUS')}=ONACCOUNT"
        raise HeldError("payments", f"{told} {money_text(order.total)}", remedy)
    return [
        {
            "type": {"config_id": _payment_type(values, payment.method)},
            "amount": payment.amount,
            "date": iso(payment.paid_at or order.placed_at),
            "source": {"register_id": register},
        }
        for payment in paid
    ]


def _payment_type(values: Values, method: str) -> str:
    variable, types = values.variable("PAYMENTS"), mapping(values.get("PAYMENTS"))
    if method not in types:
        shown = f"{variable}={values.get('PAYMENTS')}" if types else f"{variable} is not set"
        message = f"it was paid by {method}, for which there is no payment type ({shown})"
        raise HeldError("payment-unmapped", message, f"Add {method}:ID to {variable}, as syncctl doctor tells")
    return types[method]
