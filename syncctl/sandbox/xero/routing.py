"""From a path to what it means; paths compare without regard to case, as xero-python's spelling needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Collection

_API = ["api.xro", "2.0"]


@dataclass(frozen=True, slots=True)
class Route:
    """What a path means: its family, the resource in lower case, and the key of one record."""

    family: str = "nothing"
    resource: str = ""
    key: str | None = None


def route_of(path: str) -> Route:
    """What a path means."""
    segments = [unquote(segment) for segment in path.split("/") if segment]
    lower = [segment.lower() for segment in segments]
    if lower[:1] == ["connections"] and len(segments) <= 2:
        return Route("connections", key=segments[1] if len(segments) == 2 else None)
    if lower in (["connect", "token"], ["connect", "revocation"]):
        return Route("token", lower[1])
    if lower == ["identity", "connect", "authorize"]:
        return Route("consent")
    if lower[:2] == _API and 3 <= len(segments) <= 4:
        return Route("api", lower[2], segments[3] if len(segments) == 4 else None)
    return Route("api") if lower[:2] == _API else Route()


def template_of(path: str, resources: Collection[str]) -> str:
    """A path with a placeholder for its key, spelt as the vendor does where it is known."""
    route = route_of(path)
    ending = "" if route.key is None else "/{id}"
    if route.family == "connections":
        return f"/connections{ending}"
    if route.family == "token":
        return f"/connect/{route.resource}"
    if route.family == "consent":
        return "/identity/connect/authorize"
    known = next((name for name in resources if name.lower() == route.resource), route.resource)
    return f"/api.xro/2.0/{known}{ending}" if route.family == "api" else path.lower()
