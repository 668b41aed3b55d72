"""Why rows of the queue are, or were, not sent although they were due: what stopped the runs that posted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from syncctl.models import Struct, from_ms, iso
from syncctl.state.database import Database
from syncctl.state.outbox import Row

STOPPED = "stopped"  # the outcome of a run that never came to sending a row

_DONE = (0, 65)  # the exit codes of runs that tried whatever was due
_LAST = """
SELECT run, finished_at, run_connectors.exit_code, errors FROM run_connectors JOIN runs ON runs.id = run
WHERE connector = ? AND command IN ('post-invoices', 'retry-queue') ORDER BY run DESC LIMIT 1
"""
# Ids grow with time, so that what is older is passed over without a look.
_BETWEEN = """
SELECT run, finished_at, run_connectors.exit_code, errors FROM run_connectors JOIN runs ON runs.id = run
WHERE connector = ?1 AND command IN ('post-invoices', 'retry-queue') AND run_connectors.exit_code NOT IN (0, 65)
    AND runs.id >= (SELECT coalesce(max(id), 0) FROM runs WHERE started_at <= ?2) AND finished_at BETWEEN ?2 AND ?3
ORDER BY run
"""
_CALL = """
SELECT id, status >= 300 OR error IS NOT NULL AS failed FROM calls WHERE run = ? AND connector = ?
ORDER BY id DESC LIMIT 1
"""


class Stopped(Struct):
    """A run that failed as a whole, when it ended (ms), and its last call, where that is what failed."""

    run: int
    at: int
    exit_code: int
    message: str
    remedy: str
    call: int


def stopped(database: Database, connector: str) -> Stopped | None:
    """What stopped the last run that posted to a connector; None where it tried whatever was due."""
    row = database.row(_LAST, connector)
    return None if row is None or row["exit_code"] in _DONE else _stopped(database, connector, row)


def tries_stopped(database: Database, row: Row, until: int) -> Iterator[dict[str, Any]]:
    """The runs that stopped before they came to a row, since it was queued and up to a time (ms): as tries of it."""
    for each in database.rows(_BETWEEN, row.connector, row.queued_at, until):
        if run := _stopped(database, row.connector, each):
            yield {
                "at": iso(from_ms(run.at)), "run": run.run, "call": run.call or None, "outcome": STOPPED, "cause": "",
                "message": run.message, **(_request(database, run.call)),
            }  # fmt: skip


def _request(database: Database, call: int) -> dict[str, Any]:
    row = database.row("SELECT method, path, status FROM calls WHERE id = ?", call)
    return dict(row) if row else dict.fromkeys(("method", "path", "status"))


def _stopped(database: Database, connector: str, row: sqlite3.Row) -> Stopped | None:
    told = next((each for each in json.loads(row["errors"]) if not each[0]), None)
    if told is None:
        return None
    last = database.row(_CALL, row["run"], connector)
    call = last["id"] if last and last["failed"] else 0
    _, message, remedy = told
    return Stopped(row["run"], row["finished_at"], row["exit_code"], message, remedy, call)
