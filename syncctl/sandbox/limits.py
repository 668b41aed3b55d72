"""How many calls a service lets through, over rolling and calendar windows."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Protocol


class Window(Protocol):
    """A stretch of time in which calls are counted."""

    def used(self, now: float) -> int:
        """Calls counted in the window that holds `now`."""

    def add(self, now: float) -> None:
        """Count one call."""

    def set_used(self, now: float, calls: int) -> None:
        """Pretend that `calls` calls were made in the window that holds `now`."""

    def wait(self, now: float) -> float:
        """Seconds until the window has room again, supposing that it is full."""


class Rolling:
    """The last so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._moments: deque[float] = deque()

    def used(self, now: float) -> int:
        """Calls counted in the last seconds."""
        while self._moments and self._moments[0] <= now - self.seconds:
            self._moments.popleft()
        # The clock may have been turned back: what then lies in the future is not in the window.
        return sum(moment <= now for moment in self._moments)

    def add(self, now: float) -> None:
        """Count one call."""
        self._moments.append(now)

    def set_used(self, now: float, calls: int) -> None:
        """Pretend that `calls` calls were made just now."""
        self._moments = deque([now] * calls)

    def wait(self, now: float) -> float:
        """Seconds until the oldest call leaves the window."""
        return self._moments[0] + self.seconds - now if self._moments else self.seconds


class CalendarMonth:
    """The calendar month in UTC."""

    def __init__(self) -> None:
        self._calls: dict[tuple[int, int], int] = {}

    def used(self, now: float) -> int:
        """Calls counted in this month."""
        return self._calls.get(_month(now), 0)

    def add(self, now: float) -> None:
        """Count one call."""
        self.set_used(now, self.used(now) + 1)

    def set_used(self, now: float, calls: int) -> None:
        """Pretend that `calls` calls were made this month."""
        self._calls[_month(now)] = calls

    def wait(self, now: float) -> float:
        """Seconds until the first of next month, 00:00 UTC."""
        year, month = _month(now)
        following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return following.timestamp() - now


def _month(now: float) -> tuple[int, int]:
    moment = datetime.fromtimestamp(now, UTC)
    return moment.year, moment.month


@dataclass(frozen=True, slots=True)
class Full:
    """A window without room: its name, and the seconds until it has some."""

    window: str
    wait: float


class Limits:
    """The windows of one service and how many calls each of them allows (None: any number)."""

    def __init__(self, windows: Mapping[str, Window], allowed: Mapping[str, int | None]) -> None:
        self._windows = windows
        self._lock = Lock()
        self._allowed = dict(allowed)

    def admit(self, now: float, names: Collection[str] | None = None) -> Full | None:
        """Count one call in every window (or in those named), or count nothing and say which is full."""
        with self._lock:
            windows = {name: each for name, each in self._windows.items() if names is None or name in names}
            for name, window in windows.items():
                limit = self._allowed[name]
                if limit is not None and window.used(now) >= limit:
                    return Full(name, window.wait(now))
            for window in windows.values():
                window.add(now)
        return None

    def allow(self, name: str, calls: int | None) -> None:
        """Set the limit of a window; raises KeyError when there is no such window."""
        if name not in self._windows:
            raise KeyError(name)
        self._allowed[name] = calls

    def set_used(self, name: str, now: float, calls: int) -> None:
        """Pretend that `calls` calls were made; raises KeyError when there is no such window."""
        with self._lock:
            self._windows[name].set_used(now, calls)

    def names(self) -> list[str]:
        """The windows there are."""
        return list(self._windows)

    def report(self, now: float) -> dict[str, dict[str, int | None]]:
        """Limit and use of every window."""
        with self._lock:
            return {
                name: {"limit": self._allowed[name], "used": window.used(now)} for name, window in self._windows.items()
            }
