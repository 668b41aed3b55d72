"""Which records of a service stand for the shop's customers and products, as far as the mirror knows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from syncctl.models import Kind, State
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
    AND (key.value = ?2 AND key.rank < 9 OR key.value = ?3 AND key.rank = 9 AND (remote.customer_id IS NULL OR ?5))
"""
# CROSS JOIN keeps SQLite from going through all products for a few that are wanted.
_PRODUCTS = """
SELECT wanted.value AS sku, remote.remote_id FROM json_each(?2) AS wanted
CROSS JOIN products ON products.sku = wanted.value
CROSS JOIN remote_products AS remote
    ON remote.product_id = products.id AND remote.connector = ?1 AND remote.state <> 'gone'
"""
_UNLINKED = """
SELECT sku, remote_id, matched_by IS 'apart' AS apart FROM remote_products
WHERE connector = ?1 AND product_id IS NULL AND state <> 'gone' AND sku IN (SELECT value FROM json_each(?2))
"""
_PRODUCTS_APART = f"SELECT remote_id FROM remote_products WHERE {THESE} AND matched_by = 'apart' AND state <> 'gone'"
_CUSTOMERS_APART = """
SELECT remote_id FROM remote_customers WHERE connector = ?1 AND matched_by = 'apart' AND state <> 'gone'
    AND remote_id IN (SELECT value FROM json_each(?2))
"""
_APART_BY_CODE = """
SELECT remote.remote_id FROM customer_keys AS key JOIN remote_customers AS remote USING (connector, remote_id)
WHERE connector = ? AND key.value = ? AND key.rank < 9 AND remote.matched_by = 'apart' AND remote.state <> 'gone'
ORDER BY key.rank
"""
# What the service has or is to get; a SKU that the shop has not itself is compared with those that it has, too.
_NEAR = """
SELECT near.sku, 'the shop' AS owner FROM json_each(?2) AS wanted
CROSS JOIN products AS near ON near.sku = wanted.value COLLATE NOCASE
WHERE NOT EXISTS (SELECT 1 FROM products WHERE sku = wanted.value)
UNION ALL SELECT sku, ?1 FROM (
    SELECT sku FROM remote_products WHERE connector = ?1 AND state <> 'gone'
    UNION SELECT key FROM outbox WHERE connector = ?1 AND kind = 'products' AND state <> 'skipped'
) WHERE sku COLLATE NOCASE IN (SELECT value FROM json_each(?2))
"""
_CODES = f"""
SELECT remote_id, sku FROM remote_products
WHERE sku <> '' AND {THESE}
"""
_NAMES = f"SELECT remote_id, name FROM remote_products WHERE name <> '' AND {THESE}"
_STATES = """
SELECT wanted.value AS name, remote.state FROM json_each(?2) AS wanted
CROSS JOIN remote_products AS remote ON remote.connector = ?1 AND remote.sku = wanted.value
UNION SELECT wanted.value, remote.state FROM json_each(?2) AS wanted
CROSS JOIN looks ON looks.connector = ?1 AND looks.remote_id = lower(wanted.value)
CROSS JOIN remote_products AS remote ON remote.record = looks.record
"""
_SHOP_PRODUCTS = "SELECT sku, name, barcode, price, price_includes_tax FROM products WHERE sku IN ({})"


_BEST_LAST = (State.GONE, State.INACTIVE, State.ACTIVE)


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

    def candidates(self, code: str, email: str, *, anybody: bool = False, linked: bool = True) -> list[str]:
        """The live records that have this account id or (case-folded) e-mail address.

        With `anybody` also those that stand for nobody in particular; without `linked` none that has the address, and
        stands for a customer of the shop already.
        """
        rows = self.database.rows(_CANDIDATES, self.connector, code, email, anybody, linked)
        return [row["remote_id"] for row in rows]

    def products(self, skus: Iterable[str]) -> dict[str, set[str]]:
        """The remote ids by SKU: of the linked product, else of all records that have exactly this SKU.

        Of those that were taken apart by hand only where there is no other.
        """
        wanted = json.dumps(list(skus))
        linked = {row["sku"]: {row["remote_id"]} for row in self.database.rows(_PRODUCTS, self.connector, wanted)}
        others: dict[str, set[str]] = {}
        apart: dict[str, set[str]] = {}
        for row in self.database.rows(_UNLINKED, self.connector, wanted):
            (apart if row["apart"] else others).setdefault(row["sku"], set()).add(row["remote_id"])
        return apart | others | linked

    def apart(self, kind: Kind, remote_ids: Iterable[str]) -> set[str]:
        """Those of the customers or products that a person took apart from the shop's record."""
        sql = _CUSTOMERS_APART if kind is Kind.CUSTOMERS else _PRODUCTS_APART
        return {row["remote_id"] for row in self.database.rows(sql, self.connector, json.dumps(list(remote_ids)))}

    def customer_apart(self, code: str) -> str | None:
        """The record with this account id that a person took apart from the shop's."""
        row = self.database.row(_APART_BY_CODE, self.connector, code) if code else None
        return row["remote_id"] if row else None

    def near(self, skus: Iterable[str]) -> dict[str, tuple[str, str]]:
        """For each of these SKUs one that differs only in case, and who has it; a look at all products."""
        wanted = list(skus)
        rows = self.database.rows(_NEAR, self.connector, json.dumps(wanted)) if wanted else []
        return {
            sku: (row["sku"], row["owner"])
            for sku in wanted
            for row in rows
            if row["sku"].lower() == sku.lower() and row["sku"] != sku
        }

    def codes(self, remote_ids: Iterable[str]) -> dict[str, str]:
        """What the service calls these products."""
        rows = self.database.rows(_CODES, self.connector, json.dumps(list(remote_ids)))
        return {row["remote_id"]: row["sku"] for row in rows}

    def names(self, ids: Mapping[str, str]) -> dict[str, str]:
        """What these products (remote ids by SKU) are called: in the shop, else in the service."""
        rows = self.database.rows(_NAMES, self.connector, json.dumps(list(ids.values())))
        remote = {row["remote_id"]: row["name"] for row in rows}
        there = {sku: remote[remote_id] for sku, remote_id in ids.items() if remote_id in remote}
        return there | {sku: product.name for sku, product in self.shop_products(ids).items() if product.name}

    def states(self, names: Iterable[str]) -> dict[str, State]:
        """The best state of the products that have one of these SKUs or ids."""
        rows = self.database.rows(_STATES, self.connector, json.dumps(list(names)))
        found = sorted(((row["name"], State(row["state"])) for row in rows), key=lambda each: _BEST_LAST.index(each[1]))
        return dict(found)

    def shop_products(self, skus: Iterable[str]) -> dict[str, ShopProduct]:
        """What the shop knows of these products."""
        wanted = list(skus)
        rows = self.database.rows(_SHOP_PRODUCTS.format(", ".join("?" * len(wanted))), *wanted)
        return {row["sku"]: ShopProduct(*row) for row in rows}
