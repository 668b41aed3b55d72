"""A posting run that is killed, at whatever moment: what comes after it brings each order to the service once.

Before and after every commit and every call of a run the process dies by SIGKILL; then time passes, and the command
is run again until nothing is left to do. `SYNCCTL_TEST_ALL=1` tries every moment, else only as many as fit in a few
seconds: each time others, told by the number of the seed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Shop
from posting import SETTINGS, arrived, customer, line, once, order, place, records, states

SCHEDULES = 24  # of each way that the service may behave
SWITCHES: dict[str, dict[str, object]] = {
    "as it is": {},
    "a guid twice overwrites": {"repost": "overwrite"},
    "500 after saving": {"partial_save_500": "yes"},
    "searches lag": {"search_lag": 600},
}


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


@pytest.fixture
def catalogue_size() -> int:
    return 6


@pytest.fixture
def children(shop: Shop) -> Iterator[Children]:
    """A shop with orders that need everything: a customer, a guest, a new product, and to be completed."""
    shop.extra |= SETTINGS | {"SYNCCTL_UNLEASHED_STATUS": "Completed"}
    shop.ok("sync-recent")
    shop.ok("sync-customers")
    known = customer(shop, code="C-77", email="ann@shop.test")
    place(
        shop,
        order("1001", line("MUG"), line("NEW-1", "5.00", "2"), total="23.00"),
        order("1002", customer_id=known, customer={"code": "C-77", "email": "ann@shop.test", "name": "Ann"}),
    )
    shutil.copy(shop.state, shop.folder / "before.db")
    running = Children(shop)
    yield running
    running.close()


def begin_anew(shop: Shop, switches: dict[str, object]) -> None:
    """The service and the state as they were before."""
    shop.upstream.request("POST", "reset")
    shop.upstream.switch(**switches)
    for end in ("-wal", "-shm"):
        shop.state.with_name(shop.state.name + end).unlink(missing_ok=True)
    for lock in shop.folder.glob("*.lock"):
        lock.unlink()
    shutil.copy(shop.folder / "before.db", shop.state)


def until_quiet(shop: Shop, children: Children) -> None:
    """What cron runs, with half an hour between."""
    for _ in range(8):
        children.run("post-invoices")
        shop.upstream.advance(1800)
        shop.write("UPDATE outbox SET due_at = due_at - 1800000, sent_at = sent_at - 1800000")
        if not shop.value("SELECT count(*) FROM outbox WHERE state <> 'done'") and states(shop):
            return
    rows = shop.rows("SELECT kind, key, state, tries, cause, message FROM outbox WHERE state <> 'done'")
    raise AssertionError(f"{rows} {(shop.folder / 'child.log').read_text()[-2000:]}")


def moments(events: int) -> list[int]:
    """When the process dies: every event, or some."""
    every = list(range(1, events + 1))
    if os.environ.get("SYNCCTL_TEST_ALL"):
        return every
    seed = int(os.environ.get("SYNCCTL_TEST_SEED", "0")) or random.randrange(1, 10**6)
    print(f"SYNCCTL_TEST_SEED={seed}")  # noqa: T201 - shown by pytest where the test fails
    return sorted(random.Random(seed).sample(every, min(SCHEDULES, events)))


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
def test_each_order_arrives_once_whenever_it_is_killed(
    shop: Shop, children: Children, switches: dict[str, object]
) -> None:
    begin_anew(shop, switches)
    events = children.run("post-invoices")["events"]
    assert events > 20
    for moment in moments(events):
        begin_anew(shop, switches)
        assert children.run("post-invoices", dies_at=moment)["code"] is None, f"it should have died at {moment}"
        until_quiet(shop, children)
        assert arrived(shop) == once(["1001", "1002"]), f"killed at event {moment}"
        check_the_rest(shop, moment)


def check_the_rest(shop: Shop, moment: int) -> None:
    emails = [each["Email"] for each in records(shop, "customers")]
    made = [emails.count(email) for email in ("1001@shop.test", "ann@shop.test")]
    new = [each for each in records(shop, "products") if each["ProductCode"] == "NEW-1"]
    assert (made, len(new)) == ([1, 1], 1), f"killed at event {moment}"
    invoices = [each for each in records(shop, "invoices") if each["Total"] in (23.0, 11.5)]
    assert len(invoices) == 2, f"killed at event {moment}"
