"""The answers that are no records.

Only the body of a 429 is published (x-series-api.lightspeedhq.com/docs/rate_limiting). The other
bodies come in the shapes that clients have been seen to parse: switch `error_shape`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from .. import wire
from ..messages import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..wire import JsonObject

_SHAPES: dict[str, Callable[[str, str], JsonObject]] = {
    "message": lambda title, text: {"error": title, "message": text},
    "details": lambda title, text: {"error": title, "details": text},
    "errors": lambda _, text: {"errors": [text]},
    "errors_object": lambda _, text: {"errors": {"global": [text]}},
}


class Refused(Exception):  # noqa: N818 - an answer, not an accident
    """Ends a request with a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def error_response(status: int, sentence: str, shape: str) -> Response:
    """An error in one of the shapes of the switch `error_shape`."""
    return json_response(wire.dumps(_SHAPES[shape](HTTPStatus(status).phrase, sentence)), status)


def not_found(what: str) -> Refused:
    """Unknown or deleted id, or no such endpoint."""
    return Refused(404, f"{what} not found")


def bad_request(sentence: str) -> Refused:
    """Malformed parameter, cursor or body."""
    return Refused(400, sentence)
