"""One execution of one command: its number, its clock, when it has to stop, and whom it tells."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from syncctl.clock import Clock
from syncctl.errors import DeferredError, InterruptedRunError
from syncctl.models import Purpose

GOES_ON = "the next run goes on"
_SLICE_SECONDS = 1.0  # how soon a waiting run notices a signal


class Reporter(Protocol):
    """Whom a run tells what it is doing; nothing of it is needed to understand the outcome."""

    def note(self, text: str) -> None:
        """One sentence about what happens now."""

    def warn(self, text: str) -> None:
        """One sentence that even cron should hear of, though it changes no outcome."""

    def progress(self, label: str, done: int, total: int) -> None:
        """How far a long read is."""


class Silent:
    """Tells nobody."""

    def note(self, text: str) -> None:
        """Nothing."""

    def warn(self, text: str) -> None:
        """Nothing."""

    def progress(self, label: str, done: int, total: int) -> None:
        """Nothing."""


class Run:
    """What every part of an execution shares; also a clock whose waits end when the run should stop.

    `stopping` is set by a signal handler.
    """

    stopping = False
    to_come = 0  # connectors that are still to have their part of the time

    def __init__(
        self,
        number: int,
        purpose: Purpose,
        clock: Clock,
        reporter: Reporter | None = None,
        deadline: datetime | None = None,
    ) -> None:
        self.number = number
        self.purpose = purpose
        self.clock = clock
        self.reporter = reporter or Silent()
        self.deadline = deadline

    def check(self) -> None:
        """Raises `InterruptedRunError` where a signal asks the run to stop, `DeferredError` at the deadline."""
        self._heed_signal()
        if self.deadline and self.clock.now() >= self.deadline:
            raise DeferredError(f"Stopped after --max-seconds; {GOES_ON}", self.clock.now())

    def allows(self, until: datetime) -> bool:
        """Whether the run may still be waiting at that time."""
        return self.deadline is None or until < self.deadline

    def left(self) -> float:
        """Seconds until the deadline."""
        return (self.deadline - self.clock.now()).total_seconds() if self.deadline else math.inf

    @contextmanager
    def aside(self, purpose: Purpose, seconds: float) -> Iterator[None]:
        """What is done inside is done for a lesser purpose, and for so long at most."""
        before = self.purpose, self.deadline
        until = self.now() + timedelta(seconds=seconds)
        self.purpose, self.deadline = purpose, min(until, self.deadline or until)
        try:
            yield
        finally:
            self.purpose, self.deadline = before

    def share(self) -> float:
        """Seconds that one silent service may take: an equal share of what is left, at least one."""
        return max(1.0, self.left() / (1 + self.to_come))

    def now(self) -> datetime:
        """The aware UTC time."""
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        """Waits, but notices within a second that a signal asks the run to stop.

        The waits are added up, so that a clock that jumps back does not make it wait for hours.
        """
        while seconds > 0:
            self._heed_signal()
            nap = min(seconds, _SLICE_SECONDS)
            self.clock.sleep(nap)
            seconds -= nap
        self._heed_signal()

    def _heed_signal(self) -> None:
        if self.stopping:
            raise stopped()


def stopped() -> InterruptedRunError:
    """What ends a run that a signal asks to stop."""
    return InterruptedRunError("Stopped by a signal", "What was read is kept; the next run goes on from there")
