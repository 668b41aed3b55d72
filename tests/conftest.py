"""What the tests share: a sandbox, a shop that runs syncctl against it, and a clock that only moves when told."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import HealthCheck, settings
from seeded import seeded

from syncctl import cli
from syncctl.sandbox import Sandbox
from syncctl.state.database import Database, open_database

if TYPE_CHECKING:
    from offices import Office

RAM = Path("/dev/shm")  # a state file is synced at every commit, and a disk takes longer than the test
if "TMPDIR" not in os.environ and os.access(RAM, os.W_OK) and shutil.disk_usage(RAM).free > 2**30:
    os.environ["TMPDIR"] = tempfile.tempdir = str(RAM)

# The same examples in each run, and no measure of time: a busy machine must fail no test.
settings.register_profile("still", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("still")

# A shell lets what it starts in the background ignore Ctrl-C, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """The one object that `--json` prints."""
        value: dict[str, Any] = json.loads(self.out)
        return value

    def only(self) -> dict[str, Any]:
        """The one connector in the object that `--json` prints."""
        (connector,) = self.json()["connectors"]
        found: dict[str, Any] = connector
        return found


class Upstream:
    """The back office as its owner sees it: the sandbox's control interface."""

    def __init__(self, url: str, service: str = "unleashed") -> None:
        self.url = f"{url}/_sandbox"
        self.service = service

    def request(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body)
        answer = requests.request(method, f"{self.url}/{path}", data=data, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def put(self, kind: str, *records: dict[str, Any], silent: bool = False) -> None:
        """Creates or changes records."""
        self.request("POST", f"records/{self.service}/{kind}", {"records": list(records), "silent": silent})

    def delete(self, kind: str, remote_id: str) -> None:
        """Deletes without a trace."""
        self.request("DELETE", f"records/{self.service}/{kind}?id={remote_id}")

    def switch(self, **values: object) -> None:
        self.request("POST", "switches", {self.service: values})

    def fault(self, kind: str, path: str = ".", *, times: int | None = 1, skip: int = 0, **more: object) -> None:
        match = {"method": "GET", "path": path}
        fault = {"service": self.service, "match": match, "skip": skip, "times": times, "kind": kind}
        self.request("POST", "faults", fault | more)

    def advance(self, seconds: float) -> None:
        """Moves the service's clock."""
        self.request("POST", "clock", {"advance": seconds})

    def calls(self) -> int:
        """How many calls have reached the service."""
        total: int = self.request("GET", "calls")["total"]
        return total


@dataclass
class Shop:
    """A shop's machine: a folder, settings, and syncctl run as cron would run it, without a terminal."""

    folder: Path
    env: dict[str, str]
    upstream: Upstream
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.folder / "syncctl.db"

    def run(self, *args: str, **settings: str) -> Result:
        """Runs syncctl in this process; `settings` are further environment variables."""
        out, err = io.StringIO(), io.StringIO()
        env = self.env | {"SYNCCTL_STATE": str(self.state)} | self.extra | settings
        with _environment(env, self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.run(list(args))
        return Result(code, out.getvalue(), err.getvalue())

    def ok(self, *args: str, **settings: str) -> Result:
        """Runs syncctl and expects success without a word on stderr."""
        result = self.run(*args, **settings)
        assert (result.code, result.err) == (0, ""), result
        return result

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the state file, read as another program would."""
        with contextlib.closing(sqlite3.connect(self.state)) as connection:
            return connection.execute(sql, values).fetchall()

    def value(self, sql: str, *values: object) -> Any:
        """The one value of a query."""
        ((found,),) = self.rows(sql, *values)
        return found

    def write(self, sql: str, *values: object) -> None:
        """Writes to the state file, as another program would."""
        with contextlib.closing(sqlite3.connect(self.state)) as connection, connection:
            connection.execute(sql, values)


@contextlib.contextmanager
def _environment(env: Mapping[str, str], folder: Path) -> Iterator[None]:
    before, place = dict(os.environ), Path.cwd()
    for name in [name for name in os.environ if name.startswith(("SYNCCTL_", "XDG_"))]:
        del os.environ[name]
    os.environ.update(env, HOME=str(folder))
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(place)
        os.environ.clear()
        os.environ.update(before)


class StillClock:
    """A clock that stands until it is moved; sleeping moves it, and `then` is called."""

    def __init__(self, now: datetime = NOON, then: Callable[[], None] = lambda: None) -> None:
        self.time = now
        self.then = then
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        self.then()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty state."""
    with contextlib.closing(open_database(tmp_path / "state.db")) as found:
        yield found


@pytest.fixture
def catalogue_size(request: pytest.FixtureRequest) -> int:
    """How many products the sandbox has: 120, where `pytest.mark.products` tells no other number."""
    mark = request.node.get_closest_marker("products")
    return mark.args[0] if mark else 120


@pytest.fixture
def sandbox(catalogue_size: int) -> Iterator[Sandbox]:
    with seeded("unleashed", products=catalogue_size) as running:
        yield running


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path) -> Shop:
    """A shop that has not run syncctl yet; generous limits, so that nothing waits.

    Its empty `.env` keeps the settings of the machine out of the tests.
    """
    (tmp_path / ".env").touch(mode=0o600)
    env = sandbox.env() | {"SYNCCTL_UNLEASHED_LIMITS": "100000/minute, 125000/month"}
    return Shop(tmp_path, env, Upstream(sandbox.url))


@pytest.fixture
def posting(shop: Shop) -> Shop:
    """The shop has read everything and posts to Unleashed."""
    from posting import ready  # which needs `Shop`

    ready(shop)
    return shop


@pytest.fixture(params=["unleashed", "vend", "xero"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """Each service, and a shop that has read everything and posts to it."""
    from offices import opened

    with opened(request.param, tmp_path) as office:
        yield office


@pytest.fixture
def consented(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose Xero app a person has consented to, and that has read it once."""
    (tmp_path / ".env").touch(mode=0o600)
    with seeded("xero", products=10) as sandbox:
        upstream = Upstream(sandbox.url, "xero")
        shop = Shop(tmp_path, sandbox.env() | upstream.request("GET", "tokens")["xero"]["settings"], upstream)
        shop.ok("sync-recent")
        shop.ok("doctor")
        yield shop
