"""One page of a list, as every list of the vendor is paged (apidocs.unleashedsoftware.com/Invoices).

The page number is in the path and `?page=` means nothing; `pageSize` is 200 when it is not given and
0 asks for the count alone. What a page past the end shows and where the size is capped is
unconfirmed by the vendor: switches `past_end` and `page_cap`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..messages import Response, json_response
from .answers import not_found

if TYPE_CHECKING:
    from ..switches import Switches
    from .routing import Call

DEFAULT_SIZE = 200


@dataclass(frozen=True, slots=True)
class Listing:
    """How many records a list has, and the JSON texts of some of them by offset and limit."""

    count: int
    texts: Callable[[int, int], list[str]]


def page_response(listing: Listing, call: Call, switches: Switches) -> Response:
    """The page that the call asks for."""
    size = _size(call.params.get("pageSize"), int(switches["page_cap"]))
    if size == 0 or listing.count == 0:
        return _body(listing.count, size, 0, [])
    pages = -(-listing.count // size)
    number = max(1, call.page)
    if number > pages and switches["past_end"] == "404":
        return not_found()
    if number > pages and switches["past_end"] == "last_page":
        number = pages
    texts = listing.texts((number - 1) * size, size) if number <= pages else []
    return _body(listing.count, size, number, texts)


def unpaged_response(texts: list[str]) -> Response:
    """A small list that comes without pagination."""
    return json_response(f'{{"Items":[{",".join(texts)}]}}')


def _size(asked: str | None, cap: int) -> int:
    if asked is None or not (asked.isascii() and asked.isdigit()):
        return DEFAULT_SIZE
    return min(int(asked[:9]), cap)


def _body(count: int, size: int, number: int, texts: list[str]) -> Response:
    pages = -(-count // size) if size else 0
    pagination = f'{{"NumberOfItems":{count},"PageSize":{size},"PageNumber":{number},"NumberOfPages":{pages}}}'
    return json_response(f'{{"Pagination":{pagination},"Items":[{",".join(texts)}]}}')
