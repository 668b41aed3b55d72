"""The mirror's customers: what a service last said of them, what changed, and what a full read did not show.

Only what differs is written, and each difference becomes a row of `changes`. Every method that writes belongs inside
a transaction of the caller.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from syncctl.models import Customer, Kind, Problem, State
from syncctl.state.changelog import Changelog, Difference, Look, to_tell
from syncctl.state.customers import with_email
from syncctl.state.database import Database, any_bytes
from syncctl.state.mirror import Stored

EMAIL = 9  # the rank of e-mail addresses in `customer_keys`: weaker than any account id

_FIELDS = ("codes", "name", "emails", "state", "linkable", "version")
_QUIET_FIELDS = frozenset({"version"})
_SEEN = "UPDATE remote_customers SET seen_call = ? WHERE connector = ? AND remote_id = ?"
_UPDATE = f"UPDATE remote_customers SET {' = ?, '.join(_FIELDS)} = ? WHERE connector = ? AND remote_id = ?"
_INSERT = f"""
INSERT INTO remote_customers (connector, remote_id, first_call, seen_call, {", ".join(_FIELDS)})
VALUES (?, ?, ?, ?, {", ".join("?" * len(_FIELDS))})
"""


# CROSS JOIN keeps the order: from the few that are wanted to their records.
_READ = """
SELECT remote.*, coalesce(code, email, 'number ' || id) AS linked_to
FROM remote_customers AS remote LEFT JOIN customers ON id = customer_id
"""
_RECORDS = f"""
{_READ}
WHERE remote.rowid IN (
    SELECT linked.rowid FROM json_each(?1) CROSS JOIN remote_customers AS linked ON linked.customer_id = value
    UNION SELECT found.rowid FROM accounts
    CROSS JOIN customer_keys AS key
        ON key.connector = accounts.connector AND key.value IN (SELECT value FROM json_each(?2))
    CROSS JOIN remote_customers AS found ON found.connector = key.connector AND found.remote_id = key.remote_id
)
ORDER BY connector, remote_id
"""


class Customers:
    """The customers of one connector."""

    def __init__(self, database: Database, connector: str) -> None:
        self.database = database
        self.connector = connector
        self.changelog = Changelog(database.connection, connector)

    @property
    def _sql(self) -> sqlite3.Connection:
        return self.database.connection

    def store(self, records: Iterable[Customer | Problem], look: Look, since_call: int = 0) -> Stored:
        """Writes what differs; `since_call` is the call from which on a look counts as seen before."""
        stored = Stored()
        customers: dict[str, Customer] = {}
        for record in records:
            if isinstance(record, Problem):
                stored.problems.append(record)
                stored.fresh += 1
            else:
                customers[record.remote_id] = record
        stored.seen = len(customers)
        known = self._rows(customers)
        stored.fresh += sum(1 for each in customers if each not in known or known[each]["seen_call"] < since_call)
        for remote_id, customer in customers.items():
            row = known.get(remote_id)
            stored.problems += to_tell(customer, row, look)
            if row is None:
                self._insert(customer, look, stored)
            elif row["seen_call"] <= look.call:  # else a later call has told of it already
                self._update(customer, row, look, stored)
        return stored

    def _insert(self, customer: Customer, look: Look, stored: Stored) -> None:
        if customer.state is State.GONE:
            return  # nobody has heard of it, and nobody will
        row = (self.connector, customer.remote_id, look.call, look.call, *_values(customer))
        self._sql.execute(_INSERT, row)
        self._save_keys(customer)
        stored.created.append(customer.remote_id)

    def _update(self, customer: Customer, row: sqlite3.Row, look: Look, stored: Stored) -> None:
        values = _values(customer)
        if values != tuple(row[name] for name in _FIELDS):
            self._sql.execute(_UPDATE, (*values, self.connector, customer.remote_id))
            self._save_keys(customer)
            self._note_changes(customer.remote_id, row, values, look, stored)
        self._sql.execute(_SEEN, (look.call, self.connector, customer.remote_id))

    def _note_changes(
        self, remote_id: str, row: sqlite3.Row, values: Sequence[Any], look: Look, stored: Stored
    ) -> None:
        found: list[Difference] = [
            (name, _shown(name, row[name]), _shown(name, after))
            for name, after in zip(_FIELDS, values, strict=True)
            if name not in _QUIET_FIELDS and row[name] != after
        ]
        if found:
            stored.changed[remote_id] = look.rule
            self.changelog.write(Kind.CUSTOMERS, remote_id, found, look)

    def _save_keys(self, customer: Customer) -> None:
        self._sql.execute(
            "DELETE FROM customer_keys WHERE connector = ? AND remote_id = ?", (self.connector, customer.remote_id)
        )
        self._sql.executemany(
            "INSERT OR IGNORE INTO customer_keys (connector, value, rank, remote_id) VALUES (?, ?, ?, ?)",
            [(self.connector, value, rank, customer.remote_id) for value, rank in _keys(customer)],
        )

    def knows(self, remote_id: str) -> bool:
        """Whether the mirror has it."""
        return bool(self._rows([remote_id]))

    def mark_gone(self, remote_ids: Sequence[str], look: Look) -> int:
        """Marks customers that the service no longer has. How many were not marked."""
        known = [row for row in self._rows(remote_ids).values() if row["state"] != State.GONE]
        for row in known:
            self.changelog.write(Kind.CUSTOMERS, row["remote_id"], [("state", row["state"], State.GONE)], look)
        self._sql.executemany(
            "UPDATE remote_customers SET state = 'gone', seen_call = ? WHERE connector = ? AND remote_id = ?",
            [(look.call, self.connector, row["remote_id"]) for row in known],
        )
        return len(known)

    def mark_seen(self, remote_id: str, look: Look) -> None:
        """The service still has it."""
        self._sql.execute(_SEEN, (look.call, self.connector, remote_id))

    def unseen(self, first_call: int) -> list[str]:
        """What the mirror has and a full read that began with `first_call` did not show."""
        rows = self.database.rows(
            "SELECT remote_id FROM remote_customers WHERE connector = ? AND seen_call < ? AND state <> 'gone'",
            self.connector,
            first_call,
        )
        return [row["remote_id"] for row in rows]

    def seen(self, first_call: int) -> int:
        """How many were looked at by `first_call` or later."""
        return self._count("seen_call >= ?", first_call)

    def live(self) -> int:
        """How many customers the service is believed to have."""
        return self._count("state <> 'gone'")

    def linked(self) -> int:
        """How many of them are linked to customers of the shop."""
        return self._count("state <> 'gone' AND customer_id IS NOT NULL")

    def _count(self, condition: str, *values: object) -> int:
        sql = f"SELECT count(*) FROM remote_customers WHERE connector = ? AND {condition}"
        row = self.database.row(sql, self.connector, *values)
        return int(row[0]) if row else 0

    def _rows(self, remote_ids: Iterable[str]) -> Mapping[str, sqlite3.Row]:
        found = self.database.rows(
            "SELECT * FROM remote_customers WHERE connector = ? AND remote_id IN (SELECT value FROM json_each(?))",
            self.connector,
            json.dumps(list(remote_ids)),
        )
        return {row["remote_id"]: row for row in found}


def folded(email: str) -> str:
    """The form in which e-mail addresses are compared."""
    return email.strip().casefold()


def numbers(database: Database, key: str) -> list[int]:
    """The shop's numbers of the customer with this code, else of those with this e-mail address."""
    rows = database.rows("SELECT id FROM customers WHERE code = ?", key)
    return [row["id"] for row in rows] or with_email(database.connection, key)


def in_shop(database: Database, wanted: Sequence[int]) -> list[sqlite3.Row]:
    """The shop's customers with these numbers."""
    with any_bytes(database.connection):
        return database.rows("SELECT * FROM customers WHERE id IN (SELECT value FROM json_each(?))", json.dumps(wanted))


def records(database: Database, names: Iterable[str], wanted: Sequence[int]) -> list[sqlite3.Row]:
    """The records that are linked to these customers of the shop, or have one of these account ids or addresses."""
    keys = sorted({key for name in names for key in (name.strip(), folded(name))})
    with any_bytes(database.connection):
        return database.rows(_RECORDS, json.dumps(wanted), json.dumps(keys))


def record(database: Database, connector: str, remote_id: str) -> sqlite3.Row | None:
    """One record, with the customer of the shop that it is linked to."""
    with any_bytes(database.connection):
        return database.row(f"{_READ} WHERE connector = ? AND remote_id = ?", connector, remote_id)


def _emails(customer: Customer) -> list[str]:
    return list(dict.fromkeys(filter(None, map(folded, customer.emails))))


def _keys(customer: Customer) -> list[tuple[str, int]]:
    """What it can be found by; what has no @ is no address (`none`, `n/a`)."""
    codes = [(code.strip(), rank) for rank, code in enumerate(customer.codes) if code.strip()]
    return codes + [(email, EMAIL) for email in _emails(customer) if "@" in email]


def _values(customer: Customer) -> tuple[Any, ...]:
    """The row's values in the order of `_FIELDS`."""
    codes = json.dumps([code.strip() for code in customer.codes], ensure_ascii=False)
    emails = json.dumps(_emails(customer), ensure_ascii=False)
    return (codes, customer.name, emails, str(customer.state), int(customer.linkable), customer.version)


def _shown(name: str, value: Any) -> str:
    """A value as `changes` shows it."""
    if name in ("codes", "emails"):
        return ", ".join(filter(None, json.loads(value)))
    return ("no", "yes")[value] if name == "linkable" else str(value)
