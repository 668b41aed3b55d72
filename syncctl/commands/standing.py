"""Why a row of the queue stands there, or stood there, although nothing speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncctl.errors import UnavailableError
from syncctl.models import from_ms, iso, to_ms

if TYPE_CHECKING:
    from syncctl.state.database import Database
    from syncctl.state.outbox import Row
    from syncctl.state.stopped import Stopped


def with_reasons(database: Database, rows: Sequence[Row]) -> list[Row]:
    """The rows; those that a run should have sent tell what stopped it."""
    from syncctl.state.stopped import stopped

    found = {name: stopped(database, name) for name in {row.connector for row in rows if _is_silent(row)}}
    return [_told(row, found.get(row.connector)) for row in rows]


def with_stops(database: Database, row: Row, attempts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Its tries, and the runs that stopped before they came to it while it was not at its end: why it was late."""
    from syncctl.clock import SystemClock
    from syncctl.state.stopped import tries_stopped

    closed = row.state in ("done", "gave_up", "skipped")
    ended = max((each["at"] for each in attempts), default="") if closed else ""
    until = datetime.fromisoformat(ended) if ended else SystemClock().now()
    known = {each["run"] for each in attempts}
    # Times are told in whole seconds.
    stops = [each for each in tries_stopped(database, row, to_ms(until) + 999) if each["run"] not in known]
    return sorted([*attempts, *stops], key=lambda each: (each["at"], each["run"]))


def _is_silent(row: Row) -> bool:
    return row.state == "due" and not row.message


def _told(row: Row, run: Stopped | None) -> Row:
    if run is None or not _is_silent(row) or max(row.due_at, row.queued_at) > run.at:
        return row
    call = f" (call {run.call})" if run.call else ""
    message = f"run {run.run} of {iso(from_ms(run.at))} stopped before it was sent: {run.message.rstrip('.')}{call}"
    remedy = "" if run.exit_code == UnavailableError.exit_code else run.remedy  # that mends itself
    return row.changed(message=message, remedy=remedy, call=row.call or run.call)
