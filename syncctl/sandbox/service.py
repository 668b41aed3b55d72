"""What a copied service is to the frame around it: its API, its records, its open points."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from .messages import Response, json_response

if TYPE_CHECKING:
    from .clock import Clock
    from .limits import Limits
    from .messages import Request
    from .store import Store
    from .switches import Switches
    from .wire import JsonObject


@dataclass(frozen=True, slots=True)
class Planting:
    """How a record is planted: without moving its stamp, or exactly as given without defaults."""

    silent: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """One record as the control API lists it; `body` is the JSON text that the service returns."""

    id: str
    body: str
    writes: int


class RecordKind(Protocol):
    """One kind of record, as seen by somebody who works in the service itself."""

    def listed(self, offset: int, limit: int) -> list[Listed]:
        """Some of the records, hidden ones included."""

    def total(self) -> int:
        """How many records there are."""

    def found(self, column: str, value: str) -> list[Listed]:
        """The records whose `id` or `code` is exactly this."""

    def plant(self, record: JsonObject, how: Planting) -> str:
        """Create or change a record; returns its id, raises ValueError with a sentence."""

    def remove(self, key: str) -> bool:
        """Remove a record for good, so that no feed tells; False when there is none."""


class Service(ABC):
    """A faithful local copy of one back office's API, served under `/<name>`."""

    name: ClassVar[str]
    switches: Switches
    limits: Limits
    quota_window: ClassVar[str]
    """The window whose use `POST quota` sets."""

    @abstractmethod
    def __init__(self, store: Store, clock: Clock) -> None:
        """Open what the store holds of this service."""

    @abstractmethod
    def seed(self, products: int, seed: int) -> None:
        """Fill the empty service; the same seed gives the same records, but for their times."""

    def seed_posting(self) -> None:  # noqa: B027 - most services have it all
        """Add to a seeded service what its settings of posting name and its other records do not need."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether nothing was ever seeded or written."""

    @abstractmethod
    def clear(self) -> None:
        """Remove all records and put switches, limits and their use back to the defaults."""

    @abstractmethod
    def kinds(self) -> Mapping[str, RecordKind]:
        """The kinds of record that the control API reaches, by name."""

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """Do what a request asks for, limits and credentials included."""

    @abstractmethod
    def refusal(self, window: str, wait: float | None) -> Response:
        """The answer when a window is full for `wait` more seconds (None: not known)."""

    def failure(self, status: int, sentence: str) -> Response:
        """An error in this service's own shape, for a planted fault."""
        return json_response(json.dumps({"Description": sentence}, separators=(",", ":")), status)

    def unavailable(self) -> Response:
        """What says that the whole service is down, in plain text."""
        return Response(503, b"Service Unavailable", "text/plain; charset=utf-8")

    def enter(self, request: Request) -> Response | None:
        """Let a request in before anything is done about it, or refuse it; by default all are let in."""
        return None

    def leave(self, request: Request) -> None:  # noqa: B027 - only a service that counts needs it
        """A request that was let in has its answer."""

    def tokens(self) -> JsonObject:
        """The tokens and their keys as they are now; nothing when the credentials never change."""
        return {}

    def change_tokens(self, order: JsonObject) -> None:
        """Expire, revoke or otherwise change tokens; raises ValueError with a sentence."""
        raise ValueError(f"The credentials of {self.name} never change.")

    @abstractmethod
    def template(self, request: Request) -> str:
        """The path of a request with placeholders for ids and page numbers."""

    @classmethod
    @abstractmethod
    def env(cls, url: str) -> dict[str, str]:
        """The settings of syncctl that point at this copy, which is served under `url`; they read only."""

    @classmethod
    @abstractmethod
    def posting_env(cls) -> dict[str, str]:
        """The further settings of syncctl that orders are posted with; the role `invoices` is one of them."""
