"""Faults on demand: what a network or a service does to a client sooner or later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from itertools import count
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from .fault import Fault, fault_from
from .fault_kinds import ACTIONS, Proceed, Scene

if TYPE_CHECKING:
    from .clock import Clock
    from .messages import Request, Response
    from .service import Service


class Faults:
    """The planted faults, in the order they were planted: the first that is due happens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._numbers = count(1)
        self._faults: list[Fault] = []
        self._stopping = Event()

    def plant(self, order: Mapping[str, Any]) -> Fault:
        """Add a fault described in JSON; raises ValueError with a sentence when it makes no sense."""
        fault = fault_from(next(self._numbers), order)
        with self._lock:
            self._faults.append(fault)
        return fault

    def report(self) -> list[dict[str, Any]]:
        """All planted faults, used-up ones included."""
        with self._lock:
            return [fault.report() for fault in self._faults]

    def release(self, number: int | None = None) -> int:
        """Let held requests go on (those of one fault, or all); returns how many were held."""
        with self._lock:
            chosen = [fault for fault in self._faults if number in (None, fault.number)]
            held = sum(fault.holding for fault in chosen)
        _set_free(chosen)
        return held

    def remove(self, number: int | None = None) -> int:
        """Delete one fault or all and let go what they hold; returns how many were deleted."""
        with self._lock:
            gone = [fault for fault in self._faults if number in (None, fault.number)]
            self._faults = [fault for fault in self._faults if fault not in gone]
        _set_free(gone)
        return len(gone)

    def stop(self) -> None:
        """End every wait for good: the sandbox shuts down."""
        self._stopping.set()
        self.remove()

    def apply(self, service: Service, request: Request, proceed: Proceed) -> Response:
        """Answer a request, with the first fault that is due for it."""
        with self._lock:
            fault = next((f for f in self._faults if f.is_for(service.name, request) and f.due()), None)
        if fault is None:
            return proceed()
        return ACTIONS[fault.kind](Scene(self, service, fault, proceed))

    def pause(self, seconds: float) -> None:
        """Wait in real time, unless the sandbox stops first."""
        self._stopping.wait(seconds)

    @contextmanager
    def counted_as_held(self, fault: Fault) -> Iterator[None]:
        """Show a request as held by the fault while the block runs."""
        with self._lock:
            fault.holding += 1
        try:
            yield
        finally:
            with self._lock:
                fault.holding -= 1

    def http_date(self, seconds: float) -> str:
        """The HTTP date so many seconds from the sandbox's now."""
        return formatdate(self._clock.now() + seconds, usegmt=True)


def _set_free(faults: Iterable[Fault]) -> None:
    for fault in faults:
        fault.released.set()
