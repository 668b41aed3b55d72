"""Checks an order as it is told: of a list that is imported, or of the tables that other programs write."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from syncctl.models import money_text
from syncctl.shop.customer import as_entered
from syncctl.shop.fields import (
    BadLineError,
    Check,
    amount,
    checked,
    code,
    currency,
    flat,
    moment,
    name,
    positive,
    shown,
    text,
    together,
    truth,
    within,
)
from syncctl.shop.listing import Key, Listing
from syncctl.shop.order import EXACT, Line, LineKind, Order, Payment


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """An order of a list; `posted` is its remote id by connector, where an older integration has posted it."""

    line: int
    order: Order
    posted: Mapping[str, str]

    @property
    def keys(self) -> tuple[Key, ...]:
        """What it is found by."""
        return (("order number", self.order.number),)


def order(given: Mapping[str, object]) -> Order:
    """The order of a JSON object. Raises an `ExceptionGroup` of `BadLineError` with all that is wrong with it."""
    return _added_up(checked(given, _ORDER, _REQUIRED))


def orders(connectors: Collection[str] | None = None) -> Listing[ShopOrder]:
    """A list of orders; with `connectors`, each tells by which of them it was posted before."""
    return Listing(partial(_listed, connectors), '{"number": "1001", "lines": [{"sku": "A-1", "unit_price": "12.50"}]}')


def _listed(connectors: Collection[str] | None, number: int, given: Mapping[str, object]) -> ShopOrder:
    if connectors is None:
        return ShopOrder(number, order(given), {})
    found = checked(given, _ORDER | {"posted": partial(_posted, connectors)}, (*_REQUIRED, "posted"))
    posted = found.pop("posted")
    return ShopOrder(number, _added_up(found), posted)


def _added_up(found: dict[str, Any]) -> Order:
    """The order, if its lines add up to its totals."""
    made = Order(**found)
    sums = made.sums()
    faults = []
    for key in ("subtotal", "tax_total", "total"):
        told, right = getattr(made, key), getattr(sums, key)
        if told is not None and told != right:
            how = "more" if told > right else "less"
            apart = money_text(EXACT.abs(EXACT.subtract(told, right)))
            message = f"{key} {money_text(told)} is {apart} {how} than its lines add up to ({money_text(right)})"
            faults.append(BadLineError(message, "Mend the amounts, or give each line its tax_amount as it was rounded"))
    together(faults)
    return made


T = TypeVar("T")


def _each(check: Callable[[object], T], what: str, value: object, column: str) -> tuple[T, ...]:
    """The checked objects of an array, with every fault of all of them."""
    if not isinstance(value, list):
        raise BadLineError(f"{column} is not an array", f'Write it as "{column}": [{{…}}, {{…}}]')
    found: list[T] = []
    faults: list[BadLineError] = []
    for number, each in enumerate(value, 1):
        try:
            with within(f"{what} {number}"):
                found.append(check(each))
        except* BadLineError as group:
            faults += flat(group)
    together(faults)
    return tuple(found)


def _lines(value: object, column: str) -> tuple[Line, ...]:
    found = _each(_line, "Order line", value, column)
    if not found:
        raise BadLineError("It has no lines", "Give it a line for everything that is sold with it")
    return found


def _line(value: object) -> Line:
    line = Line(**checked(_mapping(value), _LINE, ["unit_price"]))
    if line.kind is LineKind.PRODUCT and not line.sku:
        raise BadLineError("A product has no sku", "Give it one, or the kind fee")
    if line.kind is LineKind.DISCOUNT and line.unit_price > 0:
        raise BadLineError(
            f"The discount's unit_price {line.unit_price:f} is above 0", "Write it with a minus, as -5.00"
        )
    if line.kind is not LineKind.DISCOUNT and line.unit_price < 0:
        raise BadLineError(f"unit_price {line.unit_price:f} is below 0", "Give what is taken away the kind discount")
    return line


def _payment(value: object) -> Payment:
    return Payment(**checked(_mapping(value), _PAYMENT, ["method", "amount"]))


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise BadLineError("This is not an object", "Write it in braces, as the README shows")
    return value


def _kind(value: object, column: str) -> LineKind | None:
    kind = text(value, column)
    if kind and kind not in set(LineKind):
        raise BadLineError(f"{column} {shown(kind)} is no kind of line", f"Write one of {', '.join(LineKind)}")
    return LineKind(kind) if kind else None


def _rate(value: object, column: str) -> Decimal | None:
    rate = amount(value, column)
    if rate is not None and not 0 <= rate <= 1:
        raise BadLineError(f"{column} {rate:f} is not a fraction of 1", "Write 0.15 for 15 %")
    return rate


def _total(value: object, column: str) -> Decimal | None:
    found = amount(value, column)
    if found is not None and found < 0:
        raise BadLineError(f"{column} {found:f} is below 0", "Credits are not posted: leave them out")
    return found


def _posted(connectors: Collection[str], value: object, column: str) -> dict[str, str]:
    if not isinstance(value, Mapping) or not value:
        raise BadLineError(f"{column} names no connector", 'Write it as "posted": {"CONNECTOR": "REMOTE-ID"}')
    strangers = [connector for connector in value if connector not in connectors]
    if strangers:
        raise BadLineError(
            f"{column} names {', '.join(map(shown, strangers))}, which is no connector",
            f"SYNCCTL_CONNECTORS has {', '.join(connectors)}",
        )
    with within(column):
        return checked(value, dict.fromkeys(connectors, code), value)


_LINE: dict[str, Check] = {
    "kind": _kind,
    "sku": code,
    "description": name,
    "quantity": positive,
    "unit_price": amount,
    "tax_rate": _rate,
    "tax_amount": amount,
}
_PAYMENT: dict[str, Check] = {"method": code, "amount": amount, "paid_at": moment}
_ORDER: dict[str, Check] = {
    "number": code,
    "placed_at": moment,
    "currency": currency,
    "exchange_rate": positive,
    "status": code,
    "prices_include_tax": truth,
    "customer": as_entered,
    "lines": _lines,
    "payments": partial(_each, _payment, "Payment"),
    "subtotal": amount,
    "tax_total": amount,
    "total": _total,
    "note": name,
}
_REQUIRED = ("number", "placed_at", "currency", "status", "lines", "total")
