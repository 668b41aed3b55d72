"""What the API does with an `Idempotency-Key`.

developer.xero.com/documentation/guides/idempotent-requests/idempotency: for six minutes after the
first call the same request gets the same answer, errors too; another request under the same key is
refused. Keys belong to the app. Unconfirmed by the vendor: whether a key counts on `POST` (switch
`idempotent_post`), and what happens while the first call still runs (switch `in_flight`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from threading import Event, Lock
from typing import TYPE_CHECKING

from ..messages import Response
from .answers import problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..clock import Clock
    from ..messages import Request
    from ..switches import Switches

LIFE = 6 * 60
LONGEST = 128
METHODS = ("PUT", "POST", "PATCH")


@dataclass(slots=True)
class _Kept:
    """The first call under a key: what it asked for, its answer, and whether that has left."""

    print: bytes
    until: float
    response: Response | None = None
    left: Event = field(default_factory=Event)


class Replays:
    """The answers that are kept under keys."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._lock = Lock()
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._running: dict[int, _Kept] = {}

    def answer(self, app: str, request: Request, proceed: Callable[[], Response]) -> Response:
        """What the first call under the key was answered, or what `proceed` answers now."""
        key = self._key(request)
        if not key:
            return proceed()
        if len(key) > LONGEST:
            return problem(400, f"Idempotency Key: {key} with length {len(key)} is too long.")
        first, is_mine = self._claimed((app, key), request)
        if not is_mine:
            return self._repeated(first, key, request, proceed)
        first.response = _whole(proceed())
        return first.response

    def _key(self, request: Request) -> str:
        ignored = request.method == "POST" and self._switches["idempotent_post"] == "no"
        known = request.method in METHODS and not ignored
        return (request.headers.get("Idempotency-Key") or "") if known else ""

    def _claimed(self, key: tuple[str, str], request: Request) -> tuple[_Kept, bool]:
        """The first call under a key, and whether this is it."""
        now = self._clock.now()
        with self._lock:
            self._kept = {known: kept for known, kept in self._kept.items() if now < kept.until}
            if key in self._kept:
                return self._kept[key], False
            self._kept[key] = self._running[id(request)] = _Kept(_print(request), now + LIFE)
            return self._kept[key], True

    def _repeated(self, first: _Kept, key: str, request: Request, proceed: Callable[[], Response]) -> Response:
        if first.print != _print(request):
            return problem(400, f"Idempotency Key {key} is used with a different request.")
        reading = self._switches["in_flight"]
        if not first.left.is_set() and reading == "409":
            return problem(409, f"Idempotency Key {key} is in use by a request that still runs.")
        if not first.left.is_set() and reading == "run":
            return proceed()
        first.left.wait()
        # Without an answer the copy itself failed on the first call.
        return first.response or proceed()

    def forget(self) -> None:
        """Forget all keys, and let go who waits for an answer."""
        with self._lock:
            for kept in self._kept.values():
                kept.left.set()
            self._kept, self._running = {}, {}

    def leave(self, request: Request) -> None:
        """The answer of a call has left: from now on it is repeated."""
        with self._lock:
            kept = self._running.pop(id(request), None)
        if kept is not None:
            kept.left.set()


def _print(request: Request) -> bytes:
    return sha256(f"{request.method} {request.target}\n".encode() + request.body).digest()


def _whole(response: Response) -> Response:
    """An answer that can be given again: its body in memory."""
    body = b"".join(response.parts())
    response.close()
    return replace(response, body=body, spool=None)
