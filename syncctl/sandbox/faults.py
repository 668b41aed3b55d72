"""Faults on demand: what a network or a service does to a client sooner or later."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import count
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from .messages import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .clock import Clock
    from .service import Service

Proceed = Callable[[], Response]
"""Does what the request asks for."""

HTML = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"


@dataclass(slots=True)
class Fault:
    """One planted fault: which requests it is for, how often it happens, and what it does."""

    number: int
    service: str
    kind: str
    method: str | None = None
    path: re.Pattern[str] | None = None
    skip: int = 0
    times: int | None = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    happened: int = 0
    holding: int = 0
    released: Event = field(default_factory=Event)

    def is_for(self, service: str, request: Request) -> bool:
        """Whether the request is one of those that this fault counts."""
        return (
            self.service == service
            and self.method in (None, request.method)
            and (self.path is None or self.path.search(request.target) is not None)
        )

    def due(self) -> bool:
        """Count one matching request and say whether the fault happens to it."""
        if self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times = None if self.times is None else self.times - 1
        self.happened += 1
        return True

    def report(self) -> dict[str, Any]:
        """The fault as the control API shows it; `skip` and `times` are what remains of them."""
        return {
            "id": self.number,
            "service": self.service,
            "match": {"method": self.method, "path": self.path.pattern if self.path else None},
            "kind": self.kind,
            "skip": self.skip,
            "times": self.times,
            "happened": self.happened,
            "holding": self.holding,
            **self.options,
        }


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
        fault = _fault_from(next(self._numbers), order)
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
        return KINDS[fault.kind](Scene(self, service, fault, proceed))

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


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a kind of fault needs to happen."""

    faults: Faults
    service: Service
    fault: Fault
    proceed: Proceed

    def around(self, wait: Callable[[], None]) -> Response:
        """Do what is asked with a wait before it, or after it when the fault says `"when": "after"`."""
        if self.fault.options.get("when") == "after":
            response = self.proceed()
            wait()
            return response
        wait()
        return self.proceed()


def _too_many(scene: Scene) -> Response:
    options = scene.fault.options
    response = scene.service.refusal(options.get("window", "minute"), None)
    wanted = options.get("retry_after")
    if wanted is None:
        return response
    value = scene.faults.http_date(options.get("seconds", 60)) if wanted == "date" else str(wanted)
    return response.with_header("Retry-After", value)


def _slow(scene: Scene) -> Response:
    return scene.around(lambda: scene.faults.pause(scene.fault.options.get("seconds", 1)))


def _hold(scene: Scene) -> Response:
    def wait() -> None:
        with scene.faults.counted_as_held(scene.fault):
            scene.fault.released.wait()

    return scene.around(wait)


def _garbage(scene: Scene) -> Response:
    whole = scene.proceed()
    return Response(200, b'{"Items":[{"broken' + b"?" * max(0, len(whole.body) - 18))


def _always(response: Response) -> Callable[[Scene], Response]:
    return lambda _: response


KINDS: dict[str, Callable[[Scene], Response]] = {
    "429": _too_many,
    "500": _always(json_response('{"Description":"An error has occurred."}', 500)),
    "503-text": _always(Response(503, b"Service Unavailable", "text/plain; charset=utf-8")),
    "html": _always(Response(200, HTML, "text/html; charset=utf-8")),
    "401": _always(json_response('{"Description":"Unauthorized"}', 401)),
    "403": _always(json_response('{"Description":"Forbidden"}', 403)),
    "drop-before": _always(Response(0, delivery="none")),
    "drop-after": lambda scene: scene.proceed().delivered("none"),
    "slow": _slow,
    "hold": _hold,
    "truncated": lambda scene: scene.proceed().delivered("half"),
    "garbage": _garbage,
}

_OWN_FIELDS = ("service", "match", "skip", "times", "kind")
_OPTIONS: dict[str, tuple[str, ...]] = {
    "429": ("window", "retry_after", "seconds"),
    "slow": ("seconds", "when"),
    "hold": ("when",),
}


def _fault_from(number: int, order: Mapping[str, Any]) -> Fault:
    kind = str(order.get("kind"))
    if kind not in KINDS:
        raise ValueError(f"There is no fault {kind!r}; there are {', '.join(KINDS)}.")
    options = {name: value for name, value in order.items() if name not in _OWN_FIELDS}
    _check_options(kind, options)
    match = order.get("match") or {}
    method, times = match.get("method"), order.get("times", 1)
    return Fault(
        number=number,
        service=str(order.get("service")),
        kind=kind,
        method=str(method).upper() if method else None,
        path=_pattern(match.get("path")),
        skip=_whole("skip", order.get("skip", 0)),
        times=None if times is None else _whole("times", times),
        options=options,
    )


def _check_options(kind: str, options: Mapping[str, Any]) -> None:
    known = _OPTIONS.get(kind, ())
    for name in options:
        if name not in known:
            raise ValueError(f"Fault {kind!r} has no option {name!r}; it has {', '.join(known) or 'none'}.")
    if not isinstance(options.get("seconds", 0), int | float):
        raise ValueError("The option 'seconds' of a fault is a number.")


def _pattern(text: object) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(str(text), re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"The path {text!r} of a fault is no regular expression: {error}.") from None


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name!r} of a fault is a whole number from 0 up, not {value!r}.")
    return value


def _set_free(faults: Iterable[Fault]) -> None:
    for fault in faults:
        fault.released.set()
