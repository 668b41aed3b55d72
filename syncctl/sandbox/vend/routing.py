"""From a versioned path to the endpoint that answers it (x-series-api.lightspeedhq.com/docs/versioning-strategy).

A date version that is no longer supported, or never was, does not fail: the oldest supported one
answers in its place, without a word. Of the semantic versions
only 2.0 is copied, and of 0.9, whose paths name no version, only sales.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from .. import wire
from .answers import Refused, bad_request, not_found

if TYPE_CHECKING:
    from ..messages import Request, Response
    from ..wire import JsonObject

UNVERSIONED, SEMANTIC = "0.9", "2.0"
DATED = ("2026-01", "2026-04", "2026-07", "2026-10")
LAST_WITH_GET_INVENTORY = "2026-01"
"""Reading inventory became a POST in 2026-04 (v2026.01/reference/inventory)."""
_DATE = re.compile(r"\d{4}-\d\d")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)


class Params:
    """The query of a request; a parameter may be repeated, unknown ones mean nothing."""

    def __init__(self, query: str) -> None:
        self._values = parse_qs(query)

    def all(self, name: str) -> list[str]:
        """Every value of a parameter."""
        return self._values.get(name, [])

    def get(self, name: str) -> str | None:
        """The first value of a parameter, or None."""
        return next(iter(self.all(name)), None)

    def flag(self, name: str) -> bool:
        """Whether a parameter is `true`."""
        return (self.get(name) or "").lower() in {"true", "1"}

    def whole(self, name: str) -> int | None:
        """A whole number of 64 bits, or None when it is not given; anything else is a 400."""
        text = self.get(name)
        if text is None:
            return None
        if not _WHOLE.fullmatch(text) or abs(int(text)) >= 2**63:
            raise bad_request(f"{name} is not a valid integer")
        return int(text)


@dataclass(frozen=True, slots=True)
class Call:
    """One request at one endpoint, in the version that answers it, with what its token may do."""

    request: Request
    params: Params
    version: str
    scopes: frozenset[str]
    key: str = ""

    @property
    def is_semantic(self) -> bool:
        """Whether the shapes before the date versions are asked for."""
        return self.version == SEMANTIC

    def posted(self) -> JsonObject:
        """The JSON object in the body; anything else is a 400."""
        try:
            body = wire.loads(self.request.body)
        except ValueError:
            raise bad_request("The body is no JSON") from None
        if not isinstance(body, dict):
            raise bad_request("The body is no JSON object")
        return body

    def demand(self, scopes: tuple[str, ...]) -> None:
        """Refuse with 403 what the token may not do."""
        missing = [scope for scope in scopes if scope not in self.scopes]
        if missing:
            raise Refused(403, f"Missing scope: {' '.join(missing)}")


Endpoint = Callable[[Call], "Response"]


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint, the scopes that it needs, and the versions that have it."""

    endpoint: Endpoint
    scopes: tuple[str, ...]
    since: str = SEMANTIC
    until: str = DATED[-1]

    def exists_in(self, version: str) -> bool:
        """Whether a version has it; `0.9` and `2.0` sort before every date."""
        return self.since <= version <= self.until


@dataclass(slots=True)
class Router:
    """Every endpoint by its method and its path with placeholders."""

    routes: dict[str, list[tuple[str, Route]]] = field(default_factory=dict)

    def add(self, method: str, template: str, route: Route) -> None:
        """Add an endpoint; `template` is what follows the version, like `/products/{id}`."""
        self.routes.setdefault(template, []).append((method, route))

    def answer(self, request: Request, scopes: frozenset[str], oldest: str) -> Response:
        """Call the endpoint that the request is for; refuses with 404, 405 or 403."""
        segments = _segments(request.path)
        version = _served(segments, oldest)
        resource = segments[1 if version == UNVERSIONED else 2 :]
        route = self._route(request.method, _shape(resource), version)
        key = next((each.lower() for each in segments if is_uuid(each)), "")
        call = Call(request, Params(request.query), version, scopes, key)
        call.demand(route.scopes)
        return route.endpoint(call)

    def _route(self, method: str, shape: str, version: str) -> Route:
        there = [each for each in self.routes.get(shape, []) if each[1].exists_in(version)]
        if not there:
            raise not_found("Endpoint")
        found = next((route for known, route in there if known == method), None)
        if found is None:
            raise Refused(405, f"{method} is not allowed here")
        return found


def is_uuid(text: str) -> bool:
    """Whether a text is an id."""
    return _UUID.fullmatch(text) is not None


def template(path: str) -> str:
    """A path with placeholders."""
    return _shape(_segments(path))


def _segments(path: str) -> list[str]:
    return [unquote(segment) for segment in path.split("/") if segment]


def _shape(segments: list[str]) -> str:
    return "/" + "/".join("{id}" if is_uuid(each) else each for each in segments)


def _served(segments: list[str], oldest: str) -> str:
    """The version that answers a path `/api/<version>/…`."""
    if segments[:2] == ["api", "register_sales"]:
        return UNVERSIONED
    if len(segments) < 3 or segments[0] != "api":
        raise not_found("Endpoint")
    asked = segments[1]
    if _DATE.fullmatch(asked) and asked < oldest:
        return oldest
    if asked not in (SEMANTIC, *DATED):
        raise not_found("Version")
    return asked
