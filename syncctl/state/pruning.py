"""Forgets what is old and what nothing needs any more, in portions that keep nobody waiting.

What explains a present value never goes: of each field of a record the last change, the call and the run that brought
it or the record itself, every try to post an order with its call, and the last run of each kind of outcome.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from syncctl.models import Struct
from syncctl.state.database import Database
from syncctl.state.windows import DAY

PORTION = 500  # rows of one transaction
Progress = Callable[[str, int, int], None]  # what is being done, how far it is, and of how much
_POSITION = "pruned_to.{}"


class Rule(Struct):
    """What may go from a table: rows older than `age` that fit `goes`. `resumes`: those that stay are met only once."""

    table: str
    key: str
    at: str
    age: str
    goes: str
    resumes: bool = True


# A person who looks after an order that is not posted wants to see what the service said.
_BODIES = """NOT EXISTS (
    SELECT 1 FROM attempts JOIN outbox ON outbox.id = attempts.outbox
    WHERE (attempts.call = bodies.call OR attempts.run = (SELECT run FROM calls WHERE id = bodies.call))
        AND state IN ('waiting', 'due', 'sending', 'gave_up')
)"""
_CHANGES = """EXISTS (
    SELECT 1 FROM changes AS newer WHERE newer.connector = changes.connector AND newer.remote_id = changes.remote_id
        AND newer.kind = changes.kind AND newer.field = changes.field AND newer.id > changes.id
)"""
_KEPT_CHANGE = f"NOT (changes.at < :changes AND {_CHANGES})"
_CALLS = f"""NOT EXISTS (SELECT 1 FROM remote_products WHERE first_call = calls.id)
AND NOT EXISTS (SELECT 1 FROM remote_customers WHERE first_call = calls.id)
AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.call = calls.id OR attempts.run = calls.run)
AND NOT EXISTS (SELECT 1 FROM changes WHERE changes.call = calls.id AND {_KEPT_CHANGE})"""
# A run is the last of its kind where no later one of the same command came to the same for the connector.
_LAST_OF_ITS_KIND = """EXISTS (
    SELECT 1 FROM run_connectors AS mine WHERE mine.run = runs.id AND NOT EXISTS (
        SELECT 1 FROM runs AS later JOIN run_connectors AS its ON its.run = later.id
        WHERE later.command = runs.command AND later.id > runs.id AND its.connector = mine.connector
            AND its.exit_code = mine.exit_code AND (its.calls > 0) = (mine.calls > 0)
            AND (its.errors = '[]') = (mine.errors = '[]')
            AND (its.deferred_until IS NULL) = (mine.deferred_until IS NULL)
    )
)"""
_RUNS = f"""NOT {_LAST_OF_ITS_KIND}
AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.run = runs.id)
AND NOT EXISTS (SELECT 1 FROM calls WHERE calls.run = runs.id AND NOT (calls.at < :journal AND {_CALLS}))
AND NOT EXISTS (SELECT 1 FROM changes WHERE changes.run = runs.id AND {_KEPT_CHANGE})"""
# In this order: what goes from a table sets rows of the next ones free.
RULES = (
    Rule("bodies", "call", "at", "bodies", _BODIES, resumes=False),
    Rule("changes", "id", "at", "changes", _CHANGES),
    Rule("calls", "id", "at", "journal", _CALLS),
    Rule("runs", "id", "started_at", "journal", _RUNS),
)


class Pruning:
    """One round; `keep` tells the days that `bodies`, `journal` and `changes` are kept, `now` is in ms."""

    def __init__(self, database: Database, keep: Mapping[str, int], now: int) -> None:
        self.database = database
        self._before = {name: now - days * DAY for name, days in keep.items()}

    def sweep(self, seconds: float) -> dict[str, int]:
        """Goes on where it stopped last, for about so long; the rows forgotten, by table."""
        deadline = time.monotonic() + seconds
        return {
            rule.table: self._sweep(rule, self._position(rule), lambda *_: time.monotonic() < deadline)
            for rule in RULES
        }

    def sweep_all(self, progress: Progress) -> dict[str, int]:
        """Goes through everything."""

        def goes_on(rule: Rule, done: int) -> bool:
            progress(rule.table, done, last[rule.table])
            return True

        last = {rule.table: self._last(rule) for rule in RULES}
        return {rule.table: self._sweep(rule, 0, goes_on) for rule in RULES}

    def count(self) -> dict[str, int]:
        """The rows that `sweep_all` would forget, by table."""
        return {rule.table: self._count(rule) for rule in RULES}

    def _sweep(self, rule: Rule, position: int, goes_on: Callable[[Rule, int], bool]) -> int:
        forgotten = 0
        for last in self._portions(rule, position):
            with self.database.transaction() as sql:
                goes = f"{rule.key} > :first AND {rule.key} <= :last AND {_forgettable(rule)}"
                span = self._before | {"first": position, "last": last}
                forgotten += sql.execute(f"DELETE FROM {rule.table} WHERE {goes}", span).rowcount
                if rule.resumes:
                    row = (_POSITION.format(rule.table), str(last))
                    sql.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", row)
            position = last
            if not goes_on(rule, position):
                break
        return forgotten

    def _portions(self, rule: Rule, position: int) -> Iterator[int]:
        """The key of the last old row of each portion, until one has none: keys grow with time."""
        while True:
            sql = f"SELECT {rule.key}, {rule.at} FROM {rule.table} WHERE {rule.key} > ? ORDER BY {rule.key} LIMIT ?"
            rows = self.database.rows(sql, position, PORTION)
            old = [row[0] for row in rows if row[1] < self._before[rule.age]]
            if not old:
                return
            position = old[-1]
            yield position

    def _position(self, rule: Rule) -> int:
        row = self.database.row("SELECT value FROM meta WHERE key = ?", _POSITION.format(rule.table))
        return int(row["value"]) if row else 0

    def _last(self, rule: Rule) -> int:
        """The key of the last row."""
        row = self.database.row(f"SELECT coalesce(max({rule.key}), 0) FROM {rule.table}")
        return int(row[0]) if row else 0

    def _count(self, rule: Rule) -> int:
        sql = f"SELECT count(*) FROM {rule.table} WHERE {_forgettable(rule)}"
        with self.database.explained():
            return int(self.database.connection.execute(sql, self._before).fetchone()[0])


def _forgettable(rule: Rule) -> str:
    return f"{rule.table}.{rule.at} < :{rule.age} AND {rule.goes}"


class Size(Struct):
    """Of the state file in bytes; `free` is the part of it that holds nothing and is filled next."""

    total: int
    free: int


def size(database: Database) -> Size:
    """How large the state file is, once what is in its log is in it."""
    page, pages, free = (_pragma(database, name) for name in ("page_size", "page_count", "freelist_count"))
    return Size(page * pages, page * free)


def vacuum(database: Database) -> None:
    """Writes the file anew without the part that is free; meanwhile nobody else can write."""
    with database.explained():
        database.connection.execute("VACUUM")
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _pragma(database: Database, name: str) -> int:
    row = database.row(f"PRAGMA {name}")
    return int(row[0]) if row else 0
