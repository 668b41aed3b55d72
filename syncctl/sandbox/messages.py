"""A request as a service sees it, and its answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from email.message import Message
from typing import Literal

JSON_TYPE = "application/json; charset=utf-8"

Delivery = Literal["whole", "half", "none"]
"""How an answer reaches the client: all of it, cut in the middle, or not at all."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, its path relative to the service's prefix and still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes

    @property
    def target(self) -> str:
        """Path and query as they were sent."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = "whole"

    def delivered(self, delivery: Delivery) -> Response:
        """The same answer, delivered another way."""
        return replace(self, delivery=delivery)

    def with_header(self, name: str, value: str) -> Response:
        """The same answer with one more header."""
        return replace(self, headers=(*self.headers, (name, value)))


def json_response(text: str, status: int = 200) -> Response:
    """An answer whose body is the JSON `text`."""
    return Response(status, text.encode())
