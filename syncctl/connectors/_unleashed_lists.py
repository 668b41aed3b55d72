"""How Unleashed's lists are asked for, by queries that are signed as they travel, and how they are paged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from syncctl.connectors._fields import microsoft_date, quoted, whole
from syncctl.connectors.base import Answer
from syncctl.errors import AnswerError

# The signature covers the decoded query, so characters that travel as they are cannot be misread. A filter with
# one of the others is signed rightly too, but nobody has shown that the service agrees.
_RAW = "-._~:@,/?!$'()*;"
_DOUBTFUL = r"[&=#%+\"<>]|[^ -~]"


def query(*pairs: tuple[str, str]) -> str:
    """A finished query; what the vendor's own examples do not escape stays as it is."""
    return "&".join(f"{name}={quoted(value, safe=_RAW)}" for name, value in pairs)


def prefix(value: str) -> str:
    """As much of a value as a "starts with" filter can be asked for without doubt: all of it, mostly."""
    return re.split(_DOUBTFUL, value, maxsplit=1)[0].rstrip() or value


def listed(answer: Answer) -> tuple[list[Any], Mapping[str, Any]]:
    """The records and the paging of a list. Raises `AnswerError` where it is none."""
    data = answer.json()
    items = data.get("Items") if isinstance(data, dict) else None
    paging = data.get("Pagination") or {} if isinstance(data, dict) else {}
    if not isinstance(items, list) or not isinstance(paging, dict):
        raise answer.unfit("The answer has no list of Items", "Look at it with syncctl explain, and at the base URL")
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


def newest(items: list[Any]) -> int:
    """The time of the newest change on a page."""
    return max((microsoft_date(item.get("LastModifiedOn")) for item in items if isinstance(item, dict)), default=0)
