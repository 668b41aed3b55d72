"""One order of the shop: what it consists of, and its arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from enum import StrEnum

from syncctl.shop.customer import Customer

NOBODY = Customer()
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_WHOLE = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF",
)  # fmt: skip
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_DECIMALS = dict.fromkeys(_WHOLE, 0) | dict.fromkeys(_THOUSANDTHS, 3)  # ISO 4217; all others have two


class LineKind(StrEnum):
    """What a line of an order is for."""

    PRODUCT = "product"
    SHIPPING = "shipping"
    DISCOUNT = "discount"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order. A product has a SKU; only a discount's `unit_price` is below 0; a rate of 0.15 is 15 %."""

    unit_price: Decimal
    kind: LineKind = LineKind.PRODUCT
    sku: str | None = None
    description: str = ""
    quantity: Decimal = Decimal(1)
    tax_rate: Decimal | None = None
    tax_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in for an order, or below 0 went back."""

    method: str
    amount: Decimal
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """What lines add up to: all of them without tax, the tax in or on them, and what is to be paid."""

    subtotal: Decimal
    tax_total: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """An order whose lines add up to its total. `customer` is the data as entered for this order."""

    number: str
    placed_at: datetime
    currency: str
    status: str
    lines: tuple[Line, ...]
    total: Decimal
    exchange_rate: Decimal | None = None
    prices_include_tax: bool = False
    customer: Customer = NOBODY
    payments: tuple[Payment, ...] = ()
    subtotal: Decimal | None = None
    tax_total: Decimal | None = None
    note: str = ""

    def sums(self) -> Sums:
        """What the lines add up to, in the smallest unit of the currency (cents), half of one rounded away from 0.

        Each line counts its `unit_price` times its `quantity`, rounded. Its tax is its `tax_amount` as it is told, not
        rounded; else, rounded, its `tax_rate` of that amount, or where prices include tax, the part rate / (1 + rate)
        of it; else 0. Nothing is rounded over several lines: a shop that does so tells each line's `tax_amount`.
        """
        with localcontext(EXACT):
            amounts = [self.amount(line) for line in self.lines]
            taxes = sum((self.tax(line) for line in self.lines), Decimal(0))
            lines = sum(amounts, Decimal(0))
            net = lines - taxes if self.prices_include_tax else lines
            return Sums(net, taxes, net + taxes)

    def amount(self, line: Line) -> Decimal:
        """The unit price times the quantity of a line, rounded; with tax where prices include it."""
        return self._rounded(EXACT.multiply(line.unit_price, line.quantity))

    def tax(self, line: Line) -> Decimal:
        """The tax in or on a line."""
        if line.tax_amount is not None:
            return line.tax_amount
        rate = line.tax_rate or Decimal(0)
        base = EXACT.multiply(self.amount(line), rate)
        return self._rounded(EXACT.divide(base, 1 + rate) if self.prices_include_tax else base)

    def _rounded(self, value: Decimal) -> Decimal:
        return value.quantize(Decimal(1).scaleb(-_DECIMALS.get(self.currency, 2)), context=EXACT)
