"""The body of `POST /inventory` (x-series-api.lightspeedhq.com/reference/listinventoryrecords)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .answers import bad_request

DEFAULT_SIZE, LARGEST = 1000, 5000
_DIRECTIONS = ("asc", "desc")


@dataclass(frozen=True, slots=True)
class Order:
    """Which rows are asked for."""

    after: int = 0
    before: int | None = None
    size: int = DEFAULT_SIZE
    descending: bool = True
    product: str | None = None
    variants: bool = False
    deleted: bool = False


def order_from(body: bytes, *, refuse_large: bool) -> Order:
    """The order in a body; wrong types get a 400, a size beyond 5000 does or is clamped."""
    asked = _object(body)
    size = _whole(asked, "size", DEFAULT_SIZE)
    if size < 1 or (size > LARGEST and refuse_large):
        raise bad_request(f"size must be from 1 to {LARGEST}")
    direction = asked.get("sort_direction") or "desc"
    if direction not in _DIRECTIONS:
        raise bad_request("sort_direction must be asc or desc")
    product = asked.get("product_id")
    return Order(
        after=_whole(asked, "after", 0),
        before=None if asked.get("before") is None else _whole(asked, "before", 0),
        size=min(size, LARGEST),
        descending=direction == "desc",
        product=None if product is None else str(product).lower(),
        variants=asked.get("variants") is True,
        deleted=asked.get("include_deleted") is True,
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        raise bad_request("The body is no JSON") from None
    if not isinstance(asked, dict):
        raise bad_request("The body is no JSON object")
    return asked


def _whole(asked: dict[str, Any], name: str, default: int) -> int:
    value = asked.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise bad_request(f"{name} is not a valid integer")
    return value
