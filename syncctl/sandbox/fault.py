"""One planted fault: which requests it is for, and reading it from JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .messages import Request

WHEN = ("before", "after")
KINDS: dict[str, tuple[str, ...]] = {
    "429": ("window", "retry_after", "seconds"),
    "500": ("when",),
    **dict.fromkeys(("503-text", "502-html", "html", "401", "403", "drop-before", "drop-after"), ()),
    "slow": ("seconds", "when"),
    "hold": ("when",),
    **dict.fromkeys(("truncated", "garbage"), ()),
}
"""The kinds of fault, each with its options."""
_OWN_FIELDS = ("service", "match", "skip", "times", "kind")


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


def fault_from(number: int, order: Mapping[str, Any]) -> Fault:
    """The fault that a JSON object describes; raises ValueError with a sentence when it makes no sense."""
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
    known = KINDS[kind]
    for name in options:
        if name not in known:
            raise ValueError(f"Fault {kind!r} has no option {name!r}; it has {', '.join(known) or 'none'}.")
    if not isinstance(options.get("seconds", 0), int | float):
        raise ValueError("The option 'seconds' of a fault is a number.")
    if options.get("when", "before") not in WHEN:
        raise ValueError(f"The option 'when' of a fault is one of {', '.join(WHEN)}.")


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
