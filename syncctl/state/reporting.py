"""What `syncctl report` asks: how a connector did over the last days."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from syncctl.state.database import Database
from syncctl.state.health import SUCCESS
from syncctl.state.windows import DAY
from syncctl.wording import without_call

_SUCCESSES = f"""
SELECT started_at FROM runs JOIN run_connectors ON run = runs.id AND connector = ?1
WHERE command = 'sync-recent' AND finished_at IS NOT NULL AND {SUCCESS}
    AND runs.id >= coalesce((SELECT max(id) FROM runs WHERE started_at < ?2), 0)
ORDER BY started_at
"""
_LAST_BEFORE = f"""
SELECT started_at FROM runs JOIN run_connectors ON run = runs.id AND connector = ?1
WHERE command = 'sync-recent' AND finished_at IS NOT NULL AND {SUCCESS} AND started_at < ?2
ORDER BY runs.id DESC LIMIT 1
"""
_CALLS = "SELECT day, purpose, calls FROM call_counts WHERE connector = ? AND day >= ? ORDER BY day, purpose"
_CHANGES = """
SELECT at / ?1 AS day, 1 AS drifted, 0 AS gone FROM changes WHERE rule = 'drift' AND at >= ?2 AND connector = ?3
UNION ALL SELECT at / ?1, 0, 1 FROM changes
WHERE field = 'state' AND after = 'gone' AND at >= ?2 AND connector = ?3
"""
_CHANGES_A_DAY = f"SELECT day, sum(drifted) AS drifted, sum(gone) AS gone FROM ({_CHANGES}) GROUP BY 1 ORDER BY 1"
# Ids grow with time, so that what is older is passed over without a look.
_ANSWERS = """
SELECT method, path, ms FROM calls
WHERE id > (SELECT coalesce(max(id), 0) FROM calls WHERE at < ?) AND connector = ? AND ms IS NOT NULL
ORDER BY id DESC LIMIT ?
"""
_MOST_ANSWERS = 5_000  # more of them would not change the picture
_ERRORS = """
SELECT json_extract(told.value, '$[1]') AS message, json_extract(told.value, '$[2]') AS remedy,
    count(*) AS times, max(run) AS run, max(started_at) AS last_at
FROM runs JOIN run_connectors ON run = runs.id AND connector = ?, json_each(errors) AS told
WHERE runs.id > (SELECT coalesce(max(id), 0) FROM runs WHERE started_at < ?) AND errors <> '[]'
GROUP BY 1, 2
"""
_QUEUE = """
SELECT connector, kind, state, cause, count(*) AS rows, min(queued_at) AS oldest_at FROM outbox
WHERE state <> 'done' AND state <> 'skipped' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
_POSTED = """
SELECT ended_at / ? AS day, connector, count(*) AS posted FROM outbox
WHERE kind = 'orders' AND state = 'done' AND ended_at >= ? GROUP BY 1, 2
"""
# What stands for a single record in a path: a number, a GUID, whatever follows a document's list.
_RECORD = re.compile(r"(?<=/)(?:[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d+)(?=/|$)")


class Reporting:
    """One connector since a moment (ms)."""

    def __init__(self, database: Database, connector: str, since: int) -> None:
        self.database = database
        self.connector = connector
        self.since = since

    def successes(self) -> list[int]:
        """When the successful reads of what changed began (ms), the last one before the moment included."""
        before = self.database.row(_LAST_BEFORE, self.connector, self.since)
        rows = self.database.rows(_SUCCESSES, self.connector, self.since)
        found = [row["started_at"] for row in rows if row["started_at"] >= self.since]
        return [before["started_at"], *found] if before else found

    def calls(self) -> list[sqlite3.Row]:
        """`day` (since 1970, UTC), `purpose` and `calls`."""
        return self.database.rows(_CALLS, self.connector, self.since // DAY)

    def changes(self) -> list[sqlite3.Row]:
        """Of each `day` on which something changed: values that had `drifted`, and products that were `gone`."""
        return self.database.rows(_CHANGES_A_DAY, DAY, self.since, self.connector)

    def endpoints(self, most: int) -> list[dict[str, Any]]:
        """The slowest by their 95th percentile: `endpoint`, `calls`, `median`, `p95` and `slowest` in ms.

        Of the newest 5,000 answers.
        """
        times: dict[str, list[int]] = defaultdict(list)
        for row in self.database.rows(_ANSWERS, self.since, self.connector, _MOST_ANSWERS):
            times[endpoint(row["method"], row["path"])].append(row["ms"])
        found = [_percentiles(name, sorted(each)) for name, each in times.items()]
        return sorted(found, key=lambda each: -each["p95"])[:most]

    def errors(self, most: int) -> list[dict[str, Any]]:
        """The most frequent sentences: `message`, `remedy`, `times`, and the last `run` with its `last_at` (ms)."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for row in self.database.rows(_ERRORS, self.connector, self.since):
            told = dict(row) | {"message": without_call(row["message"])}
            same = found.setdefault((told["message"], told["remedy"]), told | {"times": 0})
            last = max(same, told, key=lambda each: each["run"])
            same |= {"times": same["times"] + told["times"], "run": last["run"], "last_at": last["last_at"]}
        return sorted(found.values(), key=lambda each: (-each["times"], -each["last_at"]))[:most]


def queue(database: Database) -> Sequence[sqlite3.Row]:
    """What waits for something, of all connectors: `connector`, `kind`, `state`, `cause`, `rows`, `oldest_at` (ms)."""
    return database.rows(_QUEUE)


def posted(database: Database, since: int) -> Sequence[sqlite3.Row]:
    """Orders posted, by `day` and `connector`."""
    return database.rows(_POSTED, DAY, since)


def endpoint(method: str, path: str) -> str:
    """A call without what is of a single record: `GET /Products/{id}`."""
    return f"{method} {_RECORD.sub('{id}', path.partition('?')[0])}"


def _percentiles(name: str, times: list[int]) -> dict[str, Any]:
    count = len(times)
    return {
        "endpoint": name,
        "calls": count,
        "median": times[count // 2],
        "p95": times[min(count - 1, int(count * 0.95))],
        "slowest": times[-1],
    }
