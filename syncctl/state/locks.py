"""Kernel locks on files beside the state: `<state>.<name>.lock`, released when the process dies, whatever way.

A lock file is never unlinked: whoever waits for one that is gone holds nothing. It keeps one JSON line that says
who holds it, and the highest run number that was ever seen, which a restored state does not know of.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncctl.clock import Clock, span
from syncctl.errors import LockedError, StateError
from syncctl.models import Struct
from syncctl.state.files import folder_of

if TYPE_CHECKING:
    from _typeshed import StrPath

STALE_SECONDS = 2 * 60 * 60
_POLL_SECONDS = 0.5
_MOST_BYTES = 4096


class Holder(Struct):
    """Who holds a lock: the whole `command`, and `since` when, as `2026-11-23T05:00:00Z`."""

    command: str
    pid: int
    run: int
    since: str


@contextmanager
def hold(state: StrPath, name: str, holder: Holder, *, wait: float = 0, clock: Clock) -> Iterator[None]:
    """Holds the lock `name` of a state that exists; waits for it up to `wait` seconds.

    Raises `LockedError`, which says who has it, and `StateError` where the lock file cannot be used. Not
    re-entrant: a second `hold` of the same name waits, in the same process too.
    """
    path = lock_file(state, name)
    with _explained(path):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        with _explained(path):
            taken = _take(file, wait, clock)
        if not taken:
            raise _locked(name, _read(file), clock)
        highest = _number(_read(file), "run")
        with _explained(path):
            _follow(state, file)
            _write(file, holder.as_dict() | {"run": max(holder.run, highest)})
        try:
            yield
        finally:
            with suppress(OSError):  # only keeps a later message from naming a holder that has gone
                _write(file, {"run": max(holder.run, highest)})
    finally:
        os.close(file)


def lock_file(state: StrPath, name: str) -> str:
    """The file of a lock."""
    return f"{os.fspath(state)}.{name}.lock"


def highest_run(state: StrPath) -> int:
    """The highest run number in the lock files of a state; 0 where there is none.

    Where the state's own counter is lower, the state is an older copy that was put back.
    """
    folder, begin, end = folder_of(state), f"{os.path.basename(state)}.", ".lock"
    with _explained(folder):
        names = os.listdir(folder) if os.path.isdir(folder) else []
    ours = [name for name in names if name.startswith(begin) and name.endswith(end)]
    own = [name for name in ours if "." not in name[len(begin) : -len(end)]]  # else of another state beside it
    return max((_run_in(os.path.join(folder, name)) for name in own), default=0)


def _run_in(path: str) -> int:
    """The run number in a lock file; 0 where it is unreadable, since the answer is a lower bound anyway."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return 0
    try:
        return _number(_read(file), "run")
    finally:
        os.close(file)


def _take(file: int, wait: float, clock: Clock) -> bool:
    """Whether the lock was got. The waits are added up, so that a clock that jumps changes nothing."""
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait <= 0:
                return False
        else:
            return True
        pause = min(wait, _POLL_SECONDS)
        clock.sleep(pause)
        wait -= pause


def _follow(state: StrPath, file: int) -> None:
    """Gives the lock file owner, group and mode of the state, as far as it is ours to give away."""
    wanted, have = os.stat(state), os.fstat(file)
    with suppress(PermissionError):
        if have.st_gid != wanted.st_gid:
            os.fchown(file, -1, wanted.st_gid)
        if have.st_uid != wanted.st_uid and os.geteuid() == 0:
            os.fchown(file, wanted.st_uid, -1)
        if have.st_mode != wanted.st_mode:
            os.fchmod(file, wanted.st_mode & 0o666)


def _read(file: int) -> dict[str, Any]:
    """The line of a lock file; empty where there is none, or half of one."""
    try:
        found = json.loads(os.pread(file, _MOST_BYTES, 0).partition(b"\n")[0])
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(file: int, content: dict[str, object]) -> None:
    """One write, then the rest of a longer line cut off: a reader sees the old line or the new one."""
    line = json.dumps(content).encode() + b"\n"
    os.pwrite(file, line, 0)
    os.ftruncate(file, len(line))


def _locked(name: str, found: dict[str, Any], clock: Clock) -> LockedError:
    """What to tell whom the lock was refused."""
    remedy = "Try again later, or pass --wait-lock SECONDS"
    connector = name.removesuffix("-push")
    locked = f"{connector} is locked" if connector == name else f"{connector} is locked for posting"
    command, pid = found.get("command"), _number(found, "pid")
    if not command or not pid:  # the holder has it, but has not written its name yet
        return LockedError(f"{locked} by another run", remedy)
    seconds = _age(found.get("since"), clock)
    stale = seconds > STALE_SECONDS
    if stale:
        remedy = f"If it hangs (see ps -p {pid}), end it with kill {pid}; nothing that it stored is lost"
    return LockedError(f"{locked} by `{command}` (pid {pid}) for {span(seconds)}", remedy, stale=stale)


def _number(found: dict[str, Any], key: str) -> int:
    value = found.get(key)
    return value if isinstance(value, int) else 0


def _age(since: object, clock: Clock) -> float:
    try:
        return (clock.now() - datetime.fromisoformat(str(since))).total_seconds()
    except (ValueError, TypeError):
        return 0


@contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateError(
            f"The lock file {path} cannot be used: {error.strerror or error}",
            "Let the user who runs syncctl write it and its folder, and look at the disk",
        ) from error
