"""JSON that keeps every number exactly as it was written.

A planted `1e400`, `NaN` or `14.5000` must reach the client unchanged, so number tokens are never
turned into floats: they are read as :class:`Number` and written back as they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

JsonObject = dict[str, Any]

_MICROSOFT_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
_TOO_BIG = Decimal(10) ** 28


class Number(str):
    """A JSON number token, verbatim; `NaN` and `1e400` included."""

    __slots__ = ()


def loads(text: str | bytes) -> Any:
    """Parse JSON, keeping number tokens as :class:`Number`; raises ValueError on bad JSON."""
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)


def dumps(value: Any) -> str:
    """Write JSON in the compact form, dates of Microsoft's kind with escaped slashes."""
    return _WRITERS[type(value)](value)


def decimal(value: object) -> Decimal | None:
    """The number that `value` stands for, or None when it is none or too big for a .NET decimal."""
    if not isinstance(value, Number | int | Decimal) or isinstance(value, bool):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < _TOO_BIG else None


def four_places(value: Decimal | int) -> Number:
    """A number the way Unleashed writes decimals: always four places, as in `14.5000`."""
    return Number(f"{Decimal(value):.4f}")


def date(milliseconds: int) -> str:
    """A moment in Microsoft's JSON form, `/Date(milliseconds since 1970 UTC)/`."""
    return f"/Date({milliseconds})/"


def milliseconds(value: object) -> int | None:
    """The moment meant by `/Date(…)/` or an ISO text (UTC when it names no zone), else None."""
    if not isinstance(value, str):
        return None
    if found := _MICROSOFT_DATE.match(value):
        return int(found[1])
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def merge(old: JsonObject, new: JsonObject) -> JsonObject:
    """`old` with the fields of `new` over it; objects inside are merged the same way."""
    merged = dict(old)
    for name, value in new.items():
        before = merged.get(name)
        both = isinstance(before, dict) and isinstance(value, dict)
        merged[name] = merge(before, value) if both and isinstance(before, dict) else value
    return merged


def _string(value: str) -> str:
    text = encode_basestring_ascii(value) if _has_surrogate(value) else encode_basestring(value)
    return text.replace("/", "\\/") if _MICROSOFT_DATE.match(value) else text


def _has_surrogate(value: str) -> bool:
    # A lone surrogate cannot be encoded as UTF-8; it has to stay an escape on the wire.
    return not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value)


def _object(value: JsonObject) -> str:
    return "{" + ",".join(f"{_string(name)}:{dumps(item)}" for name, item in value.items()) + "}"


def _array(value: list[Any] | tuple[Any, ...]) -> str:
    return "[" + ",".join(map(dumps, value)) + "]"


_WRITERS: dict[type, Callable[[Any], str]] = {
    Number: str,
    str: _string,
    int: str,
    float: repr,
    Decimal: str,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    dict: _object,
    list: _array,
    tuple: _array,
}
