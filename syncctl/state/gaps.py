"""Questions about the whole mirror: what was looked at longest ago, what a read did not show, what it would lose."""

from __future__ import annotations

import json
from collections.abc import Sequence

from syncctl.models import MILLION, Kind, Stock
from syncctl.state.database import Database

_LIVE = """
SELECT (SELECT count(*) FROM remote_products WHERE connector = ?1)
    - (SELECT count(*) FROM remote_products WHERE connector = ?1 AND state = 'gone')
"""
_STOCKED = """
SELECT count(*) FROM looks NOT INDEXED CROSS JOIN remote_stock USING (record)
WHERE connector = ?1 AND oldest_at IS NOT NULL AND stock_call >= ?2 AND available > 0
    AND (?3 IS NULL OR location IN (SELECT value FROM json_each(?3)))
"""
_OWN_STOCK = "FROM looks CROSS JOIN remote_stock USING (record) WHERE connector = ?1"


class Gaps:
    """The questions, for one connector; nothing here writes but `close_stock`.

    Those about all of it go through `looks` as it stands in the file, which is the order of the mirror too.

    `locations` are those whose stock the shop sells, None all of them.
    """

    def __init__(self, database: Database, connector: str, locations: Sequence[str] | None = None) -> None:
        self.database = database
        self.locations = None if locations is None else json.dumps(locations)
        self.connector = connector

    def oldest(self, most: int) -> list[str]:
        """The remote ids of the products looked at longest ago, those already marked gone left out."""
        rows = self.database.rows(
            "SELECT looks.remote_id FROM looks JOIN remote_products USING (record)"
            " WHERE looks.connector = ? AND oldest_at IS NOT NULL AND state <> 'gone' ORDER BY oldest_at LIMIT ?",
            self.connector,
            most,
        )
        return [row["remote_id"] for row in rows]

    def linked(self, sku: str) -> list[str]:
        """The product linked to the shop's SKU, unless it is marked gone."""
        rows = self.database.rows(
            "SELECT remote_id FROM remote_products WHERE connector = ? AND state <> 'gone'"
            " AND product_id = (SELECT id FROM products WHERE sku = ?)",
            self.connector,
            sku,
        )
        return [row["remote_id"] for row in rows]

    def by_sku(self, sku: str) -> list[str]:
        """The product linked to the shop's SKU, then all others that have it at the service; none that is marked gone.

        What a person took apart is among them only where there is nothing else.
        """
        rows = self.database.rows(
            "SELECT remote_id, matched_by IS 'apart' AS apart FROM remote_products"
            " WHERE connector = ? AND state <> 'gone' AND sku = ?",
            self.connector,
            sku,
        )
        wanted = dict.fromkeys([*self.linked(sku), *(row["remote_id"] for row in rows if not row["apart"])])
        return list(wanted) or [row["remote_id"] for row in rows]

    def near_skus(self, sku: str) -> list[str]:
        """SKUs at the service that differ from this one in the case of their letters alone."""
        rows = self.database.rows(
            "SELECT DISTINCT sku FROM remote_products WHERE connector = ?1 AND state <> 'gone' AND sku <> ?2"
            " AND sku = ?2 COLLATE NOCASE",
            self.connector,
            sku,
        )
        return [row["sku"] for row in rows]

    def live(self) -> int:
        """How many products the service is believed to have."""
        return self._number(_LIVE)

    def deleted(self) -> dict[int, list[str]]:
        """The products that the service says are deleted and that are not marked yet, by the call that told it."""
        rows = self.database.rows(
            "SELECT deleted_call, remote_id FROM remote_products WHERE connector = ? AND deleted_call IS NOT NULL",
            self.connector,
        )
        found: dict[int, list[str]] = {}
        for row in rows:
            found.setdefault(row["deleted_call"], []).append(row["remote_id"])
        return found

    def unseen(self, kind: Kind, first_call: int) -> list[str]:
        """What the mirror has and a full read that began with `first_call` did not show: products, or stock not 0.

        Of stock only what the shop sells from now: after a change of warehouse nothing else is worth a call.
        """
        if kind is Kind.PRODUCTS:
            sql = (
                "SELECT looks.remote_id FROM looks NOT INDEXED CROSS JOIN remote_products USING (record)"
                " WHERE looks.connector = ? AND product_call < ? AND state <> 'gone'"
            )
        else:
            sql = (
                "SELECT DISTINCT remote_id FROM looks NOT INDEXED CROSS JOIN remote_stock USING (record)"
                " WHERE connector = ?1 AND oldest_at IS NOT NULL AND stock_call < ?2 AND available <> 0"
                " AND (?3 IS NULL OR location IN (SELECT value FROM json_each(?3)))"
            )
        values = [self.connector, first_call] + ([self.locations] if kind is Kind.STOCK else [])
        return [row["remote_id"] for row in self.database.rows(sql, *values)]

    def seen(self, kind: Kind, first_call: int) -> int:
        """How many products, or products with stock, were looked at by `first_call` or later."""
        if kind is Kind.PRODUCTS:
            sql = "SELECT count(*) FROM looks NOT INDEXED WHERE connector = ? AND product_call >= ?"
        else:
            sql = (
                "SELECT count(DISTINCT record) FROM looks NOT INDEXED CROSS JOIN remote_stock USING (record)"
                " WHERE connector = ? AND oldest_at IS NOT NULL AND stock_call >= ?"
            )
        return self._number(sql, first_call)

    def close_stock(self, first_call: int, at: int) -> None:
        """After a full read of stock: products without a stock record count as looked at."""
        self.database.connection.execute(
            "UPDATE looks NOT INDEXED SET stock_at = ?1, stock_call = ?2, oldest_at = min(?1, product_at)"
            " WHERE connector = ?3 AND oldest_at IS NOT NULL AND stock_call < ?2",
            (at, first_call, self.connector),
        )

    def stocked(self, first_call: int = 0) -> int:
        """How many stock rows that the shop sells from are above zero, and were looked at by `first_call` or later."""
        return self._number(_STOCKED, first_call, self.locations)

    def misplaced(self) -> bool:
        """Whether there is stock, but no record of it at the places that the shop sells from."""
        return bool(
            self._number(
                f"SELECT EXISTS (SELECT 1 {_OWN_STOCK})"
                f" AND ?2 IS NOT NULL AND NOT EXISTS (SELECT 1 {_OWN_STOCK}"
                " AND location IN (SELECT value FROM json_each(?2)))",
                self.locations,
            )
        )

    def idle_places(self) -> list[str]:
        """Places that the shop sells from and of which there is no record of stock, where others have some."""
        rows = self.database.rows(
            f"SELECT value, EXISTS (SELECT 1 {_OWN_STOCK} AND location = value) AS known FROM json_each(?2)",
            self.connector,
            self.locations or "[]",
        )
        idle = [row["value"] for row in rows if not row["known"]]
        return idle if len(idle) < len(rows) else []

    def emptied(self, stock: Sequence[Stock]) -> int:
        """How many rows above zero these records would bring down to zero or below."""
        keys = [[s.remote_id, s.location] for s in stock if s.available is not None and s.available * MILLION < 1]
        return self._number(
            "SELECT count(*) FROM json_each(?2) AS gone JOIN looks ON connector = ?1 AND remote_id = gone.value ->> 0"
            " JOIN remote_stock USING (record) WHERE location = gone.value ->> 1 AND available > 0",
            json.dumps(keys),
        )

    def _number(self, sql: str, *values: object) -> int:
        row = self.database.row(sql, self.connector, *values)
        return int(row[0]) if row else 0
