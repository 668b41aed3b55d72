"""Twenty-five orders of an invented shop, each with something that orders have."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

Json = dict[str, Any]
FIRST, LAST = 1001, 1025
DISCOUNTED, NEW_SKU, WRAPPED = "1007", "1012", "1020"
EXPORTS = ("1016", "1017")
_REGISTERED = ("Ann Lee", "Ben Moana", "Cleo Park", "Dev Patel", "Ella Stone")
_GUESTS = (
    "Finn Gray", "Gita Rao", "Hugo Brand", "Iris Vale", "Jack Poole", "Kiri Hohepa", "Lena Voss", "Moe Tran",
    "Nina Frost", "Otto Reed", "Pia Lund", "Finn Gray",
)  # fmt: skip


class Buyer(NamedTuple):
    """Who orders; a guest has no code, and the back offices do not know who `is_new`."""

    name: str
    email: str
    code: str = ""
    is_new: bool = True


class Goods(NamedTuple):
    """What the shop sells, at a price without tax."""

    sku: str
    price: Decimal


def buyers(known: Sequence[Buyer]) -> list[Buyer]:
    """A buyer for each order: the known ones, some who have signed up just now, and guests, one of them twice."""
    registered = [Buyer(name, _address(name), f"NEW-{number}") for number, name in enumerate(_REGISTERED, 1)]
    return [*known, *registered, *(Buyer(name, _address(name)) for name in _GUESTS)]


def orders(who: Sequence[Buyer], goods: Sequence[Goods], placed_at: str) -> list[Json]:
    """The orders in the form that `import orders` takes."""
    numbers = range(FIRST, LAST + 1)
    return [_order(number, buyer, goods, placed_at) for number, buyer in zip(numbers, who, strict=True)]


def _address(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@shop.test"


def _order(number: int, buyer: Buyer, goods: Sequence[Goods], placed_at: str) -> Json:
    includes_tax = number % 5 == 0
    lines = _lines(number, goods, Decimal("1.15") if includes_tax else Decimal(1))
    total = str(sum((_sum(line, includes_tax=includes_tax) for line in lines), Decimal(0)))
    street = {"address1": f"{number % 90} Harbour Road", "city": "Wellington", "postcode": "6011", "country": "NZ"}
    customer = {"name": buyer.name, "email": buyer.email, "phone": f"021 555 {number}", "shipping": street}
    payment = {"method": "cash" if number % 9 == 0 else "card", "amount": total}
    return {
        "number": str(number), "placed_at": placed_at, "currency": "NZD", "status": "paid",
        "prices_include_tax": includes_tax, "customer": customer | ({"code": buyer.code} if buyer.code else {}),
        "lines": lines, "payments": [payment], "total": total,
    }  # fmt: skip


def _lines(number: int, goods: Sequence[Goods], factor: Decimal) -> list[Json]:
    """One to three products, and what else the order is there to show."""
    rate = "0" if str(number) in EXPORTS else "0.15"
    chosen = {goods[(number * step) % len(goods)] for step in range(1, 2 + number % 3)}
    lines = [
        _line("product", each.price * factor, rate, sku=each.sku, quantity=1 + number % 2) for each in sorted(chosen)
    ]
    if str(number) == NEW_SKU:
        lines.append(_line("product", Decimal(24), rate, sku="TEA-TOWEL", description="Tea towel, linen"))
    if number % 2:
        lines.append(_line("shipping", Decimal("6.50") * factor, rate, description="Courier"))
    if str(number) == DISCOUNTED:
        lines.append(_line("discount", Decimal(-5), rate, description="Welcome back"))
    if str(number) == WRAPPED:
        lines.append(_line("fee", Decimal(4) * factor, rate, description="Gift wrapping"))
    return lines


def _line(kind: str, price: Decimal, rate: str, **more: object) -> Json:
    return {"kind": kind, "unit_price": str(_cents(price)), "tax_rate": rate} | more


def _sum(line: Json, *, includes_tax: bool) -> Decimal:
    """What a line comes to, as the shop reckons: to cents, half a cent up, and its tax likewise."""
    amount = _cents(Decimal(line["unit_price"]) * Decimal(line.get("quantity", 1)))
    return amount if includes_tax else amount + _cents(amount * Decimal(line["tax_rate"]))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
