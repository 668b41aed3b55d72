"""Why rows of the queue are not sent although they are due: what stopped the last run that posted to a connector."""

from __future__ import annotations

import json

from syncctl.models import Struct
from syncctl.state.database import Database

_DONE = (0, 65)  # the exit codes of runs that tried whatever was due
_LAST = """
SELECT run, finished_at, run_connectors.exit_code, errors FROM run_connectors JOIN runs ON runs.id = run
WHERE connector = ? AND command IN ('post-invoices', 'retry-queue') ORDER BY run DESC LIMIT 1
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
    if row is None or row["exit_code"] in _DONE:
        return None
    told = next((each for each in json.loads(row["errors"]) if not each[0]), None)
    if told is None:
        return None
    last = database.row(_CALL, row["run"], connector)
    call = last["id"] if last and last["failed"] else 0
    _, message, remedy = told
    return Stopped(row["run"], row["finished_at"], row["exit_code"], message, remedy, call)
