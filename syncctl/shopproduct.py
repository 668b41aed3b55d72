"""One product of the shop's own list, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

Field: TypeAlias = str | bool | Decimal | None
COLUMNS = ("sku", "name", "barcode", "price", "price_includes_tax", "currency")
SURROGATE = re.compile("[\ud800-\udfff]")

_PRICE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+")  # what a spreadsheet makes of a long number
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class ShopProduct:
    """A product of the list. `fields` has only the columns that its line tells; the others keep what is stored."""

    line: int
    sku: str
    fields: Mapping[str, Field]


class BadLineError(Exception):
    """A line that cannot be used: why, and what to do."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class Number(str):
    """A JSON number as it was written, so that no digit of a price is lost."""

    __slots__ = ()


def product(number: int, given: Mapping[str, object]) -> ShopProduct:
    """The product of a line. An empty value, or null, takes the stored one away. Raises `BadLineError`."""
    unknown = [name for name in given if name not in COLUMNS]
    if unknown:
        raise BadLineError(unknown_names("key", unknown), "Rename it, or leave it out")
    found = {name: _FIELDS[name](given[name], name) for name in COLUMNS if name in given}
    sku = found.pop("sku", None)
    if not isinstance(sku, str):
        raise BadLineError("It has no SKU", "Give each product its own, or leave the line out")
    return ShopProduct(number, sku, found)


def unknown_names(what: str, names: list[str]) -> str:
    """The sentence for keys or columns that a product does not have."""
    return f"There is no {what} {', '.join(map(_shown, names))}; there are {', '.join(COLUMNS)}"


def _shown(text: str) -> str:
    """A text of the list in quotes, short and without control characters."""
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def _text(value: object, column: str) -> str:
    """The text of a cell or key, "" where there is none."""
    if value is None:
        return ""
    if isinstance(value, Number) or not isinstance(value, str):
        raise BadLineError(f"{column} is not a text", "Put it in quotes")
    if SURROGATE.search(value):
        raise BadLineError(f"{column} has half of a surrogate pair", "Write the character itself, in UTF-8")
    return value.strip()


def _code(value: object, column: str) -> str | None:
    """A SKU or barcode: compared exactly, so nothing in it may be invisible or rounded."""
    code = _text(value, column)
    hidden = next((char for char in code if not char.isprintable()), None)
    if hidden:
        raise BadLineError(f"{column} {_shown(code)} has an invisible character (U+{ord(hidden):04X})", "Take it out")
    if _ROUNDED.fullmatch(code):
        raise BadLineError(
            f"{column} {_shown(code)} was rounded by a spreadsheet", "Make the column text, and enter it again"
        )
    return code or None


def _name(value: object, column: str) -> str:
    return "".join(char if char.isprintable() else " " for char in _text(value, column)).strip()


def _price(value: object, column: str) -> Decimal | None:
    text = value if isinstance(value, Number) else _text(value, column)
    if text and not _PRICE.fullmatch(text):
        raise BadLineError(
            f"{column} {_shown(str(text))} is not an amount", "Write digits with a dot and nothing else, as 12.50"
        )
    return Decimal(text) if text else None


def _truth(value: object, column: str) -> bool | None:
    if isinstance(value, bool):
        return value
    text = (value if isinstance(value, Number) else _text(value, column)).lower()
    if text and text not in _WORDS:
        raise BadLineError(f"{column} {_shown(text)} is neither true nor false", f"Write one of {', '.join(_WORDS)}")
    return _WORDS.get(text)


def _currency(value: object, column: str) -> str | None:
    text = _text(value, column).upper()
    if text and not _CURRENCY.fullmatch(text):
        raise BadLineError(f"{column} {_shown(text)} is not a currency", "Write three letters of ISO 4217, as NZD")
    return text or None


_FIELDS: dict[str, Callable[[object, str], Field]] = {
    "sku": _code,
    "name": _name,
    "barcode": _code,
    "price": _price,
    "price_includes_tax": _truth,
    "currency": _currency,
}
