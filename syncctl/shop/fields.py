"""The values of the shop's own lists, checked one by one; whatever is wrong is told with what to do about it.

The same checks serve the lists that are imported and the tables that other programs write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[object, str], Any]
SURROGATE = re.compile("[\ud800-\udfff]")

_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
_LONG = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+")  # what a spreadsheet makes of a long number
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_JOINERS = "\u200c\u200d"  # invisible, but letters of some scripts and parts of some emoji
_EARLIEST_YEAR = 1970


class BadLineError(Exception):
    """A line that cannot be used: why, and what to do. Several faults of a line are raised as an `ExceptionGroup`."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class Number(str):
    """A JSON number as it was written, so that no digit of a price is lost."""

    __slots__ = ()


def json_object(line: str, example: str = "{}") -> dict[str, object]:
    """The object of a JSON text, its numbers as `Number`. Raises `BadLineError`, whose remedy shows the `example`."""
    if SURROGATE.search(line):
        raise not_utf8()
    remedy = f"Write one object a line, as {example}"
    try:
        found = json.loads(line, parse_float=Number, parse_int=Number, parse_constant=Number, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise BadLineError(f"This is not JSON: {error.msg} (character {error.colno})", remedy) from error
    except RecursionError as error:
        raise BadLineError("This is not JSON of a list: it is nested too deep", remedy) from error
    if not isinstance(found, dict):
        raise BadLineError("This is not a JSON object", remedy)
    return found


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadLineError("A key stands twice in one object", "Keep one of the two")
    return found


def not_utf8() -> BadLineError:
    """The fault of a line in another encoding."""
    return BadLineError("This is not UTF-8 text", "Save it as UTF-8")


def refuse_unknown(given: Iterable[str], known: Iterable[str], what: str = "key") -> None:
    """Raises `BadLineError` for keys or columns that a record does not have."""
    known = tuple(known)
    unknown = [name for name in given if name not in known]
    if unknown:
        names = ", ".join(map(shown, unknown))
        raise BadLineError(f"There is no {what} {names}; there are {', '.join(known)}", "Rename it, or leave it out")


def checked(given: Mapping[str, object], checks: Mapping[str, Check], required: Iterable[str] = ()) -> dict[str, Any]:
    """The values of the keys that are told and not empty. Raises an `ExceptionGroup` with every fault at once."""
    faults: list[BadLineError] = []
    found: dict[str, Any] = {}
    try:
        refuse_unknown(given, checks)
    except BadLineError as error:
        faults.append(error)
    for key, check in checks.items():
        try:
            found[key] = check(given.get(key), key) if given.get(key) is not None else None
        except* BadLineError as group:
            faults += flat(group)
    faults += [BadLineError(f"It has no {key}", "Every one needs it") for key in required if found.get(key, 0) is None]
    together(faults)
    return {key: value for key, value in found.items() if value is not None}


@contextmanager
def within(where: str) -> Iterator[None]:
    """Puts the place before each fault that is raised inside."""
    try:
        yield
    except* BadLineError as group:
        together([BadLineError(f"{where}: {fault}", fault.remedy) for fault in flat(group)])


def together(faults: list[BadLineError]) -> None:
    """Raises all of them as one group, if there are any."""
    if faults:
        raise ExceptionGroup("What is wrong with a line", faults)


def flat(group: BaseExceptionGroup[BadLineError]) -> list[BadLineError]:
    """The faults of a group and of those inside it."""
    return [
        fault for each in group.exceptions for fault in (flat(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]


def shown(value: str) -> str:
    """A text of the list in quotes, short and without control characters."""
    return repr(value if len(value) <= 60 else f"{value[:59]}…")


def text(value: object, column: str) -> str:
    """The text of a cell or key, "" where there is none."""
    if value is None:
        return ""
    if isinstance(value, Number) or not isinstance(value, str):
        raise BadLineError(f"{column} is not a text", "Put it in quotes")
    if SURROGATE.search(value):
        raise BadLineError(f"{column} has half of a surrogate pair", "Write the character itself, in UTF-8")
    return value.strip()


def code(value: object, column: str) -> str | None:
    """A SKU, barcode or number: compared exactly, so nothing in it may be invisible or rounded."""
    found = text(value, column)
    hidden = next((char for char in found if not char.isprintable()), None)
    if hidden:
        raise BadLineError(f"{column} {shown(found)} has an invisible character (U+{ord(hidden):04X})", "Take it out")
    if _ROUNDED.fullmatch(found):
        raise BadLineError(
            f"{column} {shown(found)} was rounded by a spreadsheet", "Make the column text, and enter it again"
        )
    return found or None


def name(value: object, column: str) -> str:
    """Words for people, on one line: control characters become spaces."""
    found = text(value, column)
    return "".join(char if char.isprintable() or char in _JOINERS else " " for char in found).strip()


def amount(value: object, column: str) -> Decimal | None:
    """An amount or a quantity, also below 0, with every digit that was written."""
    found = value if isinstance(value, Number) else text(value, column)
    if found and not _AMOUNT.fullmatch(found):
        if _LONG.fullmatch(found):
            raise BadLineError(
                f"{column} {shown(str(found))} has more than 12 digits before or after the dot", "Correct it"
            )
        raise BadLineError(
            f"{column} {shown(str(found))} is not an amount", "Write digits with a dot and nothing else, as 12.50"
        )
    return Decimal(found) if found else None


def price(value: object, column: str) -> Decimal | None:
    """An amount of 0 or more."""
    found = amount(value, column)
    if found is not None and str(found).startswith("-"):
        raise BadLineError(f"{column} {shown(str(found))} is not an amount of 0 or more", "Write it without the minus")
    return found


def positive(value: object, column: str) -> Decimal | None:
    """An amount or a quantity of more than 0."""
    found = amount(value, column)
    if found is not None and found <= 0:
        raise BadLineError(f"{column} {shown(str(found))} is not more than 0", "Mend it, or leave the line out")
    return found


def truth(value: object, column: str) -> bool | None:
    """A JSON truth value, or a word for one."""
    if isinstance(value, bool):
        return value
    found = (value if isinstance(value, Number) else text(value, column)).lower()
    if found and found not in _WORDS:
        raise BadLineError(f"{column} {shown(found)} is neither true nor false", f"Write one of {', '.join(_WORDS)}")
    return _WORDS.get(found)


def currency(value: object, column: str) -> str | None:
    """Three letters of ISO 4217, in any case."""
    found = text(value, column).upper()
    if found and not _CURRENCY.fullmatch(found):
        raise BadLineError(f"{column} {shown(found)} is not a currency", "Write three letters of ISO 4217, as NZD")
    return found or None


def country(value: object, column: str) -> str | None:
    """Two letters of ISO 3166, in any case."""
    found = text(value, column).upper()
    if found and not _COUNTRY.fullmatch(found):
        raise BadLineError(
            f"{column} {shown(found)} is not the code of a country", "Write two letters of ISO 3166, as NZ"
        )
    return found or None


def moment(value: object, column: str) -> datetime | None:
    """An aware time in UTC, to the second, from ISO 8601 with a zone."""
    written = text(value, column)
    if not written:
        return None
    try:
        found = datetime.fromisoformat(written)
        utc = found.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError) as error:
        raise _no_time(f"{column} {shown(written)} is not a time") from error
    if found.tzinfo is None:
        raise _no_time(f"{column} {shown(written)} does not tell its zone")
    if utc.year < _EARLIEST_YEAR:
        raise _no_time(f"{column} {shown(written)} is before {_EARLIEST_YEAR}")
    return utc


def _no_time(message: str) -> BadLineError:
    return BadLineError(message, "Write ISO 8601 with a zone, as 2026-11-23T18:00:00+13:00 or 2026-11-23T05:00:00Z")
