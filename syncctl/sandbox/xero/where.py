"""The parameter `where`: clauses joined by AND; the rest of its language is refused aloud.

developer.xero.com/documentation/api/accounting/requests-and-responses. Texts compare without regard to
case and accents, which the vendor says of the names and addresses of contacts.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .. import wire
from .answers import Refused, bad_filter

if TYPE_CHECKING:
    from ..wire import JsonObject

_CLAUSE = re.compile(
    r"""\s*(?P<field>\w+(?:\.\w+)*)\s*(?P<operator>==|=|!=|>=|<=|>|<)\s*
        (?:guid\(\s*)?(?:
            "(?P<text>[^"]*)"
            |(?P<word>true|false|null)
            |(?P<number>-?\d+(?:\.\d+)?)
            |datetime\(\s*(?P<year>\d+)\s*,\s*(?P<month>\d+)\s*,\s*(?P<day>\d+)\s*\)
        )\s*\)?\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("==", "="), operator.eq),
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
Reader = Callable[[Any], Any]
"""Makes the value of a record comparable with the value of a clause."""
Clause = tuple[str, Callable[[Any, Any], bool], Reader, Any]
"""Field, comparison, how the record's value is read, and the value it is compared with."""


class Where:
    """A `where` that keeps the records for which all its clauses hold."""

    def __init__(self, text: str) -> None:
        clauses = re.split(r"\s+AND\s+|&&", text, flags=re.IGNORECASE)
        self._clauses = [_clause(clause) for clause in clauses]

    def keeps(self, body: str) -> bool:
        """Whether a record, given as its JSON text, is to be shown."""
        record = wire.loads(body)
        return all(_holds(record, clause) for clause in self._clauses)


def _clause(text: str) -> Clause:
    found = _CLAUSE.fullmatch(text)
    if found is None:
        raise Refused(bad_filter(f"The filter {text.strip()!r} cannot be parsed"))
    compare = _OPERATORS[found["operator"]]
    if found["number"] is not None:
        return found["field"], compare, wire.decimal, Decimal(found["number"])
    if found["year"] is not None:
        return found["field"], compare, wire.milliseconds, _moment(found)
    word = found["word"]
    value = None if word and word.lower() == "null" else _folded(word or found["text"])
    return found["field"], compare, _folded, value


def _moment(found: re.Match[str]) -> int:
    try:
        day = datetime(int(found["year"]), int(found["month"]), int(found["day"]), tzinfo=UTC)
    except ValueError:
        raise Refused(bad_filter(f"The date in {found[0].strip()!r} is none")) from None
    return round(day.timestamp() * 1000)


def _holds(record: JsonObject, clause: Clause) -> bool:
    field, compare, read, wanted = clause
    value = read(_value(record, field))
    if compare in {operator.eq, operator.ne}:
        return compare(value, wanted)
    return value is not None and wanted is not None and compare(value, wanted)


def _value(record: JsonObject, field: str) -> Any:
    """The value of a field, also of an object inside."""
    value: Any = record
    for name in field.lower().split("."):
        fields = value if isinstance(value, dict) else {}
        value = next((inner for known, inner in fields.items() if known.lower() == name), None)
    return value


def _folded(value: Any) -> str | None:
    """A text without case and accents."""
    if value is None:
        return None
    letters = unicodedata.normalize("NFKD", str(value).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
