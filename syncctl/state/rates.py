"""How much there is of everything, and how much of it a day: what a plan is made of. Only reads."""

from __future__ import annotations

from datetime import datetime

from syncctl.models import from_ms, iso, to_ms
from syncctl.state.database import Database
from syncctl.state.health import COUNTED
from syncctl.state.windows import DAY

DAYS = 28  # that a rate is taken from
ENOUGH_ORDERS = 20  # for what an order costs
_PLACES = """
SELECT count(*), count(DISTINCT record)
FROM (SELECT record FROM looks WHERE connector = ? LIMIT 5000) CROSS JOIN remote_stock USING (record)
"""
_CHANGES = """
SELECT sum(changed), min(started_at) FROM runs JOIN run_connectors ON run = runs.id
WHERE connector = ? AND command = 'sync-recent' AND run_connectors.exit_code IN (0, 65) AND started_at >= ?
"""
_ORDERS = "SELECT count(*), min(placed_at) FROM orders WHERE placed_at >= ?"
_POSTED = """
SELECT count(*), (
    SELECT sum(calls) FROM runs JOIN run_connectors ON run = runs.id
    WHERE connector = ?1 AND command IN ('post-invoices', 'retry-queue') AND started_at >= ?2
) FROM outbox INDEXED BY outbox_posted WHERE connector = ?1 AND kind = 'orders' AND state = 'done' AND ended_at >= ?2
"""


class Rates:
    """The counts and rates of one connector, seen at one moment (ms)."""

    def __init__(self, database: Database, connector: str, now: int) -> None:
        self.database = database
        self.connector = connector
        self.now = now

    def products(self) -> int:
        """How many products the service is believed to have; from the counts, since rows take long to be counted."""
        return sum(self.database.row(COUNTED, self.connector) or ())

    def places(self) -> float:
        """How many rows of stock a product has that has some, by the first of them; 1 where nobody knows."""
        row = self.database.row(_PLACES, self.connector)
        return row[0] / row[1] if row and row[1] else 1

    def changes(self) -> float | None:
        """Records that changed, a day; None until sync-recent has run for a day."""
        row = self.database.row(_CHANGES, self.connector, self.now - DAYS * DAY)
        return self._a_day(row[0], row[1]) if row and row[1] else None

    def orders(self) -> float | None:
        """Orders of the shop, a day; None until there were any for a day."""
        row = self.database.row(_ORDERS, iso(from_ms(self.now - DAYS * DAY)))
        if row is None or not row[0]:
            return None
        return self._a_day(row[0], to_ms(datetime.fromisoformat(row[1])))

    def calls_an_order(self) -> float | None:
        """What posting an order cost lately, with all that it needed; None where there were few."""
        row = self.database.row(_POSTED, self.connector, self.now - DAYS * DAY)
        return row[1] / row[0] if row and row[0] >= ENOUGH_ORDERS and row[1] else None

    def _a_day(self, count: int, since: int) -> float | None:
        days = (self.now - since) / DAY
        return count / days if days >= 1 else None
