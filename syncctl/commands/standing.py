"""Why a row of the queue stands there although nothing speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from syncctl.errors import UnavailableError
from syncctl.models import from_ms, iso

if TYPE_CHECKING:
    from syncctl.state.database import Database
    from syncctl.state.outbox import Row
    from syncctl.state.stopped import Stopped


def with_reasons(database: Database, rows: Sequence[Row]) -> list[Row]:
    """The rows; those that a run should have sent tell what stopped it."""
    from syncctl.state.stopped import stopped

    found = {name: stopped(database, name) for name in {row.connector for row in rows if _is_silent(row)}}
    return [_told(row, found.get(row.connector)) for row in rows]


def _is_silent(row: Row) -> bool:
    return row.state == "due" and not row.message


def _told(row: Row, run: Stopped | None) -> Row:
    if run is None or not _is_silent(row) or max(row.due_at, row.queued_at) > run.at:
        return row
    call = f" (call {run.call})" if run.call else ""
    message = f"run {run.run} of {iso(from_ms(run.at))} stopped before it was sent: {run.message.rstrip('.')}{call}"
    remedy = "" if run.exit_code == UnavailableError.exit_code else run.remedy  # that mends itself
    return row.changed(message=message, remedy=remedy, call=row.call or run.call)
