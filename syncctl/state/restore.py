"""Puts a copy of the state in the place of the present one, which stays beside it.

Where the present file is sound, its content is replaced and not the file: programs that have it open go on with what
was restored. The calls that it counts since the copy are taken over, for the services count them, too.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from syncctl.errors import StateError
from syncctl.models import Struct, from_ms
from syncctl.state.backup import Backup, back_up, copy_state, open_read_only
from syncctl.state.database import Database, explained, open_database
from syncctl.state.files import create_file
from syncctl.state.journal import CARRIED_OVER
from syncctl.state.locks import highest_run
from syncctl.state.runs import Runs
from syncctl.state.unqueued_schema import POSTER

_SIDE_FILES = ("", "-wal", "-shm")
Progress = Callable[[str, int, int], None]

# What a service and its calls have to do with each other, whatever is restored.
_BUDGET = ("spend", "blocks", "learnt_limits")
_COLUMNS = "at, run, connector, purpose, method, path, status, ms, bytes, request_id, error"
_LAST_CALL = "SELECT coalesce(max(seq), 0) FROM main.sqlite_sequence WHERE name = 'calls'"
_TAKE_CALLS = f"""
INSERT INTO main.calls (id, {_COLUMNS}) SELECT id, {_COLUMNS} FROM present.calls WHERE id > ?
"""
# So that nobody looks here for their answers and changes.
_NOTE_CALLS = "INSERT INTO main.meta SELECT ?, CAST(max(id) AS TEXT) FROM main.calls"
_TAKE_POSTERS = f"INSERT OR IGNORE INTO main.meta SELECT * FROM present.meta WHERE key GLOB '{POSTER}*'"
_RUNS_SINCE = """
SELECT count(*) FROM present.runs
WHERE id > (SELECT coalesce(max(seq), 0) FROM main.sqlite_sequence WHERE name = 'runs')
"""
_POSTED_SINCE = """
SELECT now.connector, now.key, now.remote_id FROM present.outbox AS now
LEFT JOIN main.outbox AS old ON (old.connector, old.kind, old.key) = (now.connector, now.kind, now.key)
WHERE now.kind = 'orders' AND now.state = 'done' AND old.state IS NOT 'done' ORDER BY now.id
"""
_ORDERS_SINCE = """
SELECT number FROM present.orders WHERE number NOT IN (SELECT number FROM main.orders) ORDER BY id
"""


class Since(Struct):
    """What happened between the copy and now; where it is not `known`, `runs` is the least that there were."""

    known: bool
    runs: int
    calls: int = 0
    posted: tuple[tuple[str, str, str], ...] = ()  # connector, number, remote id
    orders: tuple[str, ...] = ()  # of the shop, which the copy has not


class Restored(Struct):
    """What was done; `kept` is the file that was there before, None where there was none."""

    since: Since
    kept: Path | None


@contextmanager
def ready_to_lock(state: Path) -> Iterator[None]:
    """Lets a state that is lost be locked all the same: an empty file stands for it, and for nothing if this fails."""
    missing = not state.exists()
    if missing:
        with explained(state):
            create_file(state)
    try:
        yield
    finally:
        with suppress(OSError):
            if missing and not state.stat().st_size:
                state.unlink()


def restore(state: Path, backup: Backup, group: str, at: int, progress: Progress) -> Restored:
    """Restores a copy that was read and fits; the caller holds all locks. Raises `StateError`.

    From now on orders that were placed before `at` (ms) are looked for before they are posted.
    """
    fresh = state.with_name(f"{state.name}.restoring")
    kept = state.with_name(f"{state.name}.before-{from_ms(at):%Y%m%dT%H%M%SZ}")
    if kept.exists():
        raise StateError(f"{kept} is there already", "Wait a second, and restore again")
    with explained(state):
        sound, there = _is_sound(state), state.stat().st_size > 0
        try:
            _copy(backup.file, fresh)
            since = _prepare(fresh, (state if sound else None), (backup.run, highest_run(state)), at)
            if sound:
                _replace_content(state, fresh, kept, at, progress)
            else:
                _replace_file(state, fresh, kept if there else None)
        finally:
            _remove(fresh)
        open_database(state, group=group).close()
    return Restored(since, kept if there else None)


def _copy(backup: Path, fresh: Path) -> None:
    _remove(fresh)
    create_file(fresh, new=True)
    with closing(open_read_only(backup)) as source, closing(_connect(fresh)) as target:
        copy_state(source, target, lambda *_: None)


def _prepare(fresh: Path, present: Path | None, runs: tuple[int, int], at: int) -> Since:
    """Brings a copy up to date, and writes into it what the present state, if it is sound, knows of the budget.

    `runs` are the last one in the copy, and the highest that is known of.
    """
    own, highest = runs
    with closing(open_database(fresh)) as database:
        if present:
            since, last = _take_over(database, present)
        else:
            since, last = Since(known=False, runs=max(0, highest - own)), 0
        with database.transaction() as sql:
            sql.execute("DELETE FROM meta WHERE key IN ('backed_up_at', 'places')")
        Runs(database).mark_restored(max(own, highest, last), at)
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.connection.execute("PRAGMA journal_mode = DELETE")
    return since


def _take_over(database: Database, state: Path) -> tuple[Since, int]:
    """What the present state says has happened since; the budget and the calls are written into the copy."""
    sql = database.connection
    sql.execute("ATTACH ? AS present", (str(state),))
    try:
        runs = sql.execute(_RUNS_SINCE).fetchone()[0]
        run = sql.execute("SELECT coalesce(max(seq), 0) FROM present.sqlite_sequence WHERE name = 'runs'").fetchone()[0]
        posted = tuple((row[0], row[1], row[2]) for row in sql.execute(_POSTED_SINCE))
        orders = tuple(row[0] for row in sql.execute(_ORDERS_SINCE))
        with database.transaction():
            for table in _BUDGET:
                sql.execute(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM present.{table}")
            sql.execute(_TAKE_POSTERS)
            calls = _take_calls(sql)
    finally:
        sql.execute("DETACH present")
    return Since(True, runs, calls, posted, orders), run


def _take_calls(sql: sqlite3.Connection) -> int:
    """How many calls were taken over; their runs, answers and changes stay in the other file."""
    (last,) = sql.execute(_LAST_CALL).fetchone()
    taken = sql.execute(_TAKE_CALLS, (last,)).rowcount
    if taken:
        sql.execute(_NOTE_CALLS, (f"{CARRIED_OVER}{last + 1}",))
    return taken


def _is_sound(state: Path) -> bool:
    """Whether the present file can be read from end to end; one of an older version is brought up to date."""
    if not state.stat().st_size:
        return False
    try:
        with closing(open_database(state)) as database:
            row = database.row("PRAGMA quick_check(1)")
            return row is not None and row[0] == "ok"
    except StateError:
        return False


def _replace_content(state: Path, fresh: Path, kept: Path, at: int, progress: Progress) -> None:
    with closing(_connect(state)) as present, closing(_connect(fresh)) as source:
        back_up(present, kept, at, progress)
        copy_state(source, present, lambda done, total: progress("restore", done, total))


def _replace_file(state: Path, fresh: Path, kept: Path | None) -> None:
    os.chmod(fresh, state.stat().st_mode & 0o777)
    for end in _SIDE_FILES:
        old = state.with_name(state.name + end)
        if kept and old.exists():
            old.rename(kept.with_name(kept.name + end))
        elif end:
            old.unlink(missing_ok=True)
    fresh.replace(state)
    with closing(_connect(state)) as sql:
        sql.execute("PRAGMA journal_mode = WAL")


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=30, isolation_level=None)


def _remove(fresh: Path) -> None:
    for end in (*_SIDE_FILES, "-journal"):
        fresh.with_name(fresh.name + end).unlink(missing_ok=True)
