"""What a run that has nothing to do loads: a run from cron pays for every import, every time."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from syncctl import cli
from syncctl.clock import SystemClock
from syncctl.models import to_ms
from syncctl.state.blocks import Blocks
from syncctl.state.database import open_database
from syncctl.state.locks import Holder, hold
from syncctl.state.runs import Runs

SLOW = {"requests", "urllib3", "tenacity", "sqlite_utils", "dateutil", "importlib.metadata", "dotenv", "http.client"}
# All that a run without a call loads besides syncctl, as far as click and sqlite3 have not loaded it already.
LIBRARIES = ("atexit", "click", "fcntl", "gc", "json", "math", "signal", "sqlite3")
HELP_LIBRARIES = (*LIBRARIES, "click._textwrap", "shutil")  # click's own, for a help
HELPS = [[name, "--help"] for name in cli.COMMANDS]
IMPORTS = [["import", what, "--help"] for what in ("products", "customers", "orders")]
LOOKING = [["explain", "product"], ["explain", "call"], ["log", "calls"], ["log", "runs"], ["log", "changes"]]
GROUPS = [*([*command, "--help"] for command in LOOKING), *IMPORTS]
CONNECTORS = {
    "unleashed": {
        "SYNCCTL_SHOP": "shop",
        "SYNCCTL_CONNECTORS": "unleashed",
        "SYNCCTL_UNLEASHED_API_ID": "an-id",
        "SYNCCTL_UNLEASHED_API_KEY": "a-key",
    },
    "vend": {
        "SYNCCTL_SHOP": "shop",
        "SYNCCTL_CONNECTORS": "vend",
        "SYNCCTL_VEND_DOMAIN_PREFIX": "demo",
        "SYNCCTL_VEND_TOKEN": "a-token",
    },
    "xero": {
        "SYNCCTL_SHOP": "shop",
        "SYNCCTL_CONNECTORS": "xero",
        "SYNCCTL_XERO_CLIENT_ID": "an-id",
        "SYNCCTL_XERO_CLIENT_SECRET": "a-secret",
    },
}
SETTINGS = CONNECTORS["unleashed"]
PROBE = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from syncctl.__main__ import main
main()
"""


def loaded(folder: Path, *args: str, settings: Mapping[str, str] = SETTINGS, code: int = 0) -> set[str]:
    """The modules that a command leaves behind in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCCTL_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *args],
        cwd=folder,
        env=kept | dict(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def foreign(modules: Iterable[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] != "syncctl"}


@functools.cache
def loaded_by(libraries: tuple[str, ...]) -> set[str]:
    """The modules that these bring with them, and Python itself."""
    code = f"import {', '.join(libraries)}, sys; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A folder with a state in which every connector is blocked until tomorrow."""
    database = open_database(tmp_path / "syncctl.db")
    until = datetime.now(UTC) + timedelta(days=1)
    for name in CONNECTORS:
        Blocks(database, SystemClock()).block(name, until, "The quota of the plan seems used up")
    Runs(database).is_new_day("pruned_at", to_ms(datetime.now(UTC)))  # an earlier run has pruned what was old
    database.close()
    (tmp_path / ".env").touch(mode=0o600)  # keeps the settings of the machine out
    return tmp_path


def env_file(folder: Path, *lines: str) -> None:
    path = folder / ".env"
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in SETTINGS.items()) + "\n".join(lines))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    holder = Holder("syncctl sync-recent", os.getpid(), 1, "2026-11-23T12:00:00Z")
    with hold(folder / "syncctl.db", "unleashed", holder, clock=SystemClock()):
        yield


@pytest.mark.parametrize("args", [["--help"], ["--version"], *HELPS, *GROUPS], ids=" ".join)
def test_a_help_loads_nothing_slow(tmp_path: Path, args: list[str]) -> None:
    assert not loaded(tmp_path, *args) & SLOW


def test_the_help_loads_no_command_and_no_library(tmp_path: Path) -> None:
    modules = loaded(tmp_path, "--help")
    assert foreign(modules) - loaded_by(HELP_LIBRARIES) == set()
    assert not {name for name in modules if name.startswith(("syncctl.commands", "syncctl.settings", "syncctl.state"))}


@pytest.mark.parametrize("connector", CONNECTORS)
@pytest.mark.parametrize("command", ["sync-recent", "sync-oldest", "sync-customers"])
def test_a_blocked_run_loads_no_library(blocked: Path, command: str, connector: str) -> None:
    modules = loaded(blocked, command, settings=CONNECTORS[connector])
    assert foreign(modules) - loaded_by(LIBRARIES) == set()
    assert not {"syncctl.session", "syncctl.http.transport", "syncctl.pull.feed", "syncctl.state.ledger"} & modules


def test_a_plain_env_file_loads_no_library(blocked: Path) -> None:
    env_file(blocked)
    assert foreign(loaded(blocked, "sync-recent", settings={})) - loaded_by(LIBRARIES) == set()


def test_a_quoted_env_file_loads_its_parser_only(blocked: Path) -> None:
    env_file(blocked, "SYNCCTL_UNLEASHED_CLIENT_TYPE='shop/app'")
    assert not loaded(blocked, "sync-recent", settings={}) & (SLOW - {"dotenv"})


def test_a_run_with_nothing_to_say_loads_nothing_of_mail(blocked: Path) -> None:
    env_file(blocked, "SYNCCTL_SMTP_URL=smtps://me:word@localhost", "SYNCCTL_MAIL_TO=me@example.com")
    modules = loaded(blocked, "sync-recent", settings={})
    mailing = {f"syncctl.mail.{name}" for name in ("smtp", "letter", "notify")}
    assert not modules & ({"smtplib", "syncctl.state.mailed"} | mailing)


def test_a_locked_run_loads_no_library(blocked: Path) -> None:
    with locked(blocked):
        assert foreign(loaded(blocked, "sync-recent", code=75)) - loaded_by(LIBRARIES) == set()


def test_completing_a_command_loads_none(tmp_path: Path) -> None:
    asked = {"_SYNCCTL_COMPLETE": "fish_complete", "COMP_WORDS": "syncctl sy", "COMP_CWORD": "sy"}
    modules = loaded(tmp_path, settings=asked)
    assert not modules & (SLOW | {f"syncctl.commands.{module}" for module, _ in cli.COMMANDS.values()})


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_table_of_commands_repeats_each_help(name: str) -> None:
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command is not None
    assert command.name == name
    assert cli.COMMANDS[name][1] == command.get_short_help_str(limit=200)


def test_a_posting_run_with_nothing_to_post_loads_nothing_slow(tmp_path: Path) -> None:
    env_file(tmp_path, "SYNCCTL_UNLEASHED_ROLES=invoices", "SYNCCTL_TIMEZONE=Pacific/Auckland")
    open_database(tmp_path / "syncctl.db").close()
    modules = loaded(tmp_path, "post-invoices", settings={})
    assert not modules & (SLOW | {"syncctl.shop.order", "syncctl.push.send"})
