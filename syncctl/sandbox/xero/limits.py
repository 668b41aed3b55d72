"""The limits of one app at one organisation (developer.xero.com/documentation/guides/oauth2/limits)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ..limits import Limits, Rolling, Window

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..switches import Switches

DAY = 86_400
RESET = 13 * 3600 + 37 * 60
"""When the organisation's own day begins, in seconds after midnight UTC (switch `day_window`)."""
DEFAULTS = {"minute": 60, "day": 1000, "appminute": 10_000, "concurrent": 5}
REMAINING = {"minute": "X-MinLimit-Remaining", "day": "X-DayLimit-Remaining", "appminute": "X-AppMinLimit-Remaining"}
"""The windows of time, in the order in which they are looked at, each with its header."""


class Day:
    """The last 24 hours, or a day that begins at a fixed hour: the vendor's sources differ."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._moments: deque[float] = deque()

    def _start(self, now: float) -> float:
        shape = self._switches["day_window"]
        if shape == "rolling":
            return now - DAY
        reset = RESET if shape == "fixed" else 0
        # A whisker earlier, as a call at the very start belongs to the day and `used` compares with >.
        return (now - reset) // DAY * DAY + reset - 0.001

    def used(self, now: float) -> int:
        """Calls counted in the day that holds `now`."""
        start = self._start(now)
        return sum(start < moment <= now for moment in self._moments)

    def add(self, now: float) -> None:
        """Count one call, and forget those that are in no day any more."""
        while self._moments and self._moments[0] <= now - DAY:
            self._moments.popleft()
        self._moments.append(now)

    def set_used(self, now: float, calls: int) -> None:
        """Pretend that `calls` calls were made just now."""
        self._moments = deque([now] * calls)

    def wait(self, now: float) -> float:
        """Seconds until a call leaves the rolling day, or until the next fixed one begins."""
        start = self._start(now)
        if self._switches["day_window"] != "rolling":
            return start + DAY - now
        return next((moment + DAY - now for moment in self._moments if moment > start), DAY)


class XeroLimits(Limits):
    """Calls a minute, a day and an app's minute, and how many may be worked on at once."""

    def __init__(self, switches: Switches) -> None:
        windows: dict[str, Window] = {"minute": Rolling(60), "day": Day(switches), "appminute": Rolling(60)}
        super().__init__(windows, DEFAULTS)
        self._active = 0

    def enter(self) -> bool:
        """Begin to work on a call; False when as many as allowed are being worked on."""
        with self._lock:
            places = self._allowed["concurrent"]
            if places is not None and self._active >= places:
                return False
            self._active += 1
        return True

    def leave(self) -> None:
        """A call has its answer."""
        with self._lock:
            self._active = max(0, self._active - 1)  # a reset may have come in between

    def count(self, now: float, names: Collection[str]) -> None:
        """Count a call that was refused."""
        with self._lock:
            for name in names:
                self._windows[name].add(now)

    def remaining(self, now: float, names: Collection[str]) -> dict[str, str]:
        """The headers that say what is left; a window without limit has none."""
        with self._lock:
            left = {name: (self._allowed[name], self._windows[name].used(now)) for name in names}
        return {REMAINING[name]: str(max(0, limit - used)) for name, (limit, used) in left.items() if limit is not None}

    def allow(self, name: str, calls: int | None) -> None:
        """Set a limit; raises KeyError when there is no such."""
        if name != "concurrent":
            super().allow(name, calls)
        self._allowed[name] = calls

    def names(self) -> list[str]:
        """The windows there are, and `concurrent`."""
        return list(DEFAULTS)

    def report(self, now: float) -> dict[str, dict[str, int | None]]:
        """Limit and use of every window, and how many calls are being worked on."""
        return super().report(now) | {"concurrent": {"limit": self._allowed["concurrent"], "used": self._active}}
