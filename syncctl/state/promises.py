"""What the shop has promised to its customers and the stock owner's number does not contain yet; see `promised`."""

from __future__ import annotations

from syncctl.models import Struct
from syncctl.state.database import Database

_STORED = "SELECT connector, statuses, since FROM promise_terms"
_KEEP = "INSERT INTO promise_terms (connector, statuses, since) VALUES (?, ?, ?)"
_FORGET = """
DELETE FROM sold WHERE NOT EXISTS (
    SELECT 1 FROM promised WHERE promised.number = sold.number AND promised.position = sold.position
)
"""
# SQLite would go through the outbox first if it saw that only rows with a `taken_call` are wanted.
_UNREAD = """
SELECT DISTINCT remote_id FROM promised
WHERE coalesce(taken_call, -1) >= 0 AND remote_id IS NOT NULL ORDER BY number LIMIT ?
"""


_OF_PRODUCT = "SELECT number, sum(quantity) AS quantity FROM promised WHERE sku = ? GROUP BY number ORDER BY number"


class PromiseTerms(Struct):
    """Which orders take stock: those to be posted to its owner, in one of the statuses (JSON), placed since (UTC)."""

    connector: str
    statuses: str
    since: str


class Promises:
    """The rows of `promise_terms` and `sold`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def agree(self, terms: PromiseTerms | None) -> None:
        """From now on these terms hold; None: no order reaches the stock owner, and none is taken off its number."""
        row = self.database.row(_STORED)
        if terms == (PromiseTerms(*row) if row else None):
            return
        from syncctl.state.catalogue_schema import ADD_LINES  # every run comes by here, and hardly any comes this far

        with self.database.transaction() as sql:
            sql.execute("DELETE FROM promise_terms")
            if terms:
                sql.execute(_KEEP, tuple(terms.as_dict().values()))
            sql.execute(ADD_LINES)
            sql.execute(_FORGET)

    def forget(self) -> None:
        """Lets go of lines that no longer count; what makes one of them count again brings it back."""
        with self.database.transaction() as sql:
            sql.execute(_FORGET)

    def of(self, sku: str) -> dict[str, str]:
        """How much of a product is taken off, as people write it, by order number."""
        from syncctl.state.mirror import quantity_text

        return {row["number"]: quantity_text(row["quantity"]) for row in self.database.rows(_OF_PRODUCT, sku)}

    def unread(self, most: int) -> list[str]:
        """The products of posted orders whose stock was not read since, by remote id."""
        return [row["remote_id"] for row in self.database.rows(_UNREAD, most)]
