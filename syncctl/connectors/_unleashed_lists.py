"""How Unleashed's lists are asked for and paged: queries that are signed as they travel, and cursors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from syncctl.connectors._fields import microsoft_date, whole
from syncctl.connectors.base import Answer
from syncctl.errors import AnswerError
from syncctl.models import from_ms, to_ms

OVERLAP_MS = 10 * 60 * 1000  # whether modifiedSince includes its own second is not documented
SETTLED_MS = 24 * 3600 * 1000  # what changed before that stands in the lists for certain, whatever zone it is dated in
AHEAD_MS = 60 * 1000  # servers of one service may differ by that much; the overlap covers it
# The signature covers the decoded query, so characters that travel as they are cannot be misread. A filter with
# one of the others is signed rightly too, but nobody has shown that the service agrees.
_RAW = "-._~:@,/?!$'()*;"
_DOUBTFUL = r"[&=#%+\"<>]|[^ -~]"


class Cursor(NamedTuple):
    """Where a read stands. Between reads only `stamp` is set: up to when every change is stored, in ms.

    `ceiling` is the service's clock at the read's first page: what changes while later pages are read may have
    moved behind us, so the stamp never passes it.
    """

    stamp: int | None = None
    page: int = 1
    newest: int = 0
    ceiling: int | None = None

    @classmethod
    def parse(cls, opaque: str | None) -> Cursor:
        """The cursor from its text; None is the very beginning."""
        return cls(**json.loads(opaque)) if opaque else cls()

    def after(self) -> Cursor:
        """The cursor of the next read: from the newest change, of an account at rest from a day ago.

        Without the latter a large import would be read again and again until something else changes.
        """
        ceiling = self.newest if self.ceiling is None else self.ceiling
        return Cursor(max(min(self.newest, ceiling), ceiling - SETTLED_MS, self.stamp or 0) or None)

    def __str__(self) -> str:
        return json.dumps(self._asdict())


def query(*pairs: tuple[str, str]) -> str:
    """A finished query; what the vendor's own examples do not escape stays as it is."""
    return "&".join(f"{name}={quote(value, safe=_RAW)}" for name, value in pairs)


def since(stamp: int) -> str:
    """Whole seconds without a zone: fractions and `Z` are not documented. Always UTC."""
    return from_ms(stamp - OVERLAP_MS).strftime("%Y-%m-%dT%H:%M:%S")


def prefix(value: str) -> str:
    """As much of a value as a "starts with" filter can be asked for without doubt: all of it, mostly."""
    return re.split(_DOUBTFUL, value, maxsplit=1)[0].rstrip() or value


def listed(answer: Answer) -> tuple[list[Any], Mapping[str, Any]]:
    """The records and the paging of a list. Raises `AnswerError` where it is none."""
    data = answer.json()
    items = data.get("Items") if isinstance(data, dict) else None
    paging = data.get("Pagination") or {} if isinstance(data, dict) else {}
    if not isinstance(items, list) or not isinstance(paging, dict):
        raise AnswerError("The answer has no list of Items", "Look at it with syncctl explain, and at the base URL")
    return items, paging


def check_paging(asked: int, paging: Mapping[str, Any], items: list[Any]) -> None:
    """A service that repeats a page would be read for ever. Past the end, some services show the last page again."""
    pages = paging.get("NumberOfPages")
    if not isinstance(pages, int):
        raise AnswerError("The list does not tell its NumberOfPages", "Look at the base URL; report it to Unleashed")
    came = whole(paging.get("PageNumber")) or asked
    if items and came != asked <= pages:
        remedy = "Run it again; if it stays so, report it to Unleashed"
        raise AnswerError(f"Page {asked} was asked for and page {came} came", remedy)


def set_back(at: Cursor, answer: Answer) -> Cursor | None:
    """Where to read from instead, where the stamp lies in the service's future: its clock was ahead and came back.

    What changed since it came back is dated before the stamp, and no read from there on would show it.
    """
    date = answer.date()
    if at.stamp is None or date is None or at.stamp <= to_ms(date) + AHEAD_MS:
        return None
    return Cursor(to_ms(date) - SETTLED_MS)


def moved(at: Cursor, answer: Answer, items: list[Any]) -> Cursor:
    """The cursor of the next page. Without a Date header the ceiling is the newest change that the first page shows."""
    newest = max((microsoft_date(item.get("LastModifiedOn")) for item in items if isinstance(item, dict)), default=0)
    date = answer.date()
    ceiling = at.ceiling if at.ceiling is not None else to_ms(date) if date else newest
    return Cursor(at.stamp, at.page + 1, max(at.newest, newest), ceiling)
