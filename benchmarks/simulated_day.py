"""Whether a day costs what `syncctl plan` says: its schedule is run on the sandbox, for a day that takes a minute.

    python benchmarks/simulated_day.py [--products 5000] [--orders 40] [--changes 140]

The plan is made before the first run, so that it has nothing to go by but the sizes. Then a shop reads everything and
posts one order, so that its product is known there, and its schedule is run for 24 hours by the clock of the sandbox,
which syncctl is made to believe: each line at each of its times, by the real commands, against Unleashed and Vend
(products, stock, customers) and Xero (customers, orders).
Changes and orders come evenly; each order is of a new customer. Prints the calls by service and purpose next to the
plan's; jobs that run less than once a day are left out of both. Exit code 1 where a purpose cost more than was planned,
or a command failed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from post_invoices import KNOWN, clean, order

from syncctl import cli
from syncctl.clock import SystemClock
from syncctl.sandbox import PostingSandbox

Json = dict[str, Any]
Spent = Counter[tuple[str, str]]  # by service and purpose
DAY = 86_400
SERVICES = ("unleashed", "vend", "xero")
READING = ("unleashed", "vend")


class Day:
    """A shop on the sandbox, and the time that both believe it is."""

    def __init__(self, sandbox: PostingSandbox, folder: Path) -> None:
        self.control = f"{sandbox.url}/_sandbox"
        self.state = folder / "syncctl.db"
        roles = {f"SYNCCTL_{name.upper()}_ROLES": "products,stock,customers" for name in READING}
        own = {"SYNCCTL_STATE": str(self.state), "SYNCCTL_XERO_ROLES": "customers,invoices"}
        (folder / ".env").touch(mode=0o600)
        os.environ.clear()
        os.environ.update(clean() | sandbox.env() | roles | own)
        os.chdir(folder)
        self.ahead = timedelta()
        SystemClock.now = lambda _: datetime.now(UTC) + self.ahead  # type: ignore[assignment, method-assign]
        SystemClock.sleep = lambda _, seconds: self.advance(seconds)  # type: ignore[assignment, method-assign]

    @property
    def now(self) -> datetime:
        """The time of the shop and the services."""
        return SystemClock().now()

    def advance(self, seconds: float) -> None:
        """Moves it on."""
        self.ask("clock", {"advance": seconds})
        self.ahead += timedelta(seconds=seconds)

    def ask(self, path: str, body: Json | None = None) -> Json:
        """The sandbox's control interface."""
        answer = requests.request("POST" if body else "GET", f"{self.control}/{path}", json=body, timeout=60)
        answer.raise_for_status()
        found: Json = answer.json() if answer.content else {}
        return found

    def run(self, *args: str) -> Json:
        """A command; raises `SystemExit` where it fails."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = cli.run([*args, "--json"])
        if code:
            raise SystemExit(f"{' '.join(args)}: exit code {code}\n{out.getvalue()[-600:]}")
        told: Json = json.loads(out.getvalue())
        return told

    def spent(self, since: int) -> Spent:
        """The calls of the journal after that one."""
        sql = "SELECT connector, purpose, count(*) FROM calls WHERE id > ? AND purpose <> 'auth' GROUP BY 1, 2"
        with contextlib.closing(sqlite3.connect(self.state)) as connection:
            return Counter({(row[0], row[1]): row[2] for row in connection.execute(sql, [since])})

    def last_call(self) -> int:
        """The number of the newest call."""
        with contextlib.closing(sqlite3.connect(self.state)) as connection:
            return int(connection.execute("SELECT max(id) FROM calls").fetchone()[0])


class World:
    """What happens in the shop and in the services, evenly over the day."""

    def __init__(self, day: Day, orders: int, changes: int) -> None:
        self.day = day
        self.wanted = {"orders": orders, "changes": changes}
        self.done = {"orders": 0, "changes": 0}
        listed = {name: day.ask(f"records/{name}/products?limit=10000")["records"] for name in READING}
        self.guids = [each["Guid"] for each in listed["unleashed"]]
        self.ids = [each["id"] for each in listed["vend"]]

    def pass_until(self, second: int) -> None:
        """Makes happen what has not yet, up to a second of the day."""
        for what, wanted in self.wanted.items():
            numbers = range(self.done[what], -(-wanted * second // DAY))  # rounded up: all before the last run
            if numbers:
                getattr(self, f"_{what}")(numbers)
                self.done[what] = numbers.stop

    def _orders(self, numbers: range) -> None:
        self.sell([str(number) for number in numbers])

    def sell(self, numbers: Sequence[str]) -> None:
        """Places orders, each of a new customer."""
        placed = self.day.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        made = [order(number, f"new-{number}", KNOWN[:1]) for number in numbers]
        paid = {"total": "11.50", "placed_at": placed, "payments": [{"method": "card", "amount": "11.50"}]}
        Path("orders.jsonl").write_text("\n".join(json.dumps(each | paid) for each in made))
        self.day.run("import", "orders", "orders.jsonl")

    def _changes(self, numbers: range) -> None:
        prices = [(number, round(5 + number / 100, 2)) for number in numbers]
        told = [{"Guid": self.guids[n % len(self.guids)], "DefaultSellPrice": price} for n, price in prices]
        self.day.ask("records/unleashed/products", {"records": told})
        told = [{"id": self.ids[n % len(self.ids)], "price_excluding_tax": price} for n, price in prices]
        self.day.ask("records/vend/products", {"records": told})


def times(cron: str) -> Iterator[int]:
    """The seconds of the day at which a line of a crontab that runs daily begins."""
    minutes, hours, *_ = cron.split()
    for hour in range(24):
        match = re.fullmatch(r"(?:\*|(\d+)(?:-23)?)(?:/(\d+))?", hours)
        assert match, hours
        first, step = int(match[1] or 0), int(match[2] or (1 if hours.startswith("*") else 24))
        if hour >= first and (hour - first) % step == 0:
            yield from (hour * 3600 + int(minute) * 60 for minute in minutes.split(","))


def planned(plan: Json) -> Spent:
    """The calls of the jobs that run daily, by the plan."""
    found: Spent = Counter()
    for connector in plan["connectors"]:
        for job in connector["jobs"]:
            if job["every_minutes"] * 60 <= DAY:
                found[connector["name"], job["purpose"]] += job["calls_per_day"]
    return found


def simulate(day: Day, plan: Json, world: World) -> int:
    """Runs the schedule for a day from now on; how many runs there were."""
    lines = [line for line in plan["schedule"] if line["cron"].endswith("* * *")]
    due = sorted((second, line["arguments"]) for line in lines for second in times(line["cron"]))
    began = day.now
    for second, arguments in due:
        day.advance(max(0, second - (day.now - began).total_seconds()))
        world.pass_until(second)
        day.run(*arguments)
    return len(due)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--products", type=int, default=5000)
    parser.add_argument("--orders", type=int, default=40)
    parser.add_argument("--changes", type=int, default=140, help="products that change, in each service")
    return parser.parse_args()


def main() -> int:
    """Prints the table."""
    told = arguments()
    sizes = ("--products", told.products, "--orders-per-day", told.orders, "--changes-per-day", told.changes)
    with (
        tempfile.TemporaryDirectory() as folder,
        PostingSandbox(port=0, products=told.products, services=SERVICES) as sandbox,
    ):
        day = Day(sandbox, Path(folder))
        plan = day.run("plan", *map(str, sizes))
        for command in ("sync-recent", "sync-customers"):
            day.run(command)
        world = World(day, told.orders, told.changes)
        world.sell(["before"])
        day.run("post-invoices")
        before = day.last_call()
        runs = simulate(day, plan, world)
        spent, wanted = day.spent(before), planned(plan)
        os.chdir("/")
    print(f"{runs} runs\n{'':22}{'planned':>10}{'spent':>8}")
    for name, purpose in sorted(spent | wanted):
        print(f"{name:12}{purpose:10}{wanted[name, purpose]:10,.0f}{spent[name, purpose]:8,}")
    return int(any(spent[key] > wanted[key] for key in spent))


if __name__ == "__main__":
    raise SystemExit(main())
