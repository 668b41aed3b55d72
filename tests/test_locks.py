"""Locks: one holder at a time, whose name the others are told, and nothing left behind by a process that dies."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import NOON, StillClock

from syncctl.clock import SystemClock
from syncctl.errors import LockedError, StateError
from syncctl.state.locks import Holder, highest_run, hold, lock_file

HOLD = """
import sys
from pathlib import Path
from syncctl.clock import SystemClock
from syncctl.state.locks import Holder, hold
with hold(Path(sys.argv[1]), "unleashed", Holder("syncctl sync-recent", 4711, 12, sys.argv[2]), clock=SystemClock()):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    path.touch(mode=0o600)
    return path


@pytest.fixture
def other(state: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which has held the lock `unleashed` since noon."""
    command = [sys.executable, "-c", HOLD, str(state), "2026-11-23T12:00:00Z"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def me(run: int = 13) -> Holder:
    return Holder("syncctl sync-oldest", os.getpid(), run, "2026-11-23T12:00:00Z")


def refused(state: Path, clock: StillClock, wait: float = 0) -> LockedError:
    with pytest.raises(LockedError) as raised, hold(state, "unleashed", me(), wait=wait, clock=clock):
        pass
    return raised.value


def test_a_lock_for_posting_is_told_by_its_connector(state: Path) -> None:
    clock = StillClock(NOON)
    once, twice = hold(state, "vend-push", me(), clock=clock), hold(state, "vend-push", me(), clock=clock)
    with once, pytest.raises(LockedError) as raised, twice:
        pass
    assert raised.value.message.startswith("vend is locked for posting by `")


def test_whoever_comes_second_is_told_who_has_it(state: Path, other: subprocess.Popen[str]) -> None:
    error = refused(state, StillClock(NOON + timedelta(seconds=200)))
    assert error.message == "unleashed is locked by `syncctl sync-recent` (pid 4711) for 3 min"
    assert error.remedy == "Try again later, or pass --wait-lock SECONDS"
    assert (error.stale, error.exit_code) == (False, 75)


@pytest.mark.parametrize(
    ("later", "stale", "span"),
    [
        (timedelta(seconds=-5), False, "0 s"),
        (timedelta(seconds=59.9), False, "59 s"),
        (timedelta(hours=2), False, "2 h"),
        (timedelta(hours=2, seconds=1), True, "2 h"),
        (timedelta(days=3), True, "3 days"),
    ],
)
def test_a_holder_older_than_two_hours_is_suspicious(
    state: Path, other: subprocess.Popen[str], later: timedelta, stale: bool, span: str
) -> None:
    error = refused(state, StillClock(NOON + later))
    assert (error.stale, error.message.endswith(f"(pid 4711) for {span}")) == (stale, True)
    assert ("kill 4711" in error.remedy) is stale


def test_another_lock_is_free(state: Path, other: subprocess.Popen[str]) -> None:
    with hold(state, "push", me(), clock=StillClock()):
        pass


def test_waiting_ends_when_the_lock_is_free(state: Path, other: subprocess.Popen[str]) -> None:
    clock = StillClock()

    def leave_after_three() -> None:
        if len(clock.slept) == 3:
            other.communicate("")

    clock.then = leave_after_three
    with hold(state, "unleashed", me(), wait=60, clock=clock):
        assert len(clock.slept) == 3


def test_waiting_lasts_as_long_as_was_said_even_if_the_clock_jumps_back(
    state: Path, other: subprocess.Popen[str]
) -> None:
    clock = StillClock()

    def jump_back() -> None:
        clock.time = NOON

    clock.then = jump_back
    refused(state, clock, wait=1.2)
    assert sum(clock.slept) == pytest.approx(1.2)


def test_a_killed_holder_leaves_no_lock(state: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    with hold(state, "unleashed", me(), clock=StillClock()):
        assert json.loads(Path(lock_file(state, "unleashed")).read_text())["command"] == "syncctl sync-oldest"


def test_the_lock_is_free_after_use_and_after_an_error(state: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(state, "unleashed", me(), clock=StillClock()):
        raise ZeroDivisionError
    with hold(state, "unleashed", me(), clock=SystemClock()):
        assert "(pid" in refused(state, StillClock()).message, "the same process gets it no second time either"
    assert Path(lock_file(state, "unleashed")).exists(), "who waits for a file that is unlinked holds nothing"


def test_a_holder_that_has_not_signed_yet_is_not_called_by_the_name_of_the_last_one(
    state: Path, other: subprocess.Popen[str]
) -> None:
    for half in ("", '{"command": "sync', '{"run": 12}', "[]", "\x00\xff"):
        Path(lock_file(state, "unleashed")).write_text(half)
        error = refused(state, StillClock(NOON + timedelta(days=1)))
        assert (error.message, error.stale) == ("unleashed is locked by another run", False)


def test_a_released_lock_names_nobody_but_keeps_its_run(state: Path) -> None:
    with hold(state, "unleashed", me(13), clock=StillClock()):
        pass
    assert json.loads(Path(lock_file(state, "unleashed")).read_text()) == {"run": 13}


def test_the_highest_run_is_never_forgotten(state: Path) -> None:
    assert highest_run(state) == 0
    for name, run in [("unleashed", 41), ("push", 40), ("unleashed", 7)]:
        with hold(state, name, me(run), clock=StillClock()):
            assert highest_run(state) == 41
    assert highest_run(state) == 41


def test_the_highest_run_is_that_of_this_state(state: Path) -> None:
    (state.parent / "state.db.old.unleashed.lock").write_text('{"run": 99}')
    (state.parent / "state-db.unleashed.lock").write_text('{"run": 98}')
    (state.parent / "state.db.junk.lock").write_text("?")
    (state.parent / "state.db.folder.lock").mkdir()
    assert highest_run(state) == 0
    assert highest_run(state.parent / "none" / "state.db") == 0


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_a_lock_file_can_be_used_by_whoever_can_use_the_state(state: Path, mode: int) -> None:
    Path(lock_file(state, "unleashed")).touch(mode=0o600)
    os.chown(state, -1, max([os.getgid(), *os.getgroups()]))
    state.chmod(mode)
    old = os.umask(0o077)
    try:
        for name in ("unleashed", "push"):
            with hold(state, name, me(), clock=StillClock()):
                pass
    finally:
        os.umask(old)
    for name in ("unleashed", "push"):
        found = Path(lock_file(state, name)).stat()
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == (mode, state.stat().st_gid)


def test_a_lock_file_that_cannot_be_used_is_an_error_of_the_state(state: Path) -> None:
    Path(lock_file(state, "unleashed")).mkdir()
    Path(lock_file(state, "push")).symlink_to(state)
    for name in ("unleashed", "push"):
        with pytest.raises(StateError) as raised, hold(state, name, me(), clock=StillClock()):
            pass
        assert raised.value.message.startswith(f"The lock file {lock_file(state, name)} cannot be used: ")
    assert state.read_bytes() == b""
