"""Time, as one object that tests can replace, and the moment at which a run should stop."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """The aware UTC time."""

    def sleep(self, seconds: float) -> None:
        """Waits."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The aware UTC time."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Waits; a signal handler may end the wait by raising."""
        time.sleep(seconds)
