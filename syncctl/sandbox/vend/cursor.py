"""The version cursor of every list (x-series-api.lightspeedhq.com/docs/pagination).

`after` is exclusive, the order is ascending, and only an empty `data` is the end. The vendor states
no largest page for most lists (switch `page_cap`), nor whether `before` is inclusive (switch
`before`), and a page may be shorter than asked for although more follow (switch `short_pages`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..messages import Response, json_response
from ..store import Query
from .answers import bad_request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..store import Row, Table
    from ..switches import Switches
    from .routing import Call

DEFAULT_SIZE = 200
ORDER = "modified"
"""The column that holds the version."""


def between(after: int | None, before: int | None, switches: Switches) -> Query:
    """The rows of a stretch of versions, ascending."""
    query = Query(order=ORDER).where(f"{ORDER} > ?", after or 0)
    if before is None:
        return query
    return query.where(f"{ORDER} {'<=' if switches['before'] == 'inclusive' else '<'} ?", before)


def asked(call: Call, switches: Switches) -> Query:
    """The rows that `after` and `before` of a request leave."""
    return between(call.params.whole("after"), call.params.whole("before"), switches)


def page(table: Table, query: Query, call: Call, switches: Switches) -> list[Row]:
    """One page of a list that takes `deleted` and `page_size`."""
    if not call.params.flag("deleted"):
        query = query.without_hidden()
    size = min(size_of(call), int(switches["page_cap"]))
    return table.walk(query, max(1, size // 2) if switches["short_pages"] == "yes" else size)


def size_of(call: Call, default: int = DEFAULT_SIZE) -> int:
    """The page size asked for; that one below 1 gets a 400 is the sandbox's own reading."""
    size = call.params.whole("page_size")
    if size is not None and size < 1:
        raise bad_request("page_size must be positive")
    return default if size is None else size


def envelope(texts: Sequence[str], rows: Sequence[Row]) -> Response:
    """Some rows with their lowest and highest version; both are null when there are none."""
    versions = [row[ORDER] for row in rows]
    low, high = (min(versions), max(versions)) if versions else ("null", "null")
    return json_response(f'{{"data":[{",".join(texts)}],"version":{{"min":{low},"max":{high}}}}}')


def unversioned(texts: Sequence[str]) -> Response:
    """A list without a cursor: one page is all."""
    return json_response(f'{{"data":[{",".join(texts)}]}}')


def single(text: str, status: int = 200) -> Response:
    """One record."""
    return json_response(f'{{"data":{text}}}', status)
