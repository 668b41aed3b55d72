"""syncctl as a process of its own: signals, locks between two of them, terminals, closed pipes, what is loaded."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Shop

from syncctl.clock import SystemClock
from syncctl.state.locks import Holder, hold

SMALL = {"SYNCCTL_UNLEASHED_PAGE_SIZE": "20"}  # 6 pages of products
LIST_MODULES = """
import json, sys
from syncctl import cli
code = cli.run(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""


def environment(shop: Shop, **settings: str) -> dict[str, str]:
    base = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return base | shop.env | {"HOME": str(shop.folder), "SYNCCTL_STATE": str(shop.state)} | SMALL | settings


@contextmanager
def started(shop: Shop, *args: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """syncctl as a process of its own, which does not outlive the block."""
    # A job in the background of a script is born with SIGINT ignored, and so would be what the tests start from it.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heeding}; from syncctl.__main__ import main; main()", *args]
    with subprocess.Popen(
        command, cwd=shop.folder, env=environment(shop, **settings), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def until(true: Callable[[], object]) -> None:
    """Comes back once it is true."""
    end = time.monotonic() + 300
    while not true():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.01)


def holding(shop: Shop) -> bool:
    """Whether the service holds a call back."""
    return any(fault["holding"] for fault in shop.upstream.request("GET", "faults")["faults"])


def release(shop: Shop) -> None:
    shop.upstream.request("DELETE", "faults")


def held_at_page(shop: Shop, page: int) -> None:
    """From now on the service holds back that page of products."""
    shop.upstream.fault("hold", f"/Products/{page}\\b")


def catches_sigterm(process: subprocess.Popen[str]) -> bool:
    """Whether the process has a handler of its own for SIGTERM."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    (caught,) = (line.split()[1] for line in lines if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def pages_read(shop: Shop) -> list[str]:
    paths = (path for (path,) in shop.rows("SELECT path FROM calls ORDER BY id"))
    return [path.partition("?")[0].rpartition("/")[2] for path in paths if path.startswith("/Products/")]


def test_sigterm_keeps_what_was_read_and_the_next_run_goes_on(shop: Shop) -> None:
    held_at_page(shop, 3)
    with started(shop, "sync-recent") as process:
        until(lambda: holding(shop))
        process.send_signal(signal.SIGTERM)
        release(shop)
        out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err == "unleashed: Stopped by a signal. What was read is kept; the next run goes on from there.\n"
    assert shop.value("SELECT count(*) FROM remote_products") == 60
    assert shop.rows("SELECT exit_code FROM runs") == [(130,)]
    shop.ok("sync-recent", **SMALL)
    assert pages_read(shop) == ["1", "2", "3", "4", "5", "6"]
    assert shop.value("SELECT count(*) FROM remote_products") == 120


def test_sigint_ends_at_once_and_keeps_what_was_read(shop: Shop) -> None:
    held_at_page(shop, 3)
    with started(shop, "sync-recent", "--json") as process:
        until(lambda: holding(shop))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    release(shop)
    assert process.returncode == json.loads(out)["exit_code"] == 130
    assert "Traceback" not in err
    assert shop.value("SELECT count(*) FROM remote_products") == 40


def test_kill_9_costs_one_page_at_most(shop: Shop) -> None:
    held_at_page(shop, 4)
    with started(shop, "sync-recent") as process:
        until(lambda: holding(shop))
        process.kill()
        process.communicate()
    release(shop)
    assert shop.value("SELECT count(*) FROM remote_products") == 60
    result = shop.run("sync-recent", **SMALL)
    assert (result.code, result.err) == (0, "")
    assert pages_read(shop) == ["1", "2", "3", "4", "4", "5", "6"]
    assert shop.value("SELECT count(*) FROM remote_products") == 120
    assert shop.rows("PRAGMA integrity_check") == [("ok",)]


def test_another_run_is_waited_for_where_that_is_wanted(shop: Shop) -> None:
    held_at_page(shop, 1)
    with started(shop, "sync-recent") as first:
        until(lambda: holding(shop))
        with started(shop, "sync-recent") as second:
            assert second.communicate() == ("", "")
            assert second.returncode == 75
        with started(shop, "sync-recent", "-v", "--wait-lock", "60") as third:
            until(lambda: shop.value("SELECT count(*) FROM runs") == 3)
            release(shop)
            assert first.wait() == 0
            assert "unleashed: 0 seen" in third.communicate()[0]
            assert third.returncode == 0


@pytest.mark.parametrize("option", [("--wait-lock", "600"), ("--jitter", "100000")])
def test_sigterm_ends_a_wait(shop: Shop, option: tuple[str, str]) -> None:
    shop.ok("sync-recent")
    with (
        hold(shop.state, "unleashed", Holder("syncctl x", 1, 1, "2026-11-23T05:00:00Z"), clock=SystemClock()),
        started(shop, "sync-recent", *option) as process,
    ):
        until(lambda: catches_sigterm(process))
        process.send_signal(signal.SIGTERM)
        assert "Stopped by a signal" in process.communicate()[1]
        assert process.returncode == 130


def test_max_seconds_ends_the_wait_for_a_lock(shop: Shop) -> None:
    shop.ok("sync-recent")
    with hold(shop.state, "unleashed", Holder("syncctl x", 1, 1, "2026-11-23T05:00:00Z"), clock=SystemClock()):
        assert shop.run("sync-recent", "--wait-lock", "600", "--max-seconds", "0.1").code == 75


def on_a_terminal(shop: Shop, *args: str) -> tuple[int, str]:
    """The exit code and all that a person sees."""
    master, slave = pty.openpty()
    env = environment(shop, TERM="xterm", COLUMNS="100")
    # A job in the background of a script is born with SIGINT ignored, and so would be what the tests start from it.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heeding}; from syncctl.__main__ import main; main()", *args]
    with subprocess.Popen(command, env=env, cwd=shop.folder, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        seen = b""
        try:
            while part := os.read(master, 65536):
                seen += part
        except OSError:  # EIO: the other end is closed
            pass
        os.close(master)
    return process.returncode, seen.decode()


def test_a_person_sees_progress_and_a_summary(shop: Shop) -> None:
    code, seen = on_a_terminal(shop, "sync-recent")
    assert code == 0
    assert "reading 120 products and their stock in 12 calls" in seen
    assert "unleashed products  [" in seen
    assert "100%" in seen
    assert seen.splitlines()[-1].startswith("unleashed: ")
    assert "120 new" in seen.splitlines()[-1]


def test_a_person_is_told_of_a_lock(shop: Shop) -> None:
    shop.ok("sync-recent")
    with hold(shop.state, "unleashed", Holder("syncctl x", 1, 1, "2026-11-23T05:00:00Z"), clock=SystemClock()):
        code, seen = on_a_terminal(shop, "sync-recent")
    assert code == 75
    assert "unleashed is locked by `syncctl x` (pid 1)" in seen


@pytest.mark.parametrize(("key", "code"), [({}, 0), ({"SYNCCTL_UNLEASHED_API_KEY": "wrong"}, 77)])
def test_a_reader_that_goes_away_changes_no_exit_code(shop: Shop, key: dict[str, str], code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "syncctl", "sync-recent", "--json"]
    done = subprocess.run(
        command,
        cwd=shop.folder,
        env=environment(shop, **key),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert done.returncode == code
    assert "Broken" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("args", [("sync-recent", "-v"), ("status",), ("doctor",)])
def test_a_full_disk_behind_the_output_is_told(shop: Shop, args: tuple[str, ...]) -> None:
    shop.ok("sync-recent")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "syncctl", *args], cwd=shop.folder, env=environment(shop), stdout=full,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 74
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_without_the_letters_shows_others(shop: Shop) -> None:
    shop.ok("sync-recent")
    sku = shop.value("SELECT sku FROM products LIMIT 1")
    shop.upstream.put("products", {"ProductCode": sku, "ProductDescription": "Mug, 5 €"})
    shop.ok("sync-recent")
    with started(shop, "explain", "product", sku, PYTHONIOENCODING="latin-1") as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "Mug, 5 \\u20ac" in out


def loaded(shop: Shop, *args: str, **settings: str) -> tuple[int, set[str]]:
    """The exit code of a command and the modules that it has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *args], cwd=shop.folder, env=environment(shop, **settings),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    code, modules = json.loads(done.stdout.splitlines()[-1])
    return code, set(modules)


def test_a_run_that_may_not_call_loads_nothing_for_calls(shop: Shop) -> None:
    slow = {"requests", "urllib3", "tenacity", "sqlite_utils"}
    shop.ok("sync-recent")
    assert {"requests", "tenacity"} <= loaded(shop, "sync-recent")[1]
    shop.upstream.fault("429", retry_after=3600)
    shop.ok("sync-recent")
    calls = shop.upstream.calls()
    code, modules = loaded(shop, "sync-recent")
    assert (code, modules & slow) == (0, set())
    assert "goes on" in shop.ok("sync-recent", "-v").out or "go on" in shop.ok("sync-recent", "-v").out
    assert shop.upstream.calls() == calls


def test_a_used_up_budget_loads_nothing_for_calls(shop: Shop) -> None:
    shop.ok("sync-recent")
    code, modules = loaded(shop, "sync-recent", SYNCCTL_UNLEASHED_LIMITS="1/month")
    assert code == 0
    assert not modules & {"requests", "urllib3", "tenacity", "sqlite_utils"}
