"""Opens the state file, and runs short transactions on it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from typing import TYPE_CHECKING

from syncctl.errors import ConfigError, StateError
from syncctl.state.files import create_file, folder_of, size_of
from syncctl.state.locks import highest_run
from syncctl.state.migrations import VERSION, migrate, rewrites_from

if TYPE_CHECKING:
    from _typeshed import StrPath

BUSY_SECONDS = 30
_SMALLEST_BYTES = 100  # of a database: its header
_ROWS_AT_ONCE = 500
IF_USED = "If it has been in use, restore a backup (syncctl restore FILE) before anything is posted"
_RESTORE = "It is damaged: restore a backup, or move it away and read everything anew"


class Database:
    """One connection to the state file, in autocommit but inside `transaction()`."""

    def __init__(self, path: str, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One `BEGIN IMMEDIATE` … `COMMIT`; rolled back on any error. SQLite's errors become `StateError`.

        Immediate, because a read that turns into a write fails at once, whatever the busy timeout, where another
        program wrote in between.
        """
        with explained(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    @contextmanager
    def quick_transaction(self) -> Iterator[sqlite3.Connection]:
        """The same, without waiting for the disk: a power cut, and nothing else, may undo it until the next commit.

        What SQLite needs to undo a statement of many rows stays in memory: a file would be written as often as the WAL.
        """
        self._set("synchronous = NORMAL", "temp_store = MEMORY")
        try:
            with self.transaction():
                yield self.connection
        finally:
            self._set("synchronous = FULL", "temp_store = DEFAULT")

    def _set(self, *pragmas: str) -> None:
        with explained(self.path):
            for pragma in pragmas:
                self.connection.execute(f"PRAGMA {pragma}")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """The rows of one reading statement."""
        with explained(self.path):
            return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row of one reading statement, if any."""
        with explained(self.path):
            found: sqlite3.Row | None = self.connection.execute(sql, values).fetchone()
            return found

    def explained(self) -> AbstractContextManager[None]:
        """Turns what SQLite says into a `StateError`."""
        return explained(self.path)

    def close(self) -> None:
        """Ends the connection."""
        self.connection.close()


def open_database(path: StrPath, *, group: str = "", create: bool = True) -> Database:
    """The state at `path`, brought up to date; created with its folder where it is missing.

    The file is for its owner alone (0600) unless `group` names the group that shares it (folder 2770, files 0660:
    in WAL mode even a reader writes beside the file). Raises `StateError`.
    """
    path = os.fspath(path)
    with explained(path):
        size = size_of(path)
        if size is None:
            if not create:
                raise StateError(f"There is no state file {path}", "Run syncctl sync-recent first")
            create_file(path)
        elif size < _SMALLEST_BYTES and highest_run(path):
            raise StateError(f"The state file {path} is empty, though runs have written to it", _RESTORE)
        elif not create and size == 0:
            raise StateError(f"The state file {path} is empty", f"{IF_USED}; else run syncctl sync-recent first")
        if group:
            _share_with(path, group)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            _prepare(path, connection)
        except BaseException:
            connection.close()
            raise
    return Database(path, connection)


def is_empty(path: StrPath) -> bool:
    """Whether somebody made the file for a state to come, or what stood there is lost; nobody can tell which."""
    with explained(path):
        return size_of(path) == 0


def has_content(path: StrPath) -> bool:
    """Whether there is a file, and something in it; raises `OSError` where that cannot be told."""
    return bool(size_of(path))


def _prepare(path: str, connection: sqlite3.Connection) -> None:
    version = _version(connection)
    if version > VERSION:
        raise StateError(
            f"The state file {path} was written by a newer syncctl (schema {version}, this one knows {VERSION})",
            "Upgrade syncctl, or restore a backup made before the upgrade",
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # For long reads, whose rows fall all over the file: 32 MB of it in memory, and written back at every 32 MB.
    connection.execute("PRAGMA cache_size = -32000")
    connection.execute("PRAGMA wal_autocheckpoint = 8000")
    if version < VERSION:
        with _migration_lock(path):
            _migrate(path, connection)


def _migrate(path: str, connection: sqlite3.Connection) -> None:
    """Brings the schema up to date, unless another process did meanwhile."""
    version = _version(connection)
    if version == 0:
        _refuse_strangers(path, connection)
    if version < VERSION:
        connection.execute("PRAGMA journal_mode = WAL")
        if rewrites_from(version):
            _back_up(path, connection, version)
        migrate(connection)


def _back_up(path: str, connection: sqlite3.Connection, version: int) -> None:
    """Keeps the file as an older syncctl can use it."""
    import time
    from pathlib import Path

    from syncctl.state.backup import back_up

    back_up(connection, Path(f"{path}.schema-{version}"), time.time_ns() // 1_000_000, lambda *_: None)


def _refuse_strangers(path: str, connection: sqlite3.Connection) -> None:
    """A database of another program is left as it is."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE '%sqlite%' LIMIT 3")
    names = [row["name"] for row in rows]
    if names:
        raise StateError(
            f"{path} is a database of another program (it has {', '.join(names)})",
            "Let SYNCCTL_STATE name a file of syncctl's own",
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _share_with(path: str, group: str) -> None:
    """Gives the state and its folder to the group, also where the setting came later. Raises `ConfigError`."""
    import grp

    try:
        gid = grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise ConfigError([f"SYNCCTL_STATE_GROUP: there is no group {group!r}"]) from error
    files = (path + end for end in ("", "-wal", "-shm"))
    for place, mode in ((folder_of(path), 0o2770), *((file, 0o660) for file in files if os.path.exists(file))):
        now = os.stat(place)
        if now.st_gid != gid or now.st_mode & mode != mode:
            _give(place, gid, mode, group)


def _give(place: str, gid: int, mode: int, group: str) -> None:
    if os.stat(place).st_mode & 0o1002:  # /tmp, say: others would be locked out of it
        reason, remedy = f"{place} belongs to everybody", "Put SYNCCTL_STATE into a folder of its own"
        raise ConfigError([f"SYNCCTL_STATE_GROUP: {reason}"], remedy)
    try:
        os.chown(place, -1, gid)
        os.chmod(place, mode)
    except PermissionError as error:
        raise ConfigError(
            [f"SYNCCTL_STATE_GROUP: {place} cannot be given to the group {group}"],
            "Run syncctl once as the owner of the folder, who is a member of that group",
        ) from error


@contextmanager
def _migration_lock(path: str) -> Iterator[None]:
    """Only one process at a time changes the schema.

    The folder is locked and not the file: closing any descriptor of a file drops all POSIX locks that this process
    has on it, SQLite's own among them, and another process would then take the write-ahead log away.
    """
    folder = os.open(folder_of(path), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def insert(sql: sqlite3.Connection, into: str, rows: Sequence[Sequence[object]]) -> None:
    """Adds rows `into` a table, named with its columns; some hundred in one statement, which is a quarter faster."""
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[begin : begin + _ROWS_AT_ONCE]
        marks = f"({', '.join('?' * len(part[0]))})"
        sql.execute(f"INSERT INTO {into} VALUES {', '.join([marks] * len(part))}", list(chain.from_iterable(part)))


@contextmanager
def any_bytes(connection: sqlite3.Connection) -> Iterator[None]:
    """Reads text that is not UTF-8, which SQLite stores without a word, with surrogates in it instead of failing."""
    before = connection.text_factory
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before


@contextmanager
def explained(path: StrPath) -> Iterator[None]:
    """Turns what SQLite and the file system say into a `StateError` with a remedy."""
    try:
        yield
    except sqlite3.Error as error:
        said = _FULL if "disk I/O" in str(error) and _is_full(folder_of(path)) else str(error)
        raise StateError(f"The state file {path}: {said}", _remedy(said)) from error
    except OSError as error:
        raise StateError(f"The state file {path}: {error.strerror or error}", _remedy(str(error))) from error


_FULL = "the disk is full"
_LEAST_BYTES = 64 * 1024  # what SQLite makes beside the file when it opens it, with room to spare


def _is_full(folder: str) -> bool:
    """Whether there is no room for the files that SQLite makes, of which it tells like of a broken disk."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _LEAST_BYTES or (disk.f_files > 0 and disk.f_favail == 0)


def _remedy(message: str) -> str:
    for part, remedy in _REMEDIES:
        if part in message:
            return remedy
    return "Look at the file's rights and at the disk; run syncctl status"


_REMEDIES = (
    (
        "not a database",
        "It is damaged or some other file: restore a backup, or move it away and read everything anew",
    ),
    ("malformed", "It is damaged: restore a backup, or move it away and read everything anew"),
    ("readonly", "Let the user who runs syncctl write the file and its folder"),
    ("unable to open", "Let the user who runs syncctl write the file and its folder"),
    ("ermission denied", "Let the user who runs syncctl write the file and its folder"),
    ("full", "Free some space on the disk and run it again; nothing was half written"),
    ("No space left", "Free some space on the disk and run it again; nothing was half written"),
    ("locked", "Some other program holds a transaction open on it for too long: end that program"),
    ("disk I/O", "Look at the disk and at the system log"),
    (
        "no such table",
        "It is damaged or of some other program: restore a backup, or name another SYNCCTL_STATE",
    ),
)
