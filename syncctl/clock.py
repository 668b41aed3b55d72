"""Time, as one object that tests can replace, and lengths of it in words."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Protocol

UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
LENGTH = r"[1-9][0-9]{0,4} ?(min|[smhd])"  # of time, as people write it


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


def span(seconds: float) -> str:
    """A length of time in one unit, rounded down: `40 s`, `12 min`, `3 h`, `5 days`."""
    if seconds < 60:
        return f"{max(int(seconds), 0)} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    return f"{int(seconds // 3600)} h" if seconds < 172_800 else f"{int(seconds // 86_400)} days"


def window_words(name: str) -> str:
    """A window of the budget as people call it: `5 min`, `24 h`, `day`, `month`."""
    return span(int(name[:-1])) if name[:-1].isdigit() else name


def seconds_in(length: str) -> int:
    """The seconds in a length of time, as `90m`, `90min`, `2h` or `3 d`; raises `ValueError` for any other text."""
    match = re.fullmatch(LENGTH, length)
    if not match:
        raise ValueError(length)
    return int(length.removesuffix(match[1])) * UNITS[match[1]]
