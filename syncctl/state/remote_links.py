"""Which records of a service stand for the shop's customers and products, as far as the mirror knows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from syncctl.state.database import Database
from syncctl.state.records import THESE

_CUSTOMERS = """
SELECT customer_id, remote_id FROM remote_customers
WHERE connector = ? AND state <> 'gone' AND customer_id IN (SELECT value FROM json_each(?))
"""
_CANDIDATES = """
SELECT DISTINCT remote.remote_id FROM customer_keys AS key
JOIN remote_customers AS remote USING (connector, remote_id)
WHERE connector = ?1 AND remote.state = 'active' AND (remote.linkable OR ?4) AND remote.matched_by IS NOT 'apart'
    AND (key.value = ?2 AND key.rank < 9 OR key.value = ?3 AND key.rank = 9)
"""
# CROSS JOIN keeps SQLite from going through all products for a few that are wanted.
_PRODUCTS = """
SELECT wanted.value AS sku, remote.remote_id FROM json_each(?2) AS wanted
CROSS JOIN products ON products.sku = wanted.value
CROSS JOIN remote_products AS remote
    ON remote.product_id = products.id AND remote.connector = ?1 AND remote.state <> 'gone'
"""
_UNLINKED = """
SELECT sku, remote_id FROM remote_products
WHERE connector = ?1 AND product_id IS NULL AND state <> 'gone' AND sku IN (SELECT value FROM json_each(?2))
"""
_CODES = f"""
SELECT remote_id, sku FROM remote_products
WHERE sku <> '' AND {THESE}
"""
_SHOP_PRODUCTS = "SELECT sku, name, barcode, price, price_includes_tax FROM products WHERE sku IN ({})"


class ShopProduct(NamedTuple):
    """What the shop knows of a product; `price` is decimal text."""

    sku: str
    name: str
    barcode: str | None
    price: str | None
    price_includes_tax: int | None


class Links:
    """Reads the links of one connector."""

    def __init__(self, database: Database, connector: str) -> None:
        self.database = database
        self.connector = connector

    def customers(self, ids: Iterable[int]) -> dict[int, str]:
        """The remote ids of those of the shop's customers that are linked."""
        rows = self.database.rows(_CUSTOMERS, self.connector, json.dumps(list(ids)))
        return {row["customer_id"]: row["remote_id"] for row in rows}

    def candidates(self, code: str, email: str, *, anybody: bool = False) -> list[str]:
        """The live records that have this account id or (case-folded) e-mail address.

        With `anybody` also those that stand for nobody in particular.
        """
        rows = self.database.rows(_CANDIDATES, self.connector, code, email, anybody)
        return [row["remote_id"] for row in rows]

    def products(self, skus: Iterable[str]) -> dict[str, set[str]]:
        """The remote ids by SKU: of the linked product, else of all records that have exactly this SKU."""
        wanted = json.dumps(list(skus))
        linked = {row["sku"]: {row["remote_id"]} for row in self.database.rows(_PRODUCTS, self.connector, wanted)}
        others: dict[str, set[str]] = {}
        for row in self.database.rows(_UNLINKED, self.connector, wanted):
            others.setdefault(row["sku"], set()).add(row["remote_id"])
        return others | linked

    def codes(self, remote_ids: Iterable[str]) -> dict[str, str]:
        """What the service calls these products."""
        rows = self.database.rows(_CODES, self.connector, json.dumps(list(remote_ids)))
        return {row["remote_id"]: row["sku"] for row in rows}

    def shop_products(self, skus: Iterable[str]) -> dict[str, ShopProduct]:
        """What the shop knows of these products."""
        wanted = list(skus)
        rows = self.database.rows(_SHOP_PRODUCTS.format(", ".join("?" * len(wanted))), *wanted)
        return {row["sku"]: ShopProduct(*row) for row in rows}
