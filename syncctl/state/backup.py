"""Copies of the state file: made while others write, whole or not at all, and checked before they count."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from syncctl.errors import StateError
from syncctl.models import Struct
from syncctl.state.files import create_file, sync
from syncctl.state.migrations import VERSION

_PAGES = 2000  # of one step, 8 MB: how often the progress is told
Progress = Callable[[str, int, int], None]


class Backup(Struct):
    """What a copy holds; times in ms, 0 where it is a plain copy and does not know."""

    file: Path
    bytes: int
    version: int
    shop: str
    run: int
    backed_up_at: int
    accounts: dict[str, tuple[str, str, str]]  # by connector: kind, base URL, account
    products: int
    orders: int


def back_up(state: sqlite3.Connection, file: Path, at: int, progress: Progress) -> Backup:
    """Writes a copy of the state as it is now to `file`, in its place only once it is checked.

    Readable by its owner alone. Raises `StateError`, and leaves what was there as it was.
    """
    part = file.with_name(f"{file.name}.part")
    if not file.parent.is_dir():
        raise StateError(f"{file}: there is no folder {file.parent}", "Make it, or name another file")
    with _explained(file):
        part.unlink(missing_ok=True)  # what a killed one left
        try:
            create_file(part, new=True)
            with closing(sqlite3.connect(part, isolation_level=None)) as copy:
                copy_state(state, copy, lambda done, total: progress("copy", done, total))
                copy.execute("PRAGMA journal_mode = DELETE")  # so that it is one file, wherever it is taken
                copy.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('backed_up_at', ?)", (str(at),))
            found = read_backup(part)
            sync(part)
            part.replace(file)
            sync(file.parent)
        finally:
            part.unlink(missing_ok=True)
    return found.changed(file=file)


def copy_state(source: sqlite3.Connection, target: sqlite3.Connection, progress: Callable[[int, int], None]) -> None:
    """Makes `target` what `source` is at this moment, whoever writes to it meanwhile; in `target` one transaction."""
    source.execute("BEGIN")
    try:
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on nothing that is written is seen
        source.backup(target, pages=_PAGES, progress=lambda _, left, total: progress(total - left, total))
    finally:
        source.execute("ROLLBACK")


def read_backup(file: Path) -> Backup:
    """What a copy holds, after a check of it all; raises `StateError` where it is none of ours, newer or damaged."""
    with _explained(file), closing(open_read_only(file)) as sql:
        version = int(sql.execute("PRAGMA user_version").fetchone()[0])
        if version > VERSION:
            raise StateError(
                f"{file} was written by a newer syncctl (schema {version}, this one knows {VERSION})", "Upgrade syncctl"
            )
        tables = {name for (name,) in sql.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not version or not {"meta", "accounts", "runs", "products", "calls"} <= tables:
            raise StateError(f"{file} is no state of syncctl", "Name a file that syncctl backup has written")
        ((said,), *_) = sql.execute("PRAGMA integrity_check(1)").fetchall()
        if said != "ok":
            raise StateError(f"{file} is damaged: {said}", "Take an older backup")
        return _read(sql, file, version)


def open_read_only(file: Path) -> sqlite3.Connection:
    """A connection that writes nothing, not even beside the file, where nobody else has it open."""
    wal = file.with_name(f"{file.name}-wal")
    mode = "mode=ro" if wal.exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)


def _read(sql: sqlite3.Connection, file: Path, version: int) -> Backup:
    meta = dict(sql.execute("SELECT key, value FROM meta"))
    run = sql.execute("SELECT seq FROM sqlite_sequence WHERE name = 'runs'").fetchone()
    accepted = "SELECT connector, kind, base_url, account FROM accounts WHERE accepted_at IS NOT NULL"
    return Backup(
        file=file,
        bytes=file.stat().st_size,
        version=version,
        shop=meta.get("shop", ""),
        run=run[0] if run else 0,
        backed_up_at=int(meta.get("backed_up_at", 0)),
        accounts={connector: (kind, url, account) for connector, kind, url, account in sql.execute(accepted)},
        products=sql.execute("SELECT count(*) FROM products").fetchone()[0],
        orders=sql.execute("SELECT count(*) FROM orders").fetchone()[0] if version > 1 else 0,
    )


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    """Turns what SQLite and the file system say of a copy into a `StateError` with a remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise StateError(f"{file}: {error}", "Look at the file and at the disk") from error
    except OSError as error:
        raise StateError(f"{file}: {error.strerror or error}", "Look at the folder, its rights and the disk") from error
