"""What a posting run tells in the end."""

from __future__ import annotations

from syncctl.models import Kind, from_ms
from syncctl.state.database import Database
from syncctl.state.outbox import Outbox
from syncctl.state.promises import Promises
from syncctl.tally import Tally


def sum_up(database: Database, tally: Tally, run: int, now: int) -> None:
    """Puts the state of the queue, and what became of the orders of a run, into the tally; `now` in ms."""
    Promises(database).forget()
    outbox = Outbox(database, tally.name)
    tally.pushed.counts = outbox.counts()
    if next_try := outbox.next_try(now):
        tally.pushed.next_try = from_ms(next_try)
    tally.pushed.orders = [
        {"number": row.key, "state": row.state, "remote_id": row.remote_id, "message": row.message}
        for row in outbox.touched(Kind.ORDERS, run)
    ]
