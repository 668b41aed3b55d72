"""Flaws: which records of a service a person has to mend there, as the last look at each found it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from syncctl.models import Kind, Problem, Struct
from syncctl.state.database import Database

_MOST_NAMES = 3
_ANY = "SELECT 1 FROM flaws WHERE connector = ? LIMIT 1"
_THESE = "connector = ? AND kind = ? AND remote_id IN (SELECT value FROM json_each(?))"
_ONE = "connector = ? AND kind = ? AND remote_id = ? AND location = ?"
_UNUSABLE = """
SELECT DISTINCT coalesce(nullif(sku, ''), flaws.remote_id) AS name
FROM flaws LEFT JOIN looks USING (connector, remote_id) LEFT JOIN remote_products USING (record)
WHERE flaws.connector = ?1 AND (kind <> 'stock' OR ?2)
"""
_LOOSE = "connector = ?1 AND product_id IS NULL AND state <> 'gone' AND matched_by IS NOT 'apart'"
_SHARED = f"""
SELECT DISTINCT sku AS name FROM remote_products AS loose WHERE {_LOOSE} AND sku <> ''
    AND EXISTS (SELECT 1 FROM remote_products AS other
        WHERE other.connector = ?1 AND other.sku = loose.sku AND other.record <> loose.record
            AND other.state <> 'gone' AND other.matched_by IS NOT 'apart')
"""
_NAMELESS = f"SELECT remote_id AS name FROM remote_products WHERE {_LOOSE} AND sku = ''"
_BY_CAUSE = {"unusable-value": _UNUSABLE, "shared-sku": _SHARED, "no-sku": _NAMELESS}
_FIRST = "SELECT name, count(*) OVER () AS number FROM ({}) ORDER BY name LIMIT ?3"


class ToMend(Struct):
    """How many records have a flaw: `unusable-value`, `shared-sku` (one for each SKU) or `no-sku`; the first names."""

    cause: str
    count: int
    first: Sequence[str]


class Flaws:
    """Those of one connector; what writes belongs inside a transaction of the caller, and only writes what differs."""

    def __init__(self, database: Database, connector: str) -> None:
        self.database = database
        self.connector = connector

    @property
    def _sql(self) -> sqlite3.Connection:
        return self.database.connection

    def keep(self, kind: Kind, read: Iterable[tuple[str, str]], wrong: Mapping[tuple[str, str], str]) -> None:
        """Of the records that were `read` (remote id, location) those are `wrong`, the others no longer."""
        if not wrong and self.database.row(_ANY, self.connector) is None:
            return
        keys = set(read)
        values = (self.connector, kind, json.dumps(list({remote_id for remote_id, _ in keys})))
        rows = self.database.rows(f"SELECT remote_id, location, message FROM flaws WHERE {_THESE}", *values)
        known = {(row["remote_id"], row["location"]): row["message"] for row in rows}
        mended = [(self.connector, kind, *key) for key in known.keys() & keys - wrong.keys()]
        found = [(self.connector, kind, *key, message) for key, message in wrong.items() if known.get(key) != message]
        self._sql.executemany(f"DELETE FROM flaws WHERE {_ONE}", mended)
        self._sql.executemany("INSERT OR REPLACE INTO flaws VALUES (?, ?, ?, ?, ?)", found)

    def forget(self, kind: Kind, remote_ids: Iterable[str]) -> None:
        """The service has these no longer."""
        self._sql.execute(f"DELETE FROM flaws WHERE {_THESE}", (self.connector, kind, json.dumps(list(remote_ids))))

    def standing(self, *, stock: bool) -> list[ToMend]:
        """What is to be mended, by cause; quantities only where stock is wanted."""
        found = []
        for cause, sql in _BY_CAUSE.items():
            rows = self.database.rows(_FIRST.format(sql), self.connector, stock, _MOST_NAMES)
            if rows:
                found.append(ToMend(cause, rows[0]["number"], [row["name"] for row in rows]))
        return found


def in_words(problems: Iterable[Problem]) -> str:
    """What is wrong with a record, in one text."""
    return "; ".join(problem.message for problem in problems)
