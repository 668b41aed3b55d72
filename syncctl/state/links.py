"""Links between the shop's records and a service's: which there are, which are in doubt, and setting them by hand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from syncctl.connectors._fields import text
from syncctl.errors import RecordError
from syncctl.models import Kind, State, Struct
from syncctl.state.changelog import Changelog, Look
from syncctl.state.customer_linking import CustomerLinker
from syncctl.state.database import Database, any_bytes
from syncctl.state.order_customer import keys_of_customers
from syncctl.state.outbox import HELD
from syncctl.state.remote_customers import numbers


class LinkTable(Struct):
    """Where the links of a kind stand; `name` and `remote_name` are what people call the records, in SQL."""

    kind: Kind
    word: str
    table: str
    column: str
    shop: str
    name: str
    remote_name: str
    order: str

    def read(self, database: Database, condition: str, *values: object) -> list[sqlite3.Row]:
        """Records of the services with their links, those that meet a condition; the live ones of a service first."""
        return self.sorted(database, "remote.connector, remote.state, remote_name", condition, *values)

    def sorted(self, database: Database, order: str, condition: str, *values: object) -> list[sqlite3.Row]:
        """The same in another order."""
        with any_bytes(database.connection):
            return database.rows(
                f"SELECT remote.connector, remote_id, {self.remote_name} AS remote_name, remote.name, remote.state,"
                f" {self.name} AS name_in_shop, shop.id AS number, remote.rowid AS record, matched_by,"
                " runs.started_at AS matched_at, runs.command AS matched_during"
                f" FROM {self.table} AS remote LEFT JOIN {self.shop} AS shop ON shop.id = remote.{self.column}"
                f" LEFT JOIN runs ON runs.id = matched_run WHERE {condition} ORDER BY {order}",
                *values,
            )


PRODUCTS = LinkTable(
    Kind.PRODUCTS,
    "product",
    "remote_products",
    "product_id",
    "products",
    "shop.sku",
    "nullif(remote.sku, '')",
    "remote.connector, remote.sku",
)
CUSTOMERS = LinkTable(
    Kind.CUSTOMERS,
    "customer",
    "remote_customers",
    "customer_id",
    "customers",
    "coalesce(shop.code, shop.email, 'number ' || shop.id)",
    "coalesce((SELECT value FROM json_each(remote.codes) WHERE value <> '' LIMIT 1), remote.emails ->> 0)",
    "remote.connector, remote.remote_id",
)
TABLES = {table.word: table for table in (PRODUCTS, CUSTOMERS)}

# All that have the SKU of one that is not linked, whoever of them is.
_SHARED_SKUS = """
remote.connector = ?1 AND remote.state <> 'gone' AND remote.matched_by IS NOT 'apart'
AND remote.sku IN (SELECT sku FROM remote_products WHERE connector = ?1 AND product_id IS NULL AND sku <> ''
    AND state <> 'gone' AND matched_by IS NOT 'apart')
AND (SELECT count(*) FROM remote_products AS other WHERE other.connector = remote.connector AND other.sku = remote.sku
    AND other.state <> 'gone' AND other.matched_by IS NOT 'apart') > 1
"""
# Orders that are held for their customer or a product; those of a run that is under way are not among them.
_RELEASE = """
UPDATE outbox SET state = 'due', due_at = ?1, tries = 0, ended_at = NULL
WHERE connector = ?2 AND kind = 'orders' AND state IN ('due', 'gave_up') AND state <> 'done'
    AND cause IN (SELECT value FROM json_each(?3)) AND EXISTS (SELECT 1 FROM orders WHERE number = key AND {})
"""
_WITH = {
    Kind.CUSTOMERS: "customer_id = ?4",
    Kind.PRODUCTS: "id IN (SELECT order_id FROM order_lines JOIN products USING (sku) WHERE products.id = ?4)",
}


class Doubt(Struct):
    """A record of the shop (or of nobody yet) that several records of a service fit, or that has a rival."""

    connector: str
    name: str
    candidates: Sequence[sqlite3.Row]


def linked(database: Database, table: LinkTable, connector: str | None, limit: int | None = None) -> list[sqlite3.Row]:
    """The links of a kind, at one connector or at all; at most so many, without a look at the others."""
    condition = f"remote.{table.column} IS NOT NULL AND (?1 IS NULL OR remote.connector = ?1)"
    return table.sorted(database, f"{table.order} LIMIT ?2", condition, connector, -1 if limit is None else limit)


def doubts(database: Database, table: LinkTable, connector: str, number: int | None = None) -> list[Doubt]:
    """What was not linked because there are several candidates, with all of these; a named customer's alone."""
    if table is PRODUCTS:
        found: dict[str, list[sqlite3.Row]] = {}
        for row in table.read(database, _SHARED_SKUS, connector):
            found.setdefault(row["remote_name"], []).append(row)
        return [Doubt(connector, sku, rows) for sku, rows in found.items()]
    standing = CustomerLinker(database, connector).standing(number)
    return [
        Doubt(
            connector, name_of(database, table, number), _records(database, connector, [m.remote_id for m in matches])
        )
        for number, matches in standing.items()
    ]


def _records(database: Database, connector: str, remote_ids: Sequence[str]) -> list[sqlite3.Row]:
    condition = "remote.connector = ? AND remote.remote_id IN (SELECT value FROM json_each(?))"
    return CUSTOMERS.read(database, condition, connector, json.dumps(remote_ids))


def number_of(database: Database, table: LinkTable, key: str) -> int:
    """The shop's number of a product by its SKU, or of a customer by code or e-mail. Raises `RecordError`."""
    found = numbers_of(database, table, key)
    if len(found) > 1:
        raise RecordError(key, f"{len(found)} customers of the shop have this e-mail address", "Name one by its code")
    if not found:
        raise RecordError(key, f"The shop has no such {table.word}", f"Look at the table {table.shop}")
    return int(found[0])


def numbers_of(database: Database, table: LinkTable, key: str) -> list[int]:
    """The same, none or several customers where that is so."""
    if table is CUSTOMERS:
        return numbers(database, key)
    return [row["id"] for row in database.rows("SELECT id FROM products WHERE sku = ?", key)]


def keys(table: LinkTable, key: str, found: Iterable[int]) -> list[str]:
    """What the outbox calls a record of the shop by this key, with these numbers."""
    return keys_of_customers(found, [key]) if table is CUSTOMERS else [key]


def name_of(database: Database, table: LinkTable, number: int) -> str:
    """What people call a record of the shop."""
    with any_bytes(database.connection):
        row = database.row(f"SELECT {table.name} FROM {table.shop} AS shop WHERE id = ?", number)
    return text(row[0]) if row else f"number {number}"


def of(database: Database, table: LinkTable, number: int) -> list[sqlite3.Row]:
    """The links of one record of the shop."""
    return table.read(database, f"remote.{table.column} = ?", number)


def add(database: Database, table: LinkTable, target: tuple[str, str], number: int, look: Look) -> int:
    """Links a record of the shop by hand to `target` (connector, remote id); what it was linked to is kept apart.

    Orders that were held for it are due at once: how many. Raises `RecordError`.
    """
    connector, remote_id = target
    with database.transaction():
        row = _usable(database, table, connector, remote_id, number)
        for old in table.read(database, f"remote.connector = ? AND {table.column} = ?", connector, number):
            if old["remote_id"] != row["remote_id"]:
                _write(database, table, old, None, look)
        _write(database, table, row, number, look)
        sql = _RELEASE.format(_WITH[table.kind])
        return database.connection.execute(sql, (look.at, connector, json.dumps(HELD), number)).rowcount


def _usable(database: Database, table: LinkTable, connector: str, remote_id: str, number: int) -> sqlite3.Row:
    """The record, if it may be linked."""
    rows = table.read(database, "remote.connector = ? AND remote.remote_id = ? COLLATE NOCASE", connector, remote_id)
    if not rows:
        command = "sync-customers" if table is CUSTOMERS else "sync-recent"
        raise RecordError(remote_id, f"{connector} has told of no {table.word} of this id", f"Run syncctl {command}")
    row = rows[0]
    if row["number"] not in (None, number):
        first = f"syncctl links remove {table.word} {row['name_in_shop']} --connector {connector}"
        raise RecordError(remote_id, f"It is linked to {row['name_in_shop']}", f"If that is wrong, run first: {first}")
    if row["state"] == State.GONE or (table is CUSTOMERS and row["state"] != State.ACTIVE):
        raise RecordError(
            remote_id, f"It is {_STATES[row['state']]} in {connector}", "Restore it there, or link another"
        )
    if table is CUSTOMERS and not _is_linkable(database, row):
        raise RecordError(remote_id, f"It stands for nobody in particular in {connector}", "Link another")
    return row


_STATES = {"inactive": "archived", "gone": "deleted"}


def _is_linkable(database: Database, row: sqlite3.Row) -> bool:
    sql = "SELECT linkable FROM remote_customers WHERE connector = ? AND remote_id = ?"
    found = database.row(sql, row["connector"], row["remote_id"])
    return bool(found and found["linkable"])


def remove(database: Database, table: LinkTable, connector: str, number: int, look: Look) -> sqlite3.Row:
    """Takes a link away; no rule links that record again. Gives the record. Raises `RecordError`."""
    with database.transaction():
        rows = table.read(database, f"remote.connector = ? AND {table.column} = ?", connector, number)
        if not rows:
            name = name_of(database, table, number)
            raise RecordError(name, f"It has no link in {connector}", f"Look at syncctl links show {table.word} {name}")
        _write(database, table, rows[0], None, look)
        return rows[0]


def _write(database: Database, table: LinkTable, row: sqlite3.Row, number: int | None, look: Look) -> None:
    by = "apart" if number is None else "hand"
    database.connection.execute(
        f"UPDATE {table.table} SET {table.column} = ?, matched_by = ?, matched_run = ? WHERE rowid = ?",
        (number, by, look.run, row["record"]),
    )
    after = None if number is None else name_of(database, table, number)
    if after == row["name_in_shop"]:
        return  # it was linked so before; now a person has said it
    log = Changelog(database.connection, row["connector"])
    log.write(table.kind, row["remote_id"], [("link", row["name_in_shop"], after)], look, "hand")


def as_dict(row: sqlite3.Row) -> dict[str, Any]:
    """A record with its link, as `--json` shows it; times in milliseconds."""
    return {key: row[key] for key in row.keys() if key not in ("number", "record")}  # noqa: SIM118 - iterating a row gives values
