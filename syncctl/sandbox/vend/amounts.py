"""Amounts: read from numbers and from decimal texts, which the vendor's guide sends, and written as numbers."""

from __future__ import annotations

import re
from decimal import Decimal

from .. import wire
from ..wire import Number

_TEXT = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)


def number(value: object) -> Decimal | None:
    """The number that a JSON number or a decimal text stands for, or None."""
    if isinstance(value, str) and not isinstance(value, Number):
        return Decimal(value) if _TEXT.fullmatch(value) else None
    return wire.decimal(value)


def amount(value: object) -> Decimal:
    """The same with 0 for what is no number."""
    return number(value) or Decimal(0)


def plain(value: Decimal) -> Number:
    """A number without an exponent and without zeros at its end."""
    text = f"{value:f}"
    return Number((text.rstrip("0").rstrip(".") if "." in text else text) if value else "0")
