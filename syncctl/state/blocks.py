"""Blocks: how long a service is left alone, by all processes, after it has said so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncctl.models import from_ms, to_ms

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from syncctl.clock import Clock
    from syncctl.state.database import Database

_BLOCK_OF = "SELECT until, learnt_at, reason FROM blocks WHERE connector = ?"
# The longer block stands, unless a clock that was ahead has set it.
_BLOCK = """
INSERT INTO blocks (connector, until, reason, learnt_at) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET until = excluded.until, reason = excluded.reason, learnt_at = excluded.learnt_at
WHERE excluded.until > blocks.until OR blocks.learnt_at > excluded.learnt_at
"""
_MEND_BLOCK = "UPDATE blocks SET until = ?, learnt_at = ? WHERE connector = ?"


class Blocks:
    """The rows of `blocks`, at most one for each connector."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def block(self, connector: str, until: datetime, reason: str) -> None:
        """No call before `until`, in no process; a block that lasts longer already stays as it is."""
        with self._database.transaction() as db:
            db.execute(_BLOCK, (connector, to_ms(until), reason, self._now()))

    def blocked(self, connector: str) -> tuple[datetime, str] | None:
        """Until when no call may be made and why; None where calls may be made."""
        now = self._now()
        row = self._database.row(_BLOCK_OF, connector)
        until = _until(row, now) if row else now
        return (from_ms(until), row["reason"]) if row and until > now else None

    def _now(self) -> int:
        return to_ms(self._clock.now())


def standing(db: sqlite3.Connection, connector: str, now: int) -> tuple[datetime, str] | None:
    """The same inside a transaction, which mends a block that was learnt in the future."""
    row = db.execute(_BLOCK_OF, (connector,)).fetchone()
    if row is None:
        return None
    until = _until(row, now)
    if until != row["until"]:
        db.execute(_MEND_BLOCK, (until, now, connector))
    return (from_ms(until), row["reason"]) if until > now else None


def _until(block: sqlite3.Row, now: int) -> int:
    """When a block ends; one that was learnt in the future lasts as long as it was meant to, from now on."""
    until, learnt_at = int(block["until"]), int(block["learnt_at"])
    return until - max(0, learnt_at - now)
