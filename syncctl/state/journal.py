"""What `syncctl log` and `explain call` read: the newest rows of the journal, those that follow, and single calls."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from syncctl.connectors.declared import Limit
from syncctl.state import windows
from syncctl.state.database import Database
from syncctl.state.windows import DAY

# `settled`: nothing more is going to be written to the row. A call without an outcome was cut short after 2 minutes.
_SELECT = {
    "calls": """
        SELECT calls.*, runs.command, status IS NOT NULL OR error IS NOT NULL
            OR at < strftime('%s', 'now') * 1000 - 120000 AS settled
        FROM calls LEFT JOIN runs ON runs.id = calls.run
    """,
    "runs": "SELECT runs.*, finished_at IS NOT NULL AS settled FROM runs",
    "changes": """
        SELECT changes.*, remote_products.sku, runs.command, 1 AS settled FROM changes
        LEFT JOIN looks USING (connector, remote_id) LEFT JOIN remote_products USING (record)
        LEFT JOIN runs ON runs.id = changes.run
    """,
}
# Ids grow with time, so that the walk back from the end stops where the time begins.
_SINCE = "{table}.id > (SELECT coalesce(max(id), 0) FROM {table} WHERE {at} < ?)"
_CONDITIONS = {
    "calls": {
        "connector": "calls.connector = ?",
        "since": _SINCE.format(table="calls", at="at"),
        "purpose": "purpose = ?",
        "least": "status >= ?",
        "most": "status <= ?",
        "failed": "(status IS NULL OR error IS NOT NULL) AND ?",  # as the index `calls_failed` has it
    },
    "runs": {
        "connector": "EXISTS (SELECT 1 FROM run_connectors WHERE run = runs.id AND connector = ?)",
        "since": _SINCE.format(table="runs", at="started_at"),
        "least": "exit_code >= ?",
        "most": "exit_code <= ?",
        "failed": "(coalesce(exit_code, 0) <> 0) = ?",
    },
    "changes": {
        "connector": "changes.connector = ?",
        "since": _SINCE.format(table="changes", at="at"),
        "kind": "kind = ?",
    },
}
_PARTS = "SELECT * FROM run_connectors WHERE run = ? ORDER BY connector"
CARRIED_OVER = "carried_over."  # in `meta`: from this call, to the one that is the value, a restore took over calls
_CALL = f"""
SELECT calls.*, runs.command, runs.started_at, runs.finished_at, runs.exit_code, runs.pid,
    (SELECT count(*) FROM changes WHERE call = calls.id) AS changes,
    EXISTS (SELECT 1 FROM meta WHERE key GLOB '{CARRIED_OVER}*'
        AND calls.id BETWEEN CAST(substr(key, {len(CARRIED_OVER) + 1}) AS INTEGER) AND CAST(value AS INTEGER)
    ) AS carried_over
FROM calls LEFT JOIN runs ON runs.id = calls.run WHERE calls.id = ?
"""
_BOOKED = """
SELECT count(*) FROM calls
WHERE id > (SELECT coalesce(max(id), 0) FROM calls WHERE id <= ?1 AND at < ?2) AND id <= ?1 AND connector = ?3
    AND purpose <> 'auth'
"""
_BOOKED_DAYS = """
SELECT coalesce(sum(calls), 0) FROM call_counts WHERE day >= ? AND day < ? AND connector = ? AND purpose <> 'auth'
"""


class Journal:
    """One of the tables `calls`, `runs` and `changes`; `wanted` maps the names of conditions to values."""

    def __init__(self, database: Database, table: str, wanted: Mapping[str, object]) -> None:
        self.database = database
        self.table = table
        self._where = " AND ".join(["", *(_CONDITIONS[table][name] for name in wanted)])
        self._values = tuple(wanted.values())
        self._seen = self._last()
        self._pending: list[int] = []

    def newest(self, limit: int) -> list[sqlite3.Row]:
        """The newest rows, the oldest of them first."""
        rows = self._rows("{id} <= ?", self._seen, limit=limit)
        self._pending = [row["id"] for row in rows if not row["settled"]]
        return rows

    def following(self) -> list[sqlite3.Row]:
        """The rows that were settled since `newest` was read, or since this was called before."""
        before, self._seen = self._seen, self._last()
        span = "{id} <= ? AND ({id} > ? OR {id} IN (SELECT value FROM json_each(?)))"
        rows = self._rows(span, self._seen, before, json.dumps(self._pending))
        self._pending = [row["id"] for row in rows if not row["settled"]]
        return [row for row in rows if row["settled"]]

    def _last(self) -> int:
        row = self.database.row(f"SELECT coalesce(max(id), 0) FROM {self.table}")
        return int(row[0]) if row else 0

    def _rows(self, span: str, *values: object, limit: int = -1) -> list[sqlite3.Row]:
        key = f"{self.table}.id"
        sql = f"{_SELECT[self.table]} WHERE {span.format(id=key)}{self._where} ORDER BY {key} DESC LIMIT ?"
        return self.database.rows(sql, *values, *self._values, limit)[::-1]


def parts(database: Database, run: int) -> Sequence[sqlite3.Row]:
    """What a run came to for each connector."""
    return database.rows(_PARTS, run)


def call(database: Database, number: int) -> sqlite3.Row | None:
    """A call with its run and the number of changes that it brought; None where there is none of that number."""
    return database.row(_CALL, number)


def position(database: Database, call: sqlite3.Row, limit: Limit) -> int:
    """Which one of our calls in its window a call was."""
    at, connector = call["at"], call["connector"]
    begin = windows.begin_of(limit.window, windows.oldest(limit.window, at))
    today = at // DAY * DAY  # before it whole days are counted, which is soon done
    recent = database.row(_BOOKED, call["id"], max(begin, today) if limit.window == "month" else begin, connector)
    days = database.row(_BOOKED_DAYS, begin // DAY, at // DAY, connector) if limit.window == "month" else None
    return (recent[0] if recent else 0) + (days[0] if days else 0)
