"""What the fields of a request are: each reader makes a value what the service stores, or refuses the request.

developer.xero.com/documentation/api/accounting/requests-and-responses: a value of a wrong kind is no
fault of one element but ends the whole request as a `PostDataInvalidException`. Fields that are not
named in a shape are ignored: they are unknown, or read-only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .. import wire
from ..wire import JsonObject, Number
from .account import date
from .answers import Refused, bad_data

Reader = Callable[[Any, str], Any]
Shape = Mapping[str, Reader]

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ISO_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?")
DAY = 86_400_000


def read(shape: Shape, value: Any, path: str) -> JsonObject:
    """The known fields of an object as the service stores them; a null counts as left out."""
    if not isinstance(value, dict):
        raise _unreadable(value, "object", path)
    return {
        name: reader(value[name], f"{path}.{name}") for name, reader in shape.items() if value.get(name) is not None
    }


def nested(shape: Shape) -> Reader:
    """An object inside."""
    return lambda value, path: read(shape, value, path)


def listed(shape: Shape) -> Reader:
    """A list of objects."""

    def reader(value: Any, path: str) -> list[JsonObject]:
        if not isinstance(value, list):
            raise _unreadable(value, "list", path)
        return [read(shape, each, f"{path}[{index}]") for index, each in enumerate(value)]

    return reader


def one_of(kind: str, *names: str) -> Reader:
    """One of some words."""

    def reader(value: Any, path: str) -> str:
        if not isinstance(value, str) or value not in names:
            raise _unreadable(value, kind, path)
        return value

    return reader


def text(value: Any, path: str) -> str:
    """A text; numbers and flags are taken for what they look like."""
    if isinstance(value, dict | list):
        raise _unreadable(value, "System.String", path)
    return str(value).lower() if isinstance(value, bool) else str(value)


def number(value: Any, path: str) -> Number:
    """A decimal, also inside a text."""
    token = value if isinstance(value, str) else None
    try:
        found = Decimal(token) if token is not None else None
    except InvalidOperation:
        found = None
    if found is None or wire.decimal(found) is None:
        raise _unreadable(value, "System.Nullable`1[System.Decimal]", path)
    return Number(f"{found:f}")


def flag(value: Any, path: str) -> bool:
    """True or false, also as a text."""
    if isinstance(value, bool):
        return value
    if str(value).lower() not in {"true", "false"}:
        raise _unreadable(value, "System.Boolean", path)
    return str(value).lower() == "true"


def guid(value: Any, path: str) -> str:
    """An id, in lower case."""
    if not isinstance(value, str) or not _GUID.fullmatch(value):
        raise _unreadable(value, "System.Guid", path)
    return value.lower()


def day(value: Any, path: str) -> str:
    """A calendar date, written as its midnight UTC."""
    milliseconds = wire.milliseconds(value)
    if isinstance(value, str) and (found := _ISO_DAY.fullmatch(value)):
        milliseconds = _midnight(found[1])
    elif isinstance(value, str) and not value.startswith("/Date("):
        milliseconds = None
    if milliseconds is None:
        raise Refused(bad_data(f"The string '{value}' is not a valid AllXsd value."))
    return date(milliseconds // DAY * DAY)


def _midnight(iso: str) -> int | None:
    try:
        return round(datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None


def _unreadable(value: Any, kind: str, path: str) -> Refused:
    shown = wire.dumps(value)
    return Refused(bad_data(f"Error converting value {shown} to type '{kind}'. Path '{path}'."))
