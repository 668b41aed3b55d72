"""What a connector's calls were for, and how many there will be when a window ends."""

from __future__ import annotations

from syncctl.connectors.declared import Limit
from syncctl.models import from_ms, iso
from syncctl.state import windows
from syncctl.state.database import Database
from syncctl.state.ledger import Usage
from syncctl.state.windows import DAY

_SINCE = """
SELECT purpose, count(*) FROM calls
WHERE id > (SELECT coalesce(max(id), 0) FROM calls WHERE at < ?) AND connector = ? AND purpose <> 'auth'
GROUP BY purpose ORDER BY purpose
"""
_DAYS = """
SELECT purpose, sum(calls) FROM call_counts WHERE day >= ? AND connector = ? AND purpose <> 'auth'
GROUP BY purpose ORDER BY purpose
"""
_TOTALS = "SELECT purpose, sum(calls) FROM call_counts WHERE connector = ? GROUP BY purpose ORDER BY purpose"
_FIRST_DAY = "SELECT min(day) FROM call_counts WHERE connector = ?"


class Pace:
    """The journal of one connector, seen at one moment (ms)."""

    def __init__(self, database: Database, connector: str, now: int) -> None:
        self.database = database
        self.connector = connector
        self.now = now

    def by_purpose(self, limit: Limit) -> dict[str, int]:
        """How many of our calls in a window were for what."""
        begin = windows.begin_of(limit.window, windows.oldest(limit.window, self.now))
        calendar = not isinstance(limit.window, int)
        return self._counted(_DAYS, begin // DAY) if calendar else self._counted(_SINCE, begin)

    def totals(self) -> dict[str, int]:
        """How many calls there ever were for what, requests for tokens included."""
        return {row[0]: row[1] for row in self.database.rows(_TOTALS, self.connector)}

    def a_day(self) -> int | None:
        """Our calls of the last 24 hours; None until a whole day (UTC) has passed after the first one.

        The first read is no measure of what a day costs.
        """
        row = self.database.row(_FIRST_DAY, self.connector)
        if row is None or row[0] is None or row[0] > self.now // DAY - 2:
            return None
        return sum(self._counted(_SINCE, self.now - DAY).values())

    def forecast(self, usage: Usage) -> int | None:
        """The calls in a calendar window at its end, if the last 24 hours go on and others as in this window so far.

        None for a window that rolls, and while `a_day` is unknown.
        """
        window = usage.limit.window
        daily = None if isinstance(window, int) else self.a_day()
        if daily is None:
            return None
        slot = windows.slot_at(window, self.now)
        elapsed = max(1.0, (self.now - windows.begin_of(window, slot)) / DAY)
        left = (windows.expiry(window, slot) - self.now) / DAY
        return round(usage.used + usage.others + left * (daily + usage.others / elapsed))

    def _counted(self, sql: str, since: int) -> dict[str, int]:
        return {row[0]: row[1] for row in self.database.rows(sql, since, self.connector)}


def ends_at(limit: Limit, now: int) -> str | None:
    """When a calendar window ends, as printed; None for one that rolls."""
    if isinstance(limit.window, int):
        return None
    return iso(from_ms(windows.expiry(limit.window, windows.slot_at(limit.window, now))))
