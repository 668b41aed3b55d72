"""Writes the shop's own list of products into the table `products`; and what the stores of all lists share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from syncctl.models import Problem, money_text
from syncctl.shop.listing import Entry, clash
from syncctl.state.database import Database

if TYPE_CHECKING:
    from syncctl.shop.product import Field, ShopProduct

_AT_ONCE = 500  # values in one statement


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records of a list."""

    created: int
    changed: int
    unchanged: int


def store(database: Database, products: Sequence[ShopProduct]) -> Counts:
    """Creates or changes each product by its SKU, in one transaction that writes only what differs.

    A field that a product of the list does not tell keeps its stored value.
    """
    created = changed = 0
    with database.transaction() as connection:
        newest: int = connection.execute("SELECT coalesce(max(id), 0) FROM products").fetchone()[0]
        for product in products:
            values = (product.sku, *map(_column, product.fields.values()))
            written = connection.execute(_upsert(tuple(product.fields)), values).fetchone()
            if written:
                created += written[0] > newest
                changed += written[0] <= newest
    return Counts(created, changed, len(products) - created - changed)


def conflicts(database: Database, products: Sequence[ShopProduct]) -> dict[int, Problem]:
    """The lines that cannot be stored because of what is stored."""
    return clashes(database, "products.sku", products)


def clashes(database: Database, column: str, entries: Sequence[Entry]) -> dict[int, Problem]:
    """The lines whose key the shop has in this column only in other capitals."""
    stored = case_clashes(database, column, [entry.keys[0][1] for entry in entries])
    return {entry.line: clash(entry, stored[entry.keys[0][1]]) for entry in entries if entry.keys[0][1] in stored}


def case_clashes(database: Database, column: str, keys: Iterable[str]) -> dict[str, str]:
    """Those of `keys` that `column`, as `products.sku`, has only in other capitals, with what it has."""
    wanted = list(keys)
    found = _foreign_clashes(database, column, [key for key in wanted if not key.isascii()])
    for start in range(0, len(wanted), _AT_ONCE):
        found |= _ascii_clashes(database, column, wanted[start : start + _AT_ONCE])
    return found


def _ascii_clashes(database: Database, column: str, keys: Sequence[str]) -> dict[str, str]:
    table, name = column.split(".")
    rows = database.rows(
        f"WITH wanted (key) AS (VALUES {', '.join(['(?)'] * len(keys))})"
        f" SELECT wanted.key AS wanted, {column} AS stored"
        f" FROM wanted JOIN {table} ON {column} = wanted.key COLLATE NOCASE"
        f" WHERE NOT EXISTS (SELECT 1 FROM {table} AS same WHERE same.{name} = wanted.key)",
        *keys,
    )
    return {row["wanted"]: row["stored"] for row in rows}


def _foreign_clashes(database: Database, column: str, keys: Sequence[str]) -> dict[str, str]:
    """The same for keys with other letters than SQLite's NOCASE knows, by looking at all such keys of the shop."""
    table, name = column.split(".")
    rows = database.rows(f"SELECT {name} AS key FROM {table} WHERE {name} GLOB '*[^ -~]*'") if keys else []
    stored = {row["key"].lower(): row["key"] for row in rows}
    exact = {row["key"] for row in rows}
    return {key: stored[key.lower()] for key in keys if key not in exact and key.lower() in stored}


@cache
def _upsert(columns: tuple[str, ...]) -> str:
    """Inserts a SKU with these columns, or changes those that differ; gives the id of a row that was written."""
    names = ", ".join(("sku", *columns, "created_by"))
    marks = ", ".join("?" * (1 + len(columns)))
    update = ", ".join(f"{column} = excluded.{column}" for column in columns)
    differs = " OR ".join(f"products.{column} IS NOT excluded.{column}" for column in columns)
    action = f"UPDATE SET {update} WHERE {differs}" if columns else "NOTHING"
    return f"INSERT INTO products ({names}) VALUES ({marks}, 'import') ON CONFLICT (sku) DO {action} RETURNING id"


def _column(value: Field) -> str | int | None:
    """How a field stands in the table."""
    if isinstance(value, bool):
        return int(value)
    return money_text(value) if isinstance(value, Decimal) else value
