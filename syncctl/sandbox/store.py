"""The sandbox's own SQLite file: records as ready-made JSON, with the columns that lists need.

A page of a list is concatenated from stored text. Walking a list page by page costs the same on
every page: where a page ended is remembered until something is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import RLock

Value = str | int | float | None
Row = sqlite3.Row

BASE_COLUMNS = {
    "id": "TEXT NOT NULL",
    "code": "TEXT NOT NULL DEFAULT ''",
    "sort": "TEXT NOT NULL DEFAULT ''",
    "hidden": "INTEGER NOT NULL DEFAULT 0",
    "modified": "INTEGER NOT NULL DEFAULT 0",
    "created": "INTEGER NOT NULL DEFAULT 0",
    "visible_from": "INTEGER NOT NULL DEFAULT 0",
    "writes": "INTEGER NOT NULL DEFAULT 0",
    "body": "TEXT NOT NULL",
}
# Nothing here must survive a power cut; what must survive is a restart of the process. Large pages
# because a product takes 2 kB: of the usual size only one would fit.
_PRAGMAS = """
    PRAGMA page_size = 16384;
    PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -32768;
"""
_INDEXES = {"id": "id", "sort": "hidden, sort", "all": "sort", "modified": "modified, hidden"}
_FEW = 20_000
_REMEMBERED_PAGES = 20_000


class Store:
    """One SQLite connection for all threads; every use of it holds the lock."""

    def __init__(self, path: str) -> None:
        self.lock = RLock()
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.row_factory = sqlite3.Row
        try:
            self.connection.executescript(_PRAGMAS)
            self.connection.execute("CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT)")
        except sqlite3.Error:  # no database, say
            self.connection.close()
            raise

    def settle(self) -> None:
        """After the seeding: from now on a killed sandbox must not break its file."""
        with self.lock:
            self.connection.execute("PRAGMA journal_mode = WAL")

    def close(self) -> None:
        """Close the file; later uses raise sqlite3.ProgrammingError."""
        with self.lock:
            self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else reads or writes meanwhile; may be nested."""
        with self.lock:
            if self.connection.in_transaction:
                yield
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def setting(self, name: str) -> str | None:
        """A remembered setting, or None."""
        with self.lock:
            row = self.connection.execute("SELECT value FROM setting WHERE name = ?", [name]).fetchone()
        return row["value"] if row else None

    def remember(self, name: str, value: str) -> None:
        """Keep a setting over a restart."""
        with self.lock:
            self.connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", [name, value])


@dataclass(frozen=True, slots=True)
class Query:
    """Which records of a table, and in which order."""

    conditions: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    order: str = "sort"
    descending: bool = False
    shown_only: bool = False

    def where(self, condition: str, *values: Value) -> Query:
        """The same with one more condition; `condition` is SQL and never holds a client's text."""
        return replace(self, conditions=(*self.conditions, condition), values=(*self.values, *values))

    def ordered(self, order: str, *, descending: bool = False) -> Query:
        """The same in another order; `order` is the name of a column."""
        return replace(self, order=order, descending=descending)

    def without_hidden(self) -> Query:
        """The same without hidden records."""
        return replace(self, shown_only=True)

    def where_sql(self, *, few: bool) -> str:
        """The WHERE clause, or nothing.

        Most records are not hidden. When the other conditions leave `few`, a plus sign keeps SQLite
        from using the index on `hidden` and reading nearly the whole table.
        """
        shown = [f"{'+' if few else ''}hidden = 0"] if self.shown_only else []
        conditions = [*self.conditions, *shown]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""


class Table:
    """The records of one kind. Names of tables and columns come from code, never from a request."""

    def __init__(
        self,
        store: Store,
        name: str,
        columns: Mapping[str, str] | None = None,
        indexes: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self.name = name
        self._columns = {**BASE_COLUMNS, **(columns or {})}
        self._indexes = {**_INDEXES, **(indexes or {})}
        self._counts: dict[Query, int] = {}
        self._page_ends: dict[tuple[Query, int], tuple[Value, int]] = {}
        definitions = ", ".join(f"{column} {kind}" for column, kind in self._columns.items())
        self._run(f"CREATE TABLE IF NOT EXISTS {name} (pk INTEGER PRIMARY KEY, {definitions})")
        self.create_indexes()

    def _run(self, sql: str, values: Iterable[Value] = ()) -> list[Row]:
        with self._store.lock:
            return self._store.connection.execute(sql, tuple(values)).fetchall()

    def create_indexes(self) -> None:
        """Make the indexes that are missing."""
        for name, columns in self._indexes.items():
            unique = "UNIQUE " if name == "id" else ""
            self._run(f"CREATE {unique}INDEX IF NOT EXISTS {self.name}_{name} ON {self.name} ({columns})")

    def drop_indexes(self) -> None:
        """Drop the indexes: filling a table of a million records is much faster without them."""
        for name in self._indexes:
            self._run(f"DROP INDEX IF EXISTS {self.name}_{name}")

    def _changed(self) -> None:
        self._counts.clear()
        self._page_ends.clear()

    def clear(self) -> None:
        """Remove every record."""
        self._run(f"DELETE FROM {self.name}")
        self._changed()

    def insert_many(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Add many records at once; each row names its columns, the first row's names hold for all."""
        rows = iter(rows)
        first = next(rows, None)
        if first is None:
            return
        sql = _insert(self.name, first)
        with self._store.lock:
            self._store.connection.execute(sql, first)
            self._store.connection.executemany(sql, rows)
        self._changed()

    def put(self, row: Mapping[str, Value]) -> None:
        """Add a record or change the given columns of the one with the same id."""
        changes = ", ".join(f"{column} = excluded.{column}" for column in row if column != "id")
        with self._store.lock:
            self._store.connection.execute(f"{_insert(self.name, row)} ON CONFLICT (id) DO UPDATE SET {changes}", row)
        self._changed()

    def count_write(self, key: str) -> None:
        """Note that the client wrote this record."""
        self._run(f"UPDATE {self.name} SET writes = writes + 1 WHERE id = ?", [key])

    def delete(self, column: str, value: str) -> int:
        """Remove the records whose column holds the value; returns how many there were."""
        with self._store.lock:
            sql = f"DELETE FROM {self.name} WHERE {column} = ?"
            gone = self._store.connection.execute(sql, [value]).rowcount
        self._changed()
        return gone

    def get(self, key: str) -> Row | None:
        """The record with this id (GUIDs compare without regard to case), or None."""
        return next(iter(self.all_where("id = ?", key.lower())), None)

    def all_where(self, condition: str, *values: Value) -> list[Row]:
        """Every record for which an SQL condition holds, in order of arrival."""
        return self._run(f"SELECT * FROM {self.name} WHERE {condition} ORDER BY pk", values)

    def size(self) -> int:
        """How many records there are."""
        return self.count(Query())

    def nth(self, number: int) -> Row:
        """The record that arrived as the n-th, from 0; raises IndexError when there are fewer."""
        return self._run(f"SELECT * FROM {self.name} ORDER BY pk LIMIT 1 OFFSET ?", [number])[0]

    def is_empty(self) -> bool:
        """Whether there is no record at all."""
        return not self._run(f"SELECT 1 FROM {self.name} LIMIT 1")

    def count(self, query: Query) -> int:
        """How many records a query finds."""
        with self._store.lock:
            if query not in self._counts:
                where = query.where_sql(few=bool(query.conditions))
                self._counts[query] = self._run(f"SELECT COUNT(*) FROM {self.name}{where}", query.values)[0][0]
            return self._counts[query]

    def slice(self, query: Query, offset: int, limit: int) -> list[Row]:
        """`limit` records of what a query finds, from `offset` on."""
        with self._store.lock:
            rows = self._slice(query, offset, limit)
            if rows:
                if len(self._page_ends) >= _REMEMBERED_PAGES:
                    self._page_ends.clear()
                self._page_ends[query, offset + len(rows)] = (rows[-1][query.order], rows[-1]["pk"])
        return rows

    def walk(self, query: Query, limit: int) -> list[Row]:
        """The first records that a query finds, read along the index of its order."""
        direction = "DESC" if query.descending else "ASC"
        where = query.where_sql(few=True)
        return self._run(
            f"SELECT * FROM {self.name}{where} ORDER BY {query.order} {direction} LIMIT ?", (*query.values, limit)
        )

    def _slice(self, query: Query, offset: int, limit: int) -> list[Row]:
        end = self._page_ends.get((query, offset))
        # Few matches are sorted; many are met in order by walking the index of the order, which a
        # plus sign would hide from SQLite.
        few = bool(query.conditions) and self.count(query) <= _FEW
        plus, direction = "+" if few else "", "DESC" if query.descending else "ASC"
        order = f" ORDER BY {plus}{query.order} {direction}, pk {direction} LIMIT ?"
        if end is None:
            sql = f"SELECT * FROM {self.name}{query.where_sql(few=few)}{order} OFFSET ?"
            return self._run(sql, (*query.values, limit, offset))
        after = query.where(f"({plus}{query.order}, pk) {'<' if query.descending else '>'} (?, ?)", *end)
        return self._run(f"SELECT * FROM {self.name}{after.where_sql(few=few)}{order}", (*after.values, limit))


def _insert(table: str, row: Mapping[str, Value]) -> str:
    names = ", ".join(row)
    holders = ", ".join(f":{name}" for name in row)
    return f"INSERT INTO {table} ({names}) VALUES ({holders})"
