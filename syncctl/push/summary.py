"""What a posting run tells in the end."""

from __future__ import annotations

from syncctl.models import Kind
from syncctl.push.pushing import Pushing


def sum_up(push: Pushing) -> None:
    """Puts the state of the queue, and what became of the orders of this run, into the tally."""
    pushed = push.session.tally.pushed
    pushed.counts = push.outbox.counts()
    rows = push.outbox.touched(Kind.ORDERS, push.session.run.number)
    pushed.orders = [
        {"number": row.key, "state": row.state, "remote_id": row.remote_id, "message": row.message} for row in rows
    ]
