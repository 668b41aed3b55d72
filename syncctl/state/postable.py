"""The shop's orders as posting reads them: which are new, and what one of them says now."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncctl.models import Struct, to_ms
from syncctl.state.database import Database
from syncctl.state.unqueued_schema import POSTER

if TYPE_CHECKING:
    from syncctl.shop.order import Order

# Of the orders that triggers have put down; of all, where nobody has told them of the connector yet.
_UNQUEUED = "unqueued CROSS JOIN orders ON orders.number = unqueued.number AND unqueued.connector = ?1"
_NEW = """
SELECT orders.number, orders.placed_at, elsewhere.remote_id FROM {orders}
LEFT JOIN posted_elsewhere AS elsewhere ON elsewhere.order_id = orders.id AND elsewhere.connector = ?1
WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE connector = ?1 AND kind = 'orders' AND key = orders.number)
    AND (orders.status IN (SELECT value FROM json_each(?2)) OR elsewhere.remote_id IS NOT NULL)
ORDER BY orders.placed_at, orders.id
"""
_RECONSIDERED = """
SELECT orders.number, orders.placed_at, elsewhere.remote_id FROM outbox CROSS JOIN orders ON orders.number = outbox.key
LEFT JOIN posted_elsewhere AS elsewhere ON elsewhere.order_id = orders.id AND elsewhere.connector = ?1
WHERE outbox.connector = ?1 AND outbox.kind = 'orders' AND outbox.state = 'skipped' AND outbox.state <> 'done'
    AND outbox.cause = 'too-old' AND orders.status IN (SELECT value FROM json_each(?2))
    AND (orders.placed_at >= ?3 OR orders.number IN (SELECT value FROM json_each(?4)))
"""
_ORDER = """
SELECT orders.*, customers.code, customers.email, elsewhere.remote_id FROM orders
LEFT JOIN customers ON customers.id = orders.customer_id
LEFT JOIN posted_elsewhere AS elsewhere ON elsewhere.order_id = orders.id AND elsewhere.connector = ?
WHERE orders.number = ?
"""
_ORDER_COLUMNS = "number, placed_at, currency, exchange_rate, status, subtotal, tax_total, total, note"
_LINE_COLUMNS = "kind, sku, description, quantity, unit_price, tax_rate, tax_amount"


class New(Struct):
    """An order that no outbox row stands for yet; `elsewhere` is its remote id where an older integration posted it."""

    number: str
    placed_at: int
    elsewhere: str


class Postable(Struct):
    """An order as it stands in the shop's tables; `fault` says what is wrong with it, and then there is no `order`.

    `elsewhere` is its remote id where an older integration has posted it.
    """

    number: str
    placed_at: int
    customer_id: int | None
    customer_code: str
    customer_email: str
    elsewhere: str
    revision: int
    status: str
    order: Order | None
    fault: str = ""
    remedy: str = ""


def _new(row: sqlite3.Row) -> New:
    return New(row["number"], _ms(row["placed_at"]), row["remote_id"] or "")


class Orders:
    """Reads the tables `orders`, `order_lines` and `order_payments`; writes nothing."""

    def __init__(self, database: Database, connector: str) -> None:
        self.database = database
        self.connector = connector

    def new(self, statuses: Collection[str]) -> list[New]:
        """What is to be posted by its status and not queued yet, the oldest first."""
        told = self.database.row("SELECT 1 FROM meta WHERE key = ?", POSTER + self.connector)
        sql = _NEW.format(orders=_UNQUEUED if told else "orders")
        rows = self.database.rows(sql, self.connector, json.dumps(sorted(statuses)))
        return [_new(row) for row in rows]

    def reconsidered(self, statuses: Collection[str], since: str, numbers: Collection[str]) -> list[New]:
        """What was skipped as too old, and no longer is, or is named."""
        told = (json.dumps(sorted(statuses)), since, json.dumps(list(numbers)))
        return [_new(row) for row in self.database.rows(_RECONSIDERED, self.connector, *told)]

    def exist(self, numbers: Iterable[str]) -> set[str]:
        """Those of the numbers that the shop has."""
        sql = "SELECT number FROM orders WHERE number IN (SELECT value FROM json_each(?))"
        return {row["number"] for row in self.database.rows(sql, json.dumps(list(numbers)))}

    def is_newest(self, postable: Postable) -> bool:
        """Whether it belongs to a customer of the shop who has placed no order after it."""
        sql = "SELECT number FROM orders WHERE customer_id = ? ORDER BY placed_at DESC, id DESC LIMIT 1"
        row = self.database.row(sql, postable.customer_id)
        return row is not None and row["number"] == postable.number

    def load(self, number: str) -> Postable | None:
        """One order, checked like one that is imported."""
        row = self.database.row(_ORDER, self.connector, number)
        if row is None:
            return None
        facts = (
            row["number"], _ms(row["placed_at"]), row["customer_id"], row["code"] or "", row["email"] or "",
            row["remote_id"] or "", row["revision"], row["status"],
        )  # fmt: skip
        from syncctl.shop.fields import BadLineError, flat
        from syncctl.shop.order_check import order

        try:
            return Postable(*facts, order(self._given(row)))
        except* BadLineError as group:
            faults = flat(group)
        return Postable(*facts, None, "; ".join(map(str, faults)), faults[0].remedy)

    def _given(self, row: sqlite3.Row) -> dict[str, Any]:
        """The order as it stands in a list that is imported."""
        lines = self.database.rows(
            f"SELECT {_LINE_COLUMNS} FROM order_lines WHERE order_id = ? ORDER BY position", row["id"]
        )
        payments = self.database.rows(
            "SELECT method, amount, paid_at FROM order_payments WHERE order_id = ? ORDER BY position", row["id"]
        )
        return {
            **{name: row[name] for name in _ORDER_COLUMNS.split(", ")},
            "prices_include_tax": bool(row["prices_include_tax"]),
            "customer": json.loads(row["customer"]),
            "lines": [dict(line) for line in lines],
            "payments": [dict(payment) for payment in payments],
        }


def _ms(moment: str) -> int:
    return to_ms(datetime.fromisoformat(moment))
