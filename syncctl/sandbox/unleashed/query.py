"""The filters of a list, as the vendor's page of each resource names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from ..store import Query
from .answers import Refused, refusal

Filter = Callable[[Query, str], Query]
DAY = 86_400_000

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?")


class Params:
    """The query of a request; names compare without regard to case, empty values count as absent."""

    def __init__(self, query: str) -> None:
        self._values = {name.lower(): value for name, value in parse_qsl(query) if value.strip()}

    def get(self, name: str) -> str | None:
        """The value of a parameter, or None."""
        return self._values.get(name.lower())

    def flag(self, name: str) -> bool:
        """Whether a parameter is `true`."""
        return (self.get(name) or "").lower() in {"true", "1"}

    def without(self, name: str) -> Params:
        """The same parameters but for one."""
        fewer = Params("")
        fewer._values = {known: value for known, value in self._values.items() if known != name.lower()}
        return fewer

    def filtered(self, query: Query, filters: Mapping[str, Filter]) -> Query:
        """`query` narrowed by every known filter that was sent; unknown names are ignored."""
        for name, narrow in filters.items():
            value = self.get(name)
            if value is not None:
                query = narrow(query, value)
        return query


def moment(value: str) -> int:
    """A date or date-time filter in milliseconds, UTC; that a malformed one gets a 400 is unconfirmed."""
    if not _MOMENT.fullmatch(value):
        raise Refused(refusal(400, f"{value!r} is not a valid date"))
    try:
        parsed = datetime.fromisoformat(value.removesuffix("Z"))
    except ValueError:
        raise Refused(refusal(400, f"{value!r} is not a valid date")) from None
    return round(parsed.replace(tzinfo=UTC).timestamp() * 1000)


def listed(value: str) -> list[str]:
    """The items of a comma list."""
    return [item.strip() for item in value.split(",") if item.strip()]


def starts_with(column: str) -> Filter:
    """Prefix match without regard to case; `column` holds upper case."""

    def narrow(query: Query, value: str) -> Query:
        low = value.upper()
        return query.where(f"{column} >= ? AND {column} < ?", low, low + "\U0010ffff")

    return narrow


def equals(column: str) -> Filter:
    """Exact match without regard to case."""
    return lambda query, value: query.where(f"{column} = ? COLLATE NOCASE", value)


def contains(*columns: str, exact_case: bool = False) -> Filter:
    """The value occurs in one of the columns."""
    parts = [f"instr({c}, ?)" if exact_case else f"instr(upper({c}), ?)" for c in columns]

    def narrow(query: Query, value: str) -> Query:
        needle = value if exact_case else value.upper()
        return query.where(f"({' OR '.join(parts)})", *[needle] * len(columns))

    return narrow


def among(column: str) -> Filter:
    """The column holds one of the items of a comma list, without regard to case."""

    def narrow(query: Query, value: str) -> Query:
        wanted = [item.lower() for item in listed(value)]
        return query.where(f"{column} IN ({','.join('?' * len(wanted))})", *wanted)

    return narrow


def when_true(condition: str) -> Filter:
    """The condition holds, when the value is `true`."""
    return lambda query, value: query.where(condition) if value.lower() == "true" else query


def not_before(column: str) -> Filter:
    """On or after the given day or moment."""
    return lambda query, value: query.where(f"{column} >= ?", moment(value))


def not_after(column: str) -> Filter:
    """Up to the given moment, or to the end of the given day."""

    def narrow(query: Query, value: str) -> Query:
        end = moment(value) + (DAY - 1 if len(value) == len("2026-01-31") else 0)
        return query.where(f"{column} <= ?", end)

    return narrow


def ordered(query: Query, params: Params) -> Query:
    """`orderBy=LastModifiedOn|CreatedOn` with `sort=asc|desc`; anything else keeps the default."""
    column = {"lastmodifiedon": "modified", "createdon": "created"}.get((params.get("orderBy") or "").lower())
    descending = (params.get("sort") or "").lower() == "desc"
    if column:
        return query.ordered(column, descending=descending)
    return query.ordered(query.order, descending=descending) if params.get("sort") else query
