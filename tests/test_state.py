"""The state file: how it is made, who may use it, and that others may work on it at the same time."""

from __future__ import annotations

import contextlib
import grp
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Shop
from test_pull import mirror, start, until_held, upstream

from syncctl.errors import ConfigError, StateError
from syncctl.state.database import open_database
from syncctl.state.migrations import VERSION

pytestmark = pytest.mark.products(30)
TABLES = {"products", "remote_products", "remote_stock", "looks", "cursors", "runs", "calls", "changes", "catalogue"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def objects(path: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}


@pytest.mark.parametrize("there", ["no file", "an empty file", "an empty database"])
def test_a_fresh_state_gets_the_schema(tmp_path: Path, there: str) -> None:
    path = tmp_path / "new" / "folder" / "state.db"
    if there != "no file":
        path.parent.mkdir(parents=True)
        path.touch()
    if there == "an empty database":
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM")
    open_database(path).close()
    assert objects(path) >= TABLES
    open_database(path).close()


def test_a_migration_that_fails_leaves_nothing_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.db"
    with monkeypatch.context() as patch:
        patch.setattr("syncctl.state.migrations._JOURNAL", "CREATE VIEW calls AS SELECT nonsense nonsense nonsense")
        with pytest.raises(StateError):
            open_database(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)
        assert "products" not in {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    open_database(path).close()
    assert objects(path) >= TABLES


def test_a_newer_state_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    open_database(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(StateError, match="newer syncctl"):
        open_database(path)
    assert path.read_bytes() == before


def test_looking_makes_no_state(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="There is no state file"):
        open_database(tmp_path / "state.db", create=False)
    assert not list(tmp_path.iterdir())


OPEN = """
import sys
from pathlib import Path
from syncctl.state.database import open_database
sys.stdin.read()
database = open_database(Path(sys.argv[1]))
with database.transaction() as sql:
    sql.execute("INSERT INTO products (sku) VALUES (?)", [sys.argv[2]])
database.close()
"""


def test_processes_that_make_it_at_once_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    command = [sys.executable, "-c", OPEN, str(path)]
    crew = [subprocess.Popen([*command, f"P{n}"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) for n in range(6)]
    for process in crew:  # they are all waiting for the end of their input
        assert process.stdin
        process.stdin.close()
        process.stdin = None
    errors = [process.communicate()[1].decode() for process in crew]
    assert errors == [""] * 6
    assert objects(path) >= TABLES
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM products").fetchone() == (6,)


def test_the_state_is_for_its_owner_alone(shop: Shop) -> None:
    before = os.umask(0)
    try:
        nested = shop.folder / "own" / "state.db"
        with holding(shop, nested) as beside:
            assert {mode(path) for path in beside} == {0o600}
        assert mode(nested) == 0o600
        assert mode(nested.parent) == 0o700
    finally:
        os.umask(before)


@contextlib.contextmanager
def holding(shop: Shop, state: Path, **settings: str) -> Iterator[list[Path]]:
    """A run in the middle of its work; the files beside the state."""
    shop.upstream.fault("hold", "^/Products/1")
    process = start(shop, "sync-recent", **({"SYNCCTL_STATE": str(state)} | settings))
    until_held(shop, process)
    yield [path for path in state.parent.iterdir() if path.name.startswith(state.name)]
    shop.upstream.request("POST", "faults/release")
    assert process.communicate()[1] == ""
    assert process.returncode == 0


def test_a_transaction_of_another_program_is_waited_for(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 3})
    shop.upstream.fault("hold", "^/Products/1", when="after")
    process = start(shop, "sync-recent")
    until_held(shop, process)
    with contextlib.closing(sqlite3.connect(shop.state, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO products (sku) VALUES ('WRITTEN-MEANWHILE')")
        shop.upstream.request("POST", "faults/release")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)  # the answer is there, and nothing of it can be stored
        other.execute("COMMIT")
    assert (process.communicate()[1], process.returncode) == ("", 0)
    assert mirror(shop) == upstream(shop)
    assert shop.value("SELECT count(*) FROM products WHERE sku = 'WRITTEN-MEANWHILE'") == 1


def test_a_reader_sees_a_page_whole_or_not_at_all(shop: Shop) -> None:
    """A long look at the state neither stops the run nor sees half of what it stores."""
    counts = set()
    with contextlib.closing(open_database(shop.state)) as reader:
        process = start(shop, "sync-recent", SYNCCTL_UNLEASHED_PAGE_SIZE="10")
        while process.poll() is None:
            (count,) = reader.row("SELECT count(*) FROM remote_products") or (0,)
            counts.add(count)
    assert (process.communicate()[1], process.returncode) == ("", 0)
    assert counts <= {0, 10, 20, 30}


def test_a_group_that_does_not_exist_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SYNCCTL_STATE_GROUP: there is no group"):
        open_database(tmp_path / "state.db", group="no-such-group-here")


def test_a_folder_of_everybody_is_not_taken_away_from_them(tmp_path: Path) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    mine = grp.getgrgid(os.getgid()).gr_name
    with pytest.raises(ConfigError, match="belongs to everybody"):
        open_database(shared / "state.db", group=mine)
    assert mode(shared) == 0o1777


@pytest.mark.parametrize("later", [False, True])
def test_a_group_gets_the_file_and_its_folder(tmp_path: Path, *, later: bool) -> None:
    """Whether the setting was there from the beginning or came later."""
    path, mine = tmp_path / "folder" / "state.db", grp.getgrgid(os.getgid()).gr_name
    if later:
        open_database(path).close()
    open_database(path, group=mine).close()
    assert (mode(path), mode(path.parent)) == (0o660, 0o2770)
