"""What `syncctl status` asks: how fresh, how far, how much is wrong."""

from __future__ import annotations

import sqlite3
from itertools import pairwise

from syncctl.models import Struct
from syncctl.state.database import Database
from syncctl.state.watch_schema import BUCKET_MS
from syncctl.state.windows import DAY

REGULAR_DAYS = 4  # on so many a command has to have succeeded before it is known how often it does

# A run that a guard refused ends with 65 as well; its error names no record.
# One that posts has run when it did what the calls allowed: what it left, or was refused, stands in the queue.
SUCCESS = """
(deferred_until IS NULL OR command IN ('post-invoices', 'retry-queue') AND calls > 0) AND (
    run_connectors.exit_code = 0
    OR run_connectors.exit_code = 65 AND calls > 0
        AND NOT EXISTS (SELECT 1 FROM json_each(errors) WHERE json_extract(value, '$[0]') = '')
)
"""
_RUNS = "FROM runs JOIN run_connectors ON run = runs.id AND connector = ?1 WHERE command = names.command"
# Each answer is found from the end: nobody wants a year of runs to be gone through.
_LAST_RUNS = f"""
WITH RECURSIVE names (command) AS (
    SELECT min(command) FROM runs
    UNION ALL SELECT (SELECT min(runs.command) FROM runs WHERE runs.command > names.command) FROM names
    WHERE names.command IS NOT NULL
)
SELECT names.command, success.finished_at AS success, success.started_at AS success_began, ended.finished_at AS ended,
    last.deferred_until, last.errors
FROM names
JOIN runs AS ended ON ended.id = (SELECT runs.id {_RUNS} ORDER BY runs.id DESC LIMIT 1)
JOIN run_connectors AS last ON last.run = ended.id AND last.connector = ?1
LEFT JOIN runs AS success ON success.id = (SELECT runs.id {_RUNS} AND {SUCCESS} ORDER BY runs.id DESC LIMIT 1)
ORDER BY names.command
"""
# On which days (since 1970, UTC) it succeeded last, the newest first.
_SUCCESS_DAYS = f"""
WITH RECURSIVE found (at) AS (
    SELECT ?3
    UNION ALL SELECT (
        SELECT started_at FROM runs JOIN run_connectors ON run = runs.id AND connector = ?1
        WHERE command = ?2 AND started_at < found.at / {DAY} * {DAY} AND {SUCCESS} ORDER BY runs.id DESC LIMIT 1
    ) FROM found WHERE at IS NOT NULL
    LIMIT {REGULAR_DAYS}
)
SELECT at / {DAY} FROM found WHERE at IS NOT NULL
"""
# A run that made no call mended nothing, and one that met a lock learnt nothing.
_LAST_ERRORS = f"""
SELECT run, coalesce(finished_at, started_at) AS at, errors FROM run_connectors JOIN runs ON runs.id = run
WHERE connector = ?1 AND errors <> '[]' AND run_connectors.exit_code <> 75 AND run >= coalesce((
    SELECT run FROM run_connectors JOIN runs ON runs.id = run
    WHERE connector = ?1 AND command <> 'doctor' AND calls > 0 AND {SUCCESS} ORDER BY run DESC LIMIT 1
), 0)
ORDER BY run DESC LIMIT 1
"""
# How many were never looked at, and how many were.
COUNTED = """
SELECT (SELECT count(*) FROM looks WHERE connector = ?1 AND oldest_at = 0),
    (SELECT coalesce(sum(products), 0) FROM look_counts WHERE connector = ?1)
"""
# The bucket that holds a rank, with how many products were looked at before it.
_BUCKET = """
SELECT bucket, before FROM (
    SELECT bucket, products, sum(products) OVER (ORDER BY bucket) - products AS before
    FROM look_counts WHERE connector = ?
) WHERE before + products > ? LIMIT 1
"""
_RANKED = "SELECT oldest_at FROM looks WHERE connector = ? AND oldest_at >= ? ORDER BY oldest_at LIMIT 1 OFFSET ?"
# One that was locked out learnt nothing about the budget.


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
        """Of each command when the last success ended and began (ms), and how its last run ended."""
        return self.database.rows(_LAST_RUNS, self.connector)

    def usual_gap(self, command: str, last: int) -> int | None:
        """The longest distance, in days, between the last `REGULAR_DAYS` days on which a command succeeded.

        `last` is when its last success began (ms). None while there are fewer such days.
        """
        days = [row[0] for row in self.database.rows(_SUCCESS_DAYS, self.connector, command, last)]
        gaps = [newer - older for newer, older in pairwise(days)]
        return max(gaps) if len(days) == REGULAR_DAYS else None

    def last_errors(self) -> sqlite3.Row | None:
        """The newest errors, unless a run of another command than doctor has called the service with success since."""
        return self.database.row(_LAST_ERRORS, self.connector)

    def ages(self, now: int) -> Ages:
        """The age of the data: by the older look of product and stock; products that are gone have none."""
        (never, looked) = self.database.row(COUNTED, self.connector) or (0, 0)
        count = never + looked
        median, p95, oldest = (self._age(now, int(count * share) - never) for share in (0.5, 0.05, 0))
        return Ages(count, never, median, p95, oldest)

    def _age(self, now: int, rank: int) -> float | None:
        """The age of the product at this rank among those looked at, the oldest first; None where there is none."""
        found = self.database.row(_BUCKET, self.connector, rank) if rank >= 0 else None
        if found is None:
            return None
        bucket, before = found
        row = self.database.row(_RANKED, self.connector, bucket * BUCKET_MS, rank - before)
        return (now - row[0]) / 1000 if row else None

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
