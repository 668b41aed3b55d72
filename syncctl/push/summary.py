"""What a posting run tells in the end."""

from __future__ import annotations

from syncctl.models import Kind
from syncctl.push.pushing import Pushing
from syncctl.state.promises import Promises


def sum_up(push: Pushing) -> None:
    """Puts the state of the queue, and what became of the orders of this run, into the tally."""
    Promises(push.session.database).forget()
    pushed = push.session.tally.pushed
    pushed.counts = push.outbox.counts()
    rows = push.outbox.touched(Kind.ORDERS, push.session.run.number)
    pushed.orders = [
        {"number": row.key, "state": row.state, "remote_id": row.remote_id, "message": row.message} for row in rows
    ]
