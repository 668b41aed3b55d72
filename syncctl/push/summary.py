"""What a posting run tells in the end."""

from __future__ import annotations

from collections.abc import Sequence

from syncctl.models import Kind, Struct
from syncctl.push.pushing import Pushing
from syncctl.state.outbox import Outbox, Row


class News(Struct):
    """What a person should hear of: records that `failed`, were `gave up` or have `recovered`, all of one cause."""

    event: str
    cause: str
    rows: Sequence[Row]


def news(outbox: Outbox) -> list[News]:
    """What happened since a person was told last, by cause; `Outbox.tell` each row once the mail is sent."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row, event in outbox.news():
        groups.setdefault((event, "" if event == "recovered" else row.cause), []).append(row)
    return [News(*key, rows) for key, rows in groups.items()]


def sum_up(push: Pushing) -> None:
    """Puts the state of the queue, and what became of the orders of this run, into the tally."""
    pushed = push.session.tally.pushed
    pushed.counts = push.outbox.counts()
    rows = push.outbox.touched(Kind.ORDERS, push.session.run.number)
    pushed.orders = [
        {"number": row.key, "state": row.state, "remote_id": row.remote_id, "message": row.message} for row in rows
    ]
