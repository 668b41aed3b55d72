"""Runs syncctl in children of its own that die by SIGKILL at a chosen moment; see `killed.py`.

One line of JSON on stdin is one command: its arguments, its environment, and before which event it dies (0: never).
An event is a commit or a call: before it and after it. The answer is one line: the exit status and the number of
events. syncctl itself knows nothing of this: its database and its connection are wrapped from outside.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

# All that a posting run loads, loaded once: the children are forked.
import requests  # noqa: F401
import tenacity  # noqa: F401

from syncctl import cli
from syncctl.http.line import Line
from syncctl.state.database import Database


class Fate:
    """Counts the events, and ends the process at one of them."""

    def __init__(self, dies_at: int) -> None:
        self.dies_at = dies_at
        self.events = 0

    def event(self) -> None:
        self.events += 1
        if self.events == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def wrap(fate: Fate) -> None:
    """Puts an event before and after each commit and each call."""
    transaction, send = Database.transaction, Line.send

    @contextmanager
    def committed(self: Database) -> Iterator[Any]:
        with transaction(self) as sql:
            yield sql
            fate.event()
        fate.event()

    def sent(self: Line, *args: Any) -> Any:
        fate.event()
        received = send(self, *args)
        fate.event()
        return received

    Database.transaction = committed  # type: ignore[method-assign]
    Line.send = sent  # type: ignore[assignment, method-assign]


def child(told: dict[str, Any], report: Callable[[str], None]) -> None:
    for name in [name for name in os.environ if name.startswith(("SYNCCTL_", "XDG_"))]:
        del os.environ[name]
    os.environ.update(told["env"])
    os.chdir(told["folder"])
    fate = Fate(told["dies_at"])
    wrap(fate)
    with Path("child.log").open("a") as log, redirect_stdout(log), redirect_stderr(log):
        code = cli.run(told["args"])
    report(json.dumps({"code": code, "events": fate.events}))


def forked(told: dict[str, Any]) -> str:
    """What a child reports; nothing where it died."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        child(told, lambda text: (os.write(writer, text.encode()), None)[1])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return text or json.dumps({"code": None, "events": 0})


if __name__ == "__main__":
    for command in sys.stdin:
        print(forked(json.loads(command)), flush=True)  # noqa: T201
