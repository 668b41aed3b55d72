"""What the state can tell of one product: its values now, and every change with the call that brought it."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from syncctl.state.database import Database
from syncctl.state.mirror import quantity_text

_VALUES = """
SELECT remote.name, json_extract(remote.prices, '$."' || ?3 || '"') AS price,
    CASE WHEN remote.state = 'gone' THEN 0 ELSE coalesce(
        (SELECT sum(available) FROM remote_stock WHERE record = remote.record
            AND (location IN (SELECT value FROM sources, json_each(locations)
                              WHERE field = 'stock' AND connector = remote.connector)
                 OR NOT EXISTS (SELECT 1 FROM sources WHERE field = 'stock' AND connector = remote.connector
                                AND locations IS NOT NULL))),
        CASE WHEN looks.stock_at > 0 THEN 0 END) END AS available,
    remote.state,
    max(coalesce(looks.product_call, 0), coalesce(looks.stock_call, 0), coalesce(
        (SELECT max(call) FROM changes WHERE connector = remote.connector AND remote_id = remote.remote_id), 0))
        AS last_call
FROM remote_products AS remote
LEFT JOIN looks USING (record)
LEFT JOIN products ON products.id = remote.product_id
WHERE remote.record IN (
    SELECT record FROM remote_products
    WHERE product_id = (SELECT id FROM products WHERE sku = ?2) AND connector = ?1
    UNION ALL SELECT record FROM remote_products WHERE connector = ?1 AND sku = ?2
)
ORDER BY products.sku = ?2 DESC, remote.state = 'gone' LIMIT 1
"""
_RECORDS = """
SELECT remote.*, looks.product_at, looks.product_call, looks.stock_at, looks.stock_call
FROM remote_products AS remote LEFT JOIN looks USING (record)
WHERE remote.product_id = (SELECT id FROM products WHERE sku = ?1)
    OR (remote.connector, remote.sku) IN (SELECT connector, ?1 FROM accounts)
ORDER BY remote.connector, remote.remote_id
"""


class History:
    """The history of products at one connector, with the prices of the tier that its settings name."""

    def __init__(self, database: Database, connector: str, tier: str) -> None:
        self.database = database
        self.connector = connector
        self.tier = tier

    def values(self, sku: str) -> dict[str, str | None]:
        """Name, price, available and state of a product as this connector tells them; empty if unknown."""
        row = self.database.row(_VALUES, self.connector, sku, self.tier)
        if row is None:
            return {}
        available = None if row["available"] is None else quantity_text(row["available"])
        return {"name": row["name"], "price": row["price"], "available": available, "state": row["state"]}

    def last_call(self, sku: str) -> int:
        """The last call that told of this product or of its stock; 0 where none did."""
        row = self.database.row(_VALUES, self.connector, sku, self.tier)
        return int(row["last_call"]) if row else 0


def owners(database: Database) -> dict[str, str]:
    """The connector that each field of the catalogue is taken from: `price`, `stock`."""
    return {row["field"]: row["connector"] for row in database.rows("SELECT field, connector FROM sources ORDER BY 1")}


def records(database: Database, sku: str) -> list[sqlite3.Row]:
    """Every remote product that is linked to this SKU or has it, at all connectors."""
    return database.rows(_RECORDS, sku)


def changes(database: Database, connector: str, remote_id: str) -> list[sqlite3.Row]:
    """The changes of a record in their order, each with its call."""
    return database.rows(
        "SELECT changes.*, calls.method, calls.path, calls.status, runs.command FROM changes"
        " LEFT JOIN calls ON calls.id = changes.call LEFT JOIN runs ON runs.id = changes.run"
        " WHERE changes.connector = ? AND remote_id = ? ORDER BY changes.id",
        connector,
        remote_id,
    )


def call(database: Database, number: int) -> sqlite3.Row | None:
    """A call of the journal."""
    return database.row(
        "SELECT calls.*, runs.command FROM calls LEFT JOIN runs ON runs.id = calls.run WHERE calls.id = ?", number
    )


def problems(database: Database, sku: str) -> list[dict[str, Any]]:
    """What the last runs had to say against this product, each sentence with the latest run that said it."""
    rows = database.rows(
        "SELECT run, connector, errors, finished_at FROM run_connectors JOIN runs ON runs.id = run"
        " WHERE errors <> '[]' AND instr(errors, ?) ORDER BY run DESC LIMIT 100",
        json.dumps(sku),
    )
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        for record, message, remedy in json.loads(row["errors"]):
            if record == sku:
                told = {"connector": row["connector"], "message": message, "remedy": remedy}
                found.setdefault((row["connector"], message), told | {"run": row["run"], "at": row["finished_at"]})
    return list(found.values())
