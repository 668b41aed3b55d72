"""Backups: taken at any moment, whole, and restored without anything being posted twice."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Shop
from posting import arrived, moment, once, order, place, post

from syncctl.clock import SystemClock
from syncctl.state import backup, database, migrations
from syncctl.state.locks import Holder, hold
from syncctl.state.migrations import VERSION

pytestmark = pytest.mark.products(6)


@pytest.fixture
def copy(shop: Shop) -> Path:
    return shop.folder / "copy.db"


def back_up(shop: Shop, copy: Path) -> None:
    shop.ok("backup", str(copy), "--force")


def restore(shop: Shop, copy: Path) -> dict[str, Any]:
    return shop.ok("restore", str(copy), "--json").json()


def values(file: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute(sql)]


@contextmanager
def in_the_middle(shop: Shop) -> Iterator[None]:
    """While sync-recent has stored products, and waits for the stock."""
    shop.upstream.fault("hold", "^/StockOnHand", when="after")
    env = os.environ | shop.env | {"SYNCCTL_STATE": str(shop.state)}
    process = subprocess.Popen([sys.executable, "-m", "syncctl", "sync-recent"], env=env, cwd=shop.folder)
    while not any(fault["holding"] for fault in shop.upstream.request("GET", "faults")["faults"]):
        assert process.poll() is None
    yield
    shop.upstream.request("POST", "faults/release")
    assert process.wait() == 0


def test_a_backup_while_a_sync_writes(shop: Shop, copy: Path) -> None:
    with in_the_middle(shop):
        back_up(shop, copy)
        assert values(copy, "SELECT count(*) FROM products") == [6]
    assert values(copy, "PRAGMA integrity_check") + values(copy, "PRAGMA journal_mode") == ["ok", "delete"]
    assert values(copy, "SELECT count(*) FROM runs WHERE finished_at IS NULL") == [1], "it was taken in the middle"
    assert (copy.stat().st_mode & 0o777, list(shop.folder.glob("copy.db*"))) == (0o600, [copy])
    assert "MUG" in shop.ok("explain", "product", "MUG", SYNCCTL_STATE=str(copy)).out


def test_a_backup_replaces_nothing_unasked(shop: Shop, copy: Path) -> None:
    shop.ok("sync-recent")
    copy.write_text("the wedding pictures")
    assert shop.run("backup", str(copy)).code == 2
    assert copy.read_text() == "the wedding pictures"
    assert "--force" in shop.run("backup", str(copy)).err
    assert shop.run("backup", str(shop.state), "--force").code == 2
    assert shop.run("backup", str(shop.folder / "nowhere" / "copy.db")).code == 74
    back_up(shop, copy)
    assert values(copy, "SELECT count(*) FROM products") == [shop.value("SELECT count(*) FROM products")]


def test_what_was_posted_since_is_not_posted_again(posting: Shop, copy: Path) -> None:
    place(posting, order("1001"), order("1002"))
    post(posting, "--order", "1001")
    back_up(posting, copy)
    assert post(posting)["posted"] == 1
    place(posting, order("1003"))
    told = restore(posting, copy)
    assert [each["number"] for each in told["since"]["posted"]] == ["1002"]
    assert (told["since"]["runs"], told["since"]["orders"]) == (1, ["1003"])
    result = post(posting)
    assert (result["posted"], result["found"]) == (0, 1)
    assert arrived(posting) == once(["1001", "1002"])


def test_the_same_on_another_machine(posting: Shop, copy: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    place(posting, order("1001"))
    back_up(posting, copy)
    post(posting)
    posting.folder = tmp_path_factory.mktemp("other")
    told = restore(posting, copy)
    assert (told["kept"], told["since"]["known"]) == (None, False)
    assert post(posting)["found"] == 1
    assert posting.value("SELECT count(*) FROM calls WHERE method = 'POST'") == 0, "it was looked for, not sent"
    assert arrived(posting) == once(["1001"])


def test_the_same_where_the_present_file_is_damaged(posting: Shop, copy: Path) -> None:
    place(posting, order("1001"))
    back_up(posting, copy)
    post(posting)
    posting.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(posting.state, 20_000)
    told = restore(posting, copy)
    assert (told["since"]["known"], told["since"]["runs"]) == (False, 1)
    assert Path(told["kept"]).stat().st_size == 20_000
    assert post(posting)["found"] == 1
    assert posting.rows("PRAGMA journal_mode") == [("wal",)]


def test_the_budget_goes_on(shop: Shop, copy: Path) -> None:
    shop.ok("sync-recent")
    back_up(shop, copy)
    shop.ok("sync-recent", "--full")
    booked = "SELECT used FROM spend WHERE win = 'month'"
    used, calls = shop.value(booked), shop.value("SELECT count(*) FROM calls")
    told = restore(shop, copy)
    assert told["since"]["calls"] == 2
    assert (shop.value(booked), shop.value("SELECT count(*) FROM calls")) == (used, calls)


def test_what_is_not_known_of_a_call_carried_over_is_told(shop: Shop, copy: Path) -> None:
    shop.ok("sync-recent")
    back_up(shop, copy)
    shop.ok("sync-recent")
    restore(shop, copy)
    told = shop.ok("explain", "call", "3").out
    assert "2, of which this file knows nothing" in told
    assert "changes       not known here" in told
    assert "Answer: carried over by a restore" in told
    assert "under way" not in told
    assert shop.ok("explain", "call", "3", "--json").json()["carried_over"] is True
    own = shop.ok("explain", "call", "2")
    assert "carried over" not in own.out, "it was in the copy"


def test_a_run_that_the_copy_cut_in_two_is_told_as_cut_off(shop: Shop, copy: Path) -> None:
    with in_the_middle(shop):
        back_up(shop, copy)
        under_way = shop.ok("log", "runs").out
    restore(shop, copy)
    assert "under way" in under_way
    (line,) = shop.ok("log", "runs", "--status", "failed").out.splitlines()
    assert re.search(r"run 1  sync-recent +cut off", line)
    told = shop.ok("explain", "call", "2").out
    assert "carried over by a restore" not in told, "it had been made when the copy was"
    assert re.search(r"run +1 \(sync-recent\), begun .*, cut off", told)


def test_a_program_that_has_the_file_open_sees_what_was_restored(shop: Shop, copy: Path) -> None:
    shop.ok("sync-recent")
    back_up(shop, copy)
    with closing(sqlite3.connect(shop.state, isolation_level=None)) as program:
        program.execute("INSERT INTO products (sku) VALUES ('LATER')")
        kept = Path(restore(shop, copy)["kept"])
        assert program.execute("SELECT count(*) FROM products WHERE sku = 'LATER'").fetchone() == (0,)
        program.execute("INSERT INTO products (sku) VALUES ('AFTER')")
    assert shop.value("SELECT count(*) FROM products WHERE sku = 'AFTER'") == 1
    assert values(kept, "SELECT sku FROM products WHERE sku = 'LATER'") == ["LATER"]
    assert {path.name for path in shop.folder.glob("syncctl.db.rest*")} == set()


def test_nothing_is_restored_while_a_run_goes_on(shop: Shop, copy: Path) -> None:
    shop.ok("sync-recent")
    back_up(shop, copy)
    holder = Holder("syncctl post-invoices", os.getpid(), 1, moment())
    with hold(shop.state, "unleashed-push", holder, clock=SystemClock()):
        assert shop.run("restore", str(copy)).code == 75


@pytest.mark.parametrize(
    ("sql", "code", "words"),
    [
        ("UPDATE meta SET value = 'other' WHERE key = 'shop'", 78, "belongs to other"),
        ("UPDATE accounts SET account = 'theirs'", 78, "holds data of unleashed"),
        (f"PRAGMA user_version = {VERSION + 1}", 74, "written by a newer syncctl"),
        ("DROP TABLE accounts", 74, "is no state of syncctl"),
        ("UPDATE sqlite_master SET rootpage = 3 WHERE name = 'products_sku_nocase'", 74, "is damaged"),
    ],
)
def test_what_does_not_fit_is_refused(shop: Shop, copy: Path, sql: str, code: int, words: str) -> None:
    shop.ok("sync-recent")
    back_up(shop, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(sql)
    before = shop.state.read_bytes()
    result = shop.run("restore", str(copy))
    assert (result.code, words in result.err) == (code, True), result
    assert shop.state.read_bytes() == before


def renamed_column(opened: Any) -> None:
    """What a step of a later version may do."""
    opened["learnt_limits"].transform(rename={"calls": "size"})
    opened.execute(f"PRAGMA user_version = {VERSION + 1}")


@pytest.mark.parametrize("rewrites", [True, False])
def test_a_copy_is_made_before_a_table_is_rewritten(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, rewrites: bool
) -> None:
    shop.ok("sync-recent")
    step = migrations.Step("999_later", renamed_column, rewrites)
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, step))
    for module in (migrations, database, backup):
        monkeypatch.setattr(module, "VERSION", VERSION + 1)
    shop.ok("status")
    assert shop.value("PRAGMA user_version") == VERSION + 1
    copies = list(shop.folder.glob("syncctl.db.schema-*"))
    assert [values(copy, "PRAGMA user_version") for copy in copies] == [[VERSION]] * rewrites
    monkeypatch.undo()
    assert "Upgrade syncctl" in shop.run("sync-recent").err
    for copy in copies:
        shop.ok("restore", str(copy))
        shop.ok("sync-recent")


def test_what_a_person_reads(posting: Shop, copy: Path) -> None:
    told = posting.ok("backup", str(copy), "-v").out
    assert "Neither settings nor tokens are in it" in told
    place(posting, order("1001"))
    post(posting)
    told = posting.ok("restore", str(copy)).out
    assert "Since then: 1 run, " in told
    assert "Posted since: 1001 (unleashed)." in told
    assert "Orders that the shop has written since, which only the kept file has: 1001." in told
    when = datetime.fromisoformat(told.partition(" of ")[2].partition(",")[0])
    assert SystemClock().now() - when < timedelta(minutes=5)


def test_the_nightly_line_of_the_readme_backs_up_whatever_state_check_finds(posting: Shop) -> None:
    shop = posting
    shop.write("UPDATE looks SET product_at = 9e15, oldest_at = 9e15")
    assert shop.run("state", "check").code == 65
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    (line,) = re.findall(r"\* \* \*  root  (.*syncctl backup.*)", readme)
    program = str(Path(sys.executable).parent)
    line = line.replace("\\%", "%").replace("/var/backups", str(shop.folder)).replace("/opt/syncctl/bin", program)
    path = {"PATH": "/usr/bin:/bin", "SYNCCTL_STATE": str(shop.state)}
    subprocess.run(["sh", "-c", line], env=shop.env | shop.extra | path, cwd=shop.folder, check=False)
    assert len(list(shop.folder.glob("syncctl-*.db"))) == 1
