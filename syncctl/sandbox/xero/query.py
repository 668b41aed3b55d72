"""What narrows and orders a list: `If-Modified-Since`, lists of values, and `order`.

developer.xero.com/documentation/api/accounting/requests-and-responses.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ..store import Query
from .answers import Refused, bad_since

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..switches import Switches

_RFC_1123 = re.compile(r"[A-Z][a-z]{2}, \d\d ")
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
