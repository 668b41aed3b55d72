"""What a request for a resource asks for: its parameters, and which page of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from .. import wire

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

    from ..messages import Request


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for a resource asks for."""

    headers: Message
    params: Mapping[str, str]
    key: str | None = None
    method: str = "GET"
    body: bytes = b""

    @classmethod
    def of(cls, request: Request, key: str | None = None) -> Asked:
        """What a request asks for; names of parameters compare without regard to case."""
        params = {name.lower(): value for name, value in parse_qsl(request.query)}
        return cls(request.headers, params, key, request.method, request.body)

    def param(self, name: str) -> str | None:
        """A parameter of the query."""
        return self.params.get(name.lower())

    def flag(self, name: str) -> bool:
        """Whether a parameter of the query says true."""
        return (self.param(name) or "").lower() == "true"

    def several(self, name: str) -> list[str]:
        """The values of a parameter that is a list with commas."""
        return [value.strip() for value in (self.param(name) or "").split(",") if value.strip()]

    @property
    def is_full(self) -> bool:
        """Whether records are shown with all their fields: single ones, in pages, and after a write."""
        return self.key is not None or self.method != "GET" or self.param("page") is not None


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for; what is out of range is adjusted without a word."""

    number: int
    size: int

    @classmethod
    def of(cls, asked: Asked) -> Page:
        """The page that the query names, or the first one."""
        return cls(max(1, _whole(asked.param("page"), 1)), min(1000, max(1, _whole(asked.param("pageSize"), 100))))

    @property
    def offset(self) -> int:
        """How many records come before it."""
        return (self.number - 1) * self.size

    def pagination(self, total: int) -> str:
        """The part of the envelope that tells about pages."""
        count = -(-total // self.size)
        return wire.dumps({"page": self.number, "pageSize": self.size, "pageCount": count, "itemCount": total})


def _whole(text: str | None, default: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return default
