"""One execution of one command: its number, its clock, when it has to stop, and whom it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from syncctl.clock import Clock
from syncctl.errors import DeferredError, InterruptedRunError
from syncctl.models import Purpose

_SLICE_SECONDS = 1.0  # how soon a waiting run notices a signal


class Reporter(Protocol):
    """Whom a run tells what it is doing; nothing of it is needed to understand the outcome."""

    def note(self, text: str) -> None:
        """One sentence about what happens now."""

    def progress(self, label: str, done: int, total: int) -> None:
        """How far a long read is."""


class Silent:
    """Tells nobody."""

    def note(self, text: str) -> None:
        """Nothing."""

    def progress(self, label: str, done: int, total: int) -> None:
        """Nothing."""


@dataclass(slots=True)
class Run:
    """What every part of an execution shares. `stopping` is set by a signal handler."""

    number: int
    purpose: Purpose
    clock: Clock
    reporter: Reporter = field(default_factory=Silent)
    deadline: datetime | None = None
    stopping: bool = False

    def check(self) -> None:
        """Raises `InterruptedRunError` where a signal asks the run to stop, `DeferredError` at the deadline."""
        if self.stopping:
            raise InterruptedRunError("Stopped by a signal", "What was read is kept; the next run goes on from there")
        if self.deadline and self.clock.now() >= self.deadline:
            raise DeferredError("Stopped after --max-seconds", self.clock.now())

    def allows(self, until: datetime) -> bool:
        """Whether the run may still be waiting at that time."""
        return self.deadline is None or until < self.deadline

    def wait(self, seconds: float) -> None:
        """Waits, but notices within a second that the run should stop."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while (left := (end - self.clock.now()).total_seconds()) > 0:
            self.check()
            self.clock.sleep(min(left, _SLICE_SECONDS))
