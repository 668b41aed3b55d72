"""The outbox as a person sees it, over all connectors, also those that are not configured any more."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from syncctl.models import Kind, Struct, from_ms, iso
from syncctl.state.database import Database
from syncctl.state.order_customer import KEY_IN_SQL, teach
from syncctl.state.outbox import BY_HAND, DIFFERING, HELD, LAST_CALL, TO_COME, Row, as_row

OPEN = ("waiting", "due", "sending", "gave_up")
_LIST = """
SELECT outbox.*, orders.status AS order_status FROM outbox
LEFT JOIN orders ON outbox.kind = 'orders' AND orders.number = outbox.key
WHERE (?1 IS NULL OR connector = ?1) AND (?2 IS NULL OR cause = ?2)
    AND {}
ORDER BY due_at, outbox.id
"""
_UNDONE = _LIST.format("state IN (SELECT value FROM json_each(?3)) AND state <> 'done'")
_POSTED = _LIST.format(DIFFERING)
_SKIPPED = """
SELECT count(*) FROM outbox
WHERE (?1 IS NULL OR connector = ?1) AND (?2 IS NULL OR cause = ?2) AND state = 'skipped' AND state <> 'done'
"""
_ATTEMPTS = """
SELECT attempts.at, attempts.run, attempts.call, outcome, attempts.cause, attempts.message,
    calls.method, calls.path, calls.status
FROM attempts LEFT JOIN calls ON calls.id = nullif(attempts.call, 0)
WHERE attempts.outbox = ? ORDER BY attempts.id
"""
# Triggers tell which orders the shop has touched since they were queued; these are compared with what was posted.
_ALTERED = """
SELECT outbox.*, orders.status AS order_status, orders.total AS order_total, orders.currency AS order_currency,
    orders.revision <> CAST(coalesce(json_extract(expected, '$.revision'), orders.revision) AS INTEGER) AS revised
FROM outbox {} LEFT JOIN orders ON orders.number = outbox.key
WHERE {} AND outbox.kind = 'orders' AND outbox.state = 'done'
    AND (orders.id IS NULL OR revised OR orders.status NOT IN (SELECT value FROM json_each(?1)))
ORDER BY outbox.id
"""
# What an order and its needs share; on a connection that `teach` has seen.
NEEDS = f"""
orders.number = waits.key AND waits.kind = 'orders' AND need.connector = waits.connector
AND waits.state <> 'done' AND need.state <> 'done'
AND (need.kind = 'customers' AND need.key = {KEY_IN_SQL} OR need.kind = 'products' AND need.key IN
    (SELECT sku FROM order_lines WHERE order_id = orders.id))
"""
_NEEDED = f"""
SELECT need.* FROM outbox AS waits, orders, outbox AS need
WHERE waits.id = ? AND need.state IN ('due', 'gave_up') AND {NEEDS} ORDER BY need.id
"""
_NEEDING = f"""
SELECT waits.* FROM outbox AS need, outbox AS waits, orders
WHERE need.id = ? AND waits.state IN ('due', 'gave_up') AND {NEEDS}
    AND waits.cause IN (SELECT value FROM json_each('{json.dumps(HELD)}'))
ORDER BY waits.id
"""
_ALTERED_SINCE = _ALTERED.format("INDEXED BY outbox_altered", "altered_at >= ?2 AND (?3 IS NULL OR connector = ?3)")
_ALTERED_ORDER = _ALTERED.format("", "altered_at IS NOT NULL AND outbox.key = ?2")
_MADE = "SELECT * FROM outbox WHERE kind = ? AND key IN (SELECT value FROM json_each(?)) ORDER BY connector, id"
_MADE_FOR = f"""
SELECT made.* FROM orders JOIN outbox AS made
    ON made.kind = 'customers' AND made.key = {KEY_IN_SQL}
    OR made.kind = 'products' AND made.key IN (SELECT sku FROM order_lines WHERE order_id = orders.id)
WHERE orders.number = ? ORDER BY made.connector, made.kind, made.id
"""
_RETRY = f"""
UPDATE outbox SET state = iif(state = 'sending' OR cause = '{TO_COME}', state, 'due'), due_at = ?, tries = 0,
    ended_at = NULL, taken_call = NULL, cause = iif(state = 'skipped', '', cause),
    message = iif(state = 'skipped', '', message), remedy = iif(state = 'skipped', '', remedy)
WHERE id = ? AND state <> 'done'
"""
# What may have arrived counts until stock was read again, see the view `promised`.
_DROP = f"""
UPDATE outbox SET state = 'skipped', cause = 'dropped', message = 'dropped by hand', remedy = '', ended_at = ?,
    taken_call = iif(state = 'sending', ({LAST_CALL}), NULL)
WHERE id = ? AND state NOT IN ('done', 'skipped')
"""
_SETTLE = f"""
UPDATE outbox SET state = 'done', remote_id = ?, cause = '{BY_HAND}', message = '', remedy = '', ended_at = ?
WHERE id = ?
"""
_OTHER = """
SELECT key FROM outbox WHERE connector = ? AND kind = ? AND lower(remote_id) = ? AND id <> ? AND state = 'done'
"""
_NOT_CREATED = """
UPDATE outbox SET state = 'due', due_at = ?1, looked_at = ?1, cause = '', message = '', remedy = '', remote_id = '',
    taken_call = NULL, ended_at = NULL
WHERE id = ?2
"""


class Filter(Struct):
    """Which rows: of one connector, of one cause, in certain states."""

    connector: str | None = None
    cause: str | None = None
    states: tuple[str, ...] = OPEN


class Altered(Struct):
    """A posted order as the shop has it now; `status` is None where it has deleted it.

    `revised`: more than its status is another than when it was posted.
    """

    row: Row
    status: str | None
    total: str
    currency: str
    revised: bool


class Queue:
    """Shows and changes rows; whoever changes any holds the lock of its connector's pushes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        teach(database.connection)

    def rows(self, wanted: Filter) -> list[Row]:
        """The rows, what is due first coming first."""
        return self._rows(_UNDONE, wanted.connector, wanted.cause, json.dumps(wanted.states))

    def differing(self, wanted: Filter) -> list[Row]:
        """Orders that are posted with another sum or currency than the shop's, of whatever state is wanted."""
        return self._rows(_POSTED, wanted.connector, wanted.cause)

    def altered(self, connector: str | None, statuses: Sequence[str], since: int = 0) -> list[Altered]:
        """Posted orders that the shop has changed, cancelled or deleted since then, and since a time (ms)."""
        return self._altered(_ALTERED_SINCE, statuses, since, connector)

    def altered_order(self, number: str, statuses: Sequence[str]) -> list[Altered]:
        """The same of one order, for each connector."""
        return self._altered(_ALTERED_ORDER, statuses, number)

    def _altered(self, sql: str, statuses: Sequence[str], *values: object) -> list[Altered]:
        return [_as_altered(row) for row in self.database.rows(sql, json.dumps(sorted(statuses)), *values)]

    def skipped(self, connector: str | None, cause: str | None) -> int:
        """How many rows are never sent."""
        row = self.database.row(_SKIPPED, connector, cause)
        return int(row[0]) if row else 0

    def get(self, number: int) -> Row | None:
        """One row by its id."""
        found = self._rows("SELECT * FROM outbox WHERE id = ?", number)
        return found[0] if found else None

    def of_order(self, number: str) -> list[Row]:
        """All rows of an order: itself, and what follows it."""
        return self._rows(
            "SELECT * FROM outbox WHERE key = ?1 AND kind IN ('orders', 'completions')"
            " OR key > ?1 || '/' AND key < ?1 || '0' AND kind = 'payments' ORDER BY connector, id",  # 0 follows /
            number,
        )

    def tied(self, row: Row) -> list[Row]:
        """What is retried with a row: customer and products that an order needs, or the orders held for them."""
        return self._rows(_NEEDED if row.kind is Kind.ORDERS else _NEEDING, row.id)

    def made(self, kind: Kind, keys: Iterable[str]) -> list[Row]:
        """The customers or products with these keys that syncctl creates, at all connectors."""
        return self._rows(_MADE, kind, json.dumps(list(keys)))

    def made_for(self, number: str) -> list[Row]:
        """The customer and the products of an order, as far as syncctl creates them."""
        return self._rows(_MADE_FOR, number)

    def attempts(self, row: Row) -> list[dict[str, Any]]:
        """Each try, with the call that it made."""
        rows = self.database.rows(_ATTEMPTS, row.id)
        return [dict(each) | {"at": iso(from_ms(each["at"])), "call": each["call"] or None} for each in rows]

    def retry(self, row: Row, at: int) -> None:
        """It is tried now, with all its tries ahead of it; what is unknown is asked for."""
        self._change(_RETRY, at, row.id)

    def drop(self, row: Row, at: int) -> None:
        """It is never sent."""
        self._change(_DROP, at, row.id)

    def settle(self, row: Row, remote_id: str, at: int) -> None:
        """A person knows that it is there."""
        self._change(_SETTLE, remote_id, at, row.id)

    def is_said_by_hand(self, row: Row) -> bool:
        """Whether it is there only because a person, or the list of an older integration, said so."""
        return row.state == "done" and not any(each["outcome"] in ("posted", "found") for each in self.attempts(row))

    def other_of(self, row: Row, remote_id: str) -> str:
        """The record that is already known to be there under this id; "" where there is none."""
        found = self.database.row(_OTHER, row.connector, row.kind, remote_id.lower(), row.id)
        return found["key"] if found else ""

    def not_created(self, row: Row, at: int) -> None:
        """A person knows that it is not there: it is sent again."""
        self._change(_NOT_CREATED, at, row.id)

    def _change(self, sql: str, *values: object) -> None:
        with self.database.transaction() as connection:
            connection.execute(sql, values)

    def _rows(self, sql: str, *values: object) -> list[Row]:
        found: list[sqlite3.Row] = self.database.rows(sql, *values)
        return [as_row(row) for row in found]


def _as_altered(row: sqlite3.Row) -> Altered:
    total, currency = row["order_total"] or "", row["order_currency"] or ""
    return Altered(as_row(row), row["order_status"], total, currency, bool(row["revised"]))
