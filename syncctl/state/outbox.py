"""The outbox: one row per record that a connector is to create, and what became of each try.

Every method that writes belongs inside a transaction of the caller, so that an outcome and the link that it makes
are one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from syncctl.models import Kind, Struct
from syncctl.models_push import DIFFERS
from syncctl.state.database import Database

NO_ANSWER, UNCLEAR = "no answer", "unclear"  # outcomes of a try
EXISTS = "exists"  # the cause of a row that the service takes for one that is there already
BY_HAND = "by-hand"  # the cause of a row of which a person said that it is there
PUT_BACK = (
    "status"  # the cause of an order that is not posted for the time being, as the shop has given it another status
)
TO_COME = "to-come"  # the cause of an order that waits for its day, which is `due_at`
DIFFERING = f"state = 'done' AND cause IN {DIFFERS}"  # as in the index
# The causes of orders that a person has to say or mend something for about their customer or a product.
HELD = (
    "gave-up", "dropped", "guest", "no-customer", "walk-in", "taken-apart", "ambiguous-customer", "ambiguous-product",
)  # fmt: skip
OutboxState = Literal["waiting", "due", "sending", "done", "gave_up", "skipped"]
# The number of the newest call, whichever run is making it: what is called from now on has a higher one.
LAST_CALL = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'calls'), 0)"
_SUBJECTS = {
    Kind.CUSTOMERS: "customer", Kind.PRODUCTS: "product", Kind.COMPLETIONS: "completion of", Kind.PAYMENTS: "payment",
}  # fmt: skip
_COLUMNS = (
    "id, connector, kind, key, reference, guid, state, due_at, tries, queued_at, sent_at, looked_at, cause, message,"
    " remedy, call, remote_id, expected"
)
_QUEUE = """
INSERT INTO outbox (connector, kind, key, reference, guid, state, due_at, queued_at, cause, message, remedy)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_ADOPT = f"""
INSERT INTO outbox (connector, kind, key, reference, guid, state, due_at, queued_at, cause, remote_id, taken_call)
VALUES (?, ?, ?, ?, ?, 'done', 0, 0, '', ?, iif(?, ({LAST_CALL}), 0)) ON CONFLICT DO NOTHING
"""
_END = f"""
UPDATE outbox SET state = ?, due_at = ?, tries = ?, remote_id = ?, cause = ?, message = ?, remedy = ?,
    call = max(call, ?), ended_at = ?, taken_call = iif(?, ({LAST_CALL}), NULL)
WHERE id = ?
"""
# What is known of a refusal, or of an answer that was lost, stays.
_LOOK_AT = """
UPDATE outbox SET due_at = ?, message = iif(state = 'waiting' OR state = 'due' AND cause = '', ?, message),
    remedy = iif(state = 'waiting', '', remedy), cause = iif(state = 'waiting', '', cause),
    state = iif(state = 'waiting', 'due', state)
WHERE id = ?
"""
_END_ATTEMPT = """
UPDATE attempts SET outcome = ?, cause = ?, message = ?, call = ? WHERE outbox = ? AND run = ? AND outcome = 'sending'
"""
_ATTEMPT = "INSERT INTO attempts (outbox, at, run, outcome, cause, message, call) VALUES (?, ?, ?, ?, ?, ?, ?)"


class Row(Struct):
    """One record on its way; times in ms, `expected` as it was sent."""

    id: int
    connector: str
    kind: Kind
    key: str
    reference: str
    guid: str
    state: OutboxState
    due_at: int
    tries: int
    queued_at: int
    sent_at: int | None
    looked_at: int | None
    cause: str
    message: str
    remedy: str
    call: int
    remote_id: str
    expected: Mapping[str, str]


class Lost(Struct):
    """Why nobody knows what became of a call: `cause` is `EXISTS` where the service says that the number is taken."""

    message: str
    call: int
    cause: str = ""


class Ended(Struct):
    """What a try came to: the row's next state, and why; `taken` tells that its products have left the stock there."""

    state: OutboxState
    outcome: str
    due_at: int = 0
    tries: int | None = None
    remote_id: str = ""
    cause: str = ""
    message: str = ""
    remedy: str = ""
    call: int = 0
    taken: bool = False


_UNWANTED = (
    "kind = 'orders' AND state IN ('waiting', 'due', 'gave_up') AND state <> 'done'"
    " AND key IN (SELECT number FROM orders WHERE status NOT IN (SELECT value FROM json_each(?2)))"
)
_WANTED_AGAIN = f"""
UPDATE outbox SET state = 'due', due_at = ?3, tries = 0, cause = '', message = '', remedy = '', ended_at = NULL
WHERE connector = ?1 AND kind = 'orders' AND state = 'skipped' AND state <> 'done' AND cause = '{PUT_BACK}'
    AND key IN (SELECT number FROM orders WHERE status IN (SELECT value FROM json_each(?2)))
"""
_RECONSIDER = """
DELETE FROM outbox WHERE connector = ?1 AND kind = 'orders' AND state = 'skipped' AND cause = 'too-old'
    AND (key IN (SELECT value FROM json_each(?3)) OR key IN (SELECT number FROM orders WHERE placed_at >= ?2))
"""


class Outbox:
    """The rows of one connector."""

    def __init__(self, database: Database, connector: str) -> None:
        self.database = database
        self.connector = connector

    @property
    def _sql(self) -> sqlite3.Connection:
        return self.database.connection

    def queue(
        self, kind: Kind, key: str, names: tuple[str, str], at: int, skipped: tuple[str, str] | None = None
    ) -> None:
        """Adds a record under its names, unless it is there; `skipped` says why it is not sent, and what to do."""
        state, cause = ("skipped", "too-old") if skipped else ("due", "")
        row = (self.connector, kind, key, *names, state, at, at, cause, *(skipped or ("", "")))
        self._sql.execute(_QUEUE, row)

    def reconsider(self, since: str, numbers: Collection[str]) -> None:
        """Forgets that orders were too old, where they no longer are, or where a person names them."""
        self._sql.execute(_RECONSIDER, (self.connector, since, json.dumps(list(numbers))))

    def unwanted(self, statuses: Collection[str]) -> list[Row]:
        """Orders that are not there, and have none of the statuses that are posted any more."""
        return self._rows(_UNWANTED, json.dumps(sorted(statuses)))

    def want_again(self, statuses: Collection[str], at: int) -> None:
        """Orders that were put back for their status are due again, where they have one that is posted."""
        self._sql.execute(_WANTED_AGAIN, (self.connector, json.dumps(sorted(statuses)), at))

    def get(self, kind: Kind, key: str) -> Row | None:
        """The row of one record."""
        found = self._rows("kind = ? AND key = ?", kind, key)
        return found[0] if found else None

    def by_keys(self, kind: Kind, keys: Iterable[str]) -> dict[str, Row]:
        """The rows of these records, by key."""
        rows = self._rows("kind = ? AND key IN (SELECT value FROM json_each(?))", kind, json.dumps(list(keys)))
        return {row.key: row for row in rows}

    def sending(self, due_by: int | None = None) -> list[Row]:
        """What was sent and has no known outcome; with `due_by` as far as it is time to ask for it."""
        return self._rows("state = 'sending' AND state <> 'done' AND due_at <= coalesce(?, due_at)", due_by)

    def settled_by_hand(self, kind: Kind) -> list[Row]:
        """What a person said to be there since the last run."""
        return self._rows(f"kind = ? AND state = 'done' AND cause = '{BY_HAND}'", kind)

    def ready(self, kind: Kind, due_by: int | None) -> list[Row]:
        """What may be sent, the oldest first; also what waits for another record. With None whatever is not due yet."""
        return self._rows(
            "kind = ? AND state IN ('waiting', 'due') AND state <> 'done'"
            f" AND (state = 'waiting' AND cause <> '{TO_COME}' OR due_at <= coalesce(?, due_at))",
            kind,
            due_by,
        )

    def adopt(self, kind: Kind, key: str, names: tuple[str, str], remote_id: str, *, lately: bool) -> None:
        """Adds a record that somebody else has posted already; unless `lately`, any stock was read after that."""
        self._sql.execute(_ADOPT, (self.connector, kind, key, *names, remote_id, lately))

    def _rows(self, where: str, *values: object) -> list[Row]:
        sql = f"SELECT {_COLUMNS} FROM outbox WHERE connector = ? AND {where} ORDER BY due_at, id"
        return [as_row(row) for row in self.database.rows(sql, self.connector, *values)]

    def begin(self, rows: Sequence[Row], expected: Sequence[Mapping[str, str]], run: int, at: int) -> None:
        """The intent, before the call: from now on nobody sends these again without having asked for them."""
        self._sql.executemany(
            "UPDATE outbox SET state = 'sending', sent_at = ?, due_at = ?, expected = ?, message = '' WHERE id = ?",
            [(at, at, json.dumps(what), row.id) for row, what in zip(rows, expected, strict=True)],
        )
        self._sql.executemany(
            "INSERT INTO attempts (outbox, at, run) VALUES (?, ?, ?)", [(r.id, at, run) for r in rows]
        )

    def end(self, row: Row, ended: Ended, run: int, at: int) -> None:
        """What a try came to and what comes next; a try that needed no call had no intent, and is noted here."""
        final = ended.state in ("done", "gave_up", "skipped")
        self._sql.execute(
            _END,
            (
                ended.state, ended.due_at or at, row.tries if ended.tries is None else ended.tries,
                ended.remote_id or row.remote_id, ended.cause, ended.message, ended.remedy, ended.call,
                at if final else None, ended.taken, row.id,
            ),
        )  # fmt: skip
        told = (ended.outcome, ended.cause, ended.message, ended.call)
        if not self._sql.execute(_END_ATTEMPT, (*told, row.id, run)).rowcount:
            self._sql.execute(_ATTEMPT, (row.id, at, run, *told))

    def note(self, row: Row, outcome: str, call: int, run: int, at: int) -> None:
        """What else was done along with a try."""
        self._sql.execute(_ATTEMPT, (row.id, at, run, outcome, "", "", call))

    def looked(self, row: Row, at: int) -> None:
        """The service was asked for it and has it not."""
        self._sql.execute("UPDATE outbox SET looked_at = ? WHERE id = ?", (at, row.id))

    def look_at(self, row: Row, at: int, why: str) -> None:
        """It is asked for again at that time, and not sent before; `why` is told unless a refusal is."""
        self._sql.execute(_LOOK_AT, (at, why, row.id))

    def last_call(self, run: int) -> int:
        """The last call that a run has made to this connector; 0 where it has made none."""
        row = self.database.row("SELECT max(id) FROM calls WHERE run = ? AND connector = ?", run, self.connector)
        return (row[0] if row else None) or 0

    def lose(self, rows: Sequence[Row], lost: Lost, run: int) -> None:
        """Nobody knows what became of these; what is found out of them is told beside this try."""
        told = [(lost.cause, lost.message, row.id) for row in rows]
        self._sql.executemany("UPDATE outbox SET cause = ?, message = ? WHERE id = ?", told)
        attempt = (UNCLEAR if lost.cause == EXISTS else NO_ANSWER, lost.cause, lost.message, lost.call)
        self._sql.executemany(_END_ATTEMPT, [(*attempt, row.id, run) for row in rows])

    def unanswered(self, row: Row) -> int:
        """How often it was sent without an answer."""
        found = self.database.row(f"SELECT count(*) FROM attempts WHERE outbox = ? AND outcome = '{NO_ANSWER}'", row.id)
        return found[0] if found else 0

    def wait(self, row: Row, until: int, cause: str, message: str, remedy: str) -> None:
        """It cannot be sent before another record is there, or before then (ms)."""
        sql = "UPDATE outbox SET state = 'waiting', due_at = ?, cause = ?, message = ?, remedy = ? WHERE id = ?"
        self._sql.execute(sql, (until, cause, message, remedy, row.id))

    def next_try(self, now: int) -> int | None:
        """When the next row is tried or looked for (ms); None where one is due, or none is left."""
        row = self.database.row(_NEXT, self.connector)
        at = row[0] if row else None
        return at if at is not None and at > now else None

    def touched(self, kind: Kind, run: int) -> list[Row]:
        """What a run tried to send, or looked for."""
        return self._rows("kind = ? AND id IN (SELECT outbox FROM attempts WHERE run = ?)", kind, run)

    def uncreated(self) -> list[Row]:
        """Customers and products that are not there for certain, and are to be created."""
        return self._rows("kind IN ('customers', 'products') AND state IN ('due', 'gave_up') AND state <> 'done'")

    def open_orders(self) -> list[Row]:
        """Orders that are to be posted, and are not there as far as is known."""
        return self._rows("kind = 'orders' AND state <> 'skipped' AND state <> 'done'")

    def forget(self, rows: Sequence[Row]) -> None:
        """Deletes rows, with their tries."""
        self._sql.executemany("DELETE FROM attempts WHERE outbox = ?", [(row.id,) for row in rows])
        self._sql.executemany("DELETE FROM outbox WHERE id = ?", [(row.id,) for row in rows])

    def reopen(self, kind: Kind, remote_ids: Iterable[str], at: int) -> None:
        """What was made under these ids is not there any more: it may be made again."""
        self._sql.execute(
            "UPDATE outbox SET state = 'due', due_at = ?, remote_id = '' WHERE connector = ? AND kind = ?"
            " AND state = 'done' AND remote_id IN (SELECT value FROM json_each(?))",
            (at, self.connector, kind, json.dumps(list(remote_ids))),
        )

    def counts(self) -> dict[str, int]:
        """How many orders, and payments and completions of orders, stand in which state, in the words that people read.

        Skipped are orders alone: a payment is, where its order says that there is none any more.
        """
        row = self.database.row(_COUNTS, self.connector)
        differing = self.database.row(_COUNT_DIFFERING, self.connector)
        counts = {name: row[name] or 0 for name in row.keys()} if row else {}  # noqa: SIM118 - a Row iterates over values
        return counts | {"differing": differing[0] if differing else 0}


_NEXT = f"""
SELECT min(due_at) FROM outbox
WHERE connector = ? AND (state IN ('due', 'sending') OR cause = '{TO_COME}') AND state <> 'done'
"""
_COUNTS = """
SELECT sum(state = 'waiting' OR state = 'due' AND cause = '') AS waiting,
    sum(state = 'due' AND cause = 'not-there') AS retrying,
    sum(state = 'due' AND cause NOT IN ('', 'not-there')) AS rejected, sum(state = 'sending') AS unknown,
    sum(state = 'gave_up') AS gave_up, sum(state = 'skipped' AND kind = 'orders') AS skipped
FROM outbox WHERE connector = ? AND kind IN ('orders', 'completions', 'payments') AND state <> 'done'
"""

_COUNT_DIFFERING = f"SELECT count(*) FROM outbox WHERE connector = ? AND {DIFFERING}"


def differs(row: Row) -> bool:
    """Whether it is posted with another sum or currency than the shop's, and nobody has accepted that."""
    return row.state == "done" and row.cause in DIFFERS


def people(database: Database, row: Row) -> str:
    """What people call the record of a row: a customer by code or e-mail address, one of the shop's also by name."""
    if row.kind is not Kind.CUSTOMERS:
        return row.key
    if not row.key.isdecimal():
        return row.key.partition(":")[2]
    sql = "SELECT coalesce(code, email, name, company) FROM customers WHERE id = ?"
    found = database.row(sql, int(row.key))
    return (found and found[0]) or row.key


def subject(database: Database, row: Row) -> str:
    """What people call it with its kind: an order by its number alone."""
    key = people(database, row)
    return f"{_SUBJECTS[row.kind]} {key}" if row.kind in _SUBJECTS else key


def as_row(row: sqlite3.Row) -> Row:
    """A row of the table."""
    values: dict[str, Any] = {name: row[name] for name in Row.__annotations__}
    return Row(**values | {"kind": Kind(values["kind"]), "expected": json.loads(values["expected"])})
