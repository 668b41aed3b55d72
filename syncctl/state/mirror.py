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
from syncctl.state.flaws import Flaws, in_words
from syncctl.state.records import THESE


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
# For all records of a page at once: one statement each would take longer, and come back to Python in between.
_WANTED = "looks.connector = ? AND looks.remote_id IN (SELECT value FROM json_each(?))"
_KNOWN_PRODUCTS = f"""
SELECT looks.record, looks.remote_id, product_call AS call, {", ".join(_PRODUCT_FIELDS)}, deleted_call
FROM looks LEFT JOIN remote_products USING (record) WHERE {_WANTED}
"""
_KNOWN_STOCK = f"""
SELECT record, remote_id, stock_call AS call, location, available, version
FROM looks LEFT JOIN remote_stock USING (record) WHERE {_WANTED}
"""
# In `_FIRST_LOOK` stand the values of product_at, product_call, stock_at, stock_call and oldest_at.
_LOOK = "UPDATE looks SET {} WHERE record IN (SELECT value FROM json_each(?2))"
_FIRST_LOOK = (
    "INSERT INTO looks (record, connector, remote_id, product_at, product_call, stock_at, stock_call, oldest_at)"
    " SELECT ?5 + key, ?1, value, {} FROM json_each(?2)"
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
remote_products (record, connector, remote_id, first_call, product_id, matched_by, matched_run,
    sku, name, barcode, prices, state, version)
"""
_UPDATE_PRODUCT = """
UPDATE remote_products SET sku = ?, name = ?, barcode = ?, prices = ?, state = ?, version = ?, deleted_call = NULL
WHERE record = ?
"""
_NEW_STOCK = "remote_stock (record, location, available, version, first_call)"
_UPDATE_STOCK = "UPDATE remote_stock SET available = ?, version = ? WHERE record = ? AND location = ?"
_FORGET_LOOK = """
UPDATE looks SET product_at = 0, stock_at = 0, product_call = 0, stock_call = 0, oldest_at = NULL WHERE record = ?
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
        self.flaws = Flaws(database, connector)

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
        found = self._known(_KNOWN_PRODUCTS, products)
        newer = _newer(found, len(products), look, since, stored)
        products = {remote_id: product for remote_id, product in products.items() if remote_id not in newer}
        known = {row["remote_id"]: row for row in found if row["sku"] is not None and row["remote_id"] not in newer}
        bad = {remote_id: product for remote_id, product in products.items() if product.problems}
        for remote_id, product in bad.items():
            stored.problems += to_tell(product, known.get(remote_id), look)
        wrong = {(remote_id, ""): in_words(product.problems) for remote_id, product in bad.items()}
        self.flaws.keep(Kind.PRODUCTS, ((remote_id, "") for remote_id in products), wrong)
        updates = []
        for remote_id, row in known.items():
            values = _product_values(products[remote_id], row)
            stored.back += [remote_id] if row["state"] == State.GONE else []
            if row["deleted_call"] is not None or values != tuple(row[name] for name in _PRODUCT_FIELDS):
                updates.append((*values, row["record"]))
                self._note_changes(products[remote_id], row, values, look, stored)
        self._sql.executemany(_UPDATE_PRODUCT, updates)
        records = self._look("product" if self.with_stock else "both", products, look, found)
        new = [product for remote_id, product in products.items() if remote_id not in known]
        self._insert(new, records, look, stored)

    def _insert(self, products: Sequence[Product], records: Mapping[str, int], look: Look, stored: Stored) -> None:
        stored.created += [product.remote_id for product in products]
        stored.linked = self.adopt(products) if products else {}
        rows = []
        for product in products:
            number = stored.linked.get(product.remote_id)
            link = (None, None, None) if number is None else (number, "new", look.run)
            rows.append(
                (
                    records[product.remote_id],
                    self.connector,
                    product.remote_id,
                    look.call,
                    *link,
                    *_product_values(product),
                )
            )
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
        found = self._known(_KNOWN_STOCK, ids)
        newer = _newer(found, len(ids), look, since, stored)
        records = self._look("stock", [remote_id for remote_id in ids if remote_id not in newer], look, found)
        known = {(row["remote_id"], row["location"]): row for row in found if row["location"] is not None}
        new: list[tuple[Any, ...]] = []
        updates: list[tuple[Any, ...]] = []
        problems: list[Problem] = []
        stock = {key: record for key, record in stock.items() if key[0] not in newer}
        for key, record in stock.items():
            row = known.get(key)
            if record.problems:
                problems += to_tell(record, row, look)
            if row is None and record.available is not None:
                new.append((records[key[0]], key[1], _millionths(record), record.version, look.call))
            elif row is not None and self._stock_differs(record, row, look, stored):
                available = row["available"] if record.available is None else _millionths(record)
                updates.append((available, record.version, row["record"], key[1]))
        insert(self._sql, _NEW_STOCK, new)
        self._sql.executemany(_UPDATE_STOCK, updates)
        self.flaws.keep(
            Kind.STOCK, stock, {key: in_words(each.problems) for key, each in stock.items() if each.problems}
        )
        stored.problems += self._by_sku(problems)

    def _by_sku(self, problems: Sequence[Problem]) -> list[Problem]:
        """The same under the SKU, where a service tells of stock by the id of the product alone."""
        rows = self._products({problem.record for problem in problems}) if problems else {}
        skus = {remote_id: row["sku"] for remote_id, row in rows.items()}
        return [problem.changed(record=skus.get(problem.record) or problem.record) for problem in problems]

    def _stock_differs(self, record: Stock, row: sqlite3.Row, look: Look, stored: Stored) -> bool:
        after = _millionths(record)
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
            f"UPDATE remote_products SET deleted_call = ? WHERE {THESE} AND state <> 'gone'",
            (look.call, self.connector, json.dumps(remote_ids)),
        )

    def mark_gone(self, remote_ids: Sequence[str], look: Look) -> int:
        """Marks products that the service no longer has; they have no age from then on. How many were not marked."""
        known = [row for row in self._products(remote_ids).values() if row["state"] != State.GONE]
        for row in known:
            self.changelog.write(Kind.PRODUCTS, row["remote_id"], [("state", row["state"], State.GONE)], look)
        keys = [(row["record"],) for row in known]
        self._sql.executemany("UPDATE remote_products SET state = 'gone', deleted_call = NULL WHERE record = ?", keys)
        self._sql.executemany(_FORGET_LOOK, keys)
        for kind in (Kind.PRODUCTS, Kind.STOCK):
            self.flaws.forget(kind, remote_ids)
        return len(known)

    def mark_without_stock(self, remote_ids: Sequence[str], look: Look) -> list[str]:
        """The service has no stock record of these products: whatever is stored becomes 0. Which ones had stock."""
        found = self._known(_KNOWN_STOCK, remote_ids)
        known = [row for row in found if row["available"]]
        rule = "drift" if look.drifted else look.rule  # no feed tells of a record that is taken away
        for row in known:
            self._note_stock(row["remote_id"], row["location"], (row["available"], 0), look, rule)
        self._sql.executemany(
            "UPDATE remote_stock SET available = 0 WHERE record = ? AND location = ?",
            [(row["record"], row["location"]) for row in known],
        )
        self.flaws.forget(Kind.STOCK, remote_ids)
        self._look("stock", remote_ids, look, found)
        return list({row["remote_id"]: None for row in known})

    def _look(self, at: str, remote_ids: Iterable[str], look: Look, found: Iterable[sqlite3.Row]) -> dict[str, int]:
        """Notes when they were looked at, those that were `found` and those that are new; the numbers of all."""
        known = {row["remote_id"]: row["record"] for row in found}
        records = {remote_id: known.get(remote_id) for remote_id in remote_ids}
        again, first = _LOOKED[at]
        old = [record for record in records.values() if record is not None]
        if old:
            self._sql.execute(_LOOK.format(again), (None, json.dumps(old), look.at, look.call))
        new = [remote_id for remote_id, record in records.items() if record is None]
        if not new:
            return known
        (last,) = self._sql.execute("SELECT coalesce(max(record), 0) FROM looks").fetchone()
        values = (self.connector, json.dumps(new), look.at, look.call, last + 1)
        self._sql.execute(_FIRST_LOOK.format(first), values)
        return known | {remote_id: last + 1 + key for key, remote_id in enumerate(new)}

    def _products(self, remote_ids: Iterable[str]) -> dict[str, sqlite3.Row]:
        wanted = json.dumps(list(remote_ids))
        found = self.database.rows(f"SELECT * FROM remote_products WHERE {THESE}", self.connector, wanted)
        return {row["remote_id"]: row for row in found}

    def _known(self, sql: str, remote_ids: Iterable[str]) -> list[sqlite3.Row]:
        return self.database.rows(sql, self.connector, json.dumps(list(remote_ids)))


def _newer(found: Iterable[sqlite3.Row], wanted: int, look: Look, since: int, stored: Stored) -> set[str]:
    """What was looked at by a later call while this one was under way; counts what was not seen since `since`."""
    seen = {row["remote_id"]: row["call"] for row in found if row["call"] >= since}
    stored.fresh += wanted - len(seen)
    return {remote_id for remote_id, call in seen.items() if call > look.call}


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
