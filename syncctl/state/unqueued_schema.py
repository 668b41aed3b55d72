"""Which orders a connector may have to queue: those that no row of its outbox stands for, however many there are.

Whether one is to be posted is for its status to say, which may change at any time. Triggers keep the table, for the
shop's program writes the orders; they take an order out only when its row comes into being.
"""

from __future__ import annotations

POSTER = "invoices_since."  # in `meta`, with the name of each connector that orders were ever to be posted to

_TABLE = """
CREATE TABLE unqueued (
    number TEXT NOT NULL,
    connector TEXT NOT NULL,
    PRIMARY KEY (number, connector)
) STRICT, WITHOUT ROWID
"""


def _remember(number: str, key: str, table: str) -> str:
    """Adds orders that no row stands for yet, for the connectors that these rows of `meta` name."""
    connector = f"substr({key}, {len(POSTER) + 1})"
    return (
        f"INSERT OR IGNORE INTO unqueued SELECT {number}, {connector} FROM {table} WHERE {key} GLOB '{POSTER}*'"
        f" AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.connector = {connector} AND outbox.kind = 'orders'"
        f" AND outbox.key = {number})"
    )


_WRITTEN = _remember("new.number", "meta.key", "meta")
_GONE = "DELETE FROM unqueued WHERE number = old.number"
_FREED = (
    "INSERT OR IGNORE INTO unqueued SELECT number, old.connector FROM orders"
    " WHERE number = old.key AND old.kind = 'orders'"
)
_TRIGGERS = {
    "orders_unqueued AFTER INSERT ON orders": _WRITTEN,
    "orders_renamed AFTER UPDATE OF number ON orders": f"{_GONE}; {_WRITTEN}",
    "orders_forgotten AFTER DELETE ON orders": _GONE,
    f"posters_unqueued AFTER INSERT ON meta WHEN new.key GLOB '{POSTER}*'": _remember(
        "orders.number", "new.key", "orders"
    ),
    "outbox_queued AFTER INSERT ON outbox WHEN new.kind = 'orders'": (
        "DELETE FROM unqueued WHERE number = new.key AND connector = new.connector"
    ),
    "outbox_unqueued AFTER DELETE ON outbox": _FREED,
    "outbox_renamed AFTER UPDATE OF key ON outbox": _FREED,
}

UNQUEUED = (_TABLE, *(f"CREATE TRIGGER {when} BEGIN {what}; END" for when, what in _TRIGGERS.items()))
