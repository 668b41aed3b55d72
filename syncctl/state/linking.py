"""Links what a service calls a product to the shop's product of the same SKU; never by guessing.

SKUs match exactly. Two products of one SKU, or SKUs that differ only in case, are reported and left alone until a
person has mended them. A link once made holds by remote id, whatever happens to the SKU; what somebody linked or took
apart by hand stays so.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from syncctl.models import Problem, Product, State
from syncctl.state.database import Database, insert
from syncctl.state.records import THESE, THIS

_ONE_NAME = "Give each product its own SKU there"
_CANDIDATES = f"""
SELECT remote_id, sku, name, barcode, state FROM remote_products
WHERE {THESE} AND product_id IS NULL AND state <> 'gone' AND matched_by IS NOT 'apart'
"""
_SAME_SKU = """
SELECT sku, group_concat(remote_id, ', ') AS ids FROM remote_products
WHERE connector = ? AND state <> 'gone' AND sku IN (SELECT value FROM json_each(?)) AND matched_by IS NOT 'apart'
GROUP BY sku HAVING count(*) > 1
"""
_LOCAL = """
SELECT products.id, products.sku, link.remote_id AS linked_to, link.state AS linked_state, link.matched_by AS linked_by
FROM json_each(?) AS wanted
JOIN products ON products.sku = wanted.value
LEFT JOIN remote_products AS link ON link.product_id = products.id AND link.connector = ?
"""
_NEARLY = """
SELECT wanted.value AS sku, products.sku AS local FROM json_each(?) AS wanted
JOIN products ON products.sku = wanted.value COLLATE NOCASE
WHERE products.sku <> wanted.value
"""
# What can be linked without dispute; a dispute was reported when the record came, and is when it comes again.
_WAITING = """
SELECT remote.remote_id FROM remote_products AS remote
LEFT JOIN products ON products.sku = remote.sku
WHERE remote.connector = ?1 AND remote.product_id IS NULL AND remote.state <> 'gone' AND remote.sku <> ''
    AND remote.matched_by IS NOT 'apart'
    AND CASE WHEN products.id IS NULL
        THEN ?2 AND remote.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM products AS near WHERE near.sku = remote.sku COLLATE NOCASE)
        ELSE NOT EXISTS (SELECT 1 FROM remote_products AS link
            WHERE link.product_id = products.id AND link.connector = ?1
                AND (link.state <> 'gone' OR link.matched_by = 'hand'))
    END
    AND NOT EXISTS (SELECT 1 FROM remote_products AS other
        WHERE other.connector = ?1 AND other.sku = remote.sku AND other.state <> 'gone'
            AND other.matched_by IS NOT 'apart' AND other.remote_id <> remote.remote_id)
"""
_RENAMED = f"""
SELECT remote.remote_id, remote.sku, products.sku AS local, taken.id IS NOT NULL AS taken
FROM remote_products AS remote
JOIN products ON products.id = remote.product_id
LEFT JOIN products AS taken ON taken.sku = remote.sku
WHERE {THESE} AND remote.sku <> products.sku AND remote.matched_by <> 'hand'
"""
# Without DISTINCT, for which SQLite would walk along all SKUs of the connector.
_LINKED_SKUS = f"""
SELECT sku FROM remote_products WHERE {THESE} AND product_id IS NOT NULL AND state <> 'gone' AND sku <> ''
"""
# SKUs that the shop has, in whatever case, or that another record of this connector has.
_TAKEN = """
SELECT value FROM json_each(?1)
WHERE EXISTS (SELECT 1 FROM products WHERE sku = value COLLATE NOCASE)
    OR EXISTS (SELECT 1 FROM remote_products WHERE connector = ?2 AND sku = value AND state <> 'gone')
"""
_NEW = "products (id, sku, name, barcode, created_by)"
_SAVE_LINK = f"UPDATE remote_products SET product_id = ?, matched_by = ?, matched_run = ? WHERE {THIS}"


class Linker:
    """Links for one connector; all but `link_waiting` belong inside a transaction of the caller."""

    def __init__(self, database: Database, connector: str, *, insert_new: bool) -> None:
        self.database = database
        self.connector = connector
        self.insert_new = insert_new

    @property
    def _sql(self) -> sqlite3.Connection:
        return self.database.connection

    def link_waiting(self, run: int) -> list[Problem]:
        """Links records to products that the shop has got since the last run, in a transaction of its own."""
        with self.database.transaction():
            waiting = self.waiting()
            return self.link(waiting, run) if waiting else []

    def waiting(self) -> list[str]:
        """Unlinked records whose SKU the shop has got in the meantime, or that no other record disputes any more."""
        return [row["remote_id"] for row in self.database.rows(_WAITING, self.connector, self.insert_new)]

    def link(self, remote_ids: Iterable[str], run: int) -> list[Problem]:
        """Links those that have no link yet, inserting products the shop has not where that is wanted."""
        rows = self.database.rows(_CANDIDATES, self.connector, json.dumps(list(remote_ids)))
        problems = [_nameless(row) for row in rows if not row["sku"]]
        named = {row["remote_id"]: row for row in rows if row["sku"]}
        if named:
            self._link_named(named, run, problems)
        return problems

    def adopt(self, products: Sequence[Product]) -> Mapping[str, int]:
        """Inserts those of these new products whose SKU is nobody else's, before the mirror has them.

        Gives the shop's number by remote id. All others are for `link` to judge once they are stored.
        """
        times = Counter(product.sku.lower() for product in products)
        free = [p for p in products if p.sku and p.state is State.ACTIVE and times[p.sku.lower()] == 1]
        if not (self.insert_new and free):
            return {}
        skus = json.dumps([product.sku for product in free])
        taken = {row["value"] for row in self.database.rows(_TAKEN, skus, self.connector)}
        new = [product for product in free if product.sku not in taken]
        numbers = self._insert([(product.sku, product.name, product.barcode) for product in new])
        return {product.remote_id: number for number, product in zip(numbers, new, strict=True)}

    def renamed(self, remote_ids: Iterable[str]) -> list[Problem]:
        """Linked records whose SKU is no longer the shop's, or is that of another record too."""
        wanted = json.dumps(list(remote_ids))
        twice = self._linked_twice(wanted)
        rows = self.database.rows(_RENAMED, self.connector, wanted)
        return [
            *(_shared(sku, ids, self.connector) for sku, ids in twice.items()),
            *(_renamed(row, self.connector) for row in rows if row["sku"] not in twice),
        ]

    def shared(self, remote_ids: Iterable[str]) -> list[Problem]:
        """Linked records whose SKU is that of another record too."""
        twice = self._linked_twice(json.dumps(list(remote_ids)))
        return [_shared(sku, ids, self.connector) for sku, ids in twice.items()]

    def _linked_twice(self, wanted: str) -> dict[str, str]:
        return self._same_sku({row["sku"] for row in self.database.rows(_LINKED_SKUS, self.connector, wanted)})

    def _same_sku(self, skus: Iterable[str]) -> dict[str, str]:
        """Those of the SKUs that several live records have, with the remote ids of these."""
        rows = self.database.rows(_SAME_SKU, self.connector, json.dumps(sorted(skus)))
        return {row["sku"]: row["ids"] for row in rows}

    def _link_named(self, named: Mapping[str, sqlite3.Row], run: int, problems: list[Problem]) -> None:
        wanted = {row["sku"] for row in named.values()}
        skus = json.dumps(sorted(wanted))
        twice = self._same_sku(wanted)
        local = {row["sku"]: row for row in self.database.rows(_LOCAL, skus, self.connector)}
        nearly = {row["sku"]: row["local"] for row in self.database.rows(_NEARLY, skus)}
        for sku, ids in twice.items():
            problems.append(_shared(sku, ids, self.connector))
            self._withdraw(sku, run)
        new: dict[str, sqlite3.Row] = {}
        for remote_id, row in named.items():
            sku = row["sku"]
            if sku in twice:
                continue
            if sku in local:
                self._link_one(remote_id, local[sku], run, problems)
            elif sku in nearly or sku.lower() in nearly:
                other = nearly.get(sku) or nearly[sku.lower()]
                problems.append(_case_clash(sku, other, self.connector))
            elif self.insert_new and row["state"] == "active":
                new[remote_id] = row
                nearly[sku.lower()] = sku  # a later one of this batch may differ only in case
        numbers = self._insert([(row["sku"], row["name"], row["barcode"]) for row in new.values()])
        links = [
            (number, "new", run, self.connector, remote_id) for number, remote_id in zip(numbers, new, strict=True)
        ]
        self._sql.executemany(_SAVE_LINK, links)

    def _link_one(self, remote_id: str, local: sqlite3.Row, run: int, problems: list[Problem]) -> None:
        if local["linked_to"] is not None and (local["linked_state"] != "gone" or local["linked_by"] == "hand"):
            message = f"is linked to {local['linked_to']} in {self.connector}, and {remote_id} there has its SKU too"
            problems.append(Problem(local["sku"], message, _ONE_NAME))
            return
        if local["linked_to"] is not None:
            self._unlink(local["linked_to"])
        self._sql.execute(_SAVE_LINK, (local["id"], "sku", run, self.connector, remote_id))

    def _insert(self, products: Sequence[tuple[str, str, str | None]]) -> range:
        """Their numbers."""
        (last,) = self._sql.execute("SELECT coalesce(max(id), 0) FROM products").fetchone()
        numbers = range(last + 1, last + 1 + len(products))
        rows = [(number, *product, self.connector) for number, product in zip(numbers, products, strict=True)]
        insert(self._sql, _NEW, rows)
        return numbers

    def _unlink(self, remote_id: str) -> None:
        self._sql.execute(
            f"UPDATE remote_products SET product_id = NULL, matched_by = NULL WHERE {THIS}",
            (self.connector, remote_id),
        )

    def _withdraw(self, sku: str, run: int) -> None:
        """Takes back a link that this very run made before it saw that the SKU stands twice."""
        self._sql.execute(
            "UPDATE remote_products SET product_id = NULL, matched_by = NULL"
            " WHERE connector = ? AND sku = ? AND matched_run = ?",
            (self.connector, sku, run),
        )


def _shared(sku: str, ids: str, connector: str) -> Problem:
    return Problem(sku, f"several products have this SKU in {connector}: {ids}", _ONE_NAME)


def _renamed(row: sqlite3.Row, connector: str) -> Problem:
    """What to do about a linked record of another SKU: renaming the shop's product is not always possible."""
    local, sku = row["local"], row["sku"]
    if not sku:
        return Problem(local, f"has no SKU any more in {connector}; the link holds", "Give it one there")
    remedy = f"If that is meant, rename it in the shop too: {_rename(local, sku)}"
    if row["taken"]:
        remedy = f"The shop has another product {sku}: give each its own SKU"
    return Problem(local, f"is now called {sku} in {connector}; the link holds", remedy)


def _rename(before: str, after: str) -> str:
    old, new = (sku.replace("'", "''") for sku in (before, after))
    return f"UPDATE products SET sku = '{new}' WHERE sku = '{old}'"


def _nameless(row: sqlite3.Row) -> Problem:
    return Problem(row["remote_id"], f"has no SKU ({row['name'][:60] or 'no name either'})", "Give it a SKU there")


def _case_clash(sku: str, local: str, connector: str) -> Problem:
    return Problem(
        sku, f"differs only in case from {local}, which is in the shop; {connector} and the shop stay apart",
        "Write it the same on both sides",
    )  # fmt: skip
