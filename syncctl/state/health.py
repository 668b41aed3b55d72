"""What `syncctl status` asks: how fresh, how far, how much is wrong."""

from __future__ import annotations

import sqlite3

from syncctl.models import Struct
from syncctl.state.database import Database

# A run that a guard refused ends with 65 as well; its error names no record.
_SUCCESS = """
deferred_until IS NULL AND (
    run_connectors.exit_code = 0
    OR run_connectors.exit_code = 65 AND calls > 0
        AND NOT EXISTS (SELECT 1 FROM json_each(errors) WHERE json_extract(value, '$[0]') = '')
)
"""
_LAST_RUNS = f"""
SELECT command, max(CASE WHEN {_SUCCESS} THEN finished_at END) AS success, max(finished_at) AS ended, max(run) AS run
FROM run_connectors JOIN runs ON runs.id = run WHERE connector = ? GROUP BY command ORDER BY command
"""
# One that was locked out learnt nothing about the budget.
_DEFERRED_BEFORE = """
SELECT deferred_until, finished_at FROM run_connectors JOIN runs ON runs.id = run
WHERE connector = ? AND command = ? AND run < ? AND run_connectors.exit_code <> 75 ORDER BY run DESC LIMIT 1
"""


class Ages(Struct):
    """How long ago the products of a connector were looked at, in seconds; None without products."""

    products: int
    never: int
    median: float | None
    p95: float | None
    oldest: float | None


class Health:
    """The questions, for one connector."""

    def __init__(self, database: Database, connector: str) -> None:
        self.database = database
        self.connector = connector

    def last_runs(self) -> list[sqlite3.Row]:
        """Of each command the last success and the last end."""
        return self.database.rows(_LAST_RUNS, self.connector)

    def deferred_before(self, command: str, run: int) -> tuple[int, int] | None:
        """Until when the run of this command before `run` was deferred, and when it ended; None if it was not."""
        row = self.database.row(_DEFERRED_BEFORE, self.connector, command, run)
        return (row[0], row[1]) if row and row[0] and row[1] else None

    def last_errors(self) -> sqlite3.Row | None:
        """The errors of the last run that touched this connector."""
        return self.database.row(
            "SELECT run, command, finished_at, errors, run_connectors.exit_code FROM run_connectors"
            " JOIN runs ON runs.id = run WHERE connector = ? ORDER BY run DESC LIMIT 1",
            self.connector,
        )

    def ages(self, now: int) -> Ages:
        """The age of the data: by the older look of product and stock; products that are gone have none."""
        count = self._number("SELECT count(*) FROM looks WHERE connector = ?")
        never = self._number("SELECT count(*) FROM looks WHERE connector = ? AND oldest_at = 0")
        if not count:
            return Ages(0, 0, None, None, None)
        median, p95, oldest = (self._age(now, int(count * share)) for share in (0.5, 0.05, 0))
        return Ages(count, never, median, p95, oldest)

    def _age(self, now: int, rank: int) -> float | None:
        """The age of the product at this rank, the oldest first; None where it was never looked at."""
        row = self.database.row(
            "SELECT oldest_at FROM looks WHERE connector = ? ORDER BY oldest_at LIMIT 1 OFFSET ?", self.connector, rank
        )
        return (now - row[0]) / 1000 if row and row[0] else None

    def gone(self) -> int:
        """Products that are marked gone."""
        return self._number("SELECT count(*) FROM remote_products WHERE connector = ? AND state = 'gone'")

    def drift(self, since: int) -> int:
        """Changes since then that the feed had not told of."""
        return self._number("SELECT count(*) FROM changes WHERE connector = ? AND rule = 'drift' AND at >= ?", since)

    def readings(self) -> list[sqlite3.Row]:
        """Reads that are under way."""
        return self.database.rows(
            "SELECT kind, feed, pages, seen, announced, started_at FROM cursors"
            " WHERE connector = ? AND first_call IS NOT NULL",
            self.connector,
        )

    def _number(self, sql: str, *values: object) -> int:
        row = self.database.row(sql, self.connector, *values)
        return int(row[0]) if row else 0
