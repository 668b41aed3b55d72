"""How many calls are let through, and what an answer tells of it (x-series-api.lightspeedhq.com/docs/rate_limiting).

`300 x registers + 50` calls in five minutes, per retailer and application. Whether the five minutes
are fixed or sliding is unconfirmed by the vendor: switch `window`. The token endpoint counts on its
own; its numbers are not published, the one here is made up.
"""

from __future__ import annotations

import math
from email.utils import formatdate
from typing import TYPE_CHECKING

from .. import wire
from ..limits import Limits, Rolling, Window
from ..messages import Response, json_response

if TYPE_CHECKING:
    from ..clock import Clock
    from ..switches import Switches

API, TOKEN = "five_minutes", "token"
FIVE_MINUTES = 300
TOKEN_CALLS = 60


def calls_allowed(registers: int) -> int:
    """Calls in five minutes for a retailer with so many registers."""
    return 300 * registers + 50


class Fixed:
    """So many seconds from the first call on; the next call after them opens them anew."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._start = -math.inf
        self._calls = 0

    def used(self, now: float) -> int:
        """Calls counted since the window opened."""
        # The clock may have been turned back, to before the window opened.
        return self._calls if self._start <= now < self._start + self.seconds else 0

    def add(self, now: float) -> None:
        """Count one call."""
        self.set_used(now, self.used(now) + 1)

    def set_used(self, now: float, calls: int) -> None:
        """Pretend that `calls` calls were made since the window opened, or open one with them."""
        if not self.used(now):
            self._start = now
        self._calls = calls

    def wait(self, now: float) -> float:
        """Seconds until the window closes."""
        return self._start + self.seconds - now if self.used(now) else self.seconds


class FixedOrSliding:
    """Both readings of the five minutes, side by side; the switch says which one decides."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._windows: dict[str, Window] = {"fixed": Fixed(FIVE_MINUTES), "sliding": Rolling(FIVE_MINUTES)}

    def _chosen(self) -> Window:
        return self._windows[self._switches["window"]]

    def used(self, now: float) -> int:
        """Calls counted."""
        return self._chosen().used(now)

    def add(self, now: float) -> None:
        """Count one call."""
        for window in self._windows.values():
            window.add(now)

    def set_used(self, now: float, calls: int) -> None:
        """Pretend that `calls` calls were made."""
        for window in self._windows.values():
            window.set_used(now, calls)

    def wait(self, now: float) -> float:
        """Seconds until the window has room again."""
        return self._chosen().wait(now)


def new_limits(switches: Switches, registers: int) -> Limits:
    """Unused limits of a retailer with so many registers."""
    windows: dict[str, Window] = {API: FixedOrSliding(switches), TOKEN: Fixed(FIVE_MINUTES)}
    return Limits(windows, {API: calls_allowed(registers), TOKEN: TOKEN_CALLS})


def with_headers(response: Response, limits: Limits, window: str, now: float) -> Response:
    """An answer with what remains of a window; documented for every JSON answer."""
    figures = limits.report(now)[window]
    limit, used = figures["limit"], figures["used"] or 0
    if limit is None:
        return response
    response = response.with_header("X-RateLimit-Limit", str(limit))
    return response.with_header("X-RateLimit-Remaining", str(max(0, limit - used)))


def too_many(clock: Clock, wait: float, form: str) -> Response:
    """The documented 429; `form` is a value of the switch `retry_after`."""
    date = formatdate(math.ceil(clock.now() + wait), usegmt=True)
    body: dict[str, object] = {"error": "Too Many Requests", "message": "Rate limiting enforced"}
    if form in {"body", "date_and_body"}:
        body["retry-after"] = date
    response = json_response(wire.dumps(body), 429)
    if form in {"body", "absent"}:
        return response
    return response.with_header("Retry-After", str(math.ceil(wait)) if form == "seconds" else date)
