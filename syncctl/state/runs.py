"""Executions of commands, and which account of which service the state belongs to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

from syncctl.errors import AccountError, ConfigError, InterruptedRunError
from syncctl.models import Kind, Struct
from syncctl.state.database import Database
from syncctl.tally import Tally

# connector, price tier, whether tax is in its prices, currency, locations
Source = tuple[str, str | None, int | None, str | None, str | None]
_SOURCE = "connector, price_tier, price_includes_tax, currency, locations"
_INSERT_TALLY = """
INSERT INTO run_connectors
    (run, connector, exit_code, calls, bytes, seen, changed, created, verified, drifted, gone, deferred_until, errors)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_MOST_PLACES = 8  # where the file's number is another each time, it tells nothing
_LOCKED = """
SELECT 1 FROM runs WHERE exit_code = 0
    AND command IN ('sync-recent', 'sync-oldest', 'sync-customers', 'post-invoices', 'retry-queue') LIMIT 1
"""
_EXPECTED = """
SELECT avg(calls) FROM (
    SELECT calls FROM run_connectors JOIN runs ON runs.id = run
    WHERE connector = ?1 AND command = ?2 AND run_connectors.exit_code IN (0, 65) AND deferred_until IS NULL
        AND started_at > (SELECT max(finished_at) FROM cursors WHERE connector = ?1 AND feed = 'full'
            AND (kind = 'customers') = (?2 = 'sync-customers'))
    ORDER BY run DESC LIMIT 10
)
"""
# From name to name of the outbox, which may be long.
_CONNECTORS = """
WITH RECURSIVE posted (connector) AS (
    SELECT min(connector) FROM outbox
    UNION ALL SELECT (SELECT min(outbox.connector) FROM outbox WHERE outbox.connector > posted.connector) FROM posted
    WHERE posted.connector IS NOT NULL
)
SELECT connector FROM accounts UNION SELECT connector FROM posted WHERE connector IS NOT NULL ORDER BY 1
"""
_ENDED_BEFORE = """
FROM run_connectors JOIN runs ON runs.id = run
WHERE connector = ?1 AND command = ?2 AND run < ?3 AND run_connectors.exit_code <> 75
"""
# The runs that came to nothing follow the last one that read something or was not kept from it.
_DEFERRED_BEFORE = f"""
SELECT deferred_until AS until, finished_at AS ended, (
    SELECT finished_at {_ENDED_BEFORE} AND run > coalesce((
        SELECT run {_ENDED_BEFORE} AND coalesce(deferred_until <= finished_at OR seen + verified > 0, TRUE)
        ORDER BY run DESC LIMIT 1
    ), 0) ORDER BY run LIMIT 1
) AS since
{_ENDED_BEFORE} ORDER BY run DESC LIMIT 1
"""


class Deferral(Struct):
    """A run that was kept from its calls until then; `since` it all came to nothing, None where it still read some."""

    since: int | None
    until: int
    ended: int


class Runs:
    """The rows of `runs`, `run_connectors`, `accounts` and `sources`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def begin(self, command: str, at: int) -> int:
        """The number of a new run."""
        with self.database.transaction() as sql:
            added = sql.execute(
                "INSERT INTO runs (command, started_at, pid) VALUES (?, ?, ?)", (command, at, os.getpid())
            )
            return added.lastrowid or 0

    def finish(self, run: int, at: int, exit_code: int, tallies: Sequence[tuple[Tally, int]]) -> None:
        """Writes how the run ended: each tally with its own exit code."""
        rows = [_tally_row(run, tally, code) for tally, code in tallies]
        with self.database.quick_transaction() as sql:  # the state is closed next, and on the disk with that
            sql.execute("UPDATE runs SET finished_at = ?, exit_code = ? WHERE id = ?", (at, exit_code, run))
            sql.executemany(_INSERT_TALLY, rows)

    def has_mail(self) -> bool:
        """Whether there is trouble that was mailed or is to be mailed."""
        return self.database.row("SELECT 1 FROM mailed LIMIT 1") is not None

    def notice_copy(self, highest: int, place: str, at: int) -> None:
        """Remembers that this state is a copy, maybe an older one. One that was only moved is treated like it.

        The lock files know of later runs than it does (`highest`), or are missing though runs have ended; or it lies
        in another place than before (see `place_of`).
        """
        row = self.database.row("SELECT seq FROM sqlite_sequence WHERE name = 'runs'")
        own = row["seq"] if row else 0
        places = (self.meta("places") or "").split()
        is_new = place not in places and len(places) < _MOST_PLACES
        if highest > own or (is_new and places) or (not highest and self._has_locked()):
            self.mark_restored(max(highest, own), at)
        if is_new:
            with self.database.transaction() as sql:
                told = " ".join([*places, place])
                sql.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('places', ?)", (told,))

    def _has_locked(self) -> bool:
        """Whether a run has come to its end that must have left a lock file."""
        return self.database.row(_LOCKED) is not None

    def mark_restored(self, highest: int, at: int) -> None:
        """From now on orders placed before `at` (ms) are looked for before they are posted; later runs follow it.

        What was under way when the copy was made never comes to its end here.
        """
        with self.database.transaction() as sql:
            sql.execute("UPDATE runs SET exit_code = ? WHERE finished_at IS NULL", (InterruptedRunError.exit_code,))
            sql.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('restored_at', ?)", (str(at),))
            sql.execute("DELETE FROM sqlite_sequence WHERE name = 'runs'")
            sql.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('runs', ?)", (highest,))

    def since(self, what: str, at: int) -> int:
        """When this was first asked (ms): now, the first time."""
        stored = self.meta(what)
        if stored is None:
            with self.database.transaction() as sql:
                sql.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (what, str(at)))
        return at if stored is None else int(stored)

    def is_new_day(self, what: str, at: int) -> bool:
        """Whether 24 hours have passed since this was last true (ms), or the clock was set back."""
        before = self.meta(what)
        if before is not None and 0 <= at - int(before) < 86_400_000:
            return False
        with self.database.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (what, str(at)))
        return True

    def meta(self, key: str) -> str | None:
        """A fact of the state as a whole."""
        row = self.database.row("SELECT value FROM meta WHERE key = ?", key)
        return None if row is None else str(row["value"])

    def claim_shop(self, shop: str) -> None:
        """The state belongs to one shop for ever. Raises `ConfigError` for another."""
        row = self.database.row("SELECT value FROM meta WHERE key = 'shop'")
        if row is None:
            with self.database.transaction() as sql:
                sql.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('shop', ?)", (shop,))
        elif row["value"] != shop:
            raise ConfigError(
                [f"SYNCCTL_SHOP: is {shop}, but the state file {self.database.path} belongs to {row['value']}"],
                "Give each shop its own SYNCCTL_STATE",
            )

    def claim_account(self, connector: str, kind: str, base_url: str, account: str) -> None:
        """What a connector's name stands for never changes, once the service has accepted a call.

        Raises `AccountError`.
        """
        row = self.database.row("SELECT * FROM accounts WHERE connector = ?", connector)
        wanted = (kind, base_url, account)
        if row is not None and (row["kind"], row["base_url"], row["account"]) == wanted:
            return
        if row is not None and row["accepted_at"] is not None:
            raise AccountError(
                f"The state file {self.database.path} holds this connector's data of {row['kind']} {row['account']}"
                f" at {row['base_url']}; the settings now say {kind} {account} at {base_url}",
                "Correct the settings, or give the other account another name in SYNCCTL_CONNECTORS",
            )
        with self.database.transaction() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO accounts (connector, kind, base_url, account) VALUES (?, ?, ?, ?)",
                (connector, *wanted),
            )

    def connectors(self) -> list[str]:
        """The names of all connectors that have ever called their service, or were to be posted to."""
        return [row["connector"] for row in self.database.rows(_CONNECTORS)]

    def choose_sources(self, wanted: Mapping[str, Source], keep: Mapping[str, str]) -> None:
        """Which connector owns each field of the catalogue, and what of it is taken, see `Source`.

        What is stored of the fields in `keep` stays while it is of the connector given there.
        """
        found = self.database.rows(f"SELECT field, {_SOURCE} FROM sources")
        stored: dict[str, Source] = {row[0]: (row[1], row[2], row[3], row[4], row[5]) for row in found}
        wanted = dict(wanted) | {f: source for f, source in stored.items() if keep.get(f) == source[0]}
        if stored == wanted:
            return
        with self.database.transaction() as sql:
            sql.execute("DELETE FROM sources")
            rows = [(field, *source) for field, source in wanted.items()]
            sql.executemany(f"INSERT INTO sources (field, {_SOURCE}) VALUES (?, ?, ?, ?, ?, ?)", rows)

    def has_read(self, connector: str, kind: Kind, scope: str) -> bool:
        """Whether a kind has been read to its end in this scope."""
        row = self.database.row(
            "SELECT 1 FROM cursors WHERE connector = ? AND kind = ? AND feed = 'delta' AND scope = ?"
            " AND stamp IS NOT NULL",
            connector,
            kind,
            scope,
        )
        return row is not None

    def deferred_before(self, connector: str, command: str, run: int) -> Deferral | None:
        """How the run of this command before `run` was kept from its calls; None if it was not."""
        row = self.database.row(_DEFERRED_BEFORE, connector, command, run)
        return Deferral(row["since"], row["until"], row["ended"]) if row and row["until"] and row["ended"] else None

    def expected_calls(self, connector: str, command: str) -> float | None:
        """What this command cost this connector lately, in calls; None where it did not run since the last full read.

        Full reads and runs that were put off are left out: they say nothing about an ordinary run.
        """
        row = self.database.row(_EXPECTED, connector, command)
        return None if row is None or row[0] is None else float(row[0])


def _tally_row(run: int, tally: Tally, code: int) -> tuple[object, ...]:
    errors = [[error.record, error.message, error.remedy] for error in tally.errors[:100]]
    until = round(tally.deferred_until.timestamp() * 1000) if tally.deferred_until else None
    return (
        run, tally.name, code, tally.calls, tally.bytes, tally.seen, tally.changed, tally.created,
        tally.verified, tally.drifted, tally.gone, until, json.dumps(errors),
    )  # fmt: skip


def is_alive(pid: int) -> bool:
    """Whether there is a process with this number, on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
