"""Writes the shop's own list of products into the table `products`, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from syncctl.models import money_text
from syncctl.state.database import Database

if TYPE_CHECKING:
    from syncctl.shopproduct import Field, ShopProduct

_AT_ONCE = 500  # values in one statement


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the products of a list."""

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


def case_clashes(database: Database, skus: Iterable[str]) -> dict[str, str]:
    """Those of `skus` that the shop has only in other capitals, with the SKU that it has."""
    wanted = list(skus)
    clashes = _foreign_clashes(database, [sku for sku in wanted if not sku.isascii()])
    for start in range(0, len(wanted), _AT_ONCE):
        clashes |= _ascii_clashes(database, wanted[start : start + _AT_ONCE])
    return clashes


def _ascii_clashes(database: Database, skus: Sequence[str]) -> dict[str, str]:
    rows = database.rows(
        f"WITH wanted (sku) AS (VALUES {', '.join(['(?)'] * len(skus))})"
        " SELECT wanted.sku AS wanted, products.sku AS stored FROM wanted"
        " JOIN products ON products.sku = wanted.sku COLLATE NOCASE"
        " WHERE wanted.sku NOT IN (SELECT sku FROM products)",
        *skus,
    )
    return {row["wanted"]: row["stored"] for row in rows}


def _foreign_clashes(database: Database, skus: Sequence[str]) -> dict[str, str]:
    """The same for SKUs with other letters than SQLite's NOCASE knows, by looking at all such SKUs of the shop."""
    rows = database.rows("SELECT sku FROM products WHERE sku GLOB '*[^ -~]*'") if skus else []
    stored = {row["sku"].lower(): row["sku"] for row in rows}
    exact = {row["sku"] for row in rows}
    return {sku: stored[sku.lower()] for sku in skus if sku not in exact and sku.lower() in stored}


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
