"""Which orders wait for what a person is mailed about: a service, or a customer or product that it refuses."""

from __future__ import annotations

import json
from collections.abc import Collection

from syncctl.models import Struct
from syncctl.state.database import Database
from syncctl.state.order_customer import teach
from syncctl.state.outbox import HELD, Outbox, subject
from syncctl.state.queue import NEEDS

_WHO = "coalesce(nullif(orders.customer ->> 'name', ''), orders.customer ->> 'company')"
# What is refused for its own sake waits for somebody else than the service.
_UNSENT = f"""
SELECT number, placed_at, {_WHO} FROM outbox JOIN orders ON orders.number = outbox.key
WHERE connector = ? AND kind = 'orders' AND state IN ('waiting', 'due', 'sending') AND state <> 'done'
    AND (state = 'sending' OR cause IN ('', 'due', 'unknown', 'not-there'))
ORDER BY placed_at, orders.id
"""
_NEEDING = f"""
SELECT orders.number, orders.placed_at, {_WHO} FROM outbox AS need, outbox AS waits, orders
WHERE need.id = ? AND {NEEDS} AND (waits.state = 'waiting' OR waits.state IN ('due', 'gave_up')
    AND waits.cause IN (SELECT value FROM json_each('{json.dumps(HELD)}')))
ORDER BY orders.placed_at, orders.id
"""


class Waiting(Struct):
    """An order that waits: when it was placed (UTC), and for whom."""

    number: str
    placed_at: str
    customer: str | None


def unsent(database: Database, connector: str) -> list[Waiting]:
    """The queued orders that nothing but the service keeps from being posted, the oldest first."""
    return [Waiting(*row) for row in database.rows(_UNSENT, connector)]


def needing(database: Database, connector: str, records: Collection[str]) -> dict[str, list[Waiting]]:
    """The orders that wait for those of the records that are customers and products to be created, by record."""
    teach(database.connection)
    rows = {subject(database, row): row for row in Outbox(database, connector).uncreated()}
    wanted = {record: rows[record].id for record in records if record in rows}
    return {record: [Waiting(*row) for row in database.rows(_NEEDING, number)] for record, number in wanted.items()}
