"""Whether the amounts of a sales order add up.

The vendor's help article 13672908 ("Accurately calculate monetary values in API requests"): every
line is rounded to cents, and the order is the sum of its rounded lines. How a tie is rounded and
how much an amount may be off are unconfirmed by the vendor: switches `rounding` and `tolerance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from .. import wire
from .answers import Fault

if TYPE_CHECKING:
    from ..switches import Switches
    from ..wire import JsonObject

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How amounts are rounded, and how far a line may be off."""

    rounding: str
    tolerance: Decimal

    @classmethod
    def of(cls, switches: Switches) -> Arithmetic:
        """The arithmetic that the switches ask for."""
        rounding = ROUND_HALF_EVEN if switches["rounding"] == "bankers" else ROUND_HALF_UP
        return cls(rounding, Decimal(switches["tolerance"]))

    def cents(self, amount: Decimal) -> Decimal:
        """An amount rounded to two decimal places."""
        return amount.quantize(CENT, rounding=self.rounding)

    def differs(self, given: Decimal, expected: Decimal) -> bool:
        """Whether an amount is further off than a line may be."""
        return abs(given - expected) > self.tolerance


def amount(record: JsonObject, name: str, default: int = 0) -> Decimal:
    """A number of a record, or the default where it has none."""
    number = wire.decimal(record.get(name))
    return Decimal(default) if number is None else number


def total_faults(order: JsonObject, arithmetic: Arithmetic) -> list[Fault]:
    """What does not add up in a posted order whose fields are all there."""
    lines = order["SalesOrderLines"]
    faults = [
        fault
        for index, line in enumerate(lines)
        for fault in _line_faults(f"SalesOrderLines[{index}]", line, amount(order, "TaxRate"), arithmetic)
    ]
    return faults or _sum_faults(order, lines)


def _line_faults(where: str, line: JsonObject, order_rate: Decimal, arithmetic: Arithmetic) -> list[Fault]:
    quantity, price, discount = (amount(line, n) for n in ("OrderQuantity", "UnitPrice", "DiscountRate"))
    total, rate = amount(line, "LineTotal"), wire.decimal(line.get("TaxRate"))
    rate = order_rate if rate is None else rate
    faults = []
    if arithmetic.differs(total, arithmetic.cents(quantity * price * (1 - discount))):
        how = f"(OrderQuantity:'{quantity}' * UnitPrice:'{price}' * (1 - DiscountRate:'{discount}'))"
        faults.append(Fault(f"{where}.LineTotal", _wrong("LineTotal", total, how)))
    if arithmetic.differs(amount(line, "LineTax"), arithmetic.cents(total * rate)):
        how = f"(LineTotal:'{total}' * TaxRate:'{rate}')"
        faults.append(Fault(f"{where}.LineTax", _wrong("LineTax", amount(line, "LineTax"), how)))
    return faults


def _sum_faults(order: JsonObject, lines: list[JsonObject]) -> list[Fault]:
    """Sums are of the lines as they were posted, so a tolerated cent of a line carries over."""
    subtotal = sum((amount(line, "LineTotal") for line in lines), Decimal(0))
    tax = sum((amount(line, "LineTax") for line in lines), Decimal(0))
    expected = {"SubTotal": subtotal, "TaxTotal": tax, "Total": subtotal + tax}
    return [
        Fault(name, _wrong(name, amount(order, name), f"'{value}'"))
        for name, value in expected.items()
        if amount(order, name) != value
    ]


def _wrong(name: str, given: Decimal, how: str) -> str:
    # Only the part from "Calculation" on is known from a real answer.
    return f"{name} '{given}' is incorrect. Calculation is as follows: {how} rounded to 2 Decimal Places"
