"""What the tests of a killed posting run share: children that die at a chosen moment, and what cron does after it.

Before and after every commit and every call of a run the process dies by SIGKILL; then time passes, and the command
is run again until nothing is left to do. `SYNCCTL_TEST_ALL=1` tries every moment, else only as many as fit in a few
seconds: for one behaviour of the service always the same, for another one others.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import Shop
from posting import Json, customer, line, place, states

SCHEDULES = 16  # of each way that the service may behave


def place_demanding(shop: Shop, order: Callable[..., Json]) -> None:
    """Orders that need everything: a guest and a new product; a customer of the shop."""
    known = customer(shop, code="C-77", email="ann@shop.test")
    place(
        shop,
        order("1001", line("MUG"), line("NEW-1", "5.00", "2"), total="23.00"),
        order("1002", customer_id=known, customer={"code": "C-77", "email": "ann@shop.test", "name": "Ann"}),
    )


class Children:
    """A process that forks one child a command."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "crashing.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *args: str, dies_at: int = 0) -> dict[str, Any]:
        shop = self.shop
        env = shop.env | {"SYNCCTL_STATE": str(shop.state), "HOME": str(shop.folder)} | shop.extra
        told = {"args": args, "env": env, "folder": str(shop.folder), "dies_at": dies_at}
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(told) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def children_of(shop: Shop) -> Iterator[Children]:
    """Children of a shop whose orders are all placed; its state is kept to begin from."""
    before = shop.folder / "before"
    before.mkdir()
    for file in (shop.state, *shop.folder.glob(f"{shop.state.name}.*.lock")):  # without these it would be a copy
        shutil.copy(file, before)
    running = Children(shop)
    try:
        yield running
    finally:
        running.close()


def kill_at_each_moment(children: Children, switches: Json, check: Callable[[str], None]) -> None:
    """Checks what is there in the end, whenever the run was killed; the check is told when that was."""
    shop = children.shop
    _begin_anew(shop, switches)
    events = children.run("post-invoices")["events"]
    assert events > 20
    for moment in _moments(events, switches):
        _begin_anew(shop, switches)
        when = f"killed at event {moment}"
        assert children.run("post-invoices", dies_at=moment)["code"] is None, f"it should have died: {when}"
        _until_quiet(children)
        check(when)


def _begin_anew(shop: Shop, switches: Json) -> None:
    """The service and the state as they were before; the service knows none of the tokens that it gave since."""
    shop.upstream.request("POST", "reset")
    shop.upstream.switch(**switches)
    for path in list(shop.folder.glob(f"{shop.state.name}?*")):
        path.unlink()
    shutil.copytree(shop.folder / "before", shop.folder, dirs_exist_ok=True)


def _moments(events: int, switches: Json) -> list[int]:
    """When the process dies: every event, or some."""
    every = list(range(1, events + 1))
    if os.environ.get("SYNCCTL_TEST_ALL"):
        return every
    return sorted(random.Random(str(switches)).sample(every, min(SCHEDULES, events)))


def _until_quiet(children: Children) -> None:
    """What cron runs, with half an hour between."""
    shop = children.shop
    for _ in range(8):
        children.run("post-invoices")
        shop.upstream.advance(1800)
        shop.write("UPDATE outbox SET due_at = due_at - 1800000, sent_at = sent_at - 1800000")
        if not shop.value("SELECT count(*) FROM outbox WHERE state <> 'done'") and states(shop):
            return
    rows = shop.rows("SELECT kind, key, state, tries, cause, message FROM outbox WHERE state <> 'done'")
    raise AssertionError(f"{rows} {(shop.folder / 'child.log').read_text()[-2000:]}")
