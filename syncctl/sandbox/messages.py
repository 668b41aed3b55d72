"""A request as a service sees it, and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message
from tempfile import SpooledTemporaryFile
from typing import Literal

JSON_TYPE = "application/json; charset=utf-8"

Delivery = Literal["whole", "half", "none"]
"""How an answer reaches the client: all of it, cut in the middle, or not at all."""
MEGABYTE = 1 << 20


class Spool:
    """A body too large for memory: written once, read once, and a file beyond the first megabyte."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=MEGABYTE)  # noqa: SIM115 - closed once it is delivered
        self.length = 0

    def write(self, part: bytes) -> None:
        """Add the next part."""
        self.length += self._file.write(part)

    def parts(self) -> Iterator[bytes]:
        """The body from its beginning, in parts that fit into memory."""
        self._file.seek(0)
        return iter(lambda: self._file.read(MEGABYTE // 4), b"")

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


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
    """One HTTP answer; a `spool` stands for the body and is closed by whoever ends with the answer."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = "whole"
    spool: Spool | None = None

    @property
    def length(self) -> int:
        """How many bytes the body has."""
        return len(self.body) if self.spool is None else self.spool.length

    def parts(self) -> Iterator[bytes]:
        """The body in parts."""
        return iter((self.body,)) if self.spool is None else self.spool.parts()

    def close(self) -> None:
        """Give back what a large body occupies."""
        if self.spool is not None:
            self.spool.close()

    def delivered(self, delivery: Delivery) -> Response:
        """The same answer, delivered another way."""
        return replace(self, delivery=delivery)

    def with_header(self, name: str, value: str) -> Response:
        """The same answer with a header, in place of one with the same name."""
        others = (each for each in self.headers if each[0].lower() != name.lower())
        return replace(self, headers=(*others, (name, value)))


def json_response(text: str, status: int = 200) -> Response:
    """An answer whose body is the JSON `text`."""
    return Response(status, text.encode())
