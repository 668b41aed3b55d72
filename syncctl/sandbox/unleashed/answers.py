"""The answers that are no records: apidocs.unleashedsoftware.com/StatusCodes.

The bodies of 403, 404 and of the monthly block are not documented; these are the sandbox's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import wire
from ..messages import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterable


class Refused(Exception):  # noqa: N818 - an answer, not an accident
    """Ends a request with the answer it carries."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a posted record."""

    field: str
    description: str


def refusal(status: int, description: str) -> Response:
    """An error with nothing but a description."""
    return json_response(wire.dumps({"Description": description}), status)


def forbidden() -> Response:
    """Missing or wrong id or signature: 403, there is no 401."""
    return refusal(403, "Forbidden")


def not_found() -> Response:
    """No such endpoint; that an unknown record answers the same is unconfirmed by the vendor."""
    return refusal(404, "Not found")


def not_allowed() -> Response:
    """The endpoint exists but not with this method, or its id is missing."""
    return refusal(405, "Method not allowed")


def unparsable() -> Response:
    """The object passed could not be parsed: 500, not 400."""
    return refusal(500, "The object passed could not be parsed")


def invalid(faults: Iterable[Fault]) -> Response:
    """Failed validation: one item per fault. Field spellings and error codes are unconfirmed."""
    items = [{"Field": each.field, "Description": each.description, "ErrorCode": 0} for each in faults]
    text = "; ".join(f"{item['Field']}: {item['Description']}" for item in items)
    return json_response(wire.dumps({"Items": items, "Description": text}), 400)
