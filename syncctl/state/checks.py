"""Looks for what cannot be: damage, references to nothing, and rows that contradict each other or the clock."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from syncctl.models import Struct
from syncctl.state import windows
from syncctl.state.database import Database, any_bytes
from syncctl.state.runs import is_alive
from syncctl.state.unqueued_schema import POSTER

if TYPE_CHECKING:
    from syncctl.connectors.declared import Limit

Level = Literal["damaged", "wrong", "note"]
MOST_RECORDS = 20
_HOUR = 3_600_000


class Finding(Struct):
    """What was found, of which records; `count` of them, the first ones by name. A note needs nobody."""

    check: str
    level: Level
    message: str
    remedy: str
    connector: str = ""
    count: int = 0
    records: tuple[str, ...] = ()


class Check(Struct):
    """A question whose answer, rows of connector and record, should be empty."""

    name: str
    message: str
    remedy: str
    sql: str
    level: Level = "wrong"


_STRANGER = "connector NOT IN (SELECT value FROM json_each(:connectors))"
_OPEN = "state IN ('waiting', 'due', 'sending', 'gave_up')"
# The run knows that it got no answer: it was not cut off.
_LOST = """EXISTS (
    SELECT 1 FROM attempts WHERE attempts.outbox = outbox.id AND outcome IN ('no answer', 'unclear', 'not there yet')
        AND id = (SELECT max(id) FROM attempts AS later WHERE later.outbox = outbox.id)
)"""
_TIMES = " UNION ALL ".join(
    f"SELECT {connector}, '{table}' FROM {table} WHERE {at} > :soon"
    for table, connector, at in (
        ("calls", "connector", "at"),
        ("changes", "connector", "at"),
        ("runs", "''", "started_at"),
    )
)
CHECKS = (
    Check(
        "sending",
        "sent by a run that is not there any more, so nobody knows whether it arrived",
        "Run syncctl retry-queue: it asks the service",
        f"""SELECT connector, key FROM outbox WHERE state = 'sending' AND due_at <= :now
            AND NOT {_LOST} AND NOT EXISTS (
            SELECT 1 FROM attempts JOIN runs ON runs.id = attempts.run WHERE attempts.outbox = outbox.id
                AND attempts.outcome = 'sending' AND runs.finished_at IS NULL AND alive(runs.pid))""",
    ),
    Check(
        "unknown",
        "sent, but no answer came, so nobody knows yet whether it arrived",
        "Nothing has to be done: the next run asks the service",
        f"SELECT connector, key FROM outbox WHERE state = 'sending' AND due_at <= :now AND {_LOST}",
        "note",
    ),
    Check(
        "done-without-id",
        "said to be posted, but without the id of what was posted",
        "Let syncctl ask the service: UPDATE outbox SET state = 'sending', due_at = 0 WHERE state = 'done' AND"
        " remote_id = '' with sqlite3, then syncctl retry-queue",
        """SELECT connector, key FROM outbox
        WHERE state = 'done' AND remote_id = '' AND kind IN ('orders', 'customers', 'products')""",
    ),
    Check(
        "same-id",
        "said to be posted as one and the same record",
        "Look in the service which of them it is, and enter the others there by hand",
        """SELECT connector, group_concat(key, ' = ') FROM outbox
        WHERE state = 'done' AND kind = 'orders' AND remote_id <> ''
        GROUP BY connector, remote_id HAVING count(*) > 1""",
    ),
    Check(
        "order-gone",
        "waiting to be posted, but the shop has no such order any more",
        "Write the order again, or run syncctl queue drop with its ID of syncctl queue list",
        f"""SELECT connector, key FROM outbox
        WHERE kind = 'orders' AND {_OPEN} AND key NOT IN (SELECT number FROM orders)""",
    ),
    Check(
        "unnoticed",
        "an order that is neither queued nor among those to be looked at, so that no run would ever post it",
        "Run DELETE FROM unqueued; INSERT INTO unqueued SELECT number, substr(key, 16) FROM orders, meta WHERE key"
        " GLOB 'invoices_since.*' with sqlite3: the next run looks at every order once",
        f"""SELECT substr(meta.key, {len(POSTER) + 1}) AS poster, orders.number FROM meta CROSS JOIN orders
        WHERE meta.key GLOB '{POSTER}*'
            AND NOT EXISTS (SELECT 1 FROM unqueued WHERE number = orders.number AND unqueued.connector = poster)
            AND NOT EXISTS (SELECT 1 FROM outbox
                WHERE outbox.connector = poster AND kind = 'orders' AND outbox.key = orders.number)""",
    ),
    Check(
        "nobody-posts",
        "waiting to be posted to a connector that SYNCCTL_CONNECTORS does not name",
        "Name the connector again, or run syncctl queue drop --all --connector with its name",
        f"SELECT connector, key FROM outbox WHERE {_OPEN} AND {_STRANGER}",
    ),
    Check(
        "other-shop",
        "is the shop that the state belongs to, and not that of the settings: every run refuses it",
        "Correct SYNCCTL_SHOP, or let SYNCCTL_STATE name the state of this shop",
        "SELECT '', value FROM meta WHERE key = 'shop' AND value <> :shop",
    ),
    Check(
        "no-attempt",
        "was sent, but no try of it is kept: some program has deleted from the state",
        "Nothing has to be done; what becomes of it is not in danger",
        """SELECT connector, key FROM outbox
        WHERE sent_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.outbox = outbox.id)""",
        "note",
    ),
    Check(
        "no-call",
        "names a call that the journal does not have: some program has changed the state",
        "Nothing has to be done; what becomes of it is not in danger",
        """SELECT connector, key FROM outbox
        WHERE call > 0 AND NOT EXISTS (SELECT 1 FROM calls WHERE calls.id = outbox.call)""",
        "note",
    ),
    Check(
        "not-configured",
        "is not named in SYNCCTL_CONNECTORS, but the state has records of it",
        "Nothing has to be done: they are used again if it is named again",
        f"""SELECT connector, '' FROM (SELECT connector FROM accounts UNION SELECT connector FROM cursors
        UNION SELECT connector FROM outbox) WHERE {_STRANGER}""",
        "note",
    ),
    Check(
        "no-owner",
        "taken from a connector of which no product was ever read, so the catalogue has none",
        "Run syncctl sync-recent, or let SYNCCTL_PRICE_FROM and SYNCCTL_STOCK_FROM name others",
        """SELECT connector, field FROM sources
        WHERE NOT EXISTS (SELECT 1 FROM remote_products WHERE remote_products.connector = sources.connector)""",
        "note",
    ),
    Check(
        "looked-at-in-future",
        "looked at in the future, for the clock was wrong; sync-oldest will not come by",
        "Check the clock with syncctl doctor, then run syncctl sync-recent --full",
        "SELECT connector, remote_id FROM looks WHERE oldest_at > :soon",
    ),
    Check(
        "placed-in-future",
        "placed in the future; one that is dated more than a day ahead is not posted yet",
        "Correct placed_at, which is in UTC, in the shop if that is wrong",
        """SELECT '', number FROM orders
        WHERE placed_at > strftime('%Y-%m-%dT%H:%M:%SZ', :soon / 1000, 'unixepoch')""",
        "note",
    ),
    Check(
        "future",
        "rows with a time in the future, for the clock was wrong",
        "Check the clock with syncctl doctor; nothing else has to be done",
        _TIMES,
        "note",
    ),
)


def check(
    database: Database, shop: str, limits: Mapping[str, Sequence[Limit]], now: int, progress: Callable[[int, int], None]
) -> list[Finding]:
    """All that is found; `shop` and the `limits` of each connector are those of the settings, `now` is in ms.

    Where the file itself is damaged, nothing else is looked for.
    """
    sql = database.connection
    sql.create_function("alive", 1, is_alive)
    values = {"shop": shop, "connectors": json.dumps(list(limits)), "now": now, "soon": now + _HOUR}
    parts: list[Callable[[], Iterable[Finding]]] = [lambda: _integrity(sql), lambda: _references(sql)]
    parts += [lambda one=one: _answers(sql, one, values) for one in CHECKS]  # type: ignore[misc]
    parts += [lambda: _undercounted(sql, limits, now)]
    findings: list[Finding] = []
    with database.explained(), any_bytes(sql):
        sql.execute("BEGIN")  # so that all look at the same moment, whoever writes
        try:
            for done, part in enumerate(parts, 1):
                findings += part()
                progress(done, len(parts))
                if any(finding.level == "damaged" for finding in findings):
                    break
        finally:
            sql.execute("ROLLBACK")
    return findings


def _integrity(sql: sqlite3.Connection) -> Iterator[Finding]:
    said = [row[0] for row in sql.execute(f"PRAGMA integrity_check({MOST_RECORDS})")]
    if said != ["ok"]:
        yield Finding(
            "integrity",
            "damaged",
            f"the file is damaged: {'; '.join(said)}",
            "Run syncctl restore with a backup; without one move the file away, and run sync-recent and sync-customers",
        )


def _references(sql: sqlite3.Connection) -> Iterator[Finding]:
    """Rows that name what is gone, as a program leaves them that deletes without foreign keys."""
    counts: dict[tuple[str, str, int], int] = {}
    for table, _, parent, number in sql.execute("PRAGMA foreign_key_check"):
        counts[table, parent, number] = counts.get((table, parent, number), 0) + 1
    for (table, parent, number), count in counts.items():
        keys = {row["id"]: row for row in sql.execute(f"PRAGMA foreign_key_list({table})")}
        column, other = keys[number]["from"], keys[number]["to"]
        where = f"WHERE {column} NOT IN (SELECT {other} FROM {parent})"
        nullable = keys[number]["on_delete"] == "SET NULL"
        mended = f"UPDATE {table} SET {column} = NULL {where}" if nullable else f"DELETE FROM {table} {where}"
        yield Finding(
            "reference",
            "wrong",
            f"{count:,} rows of {table} name a row of {parent} that is gone: some program deletes without foreign keys",
            f"Run {mended} with sqlite3, and let that program say PRAGMA foreign_keys = ON",
            count=count,
        )


def _answers(sql: sqlite3.Connection, check: Check, values: Mapping[str, object]) -> Iterator[Finding]:
    counted: dict[str, dict[str, int]] = {}
    for connector, record in sql.execute(check.sql, values):
        records = counted.setdefault(connector, {})
        records[record] = records.get(record, 0) + 1
    for connector, records in counted.items():
        names = tuple(filter(None, records))
        yield Finding(check.name, check.level, check.message, check.remedy, connector, len(names), names[:MOST_RECORDS])


def _undercounted(sql: sqlite3.Connection, limits: Mapping[str, Sequence[Limit]], now: int) -> Iterator[Finding]:
    """Windows in which fewer calls are booked than the journal has: their limit could be exceeded."""
    for connector, of_connector in limits.items():
        for limit in of_connector:
            slots = windows.slots(sql, connector, limit, now)
            calls = windows.journalled(sql, connector, limit, now)
            used = sum(slot[1] for slot in slots)
            if slots and used < calls:
                yield Finding(
                    "undercounted",
                    "wrong",
                    f"the window {limit.name} has {used:,} of the {calls:,} calls that the journal has",
                    f"Run DELETE FROM spend WHERE connector = '{connector}' AND win = '{limit.name}' with sqlite3: the"
                    " next call counts the journal anew",
                    connector,
                    calls - used,
                )
