"""What a person was told of by mail, and what waits to be told: nothing is mailed twice, and nothing is forgotten.

The methods that write belong inside a transaction of the caller, so that an outcome and the word of it are one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from syncctl.mail.event import RECORD, Event, cleaned
from syncctl.models import from_ms, to_ms
from syncctl.state.database import Database

FORGET_AFTER_MS = 30 * 86_400 * 1000  # a record that was read wrongly: nobody tells when it is mended

_COLUMNS = "what, connector, cause, record, message, remedy, next_try, command"
_NOTE = """
INSERT INTO mailed (what, connector, cause, record, message, remedy, next_try, command, topic, seen_at, due_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    due_at = CASE
        WHEN excluded.what = what THEN due_at
        WHEN excluded.what = 'gave_up' THEN excluded.due_at
        WHEN mailed_at IS NULL THEN due_at
    END,
    what = excluded.what, message = excluded.message, remedy = excluded.remedy, next_try = excluded.next_try,
    command = excluded.command, seen_at = excluded.seen_at
"""
_FAILS_AGAIN = """
UPDATE mailed SET what = 'failed', due_at = NULL WHERE connector = ? AND record = ? AND what = 'recovered'
"""
_FORGET_UNTOLD = "DELETE FROM mailed WHERE connector = ? AND record = ? AND mailed_at IS NULL"
_RECOVER = """
UPDATE mailed SET what = 'recovered', due_at = ?, seen_at = ?
WHERE connector = ? AND record = ? AND what <> 'recovered'
"""
_MARK = """
UPDATE mailed SET due_at = NULL, mailed_at = ? WHERE connector = ? AND record = ? AND topic = ? AND what = ?
"""


class Mailed:
    """The rows of `mailed`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @property
    def _sql(self) -> sqlite3.Connection:
        return self.database.connection

    def note(self, event: Event, at: int, *, delay: int = 0) -> None:
        """Adds what failed or was given up at `at` (ms), to be mailed unless it was; `delay` (ms) only if it is new.

        A trouble is news with its first failure for a cause, and when it is given up.
        """
        told = cleaned(event)
        if told.what == "recovered":
            self.recover(told.connector, told.record, at)
            return
        self._sql.execute(_FAILS_AGAIN, (told.connector, told.record))
        values = told.as_dict() | {"next_try": to_ms(told.next_try) if told.next_try else None}
        stored = (values[name] for name in _COLUMNS.split(", "))
        self._sql.execute(_NOTE, (*stored, told.topic, at, at + delay))

    def recover(self, connector: str, record: str, at: int) -> None:
        """The record works again: that is news where its failure was; what nobody was told of is forgotten."""
        self._sql.execute(_FORGET_UNTOLD, (connector, record))
        self._sql.execute(_RECOVER, (at, at, connector, record))

    def forget(self, at: int) -> None:
        """Forgets what was wrong with records that were read, long after it was last seen."""
        sql = "DELETE FROM mailed WHERE cause = ? AND due_at IS NULL AND seen_at < ?"
        self._sql.execute(sql, (RECORD, at - FORGET_AFTER_MS))

    def mark(self, events: Iterable[Event], at: int) -> None:
        """These were mailed. One that has changed since it was read stays due."""
        keys = [(event.connector, event.record, event.topic, event.what) for event in events]
        self._sql.executemany(_MARK, [(at, *key) for key in keys])
        self._sql.execute("DELETE FROM mailed WHERE what = 'recovered' AND due_at IS NULL")

    def due(self, at: int) -> list[Event]:
        """What is to be mailed by now."""
        sql = f"SELECT {_COLUMNS} FROM mailed WHERE due_at <= ? ORDER BY connector, cause, seen_at, record"
        return [_event(row) for row in self.database.rows(sql, at)]

    def records(self, connector: str) -> set[str]:
        """The records in trouble, those that are not due yet among them."""
        rows = self.database.rows("SELECT record FROM mailed WHERE connector = ? AND what <> 'recovered'", connector)
        return {row["record"] for row in rows}

    def pushed(self, connector: str) -> set[str]:
        """The records whose trouble has a cause of its own, so that no other word of them is needed."""
        sql = "SELECT record FROM mailed WHERE connector = ? AND cause <> ?"
        return {row["record"] for row in self.database.rows(sql, connector, RECORD)}

    def seen_at(self, connector: str, record: str) -> int | None:
        """When the trouble of a record was last met; None where it has none."""
        sql = "SELECT max(seen_at) FROM mailed WHERE connector = ? AND record = ?"
        row = self.database.row(sql, connector, record)
        return row[0] if row else None

    def full_read_at(self, connector: str) -> int:
        """When a full read last came to its end; 0 for never."""
        sql = "SELECT max(finished_at) FROM cursors WHERE connector = ? AND feed = 'full'"
        row = self.database.row(sql, connector)
        return int(row[0] or 0) if row else 0


def _event(row: sqlite3.Row) -> Event:
    return Event(**dict(row) | {"next_try": None if row["next_try"] is None else from_ms(row["next_try"])})
