"""The recipes of the README, as they stand there: run in a shell, below a folder that stands for `/`."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Shop, Upstream
from posting import SETTINGS, arrived, moment, once, order, place, post
from test_readme import block

from syncctl.commands.surroundings import CRON_PATH
from syncctl.sandbox.sandbox import Sandbox

STAND_INS = {"install -d -o syncctl -g syncctl": "install -d", "chown syncctl:syncctl": "test -w"}
PLACES = re.compile(r"(?<![\w.])/(?=(etc|var)/)")


class Machine(Shop):
    """A host in a folder, with settings below its `etc` and the state below its `var`."""

    @property
    def root(self) -> Path:
        return self.folder.parent.parent

    @property
    def state(self) -> Path:
        return self.root / "var/lib/syncctl/state.db"

    def recipe(self, name: str, *, without: str = "") -> str:
        """What the lines of a recipe print; each has to succeed."""
        script = block("recipe", name).strip().removeprefix("```sh\n").removesuffix("```").replace(without, "")
        for words, instead in STAND_INS.items():
            script = script.replace(words, instead)
        script = PLACES.sub(f"{self.root}/", script).replace("/opt/syncctl/bin", str(self.root / "bin"))
        return "".join(self.line(line) for line in script.replace("cd / ", f"cd {self.root} ").splitlines())

    def cron(self, name: str) -> str:
        """What the one line of a block for /etc/cron.d prints, run as cron runs it, which finds few programs."""
        (line,) = block("crontab", name).strip().removeprefix("```").removesuffix("```").strip().splitlines()
        *_, user, command = line.split(maxsplit=6)
        pwd.getpwnam(user)
        command = PLACES.sub(f"{self.root}/", command.replace("\\%", "%"))
        command = command.replace("/opt/syncctl/bin", str(Path(sys.executable).parent))
        env = {"PATH": CRON_PATH, "HOME": str(self.root)}
        done = subprocess.run(
            ["/bin/sh", "-c", command], env=env, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def line(self, line: str) -> str:
        """Runs syncctl in this process, which is quicker, and anything else in a shell."""
        if line.startswith("syncctl ") and "--env-file" not in line:
            return "".join(self.ok(*shlex.split(part)[1:]).out for part in line.split(" && "))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCCTL_", "XDG_"))}
        env = kept | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(self.root)}
        done = subprocess.run(
            ["bash", "-c", line], env=env, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


def host(root: Path, upstream: Upstream) -> Machine:
    for folder in ("etc/syncctl", "etc/cron.d", "var/lib/syncctl", "var/backups", "bin"):
        (root / folder).mkdir(parents=True)
    (root / "bin/pip").symlink_to(shutil.which("true") or "")
    return Machine(root / "etc/syncctl", {}, upstream)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, products=6, seed=7, services=("unleashed", "xero")) as running:
        yield running


@pytest.fixture
def machine(sandbox: Sandbox, tmp_path: Path) -> Machine:
    """A host on which an order has been posted."""
    made = host(tmp_path / "old", Upstream(sandbox.url))
    settings = sandbox.env() | SETTINGS | {"SYNCCTL_UNLEASHED_LIMITS": "100000/minute, 125000/month"}
    settings |= {"SYNCCTL_XERO_ROLES": "products,customers", "SYNCCTL_STATE": str(made.state)}
    (made.folder / ".env").touch(0o600)
    (made.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    (made.root / "etc/cron.d/syncctl").touch()
    made.ok("sync-recent")
    made.ok("sync-customers")
    place(made, order("1001"))
    made.ok("post-invoices")
    made.env["SYNCCTL_SHOP"] = "demo"
    return made


def value(file: Path, sql: str) -> object:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql).fetchone()[0]


def test_two_shops(machine: Machine) -> None:
    second = machine.root / "var/lib/syncctl/second/state.db"
    machine.recipe("two shops")
    assert value(second, "SELECT value FROM meta WHERE key = 'shop'") == "second"


def test_maintenance(machine: Machine) -> None:
    if not shutil.which("flock"):
        pytest.skip("there is no flock")
    assert "unleashed" in machine.recipe("maintenance")
    assert (machine.root / "etc/cron.d/syncctl").exists()


def test_upgrading(machine: Machine) -> None:
    machine.recipe("upgrading")
    assert value(machine.root / "var/backups/syncctl-before.db", "PRAGMA integrity_check") == "ok"


def test_the_line_of_cron_that_makes_a_backup(machine: Machine) -> None:
    machine.cron("backup")
    (copy,) = (machine.root / "var/backups").iterdir()
    assert copy.name in {f"syncctl-{day}.db" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
    assert value(copy, "SELECT count(*) FROM orders") == 1


def test_moving(machine: Machine, tmp_path: Path) -> None:
    place(machine, order("1002"))
    machine.recipe("moving away")
    machine.ok("post-invoices")  # what nobody should do: the new machine cannot know
    other = host(tmp_path / "new", machine.upstream)
    shutil.move(machine.root / "syncctl.tar.gz", other.root)
    other.recipe("moving in")
    assert (other.root / "etc/cron.d/syncctl").exists()
    assert post(other)["found"] == 1
    assert arrived(machine) == once(["1001", "1002"])


def test_restoring(machine: Machine) -> None:
    place(machine, order("1002"))
    machine.ok("backup", f"{machine.root}/var/backups/syncctl-Mon.db")
    machine.ok("post-invoices")
    assert "Posted since: 1002 (unleashed)" in machine.recipe("restoring")
    assert arrived(machine) == once(["1001", "1002"])


def test_removing(machine: Machine) -> None:
    assert "note: xero: is not named in SYNCCTL_CONNECTORS" in machine.recipe("removing")


def test_changing(machine: Machine) -> None:
    machine.recipe("changing")
    assert machine.value("SELECT connector FROM sources WHERE field = 'price'") == "xero"
    assert machine.value("SELECT locations FROM sources WHERE field = 'stock'") is not None


def test_old_orders(machine: Machine) -> None:
    first = moment(days=20)[:10]
    history = machine.root / "etc/syncctl/history.jsonl"
    history.write_text(
        f'{{"number": "900", "placed_at": "{moment(days=15)}", "currency": "NZD", "status": "paid", "total": "11.50",'
        ' "lines": [{"sku": "MUG", "quantity": "1", "unit_price": "10.00", "tax_rate": "0.15"}],'
        ' "posted": {"unleashed": "0af1"}}\n'
    )
    place(machine, order("901", placed_at=moment(days=10)), order("902", placed_at=moment(days=9)))
    readme = block("recipe", "old orders")
    assert "POST_SINCE=2026-11-01" in readme
    machine.line(f"echo SYNCCTL_UNLEASHED_POST_SINCE={first} >> .env")
    machine.recipe("old orders", without="echo SYNCCTL_UNLEASHED_POST_SINCE=2026-11-01 >> /etc/syncctl/.env")
    assert arrived(machine) == once(["1001", "901", "902"])
