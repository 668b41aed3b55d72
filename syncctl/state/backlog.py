"""What is not posted yet, and what the shop has changed since it was, as `syncctl status` tells it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from syncctl.models import Struct, iso, to_ms
from syncctl.state.database import Database
from syncctl.state.outbox import TO_COME, Outbox, Row
from syncctl.state.queue import Queue

SHOWN = 5
LATELY_DAYS = 31  # a year of orders would take too long to be gone through whenever somebody looks
# An order that a person let be posted though it is older than all others waits since that day; one whose day is to
# come does not wait yet.
_OLDEST = f"""
SELECT min(iif(placed_at >= ?2, strftime('%s', placed_at) * 1000, queued_at))
FROM outbox LEFT JOIN orders ON outbox.kind = 'orders' AND orders.number = outbox.key
WHERE connector = ?1 AND kind IN ('orders', 'completions', 'payments') AND state IN ('waiting', 'due', 'sending')
    AND state <> 'done' AND NOT (state = 'waiting' AND cause = '{TO_COME}')
"""
_NEW = """
SELECT count(*), min(placed_at) FROM orders
WHERE placed_at >= ?2 AND status IN (SELECT value FROM json_each(?3))
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE connector = ?1 AND kind = 'orders' AND key = orders.number)
    AND NOT EXISTS (SELECT 1 FROM posted_elsewhere WHERE order_id = orders.id AND connector = ?1)
"""


class Backlog(Struct):
    """The orders of one connector and what follows them: how many stand where, `new` being the orders not queued yet.

    `since` is since when (ms) the oldest waits that is not posted, nor given up; an order since it was placed.
    `altered` is how many the shop has changed, cancelled or deleted since they were posted, `first_altered` the first
    of them. What is new and what was altered are told of the last `LATELY_DAYS` only.
    """

    counts: dict[str, int]
    since: int | None
    altered: int
    first_altered: Sequence[Row]


def backlog(database: Database, connector: str, statuses: Sequence[str], posted_since: str, now: datetime) -> Backlog:
    """The backlog of a connector that orders in these statuses, placed since (UTC), are posted to."""
    lately = iso(now - timedelta(days=LATELY_DAYS))
    new = database.row(_NEW, connector, max(posted_since, lately), json.dumps(statuses))
    queued = database.row(_OLDEST, connector, posted_since)
    placed = to_ms(datetime.fromisoformat(new[1])) if new and new[1] else None
    times = [at for at in (placed, queued[0] if queued else None) if at is not None]
    counts = {"new": new[0] if new else 0, **Outbox(database, connector).counts()}
    altered = Queue(database).altered(connector, statuses, to_ms(now - timedelta(days=LATELY_DAYS)))
    return Backlog(counts, min(times, default=None), len(altered), [each.row for each in altered[:SHOWN]])
