"""A state file or a folder that cannot be used: one sentence, a remedy, an exit code, and nothing harmed."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Shop

from syncctl.state.migrations import VERSION

PR_CAPBSET_DROP = 24


def trouble(shop: Shop, code: int, *args: str, **settings: str) -> str:
    """The one sentence about what is wrong, which no call was made for."""
    calls = shop.upstream.calls()
    result = shop.run("sync-recent", *args, **settings)
    assert (result.code, result.out) == (code, ""), result
    assert "Traceback" not in result.err
    assert shop.upstream.calls() == calls
    return result.err


def process(shop: Shop, prepare: Callable[[], None], *args: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """syncctl in a process of its own that is `prepare`d first."""
    env = {"PATH": os.environ["PATH"], "HOME": "/"} | shop.env | {"SYNCCTL_STATE": str(shop.state)} | settings
    return subprocess.run(
        [sys.executable, "-m", "syncctl", "sync-recent", *args], env=env, cwd="/", preexec_fn=prepare,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("size", [60, 4096, 20_000])
def test_a_truncated_state(shop: Shop, size: int) -> None:
    shop.ok("sync-recent")
    os.truncate(shop.state, size)
    said = trouble(shop, 74)
    assert str(shop.state) in said
    assert "restore a backup, or move it away and read everything anew" in said
    assert shop.state.stat().st_size == size


def test_a_file_that_is_no_database(shop: Shop) -> None:
    text = "Minutes of the meeting\n" * 100
    shop.state.write_text(text)
    said = trouble(shop, 74)
    assert f"The state file {shop.state}: file is not a database. It is damaged or some other file" in said.replace(
        "\nsyncctl:", ""
    )
    assert shop.state.read_text() == text


def test_an_empty_file_is_filled_and_the_doubt_about_it_told_once(shop: Shop) -> None:
    shop.state.touch(mode=0o600)
    first = shop.run("sync-recent")
    assert (first.code, len(first.err.splitlines())) == (0, 1)
    assert f"The state file {shop.state} was empty, and is a new one now. If it has been in use, restore" in first.err
    assert shop.value("SELECT count(*) FROM remote_products") == 120
    shop.ok("sync-recent")


def test_doctor_warns_of_an_empty_file(shop: Shop) -> None:
    shop.state.touch(mode=0o600)
    assert f"warning  syncctl: state: The state file {shop.state} was empty" in shop.ok("doctor").out
    assert "was empty" not in shop.ok("doctor").out


@pytest.mark.parametrize("command", [("state", "check"), ("status",), ("post-invoices",), ("backup", "copy.db")])
def test_an_empty_file_is_no_state_for_who_makes_none(shop: Shop, command: tuple[str, ...]) -> None:
    shop.state.touch(mode=0o600)
    result = shop.run(*command)
    assert (result.code, result.out) == (74, "")
    assert f"The state file {shop.state} is empty. If it has been in use, restore a backup" in result.err
    assert shop.state.stat().st_size == 0
    assert shop.run("plan", "--products", "10").code == 0


def test_the_database_of_another_program(shop: Shop) -> None:
    with closing(sqlite3.connect(shop.state)) as connection:
        connection.execute("CREATE TABLE products (what TEXT)")
        before = list(connection.iterdump())
        said = trouble(shop, 74)
        assert str(shop.state) in said
        assert "database of another program" in said
        assert list(connection.iterdump()) == before


def test_a_state_that_was_cut_to_nothing(shop: Shop) -> None:
    shop.ok("sync-recent")
    os.truncate(shop.state, 0)
    for name in ("-wal", "-shm"):
        shop.state.with_name(shop.state.name + name).unlink(missing_ok=True)
    assert "is empty, though runs have written to it" in trouble(shop, 74)


def test_a_state_of_a_newer_syncctl(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.write(f"PRAGMA user_version = {VERSION + 1}")
    said = trouble(shop, 74)
    assert f"written by a newer syncctl (schema {VERSION + 1}, this one knows {VERSION})" in said
    assert "Upgrade syncctl" in said


def test_the_state_of_another_shop(shop: Shop) -> None:
    shop.ok("sync-recent")
    said = trouble(shop, 78, SYNCCTL_SHOP="other")
    assert f"SYNCCTL_SHOP: is other, but the state file {shop.state} belongs to demo" in said
    assert "Give each shop its own SYNCCTL_STATE" in said


@pytest.mark.parametrize(
    "setting", [{"SYNCCTL_UNLEASHED_API_ID": "other"}, {"SYNCCTL_UNLEASHED_BASE_URL": "https://o.example"}]
)
def test_the_state_of_another_account(shop: Shop, setting: dict[str, str]) -> None:
    shop.ok("sync-recent")
    said = trouble(shop, 78, **setting)
    assert said.startswith(f"unleashed: The state file {shop.state} holds this connector's data of unleashed")
    assert "other" in said or "o.example" in said
    assert "another name in SYNCCTL_CONNECTORS" in said
    shop.ok("sync-recent")


def test_a_slip_in_the_account_may_be_mended_until_a_call_is_accepted(shop: Shop) -> None:
    assert shop.run("sync-recent", SYNCCTL_UNLEASHED_API_ID="typo").code == 77
    shop.ok("sync-recent")


@pytest.mark.skipif(Path("/etc/syncctl").exists(), reason="this machine has settings of its own")
def test_no_settings_at_all(tmp_path: Path, shop: Shop) -> None:
    shop.env.clear()
    (tmp_path / ".env").unlink()
    said = trouble(shop, 78, SYNCCTL_STATE="")
    assert "SYNCCTL_SHOP is not set" in said
    assert "SYNCCTL_CONNECTORS is not set" in said
    assert f"There is no .env in {tmp_path}/.env, {tmp_path}/.config/syncctl/.env, /etc/syncctl/.env" in said
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_that_cannot_be_used(shop: Shop) -> None:
    shop.ok("sync-recent")
    lock = shop.folder / "syncctl.db.unleashed.lock"
    lock.unlink()
    lock.mkdir()
    assert f"The lock file {lock} cannot be used" in trouble(shop, 74)


def like_anybody() -> None:
    """Root obeys the mode of a file, too, once it has lost the capability not to (CAP_DAC_OVERRIDE)."""
    if not os.geteuid():
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, 1, 0, 0, 0)


@pytest.mark.parametrize("there", [False, True])
def test_a_state_that_may_not_be_written(shop: Shop, there: bool) -> None:
    if there:
        shop.ok("sync-recent")
        shop.state.chmod(0o444)
    shop.folder.chmod(0o555)
    done = process(shop, like_anybody)
    shop.folder.chmod(0o755)
    assert done.returncode == 74
    assert str(shop.state) in done.stderr
    assert "Let the user who runs syncctl write the file and its folder" in done.stderr
    assert "Traceback" not in done.stderr


def smaller_than(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("more", [-1_000_000, 20_000, 60_000, 200_000])
def test_a_disk_that_fills_up(shop: Shop, more: int) -> None:
    small = {"SYNCCTL_UNLEASHED_PAGE_SIZE": "20"}
    shop.ok("sync-recent")
    shop.upstream.put("products", *({"ProductCode": f"N-{i}", "ProductDescription": "x" * 300} for i in range(200)))
    known = shop.value("SELECT count(*) FROM products")
    done = process(shop, smaller_than(max(0, shop.state.stat().st_size + more)), "--json", **small)
    assert done.returncode == 74, done
    assert str(shop.state) in done.stderr
    assert "Traceback" not in done.stderr
    assert "disk" in done.stderr
    assert shop.rows("PRAGMA integrity_check") == [("ok",)]
    (told,) = json.loads(done.stdout)["connectors"]
    assert shop.value("SELECT count(*) FROM products") == known + told["created"]
    assert shop.run("sync-recent", **small).code == 0
    assert shop.value("SELECT count(*) FROM products") == known + 200


FULL_DISK = """
mount -t tmpfs -o size=8m tmpfs "$1" || exit 99
"$2" -m syncctl sync-recent || exit 98
cat /dev/zero > "$1/fill" 2> /dev/null
"$2" -m syncctl sync-recent
"""


def test_a_disk_that_is_full_before_the_run(shop: Shop) -> None:
    disk = shop.folder / "disk"
    disk.mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": "/"} | shop.env | {"SYNCCTL_STATE": str(disk / "syncctl.db")}
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", FULL_DISK, "sh", str(disk), sys.executable]
    try:
        done = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if done.returncode in (1, 99):
        pytest.skip(f"no disk can be mounted here: {done.stderr}")
    assert done.returncode == 74, done
    assert f"The state file {disk}/syncctl.db: the disk is full. Free some space on the disk" in done.stderr
