"""The budget of calls: none leaves without a journal row that was allowed, whoever else is asking meanwhile.

A call is counted before it is made, in the same transaction as its journal row. A crash in between wastes that
call; it never makes one that was not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncctl.errors import DeferredError
from syncctl.models import Purpose, Struct, from_ms, iso
from syncctl.state import windows
from syncctl.state.blocks import Blocks, standing
from syncctl.state.database import explained
from syncctl.state.learnt import Learnt

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from syncctl.connectors.declared import Limit

Body = bytes

_CALL = "INSERT INTO calls (at, run, connector, purpose, method, path) VALUES (?, ?, ?, ?, ?, ?)"
_FINISH = "UPDATE calls SET status = ?, ms = ?, bytes = ?, request_id = ?, error = ? WHERE id = ?"
_BLAME = "UPDATE calls SET error = ? WHERE id = ?"
_KEEP_BODIES = "INSERT OR REPLACE INTO bodies (call, at, request, response) VALUES (?, ?, ?, ?)"
_BODIES = "SELECT request, response FROM bodies WHERE call = ?"
_ACCEPTED = "SELECT credentials, accepted_at FROM accounts WHERE connector = ?"
_ACCEPT = "UPDATE accounts SET credentials = ?, accepted_at = ? WHERE connector = ?"


class Reservation(Struct):
    """A call that somebody wants to make, and the limits that it has to fit into."""

    connector: str
    limits: tuple[Limit, ...]
    purpose: Purpose
    method: str
    path: str
    run: int


class Outcome(Struct):
    """What came of a call; the bodies are redacted already, and None where they are not kept."""

    status: int | None
    ms: int
    bytes: int
    request_id: str | None
    error: str | None
    request: Body | None = None
    response: Body | None = None


class Usage(Struct):
    """How full a window is. `frees_at` is when more than now is left of it, None where nothing is booked.

    `recent_at` is when calls of sync-recent go on, None where nothing keeps them or they would sit it out.
    """

    limit: Limit
    used: int
    others: int
    left: int
    frees_at: datetime | None
    recent_at: datetime | None = None


class WindowFullError(Exception):
    """A window that may be sat out is full; one more call fits at `until` (aware UTC)."""

    def __init__(self, until: datetime, limit: Limit) -> None:
        super().__init__(f"{limit.calls} calls {limit.span} are used; the next one fits at {iso(until)}")
        self.until = until
        self.limit = limit


class Ledger(Blocks):
    """Books calls in the state file; as many processes as there are may share it."""

    @property
    def state(self) -> str:
        """The state file that it books in."""
        return self._database.path

    def reserve(self, wanted: Reservation) -> int:
        """Books one call in all its windows and returns the id of its journal row.

        Raises `DeferredError` while a block stands or a window is full that nobody waits for, else
        `WindowFullError` for one that may be sat out. Calls for `AUTH` are journalled only.
        """
        with self._database.transaction() as db:
            # Read only now that nobody else can book: a time from before the wait for the lock would put the call
            # into a slot that expires too early.
            now = self._now()
            refusal = None if wanted.purpose is Purpose.AUTH else _book(db, wanted, now)
            call = 0 if refusal else _journal(db, wanted, now)
        # Raised after the commit: what a jump of the clock made us mend has to last, above all where it refuses.
        if refusal:
            raise refusal
        return call

    def finish(self, call: int, outcome: Outcome) -> None:
        """Adds to a journal row what came of the call, and keeps the bodies if there are any.

        What is committed next waits for the disk, and for this with it: once is enough.
        """
        facts = (outcome.status, outcome.ms, outcome.bytes, outcome.request_id, outcome.error, call)
        bodies = (_pack(outcome.request), _pack(outcome.response))
        with self._database.quick_transaction() as db:
            db.execute(_FINISH, facts)
            if bodies != (None, None):
                db.execute(_KEEP_BODIES, (call, self._now(), *bodies))

    def blame(self, call: int, error: str) -> None:
        """Adds to a call that was answered what is wrong with the answer."""
        with self._database.quick_transaction() as db:
            db.execute(_BLAME, (error, call))

    def bodies(self, call: int) -> tuple[Body | None, Body | None]:
        """What was sent and received, as far as it is still kept."""
        row = self._database.row(_BODIES, call)
        return (_unpack(row["request"]), _unpack(row["response"])) if row else (None, None)

    def correct(self, connector: str, limit: Limit, remaining: int) -> None:
        """Takes over what the service says is left: what it counted and we did not was spent by others.

        Never lowers what is booked: calls that are under way are not in the service's count yet.
        """
        (usage,) = self.usage(connector, [limit])
        if usage.left <= remaining:
            return  # seen without a lock: most answers say what was known
        with self._database.transaction() as db:
            now = self._now()
            missed = limit.calls - max(0, remaining) - windows.booked(db, connector, limit, now)
            if missed > 0:
                slot = windows.slot_at(limit.window, now)
                windows.book(db, connector, {limit.name: (slot, 0, missed)})

    def learn(self, connector: str, limit: Limit) -> None:
        """Remembers the size of a limit as the service tells it; the next run goes by it."""
        Learnt(self._database, connector).learn(limit)

    def usage(self, connector: str, limits: Iterable[Limit]) -> list[Usage]:
        """How full each of the windows is now; reads only."""
        now = self._now()
        return [_usage(self._slots(connector, limit, now), limit, now) for limit in limits]

    def nearly_spent(self, connector: str, limits: Iterable[Limit], share: float = 0.9) -> bool:
        """Whether any window that is not sat out is booked to that share of its limit."""
        longs = self.usage(connector, [limit for limit in limits if not limit.waitable])
        return any(usage.used + usage.others >= share * usage.limit.calls for usage in longs)

    def accept(self, connector: str, credentials: str) -> None:
        """Remembers that the service accepted a call with these credentials (a fingerprint of them).

        Written at most once a day, and only where the connector's account is known.
        """
        now = self._now()
        row = self._database.row(_ACCEPTED, connector)
        if row is None or (row["credentials"] == credentials and _is_today(row["accepted_at"], now)):
            return
        with self._database.transaction() as db:
            db.execute(_ACCEPT, (credentials, now, connector))

    def was_accepted(self, connector: str, credentials: str) -> bool:
        """Whether the last credentials that the service accepted are these."""
        row = self._database.row(_ACCEPTED, connector)
        return row is not None and row["accepted_at"] is not None and row["credentials"] == credentials

    def drop_expired(self) -> None:
        """Forgets counters that no longer count."""
        with self._database.transaction() as db:
            windows.drop_expired(db, self._now())

    def _slots(self, connector: str, limit: Limit, now: int) -> list[tuple[int, int, int]]:
        with explained(self._database.path):
            return windows.slots(self._database.connection, connector, limit, now)


def _book(db: sqlite3.Connection, wanted: Reservation, now: int) -> DeferredError | WindowFullError | None:
    """Raises the counters of all windows, or says why not."""
    refusal = _block(db, wanted.connector, now) or _full(db, wanted, now)
    if refusal is None:
        windows.book_call(db, wanted.connector, wanted.limits, now)
    return refusal


def _journal(db: sqlite3.Connection, wanted: Reservation, now: int) -> int:
    row = (now, wanted.run, wanted.connector, wanted.purpose, wanted.method, wanted.path)
    return int(db.execute(_CALL, row).lastrowid or 0)


def _block(db: sqlite3.Connection, connector: str, now: int) -> DeferredError | None:
    block = standing(db, connector, now)
    if block is None:
        return None
    until, reason = block
    return DeferredError(f"{reason}; calls go on at {iso(until)}", until)


def _full(db: sqlite3.Connection, wanted: Reservation, now: int) -> DeferredError | WindowFullError | None:
    """The refusal that lasts longest; one that ends the work goes before any that could be sat out."""
    refusals = []
    for limit in wanted.limits:
        count = windows.booked(db, wanted.connector, limit, now)
        if count >= windows.allowed(limit, wanted.purpose):
            refusals.append(_refusal(db, wanted, limit, (count, now)))
    return max(refusals, key=lambda one: (isinstance(one, DeferredError), one.until), default=None)


def _refusal(
    db: sqlite3.Connection, wanted: Reservation, limit: Limit, found: tuple[int, int]
) -> DeferredError | WindowFullError:
    count, now = found
    most = windows.allowed(limit, wanted.purpose)
    counting = windows.slots(db, wanted.connector, limit, now)
    until = from_ms(windows.frees_at(counting, limit, count - most + 1, now))
    if limit.waitable:
        return WindowFullError(until, limit)
    share = f", and {wanted.purpose} calls end at {most}" if most < limit.calls else ""
    return DeferredError(
        f"{count}/{limit.calls} calls {limit.span} are used{share}; they go on at {iso(until)}",
        until,
    )


def _usage(counting: Sequence[tuple[int, int, int]], limit: Limit, now: int) -> Usage:
    used = sum(slot[1] for slot in counting)
    others = sum(slot[2] for slot in counting)
    left = limit.calls - used - others
    frees_at = windows.frees_at(list(counting), limit, max(1, 1 - left), now) if counting else None
    recent_at = _goes_on(list(counting), limit, used + others, now)
    return Usage(limit, used, others, max(0, left), from_ms(frees_at) if frees_at else None, recent_at)


def _goes_on(counting: list[tuple[int, int, int]], limit: Limit, count: int, now: int) -> datetime | None:
    surplus = count - windows.allowed(limit, Purpose.RECENT) + 1
    return None if limit.waitable or surplus <= 0 else from_ms(windows.frees_at(counting, limit, surplus, now))


def _is_today(moment: int | None, now: int) -> bool:
    return moment is not None and 0 <= now - moment < windows.DAY


def _pack(body: Body | None) -> Body | None:
    if body is None:
        return None
    import zlib  # a run that makes no call needs none

    return zlib.compress(body)


def _unpack(packed: Body | None) -> Body | None:
    if packed is None:
        return None
    import zlib

    return zlib.decompress(packed)
