"""The windows that calls are counted in: their slots, what is booked in them, and who may use how much.

A rolling window is cut into 60 slots and the one that has half expired counts whole, so that a limit is never
exceeded and at worst a call waits 1/60 of the window too long. A calendar day or month (UTC) is one slot.
Counting slots costs the same however long the journal grows; counting journal rows does not.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from syncctl.models import Purpose, from_ms, to_ms

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from syncctl.connectors.declared import Calendar, Limit

    Window = int | Calendar

SLOTS = 60
DAY = 86_400_000  # milliseconds

# How many percent of a window each purpose may see booked and still call. What is left above it is kept for the
# purposes before it: an order must be posted even on the day on which housekeeping has eaten the month. Only for
# windows that end the work when they are full; one that is sat out is back in minutes and is shared by all.
SHARES = {
    Purpose.INVOICE: 100,
    Purpose.MANUAL: 95,
    Purpose.RECENT: 90,
    Purpose.CUSTOMER: 80,
    Purpose.OLDEST: 70,
}
# A limit of a few calls is rounded up to one for these: with one call a day the shop wants its changes.
ALWAYS_SERVED = frozenset({Purpose.INVOICE, Purpose.MANUAL, Purpose.RECENT})

_BOOKED = "SELECT coalesce(sum(used + others), 0), max(slot) FROM spend WHERE connector = ? AND win = ? AND slot >= ?"
_SLOTS = (
    "SELECT slot, used, others FROM spend WHERE connector = ? AND win = ? AND slot >= ? ORDER BY connector, win, slot"
)
_KNOWN = "SELECT 1 FROM spend WHERE connector = ? AND win = ? LIMIT 1"
# From one window to the next: their slots in between are skipped.
_EVER_COUNTED = """
WITH RECURSIVE known (win) AS (
    SELECT min(win) FROM spend WHERE connector = ?1
    UNION ALL SELECT (SELECT min(win) FROM spend WHERE connector = ?1 AND spend.win > known.win)
    FROM known WHERE known.win IS NOT NULL
)
SELECT win FROM known WHERE win IS NOT NULL
"""
_JOURNAL = """
SELECT at FROM calls
WHERE id > (SELECT coalesce(max(id), 0) FROM calls WHERE at < ?) AND connector = ? AND purpose <> 'auth'
"""
_ADD = """
INSERT INTO spend (connector, win, slot, used, others) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET used = used + excluded.used, others = others + excluded.others
"""
_AHEAD = "SELECT sum(used), sum(others) FROM spend WHERE connector = ? AND win = ? AND slot > ?"
_DROP_AHEAD = "DELETE FROM spend WHERE connector = ? AND win = ? AND slot > ?"
_NEWEST = "SELECT connector, win, max(slot) FROM spend GROUP BY connector, win"
_DROP_OLD = "DELETE FROM spend WHERE connector = ? AND win = ? AND slot < ?"


def slot_at(window: Window, ms: int) -> int:
    """The number of the slot that a moment lies in."""
    if isinstance(window, int):
        return ms * SLOTS // (window * 1000)
    if window == "day":
        return ms // DAY
    moment = from_ms(ms)
    return moment.year * 12 + moment.month


def begin_of(window: Window, slot: int) -> int:
    """The first millisecond of a slot."""
    if isinstance(window, int):
        return -(-slot * window * 1000 // SLOTS)
    if window == "day":
        return slot * DAY
    year, month = divmod(slot - 1, 12)
    return to_ms(datetime(year, month + 1, 1, tzinfo=UTC))


def oldest(window: Window, now: int) -> int:
    """The oldest slot that still counts."""
    return slot_at(window, now) - _depth(window)


def expiry(window: Window, slot: int) -> int:
    """The first millisecond at which a slot no longer counts."""
    return begin_of(window, slot + _depth(window) + 1)


def allowed(limit: Limit, purpose: Purpose) -> int:
    """How many calls may be booked in all, before one of this purpose is refused."""
    if limit.waitable:
        return limit.calls
    share = limit.calls * SHARES[purpose] // 100
    return max(1, share) if purpose in ALWAYS_SERVED else share


def booked(db: sqlite3.Connection, connector: str, limit: Limit, now: int) -> int:
    """The calls that count in this window now, ours and others'; inside a transaction, as it may mend the slots."""
    row = db.execute(_BOOKED, (connector, limit.name, oldest(limit.window, now))).fetchone()
    if row[1] is None:
        return _first_sight(db, connector, limit, now)
    if row[1] > _newest_kept(limit.window, now):
        _redate(db, connector, limit, now)
    return int(row[0])


def book_call(db: sqlite3.Connection, connector: str, limits: Iterable[Limit], now: int) -> None:
    """Counts a call in the windows of these limits, and in all that were ever counted for this connector.

    A limit that has left the settings may come back, and its window is then as full as the service says.
    """
    names = {limit.name for limit in limits}.union(row[0] for row in db.execute(_EVER_COUNTED, (connector,)))
    book(db, connector, {name: (slot_at(_window(name), now), 1, 0) for name in names})


def book(db: sqlite3.Connection, connector: str, counts: dict[str, tuple[int, int, int]]) -> None:
    """Adds to each window, by its name, in a slot: calls of ours and of others."""
    db.executemany(_ADD, [(connector, win, *count) for win, count in counts.items()])


def slots(db: sqlite3.Connection, connector: str, limit: Limit, now: int) -> list[tuple[int, int, int]]:
    """The slots that count, the oldest first: number, calls of ours, calls of others."""
    rows = db.execute(_SLOTS, (connector, limit.name, oldest(limit.window, now))).fetchall()
    return [(slot, used, others) for slot, used, others in rows] or _unseen(db, connector, limit, now)


def frees_at(counting: list[tuple[int, int, int]], limit: Limit, surplus: int, now: int) -> int:
    """The moment by which so many slots have expired that `surplus` calls are gone from the window.

    Where even an empty window has no room, it is the moment at which a call booked now would expire.
    """
    newest = _newest_kept(limit.window, now)
    for slot, used, others in counting:
        surplus -= used + others
        if surplus <= 0:
            return expiry(limit.window, min(slot, newest))
    return expiry(limit.window, slot_at(limit.window, now))


def journalled(db: sqlite3.Connection, connector: str, limit: Limit, now: int) -> int:
    """How many calls of the journal fall into the slots that count."""
    since = begin_of(limit.window, oldest(limit.window, now))
    return sum(1 for _ in db.execute(_JOURNAL, (since, connector)))


def drop_expired(db: sqlite3.Connection, now: int) -> None:
    """Deletes the slots that no longer count; the newest of each window stays, as a sign that it is counted."""
    for connector, win, newest in db.execute(_NEWEST).fetchall():
        window = _window(win)
        # The day before counts again if the clock is set back across midnight.
        keep = min(newest, oldest(window, now if isinstance(window, int) else now - DAY))
        db.execute(_DROP_OLD, (connector, win, keep))


def _window(name: str) -> Window:
    return cast("Calendar", name) if name in ("day", "month") else int(name.removesuffix("s"))


def _depth(window: Window) -> int:
    return SLOTS if isinstance(window, int) else 0


def _newest_kept(window: Window, now: int) -> int:
    """The newest slot that stays where it is although the clock says that it has not begun.

    A day that begins soon is kept, and counts today as well: set back across midnight and forward again, a clock
    would otherwise let the same day be spent twice. Anything further ahead comes from a clock that was wrong.
    """
    return slot_at(window, now if isinstance(window, int) else now + DAY)


def _redate(db: sqlite3.Connection, connector: str, limit: Limit, now: int) -> None:
    """Moves what was booked ahead of the clock to now: not forgotten, and gone one window from now at the latest."""
    ahead = (connector, limit.name, _newest_kept(limit.window, now))
    used, others = db.execute(_AHEAD, ahead).fetchone()
    db.execute(_DROP_AHEAD, ahead)
    db.execute(_ADD, (connector, limit.name, slot_at(limit.window, now), used, others))


def _first_sight(db: sqlite3.Connection, connector: str, limit: Limit, now: int) -> int:
    """Books once what the journal has for a window that a changed setting has added."""
    found = _unseen(db, connector, limit, now)
    db.executemany(_ADD, [(connector, limit.name, *slot) for slot in found])
    return sum(used for _, used, _ in found)


def _unseen(db: sqlite3.Connection, connector: str, limit: Limit, now: int) -> list[tuple[int, int, int]]:
    """The slots of a window that was never counted, by the journal: its calls were made all the same."""
    if db.execute(_KNOWN, (connector, limit.name)).fetchone():
        return []
    since = begin_of(limit.window, oldest(limit.window, now))
    moments = (row[0] for row in db.execute(_JOURNAL, (since, connector)))
    found = Counter(slot_at(limit.window, min(at, now)) for at in moments)
    return [(slot, count, 0) for slot, count in sorted(found.items())]
