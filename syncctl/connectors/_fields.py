"""Reads the fields of a service's records: what makes no sense becomes a problem of that record, never a crash.

And `quoted`, for values that go into an address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from syncctl.models import Problem, Product, Record

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")

_MICROSOFT_DATE = r"/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)/"


def each(
    read: Callable[[Mapping[str, Any], str], T], rows: Iterable[Any], noun: str, where: str, service: str
) -> Iterator[T | Problem]:
    """What `read` makes of each row and of `where` it stands, one after the other; of what is no object, a problem."""
    for position, row in enumerate(rows, 1):
        if isinstance(row, dict):
            yield read(row, where)
        else:
            yield Problem(f"{noun} {position} of {where}", "is not a record", f"Report it to {service}")


def quoted(value: str, *, safe: str = "") -> str:
    """Percent-encoded, as it stands in an address."""
    from urllib.parse import quote  # slow to import, and a run without a call needs it not

    return quote(value, safe=safe)


def text(value: object) -> str:
    """A text as the service tells it, fit for one line and for any database: control characters become spaces."""
    if value is None:
        return ""
    plain = value if type(value) is str else str(value)
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() else " " for c in plain).strip()
    return plain


def addresses(*values: object) -> tuple[str, ...]:
    """The e-mail addresses in some fields; people write several into one."""
    return tuple(each for value in values for each in re.split(r"[;,\s]+", text(value)) if each)


def whole(value: object) -> int:
    """A JSON number that counts something; 0 for anything else."""
    return value if isinstance(value, int) else 0


def number(value: object) -> object:
    """The number in a text, where a service writes one as `"12.50"`; anything else as it is."""
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", value, re.ASCII):
        return value
    return _decimal_class()(value) if "." in value else int(value)


def microsoft_date(value: object) -> int:
    """Milliseconds of `/Date(1413763969623)/`, which is UTC whatever zone it names; 0 for anything else."""
    if not isinstance(value, str):
        return 0
    digits = value[6:-2]
    if len(digits) <= 15 and digits.isdecimal() and value.isascii() and value == f"/Date({digits})/":
        return int(digits)  # all that were ever seen
    found = re.fullmatch(_MICROSOFT_DATE, value)
    return int(found[1]) if found else 0


def price(value: object) -> Decimal | None:
    """A price as the service tells it; None is no price. Raises `ValueError` with the reason where it is none."""
    if value is None:
        return None
    amount = _decimal(value)
    if not amount.is_signed():
        return amount
    if amount:
        raise ValueError("is negative")
    return abs(amount)  # there is a minus zero


def usable_prices(
    record: str, offers: Mapping[str, object], remedy: str
) -> tuple[dict[str, Decimal | None], tuple[Problem, ...]]:
    """The prices by tier, those that are none left out with a problem; `offers` maps each tier to what it costs."""
    prices: dict[str, Decimal | None] = dict.fromkeys(offers)
    problems = []
    for tier, value in offers.items():
        if value is None:
            continue
        try:
            prices[tier] = price(value)
        except ValueError as error:
            del prices[tier]
            words = "price" if tier == "default" else f"price in tier {tier}"
            problems.append(Problem(record, f"its {words} {text(value)[:40]!r} {error}", remedy))
    return prices, tuple(problems)


def quantity(value: object) -> Decimal:
    """A quantity as the service tells it; may be negative and have decimals. Raises `ValueError`."""
    return _decimal(value)


def usable_quantity(record: str, value: object, remedy: str) -> tuple[Decimal | None, tuple[Problem, ...]]:
    """The quantity; None and a problem where it is none."""
    if value is None:
        return None, (Problem(record, "its available quantity is missing", remedy),)
    try:
        return quantity(value), ()
    except ValueError as error:
        return None, (Problem(record, f"its available quantity {text(value)[:40]!r} {error}", remedy),)


def _decimal(value: object) -> Decimal:
    """A JSON number (int or Decimal) of a size that money and goods can have."""
    decimal = _decimal_class()
    if type(value) is int:  # and not bool
        value = decimal(value)
    if not isinstance(value, decimal) or not value.is_finite():
        raise ValueError("is not a number but text" if isinstance(value, str) else "is not a number")
    digits = str(value)
    if len(digits) <= 12 and "E" not in digits:  # nearly all are that short
        return value
    if (value and value.adjusted() >= 12) or -int(value.as_tuple().exponent) > 12:
        raise ValueError("is too large or too fine")
    return value


@cache
def _decimal_class() -> type[Decimal]:
    from decimal import Decimal  # slow to import, and runs that make no call need none

    return Decimal


def absent(remote_ids: Sequence[str], records: Iterable[Record | Problem]) -> list[str]:
    """Those of the ids that none of the records has; ids compare without regard to case."""
    there = {record.remote_id.lower() for record in records if not isinstance(record, Problem)}
    return [remote_id for remote_id in remote_ids if remote_id.lower() not in there]


def with_sku(sku: str, records: Iterable[Record | Problem], service: str) -> list[Product | Problem]:
    """The products that have exactly this SKU, then a problem where others have one that differs only in case."""
    products = [record for record in records if isinstance(record, Product)]
    near = [p.sku for p in products if p.sku != sku and p.sku.lower() == sku.lower()]
    return [
        *(product for product in products if product.sku == sku),
        *([differs_in_case(sku, near, service)] if near else []),
    ]


def differs_in_case(sku: str, others: Iterable[str], service: str) -> Problem:
    """That a service has nearly this SKU."""
    names = list(dict.fromkeys(others))
    verb = "differs" if len(names) == 1 else "differ"
    message = f"{service} has {' and '.join(names)}, which {verb} only in case"
    return Problem(sku, message, "Write it the same on both sides")
