"""What narrows a list: `If-Modified-Since`, `where` and `order`.

developer.xero.com/documentation/api/accounting/requests-and-responses. Of the language of `where`
this copy knows equality and inequality joined by AND, and refuses the rest aloud.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from .. import wire
from ..store import Query
from .answers import Refused, bad_filter, bad_since

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..switches import Switches
    from ..wire import JsonObject

_RFC_1123 = re.compile(r"[A-Z][a-z]{2}, \d\d ")
_CLAUSE = re.compile(
    r"""\s*(?P<field>\w+(?:\.\w+)*)\s*(?P<operator>==|=|!=)\s*
        (?:guid\()?(?:"(?P<text>[^"]*)"|(?P<word>true|false|null|-?\d+(?:\.\d+)?))\)?\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_CONDITIONS = {
    "inclusive": "modified >= ?",
    "strict": "modified > ?",
    # A stamp kept in whole seconds: what changed later in that very second is not shown.
    "strict_second": "modified / 1000 > ? / 1000",
}


def since(query: Query, header: str | None, switches: Switches) -> Query:
    """`query` without what was last changed before the moment in the header."""
    if header is None:
        return query
    moment = _moment(header.strip(), switches)
    return query if moment is None else query.where(_CONDITIONS[switches["modified_since"]], moment)


def _moment(text: str, switches: Switches) -> int | None:
    """The moment in milliseconds, UTC unless it names an offset; None when it is to be ignored."""
    try:
        if not _RFC_1123.match(text):
            parsed = datetime.fromisoformat(text)
        elif switches["rfc_1123"] == "honour":
            parsed = parsedate_to_datetime(text)
        else:
            return None
    except ValueError:
        if switches["bad_since"] == "412":
            raise Refused(bad_since()) from None
        return None
    return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)


def ordered(query: Query, order: str | None, columns: Mapping[str, str]) -> Query:
    """`order=UpdatedDateUTC DESC` and the like, by the first field; one that is no column changes nothing."""
    field, _, direction = (order or "").partition(",")[0].strip().partition(" ")
    column = columns.get(field.lower())
    return query.ordered(column, descending=direction.strip().lower() == "desc") if column else query


def among(query: Query, column: str, values: Iterable[str]) -> Query:
    """`query` with only those records whose column holds one of the values."""
    wanted = tuple(values)
    return query.where(f"{column} IN ({', '.join('?' * len(wanted))})", *wanted)


class Where:
    """A `where` that keeps the records for which all its clauses hold."""

    def __init__(self, text: str) -> None:
        clauses = re.split(r"\s+AND\s+|&&", text, flags=re.IGNORECASE)
        self._clauses = [_clause(clause) for clause in clauses]

    def keeps(self, body: str) -> bool:
        """Whether a record, given as its JSON text, is to be shown."""
        record = wire.loads(body)
        return all((_value(record, field) == value) == equal for field, value, equal in self._clauses)


def _clause(text: str) -> tuple[str, str | None, bool]:
    found = _CLAUSE.fullmatch(text)
    if found is None:
        raise Refused(bad_filter(f"The filter {text.strip()!r} cannot be parsed"))
    word = found["word"]
    value = found["text"] if word is None else word.lower()
    return found["field"], None if word and value == "null" else value.lower(), found["operator"] != "!="


def _value(record: JsonObject, field: str) -> str | None:
    """The value of a field in the form that values in clauses have."""
    value: Any = record
    for name in field.lower().split("."):
        fields = value if isinstance(value, dict) else {}
        value = next((inner for known, inner in fields.items() if known.lower() == name), None)
    return None if value is None else str(value).lower()
