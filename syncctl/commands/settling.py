"""Whether a service has the order that a person says is there: asked, with one call, before the queue believes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncctl.commands.common import Job, execute
from syncctl.commands.messages import deferral, warn
from syncctl.commands.options import Common, Running
from syncctl.errors import ConfigError, InterruptedRunError, RecordError, RefusedError
from syncctl.models import Kind, Purpose

if TYPE_CHECKING:
    from syncctl.connectors.base import Connector
    from syncctl.models_push import Seen
    from syncctl.session import Session
    from syncctl.state.outbox import Row

_MOST_SECONDS = 20.0
_NO_SUCH_ID = (400, 404, 422)  # also of what is no id at all


class _UnaskedError(Exception):
    """Why the service could not be asked."""


def refuse_stranger(common: Common, row: Row, remote_id: str) -> None:
    """Raises `RecordError` where the service has no such order; warns where it cannot be asked."""
    if row.kind is not Kind.ORDERS or row.remote_id == remote_id:
        return
    try:
        seen = _asked(common, row.connector, remote_id)
    except _UnaskedError as error:
        warn([f"{row.connector} was not asked whether it has {remote_id}: {error}"])
        return
    if seen is None:
        remedy = f"Copy the id of the order from {row.connector}; its number is none"
        raise RecordError(row.key, f"{row.connector} has no order with the id {remote_id}", remedy)
    if not seen.live:
        remedy = f"Restore it there; if the order is not to be posted, run syncctl queue drop {row.id}"
        raise RecordError(row.key, f"{remote_id} is voided or deleted in {row.connector}", remedy)


def _asked(common: Common, connector: str, remote_id: str) -> Seen | None:
    found: list[Seen | None] = []

    def work(session: Session) -> None:
        found.append(_seen(session.connector, remote_id))

    running = Running(connector, dry_run=False, wait_lock=0, max_seconds=_MOST_SECONDS, jitter=0)
    try:
        outcome = execute(Job("queue settle", Purpose.MANUAL, work, lock=False, quiet=True), common, running)
    except ConfigError as error:  # it is not configured any more
        raise _UnaskedError(error.message) from error
    (tally,) = outcome.tallies
    if outcome.code == InterruptedRunError.exit_code:
        raise InterruptedRunError(tally.errors[0].message)
    if not found:
        raise _UnaskedError(deferral(tally, tally.deferred_until) if tally.deferred_until else tally.errors[0].message)
    return found[0]


def _seen(connector: Connector, remote_id: str) -> Seen | None:
    try:
        return connector.seen(remote_id)
    except RefusedError as error:
        if error.status in _NO_SUCH_ID:
            return None
        raise
