"""The mirror: what a service last said of its products and stock, and every change of it.

Only what differs is written, and each difference becomes a row of `changes` with the call that brought it. Every
method that writes belongs inside a transaction of the caller.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from syncctl.models import MILLION, Kind, Problem, Product, Record, State, Stock, money_text
from syncctl.state.changelog import Changelog, Difference, Look, to_tell
from syncctl.state.database import Database, insert


@dataclass(slots=True)
class Stored:
    """What storing some records came to; `fresh` counts those not yet seen since a given call.

    `unchanged` counts the products that are as they were; `linked` are those of the `created` that came with a link
    to a product of the shop.
    """

    seen: int = 0
    fresh: int = 0
    unchanged: int = 0
    created: list[str] = field(default_factory=list)
    linked: Mapping[str, int] = field(default_factory=dict)  # remote id -> product id
    back: list[str] = field(default_factory=list)  # were marked gone
    changed: dict[str, str] = field(default_factory=dict)  # remote id -> rule
    problems: list[Problem] = field(default_factory=list)

    def add(self, other: Stored) -> None:
        """Adds the counts of another batch."""
        self.seen += other.seen
        self.fresh += other.fresh
        self.unchanged += other.unchanged
        self.created += other.created
        self.linked = {**self.linked, **other.linked}
        self.back += other.back
        self.changed |= other.changed
        self.problems += other.problems


_PRODUCT_FIELDS = ("sku", "name", "barcode", "prices", "state", "version")
_quoted = lru_cache(json.dumps)
_QUIET_FIELDS = frozenset({"version"})  # stored, but no change that anybody asks about
# For all records of a page at once: one statement each would take longer, and come back to Python in between. In
# `_FIRST_LOOK` stand the values of product_at, product_call, stock_at, stock_call and oldest_at.
_LOOK = "UPDATE looks SET {} WHERE connector = ?1 AND remote_id IN (SELECT value FROM json_each(?2))"
_FIRST_LOOK = (
    "INSERT INTO looks (connector, remote_id, product_at, product_call, stock_at, stock_call, oldest_at)"
    " SELECT ?1, value, {} FROM json_each(?2) WHERE true ON CONFLICT DO NOTHING"
)
_LOOKED = {
    "product": ("product_at = ?3, product_call = ?4, oldest_at = min(?3, stock_at)", "?3, ?4, 0, 0, 0"),
    "stock": ("stock_at = ?3, stock_call = ?4, oldest_at = min(?3, product_at)", "0, 0, ?3, ?4, 0"),
    "both": (
        "product_at = ?3, product_call = ?4, stock_at = ?3, stock_call = ?4, oldest_at = ?3",
        "?3, ?4, ?3, ?4, ?3",
    ),
}
_NEW_PRODUCTS = """
remote_products (connector, remote_id, first_call, product_id, matched_by, matched_run,
    sku, name, barcode, prices, state, version)
"""
_UPDATE_PRODUCT = """
UPDATE remote_products SET sku = ?, name = ?, barcode = ?, prices = ?, state = ?, version = ?, deleted_call = NULL
WHERE connector = ? AND remote_id = ?
"""
_SAVE_STOCK = """
INSERT INTO remote_stock (connector, remote_id, location, available, version, first_call) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET available = excluded.available, version = excluded.version
"""


Adopt = Callable[[Sequence[Product]], Mapping[str, int]]


class Mirror:
    """The mirror of one connector. `with_stock`: whether stock is read as a kind of its own.

    `adopt` gives new products a product of the shop before they are stored, where nobody disputes it: to write the
    links afterwards would write each row twice.
    """

    def __init__(self, database: Database, connector: str, adopt: Adopt, *, with_stock: bool) -> None:
        self.database = database
        self.connector = connector
        self.adopt = adopt
        self.with_stock = with_stock
        self.changelog = Changelog(database.connection, connector)

    @property
    def _sql(self) -> sqlite3.Connection:
        return self.database.connection

    def store(self, records: Iterable[Record | Problem], look: Look, since_call: int = 0) -> Stored:
        """Writes what differs; `since_call` is the call from which on a look counts as seen before."""
        stored = Stored()
        products: dict[str, Product] = {}
        stock: dict[tuple[str, str], Stock] = {}
        for record in records:
            if isinstance(record, Problem):
                stored.problems.append(record)
                stored.fresh += 1
                continue
            if isinstance(record, Product):
                products[record.remote_id] = record
            elif isinstance(record, Stock):
                stock[record.remote_id, record.location] = record
        self._store_products(products, look, since_call, stored)
        self._store_stock(stock, look, since_call, stored)
        stored.unchanged = len(products.keys() - stored.changed.keys() - set(stored.created))
        return stored

    def _store_products(self, products: Mapping[str, Product], look: Look, since: int, stored: Stored) -> None:
        if not products:
            return
        stored.seen += len(products)
        newer = self._newer("product", products, look, since, stored)
        products = {remote_id: product for remote_id, product in products.items() if remote_id not in newer}
        known = self._rows("remote_products", products)
        for remote_id, product in products.items():
            stored.problems += to_tell(product, known.get(remote_id), look)
        updates = []
        for remote_id, row in known.items():
            values = _product_values(products[remote_id], row)
            stored.back += [remote_id] if row["state"] == State.GONE else []
            if row["deleted_call"] is not None or values != tuple(row[name] for name in _PRODUCT_FIELDS):
                updates.append((*values, self.connector, remote_id))
                self._note_changes(products[remote_id], row, values, look, stored)
        self._sql.executemany(_UPDATE_PRODUCT, updates)
        self._insert([product for remote_id, product in products.items() if remote_id not in known], look, stored)
        self._look("product" if self.with_stock else "both", products, look)

    def _insert(self, products: Sequence[Product], look: Look, stored: Stored) -> None:
        stored.created += [product.remote_id for product in products]
        stored.linked = self.adopt(products) if products else {}
        rows = []
        for product in products:
            number = stored.linked.get(product.remote_id)
            link = (None, None, None) if number is None else (number, "new", look.run)
            rows.append((self.connector, product.remote_id, look.call, *link, *_product_values(product)))
        insert(self._sql, _NEW_PRODUCTS, rows)

    def _note_changes(
        self, product: Product, row: sqlite3.Row, values: Sequence[Any], look: Look, stored: Stored
    ) -> None:
        rule = look.rule_for(Kind.PRODUCTS, product)
        found = [
            difference
            for name, after in zip(_PRODUCT_FIELDS, values, strict=True)
            if name not in _QUIET_FIELDS and row[name] != after
            for difference in _differences(name, row[name], after)
        ]
        if found:
            stored.changed[product.remote_id] = rule
            self.changelog.write(Kind.PRODUCTS, product.remote_id, found, look, rule)

    def _store_stock(self, stock: Mapping[tuple[str, str], Stock], look: Look, since: int, stored: Stored) -> None:
        if not stock:
            return
        ids = dict.fromkeys(remote_id for remote_id, _ in stock)
        stored.seen += len(ids)
        newer = self._newer("stock", ids, look, since, stored)
        ids = {remote_id: None for remote_id in ids if remote_id not in newer}
        known = self._stock_rows(ids)
        writes: list[tuple[Any, ...]] = []
        told: list[Problem] = []
        for key, record in stock.items():
            if key[0] in newer:
                continue
            row = known.get(key)
            told += to_tell(record, row, look)
            if self._stock_differs(record, row, look, stored):
                available = row["available"] if record.available is None and row else _millionths(record)
                writes.append((self.connector, *key, available, record.version, look.call))
        self._sql.executemany(_SAVE_STOCK, writes)
        stored.problems += self._by_sku(told)
        self._look("stock", ids, look)

    def _by_sku(self, problems: Sequence[Problem]) -> list[Problem]:
        """The same under the SKU, where a service tells of stock by the id of the product alone."""
        rows = self._rows("remote_products", {problem.record for problem in problems}) if problems else {}
        skus = {remote_id: row["sku"] for remote_id, row in rows.items()}
        return [problem.changed(record=skus.get(problem.record) or problem.record) for problem in problems]

    def _stock_differs(self, record: Stock, row: sqlite3.Row | None, look: Look, stored: Stored) -> bool:
        after = _millionths(record)
        if row is None:
            return record.available is not None
        if record.available is not None and row["available"] != after:
            rule = look.rule_for(Kind.STOCK, record)
            stored.changed[record.remote_id] = rule
            self._note_stock(record.remote_id, record.location, (row["available"], after), look, rule)
            return True
        return bool(row["version"] != record.version)

    def _note_stock(self, remote_id: str, location: str, values: tuple[int, int], look: Look, rule: str) -> None:
        name = f"available at {location}" if location else "available"
        before, after = (quantity_text(value) for value in values)
        self.changelog.write(Kind.STOCK, remote_id, [(name, before, after)], look, rule)

    def note_deleted(self, remote_ids: Sequence[str], look: Look) -> None:
        """The service says that these products are deleted: they are to be marked gone when the read is over."""
        self._sql.execute(
            "UPDATE remote_products SET deleted_call = ? WHERE connector = ? AND state <> 'gone'"
            " AND remote_id IN (SELECT value FROM json_each(?))",
            (look.call, self.connector, json.dumps(remote_ids)),
        )

    def mark_gone(self, remote_ids: Sequence[str], look: Look) -> int:
        """Marks products that the service no longer has; they have no age from then on. How many were not marked."""
        rows = self._rows("remote_products", remote_ids)
        known = {remote_id: row["state"] for remote_id, row in rows.items() if row["state"] != State.GONE}
        for remote_id, state in known.items():
            self.changelog.write(Kind.PRODUCTS, remote_id, [("state", state, State.GONE)], look)
        keys = [(self.connector, remote_id) for remote_id in known]
        self._sql.executemany(
            "UPDATE remote_products SET state = 'gone', deleted_call = NULL WHERE connector = ? AND remote_id = ?", keys
        )
        self._sql.executemany("DELETE FROM looks WHERE connector = ? AND remote_id = ?", keys)
        return len(known)

    def mark_without_stock(self, remote_ids: Sequence[str], look: Look) -> list[str]:
        """The service has no stock record of these products: whatever is stored becomes 0. Which ones had stock."""
        known = [row for row in self._stock_rows(remote_ids).values() if row["available"] != 0]
        rule = "drift" if look.drifted else look.rule  # no feed tells of a record that is taken away
        for row in known:
            self._note_stock(row["remote_id"], row["location"], (row["available"], 0), look, rule)
        self._sql.executemany(
            "UPDATE remote_stock SET available = 0 WHERE connector = ? AND remote_id = ? AND location = ?",
            [(self.connector, row["remote_id"], row["location"]) for row in known],
        )
        self._look("stock", remote_ids, look)
        return list({row["remote_id"]: None for row in known})

    def _look(self, at: str, remote_ids: Iterable[str], look: Look) -> None:
        ids = list(remote_ids)
        again, first = _LOOKED[at]
        values = (self.connector, json.dumps(ids), look.at, look.call)
        if self._sql.execute(_LOOK.format(again), values).rowcount < len(ids):
            self._sql.execute(_FIRST_LOOK.format(first), values)

    def _rows(self, table: str, remote_ids: Iterable[str]) -> dict[str, sqlite3.Row]:
        found = self.database.rows(
            f"SELECT * FROM {table} WHERE connector = ? AND remote_id IN (SELECT value FROM json_each(?))",
            self.connector,
            json.dumps(list(remote_ids)),
        )
        return {row["remote_id"]: row for row in found}

    def _stock_rows(self, remote_ids: Iterable[str]) -> dict[tuple[str, str], sqlite3.Row]:
        found = self.database.rows(
            "SELECT * FROM remote_stock WHERE connector = ? AND remote_id IN (SELECT value FROM json_each(?))",
            self.connector,
            json.dumps(list(remote_ids)),
        )
        return {(row["remote_id"], row["location"]): row for row in found}

    def _newer(self, kind: str, remote_ids: Mapping[str, Any], look: Look, since: int, stored: Stored) -> set[str]:
        """What was looked at by a later call while this one was under way; counts what was not seen since `since`."""
        rows = self.database.rows(
            f"SELECT remote_id, {kind}_call AS call FROM looks WHERE connector = ?"
            f" AND remote_id IN (SELECT value FROM json_each(?)) AND {kind}_call >= ?",
            self.connector,
            json.dumps(list(remote_ids)),
            since,
        )
        stored.fresh += len(remote_ids) - len(rows)
        return {row["remote_id"] for row in rows if row["call"] > look.call}


def quantity_text(millionths: int) -> str:
    """A stored quantity as people write it."""
    whole, rest = divmod(abs(millionths), MILLION)
    sign = "-" if millionths < 0 else ""
    return f"{sign}{whole}" + (f".{rest:06d}".rstrip("0") if rest else "")


def _millionths(record: Stock) -> int:
    return round(record.available * MILLION) if record.available is not None else 0


def _product_values(product: Product, row: sqlite3.Row | None = None) -> tuple[Any, ...]:
    """The row's values in the order of `_PRODUCT_FIELDS`; a tier that the record leaves out keeps its price."""
    told = {tier: money_text(amount) for tier, amount in product.prices.items() if amount is not None}
    if row is not None:
        told |= {tier: text for tier, text in json.loads(row["prices"]).items() if tier not in product.prices}
    prices = ", ".join([f'{_quoted(tier)}: "{told[tier]}"' for tier in sorted(told)])  # an amount needs no escapes
    state = str(product.state)  # a plain string: sqlite3 is slow with others
    return (product.sku, product.name, product.barcode, f"{{{prices}}}", state, product.version)


def _differences(name: str, before: Any, after: Any) -> list[Difference]:
    """The fields that differ, a price tier each its own: `price` or `price 3`."""
    if name != "prices":
        return [(name, _plain(before), _plain(after))]
    old, new = json.loads(before), json.loads(after)
    return [
        ("price" if tier == "default" else f"price {tier}", old.get(tier), new.get(tier))
        for tier in sorted({*old, *new})
        if old.get(tier) != new.get(tier)
    ]


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)
