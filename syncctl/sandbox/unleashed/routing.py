"""From a path to the endpoint that answers it.

Resource names compare without regard to case, doubled and trailing slashes do not matter; a segment
of digits is a page, a GUID is a record (apidocs.unleashedsoftware.com/Invoices and the traffic of
live clients).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .. import wire
from .answers import Refused, not_allowed, not_found, unparsable
from .query import Params

if TYPE_CHECKING:
    from ..messages import Request, Response

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One request at one endpoint."""

    request: Request
    params: Params
    guid: str | None = None
    page: int = 1

    def posted(self) -> dict[str, Any]:
        """The object in the body; one that cannot be parsed is answered with 500, as documented."""
        try:
            record = wire.loads(self.request.body)
        except ValueError:
            raise Refused(unparsable()) from None
        if not isinstance(record, dict) or _holds_no_decimal(record):
            raise Refused(unparsable())
        return record

    def key(self) -> str:
        """The id in the path, in lower case."""
        return (self.guid or "").lower()


def _holds_no_decimal(value: Any) -> bool:
    """Whether a number in the body fits no decimal, like `NaN` or `1e400`."""
    if isinstance(value, dict):
        return any(map(_holds_no_decimal, value.values()))
    if isinstance(value, list):
        return any(map(_holds_no_decimal, value))
    if not isinstance(value, wire.Number):
        return False
    return wire.decimal(value) is None


Endpoint = Callable[[Call], "Response"]


@dataclass(slots=True)
class Router:
    """Every endpoint by its path with placeholders and by its method."""

    endpoints: dict[str, dict[str, Endpoint]] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)

    def add(self, method: str, template: str, endpoint: Endpoint) -> None:
        """Add an endpoint; `template` is like `/StockOnHand/{guid}/AllWarehouses`."""
        shape = template.lower()
        self.templates[shape] = template
        self.endpoints.setdefault(shape, {})[method] = endpoint

    def add_list(self, name: str, many: Endpoint, one: Endpoint) -> None:
        """Add the reading side of a resource: its list, its pages and its single records."""
        for path in (f"/{name}", f"/{name}/{{page}}", f"/{name}/Page/{{page}}"):
            self.add("GET", path, many)
        self.add("GET", f"/{name}/{{guid}}", one)

    def answer(self, request: Request) -> Response:
        """Call the endpoint that the request is for, or refuse: 404 no such path, 405 no such method."""
        segments = _segments(request.path)
        methods = self.endpoints.get(_shape(segments))
        if methods is None:
            return not_found()
        endpoint = methods.get(request.method)
        if endpoint is None:
            return not_allowed()
        return endpoint(
            Call(
                request,
                Params(request.query),
                guid=next((each for each in segments if _GUID.fullmatch(each)), None),
                page=next((int(each) for each in segments if _is_page(each)), 1),
            )
        )

    def template(self, path: str) -> str:
        """A path with placeholders, spelt as the vendor does where the path is known."""
        shape = _shape(_segments(path))
        return self.templates.get(shape, shape)


def _segments(path: str) -> list[str]:
    return [unquote(segment) for segment in path.split("/") if segment]


def _is_page(segment: str) -> bool:
    # Beyond nine digits it is no page that anybody asks for, and SQLite has its limits too.
    return segment.isascii() and segment.isdigit() and len(segment) < 10


def _placeholder(segment: str) -> str:
    if _is_page(segment):
        return "{page}"
    return "{guid}" if _GUID.fullmatch(segment) else segment.lower()


def _shape(segments: list[str]) -> str:
    return "/" + "/".join(map(_placeholder, segments))
