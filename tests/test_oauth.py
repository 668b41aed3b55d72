"""Tokens of connectors with a grant, fetched from the sandbox. Run as a script, this file is a process with a call."""

from __future__ import annotations

import base64
import json
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from conftest import StillClock, Upstream
from requests import PreparedRequest, exceptions
from requests_mock import Mocker
from seeded import seeded

from syncctl.clock import Clock, SystemClock
from syncctl.connectors.base import Auth, Connector
from syncctl.connectors.declared import Grant, Limit, Setting, Values
from syncctl.errors import (
    AccountError,
    AnswerError,
    CredentialsError,
    DeferredError,
    RunError,
    TokenFileError,
    UnavailableError,
)
from syncctl.http.transport import Transport
from syncctl.models import Purpose, iso
from syncctl.run import Run
from syncctl.sandbox import Sandbox
from syncctl.settings.config import ConnectorConfig
from syncctl.state.database import open_database
from syncctl.state.ledger import Ledger
from syncctl.state.runs import Runs

pytestmark = pytest.mark.products(5)
HOUR = 3600
DAY = 86_400


class Tiny(Connector):
    """As much of a connector as a call needs."""

    title: ClassVar[str] = "Tiny"
    base_url: ClassVar[str] = ""
    default_roles: ClassVar[tuple[str, ...]] = ("products",)
    limits: ClassVar[tuple[Limit, ...]] = (Limit(1000, 60), Limit(100_000, "day"))
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("CLIENT_ID", "id"),
        Setting("CLIENT_SECRET", "secret", secret=True),
        Setting("REFRESH_TOKEN", "refresh token", secret=True),
    )

    @classmethod
    def account(cls, values: Values) -> str:
        return values.get("CLIENT_ID")

    @classmethod
    def auth(cls, values: Values) -> Auth:
        def add(request: PreparedRequest) -> PreparedRequest:
            request.headers.update({"Accept": "application/json", "xero-tenant-id": values.get("TENANT_ID")})
            return request

        return add


class Xero(Tiny):
    """Id and secret in a header; a spent refresh token is good for half an hour."""

    kind: ClassVar[str] = "xero"

    @classmethod
    def grant(cls, values: Values) -> Grant:
        basic = (values.get("CLIENT_ID"), values.get("CLIENT_SECRET"))
        return Grant(values.get("AUTH_URL"), {}, basic, values.get("REFRESH_TOKEN") or None, 1800)

    @classmethod
    def token_expired(cls, headers: Any, body: str) -> bool:
        return "invalid_token" in headers.get("WWW-Authenticate", "")


class Vend(Tiny):
    """Id and secret in the form; a spent refresh token is spent."""

    kind: ClassVar[str] = "vend"

    @classmethod
    def grant(cls, values: Values) -> Grant:
        form = {"client_id": values.get("CLIENT_ID"), "client_secret": values.get("CLIENT_SECRET")}
        return Grant(f"{values.base_url}/api/1.0/token", form, None, values.get("REFRESH_TOKEN") or None)


CLASSES: dict[str, Any] = {"xero": Xero, "vend": Vend}
PATHS = {"xero": "/Organisation", "vend": "/api/2026-07/taxes"}
TOKENS = {"xero": "connect/token", "vend": "1.0/token"}


def transport_of(state: Path, settings: dict[str, str], clock: Clock) -> Transport:
    """The transport of a new run."""
    values = Values(settings["name"], settings["BASE_URL"], settings)
    config = ConnectorConfig(
        "shop", settings["name"], CLASSES[settings["name"]], values, frozenset(), Tiny.limits, True, ()
    )
    database = open_database(state)
    Runs(database).claim_account("shop", settings["name"], "url", "id")
    secrets = {settings[name] for name in ("CLIENT_SECRET", "REFRESH_TOKEN") if name in settings}
    return Transport(config, Ledger(database, clock), Run(1, Purpose.RECENT, clock), secrets)


@dataclass
class Bench:
    """A shop with one connector, and its service."""

    name: str
    state: Path
    settings: dict[str, str]
    clock: StillClock
    upstream: Upstream
    opened: list[Transport]

    def line(self, **settings: str) -> Transport:
        """The transport of a new run."""
        self.opened.append(transport_of(self.state, self.settings | settings, self.clock))
        return self.opened[-1]

    def get(self, line: Transport | None = None) -> int:
        return (line or self.line()).get(PATHS[self.name]).status

    def refused(self, kind: type[RunError] = CredentialsError, **settings: str) -> str:
        with pytest.raises(RunError) as caught:
            self.get(self.line(**settings))
        assert isinstance(caught.value, kind)
        return str(caught.value)

    def order(self, **order: object) -> None:
        """What the owner of the account does to its tokens."""
        self.upstream.request("POST", "tokens", {"service": self.name, **order})

    def token_fault(self, kind: str, **more: Any) -> None:
        match = {"path": TOKENS[self.name]}
        self.upstream.request("POST", "faults", {"service": self.name, "match": match, "kind": kind, **more})

    def call_fault(self, kind: str, **more: Any) -> None:
        self.upstream.fault(kind, PATHS[self.name], **more)

    def passes(self, seconds: float) -> None:
        """Time passes here and there."""
        self.clock.time += timedelta(seconds=seconds)
        self.upstream.advance(seconds)

    def requests(self, purpose: str = "auth") -> list[int | None]:
        """The statuses of the requests of a purpose, by the journal."""
        rows = self.opened[-1].ledger._database.rows("SELECT status FROM calls WHERE purpose = ? ORDER BY id", purpose)
        return [row["status"] for row in rows]

    @property
    def file(self) -> Path:
        return self.state.with_name("syncctl.db.tokens")

    def entry(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text())["shop"]
        return found

    def consented(self) -> None:
        """Takes over the refresh token of the newest consent."""
        found = self.upstream.request("GET", "tokens")[self.name]
        found = found.get("settings") or {f"_{key.upper()}": found[key] for key in found}
        prefix = "SYNCCTL_XERO_" if self.name == "xero" else "_"
        names = ("CLIENT_ID", "CLIENT_SECRET", "TENANT_ID", "REFRESH_TOKEN")
        self.settings |= {name: found[prefix + name] for name in names if prefix + name in found}


@pytest.fixture
def served(catalogue_size: int) -> Iterator[Sandbox]:
    with seeded("xero", "vend", products=catalogue_size) as running:
        yield running


def bench_of(name: str, served: Sandbox, folder: Path) -> Bench:
    prefix = f"SYNCCTL_{name.upper()}_"
    env = {key.removeprefix(prefix): value for key, value in served.env().items() if key.startswith(prefix)}
    clock = StillClock(datetime.now(UTC))
    return Bench(name, folder / "syncctl.db", env | {"name": name}, clock, Upstream(served.url, name), [])


@pytest.fixture
def custom(served: Sandbox, tmp_path: Path) -> Iterator[Bench]:
    """Xero by client credentials."""
    bench = bench_of("xero", served, tmp_path)
    yield bench
    closed(bench)


@pytest.fixture
def xero(custom: Bench) -> Bench:
    """Xero by the refresh token of a consent."""
    custom.consented()
    return custom


@pytest.fixture
def vend(served: Sandbox, tmp_path: Path) -> Iterator[Bench]:
    bench = bench_of("vend", served, tmp_path)
    bench.consented()
    yield bench
    closed(bench)


@pytest.fixture(params=["xero", "vend"])
def either(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(request.param)
    return found


def closed(bench: Bench) -> None:
    for transport in bench.opened:
        transport.close()
        transport.ledger._database.close()


# Fetching and keeping


def test_client_credentials_are_enough(custom: Bench) -> None:
    line = custom.line()
    assert custom.get(line) == custom.get(line) == 200
    assert (custom.requests(), custom.requests("recent"), line.calls) == ([200], [200, 200], 2)
    assert custom.get() == 200, "the next run uses the token of the file"
    assert custom.requests() == [200]
    assert "accounting.settings" in (custom.line().scopes() or ())


def test_a_token_is_used_until_a_minute_before_its_end(custom: Bench) -> None:
    for seconds, requests in ((0, 1), (1735, 1), (10, 2), (1000, 2)):
        custom.passes(seconds)
        custom.get()
        assert len(custom.requests()) == requests


def test_a_refresh_token_is_rotated(either: Bench) -> None:
    first = either.settings["REFRESH_TOKEN"]
    either.get()
    second = either.entry()["refresh"]
    assert (either.entry()["previous"], second != first) == (first, True)
    either.passes(DAY)
    assert either.get() == 200
    assert either.entry()["previous"] == second
    assert either.requests() == [200, 200]


def test_scopes_are_fetched_with_the_token(vend: Bench) -> None:
    line = vend.line()
    assert "inventory:read" in (line.scopes() or ())
    assert (vend.requests(), line.calls) == ([200], 0)


def test_the_file_is_its_owners_alone(either: Bench) -> None:
    either.get()
    assert stat.S_IMODE(either.file.stat().st_mode) == 0o600
    either.file.chmod(0o644)
    either.passes(DAY)
    either.get()
    assert stat.S_IMODE(either.file.stat().st_mode) == 0o600
    assert not list(either.file.parent.glob("*.new"))


def test_a_new_refresh_token_in_the_settings_begins_a_new_chain(either: Bench) -> None:
    either.get()
    old = either.entry()
    either.order(**{"consent" if either.name == "xero" else "issue": True})
    either.consented()
    assert either.get() == 200
    assert either.entry()["chain"] != old["chain"]
    assert either.entry()["previous"] == either.settings["REFRESH_TOKEN"]


# Trouble


def test_a_token_that_ends_in_the_middle_of_a_run_is_renewed(either: Bench) -> None:
    line = either.line()
    either.get(line)
    either.order(expire=True)
    assert either.get(line) == 200
    assert (either.requests(), either.requests("recent"), line.calls) == ([200, 200], [200, 401, 200], 3)


def test_a_token_that_another_process_has_renewed_is_taken_over(vend: Bench) -> None:
    line, other = vend.line(), vend.line()
    vend.get(line)
    vend.order(expire=True)
    vend.get(other)
    assert vend.get(line) == 200
    assert vend.requests() == [200, 200]


def test_a_second_refusal_is_one_of_credentials(either: Bench) -> None:
    either.call_fault("401", times=2)
    assert "401" in either.refused()
    assert (either.requests(), either.requests("recent")) == ([200, 200], [401, 401])


def test_a_refusal_that_no_new_token_mends_costs_none(xero: Bench) -> None:
    xero.get()
    xero.call_fault("403")
    xero.refused()
    assert xero.requests() == [200]


def test_after_a_revocation_a_person_is_asked_to_consent(either: Bench) -> None:
    either.order(revoke=True)
    said = either.refused()
    assert "invalid_grant" in said
    assert "Consent again: syncctl auth shop" in said
    assert either.requests() == [400]


def test_one_refused_request_a_run_is_enough(vend: Bench) -> None:
    vend.order(revoke=True)
    line = vend.line()
    for _ in range(3):
        with pytest.raises(CredentialsError):
            vend.get(line)
    assert vend.requests() == [400]


@pytest.mark.parametrize("how", ["basic", "form"])
def test_a_wrong_secret_names_its_settings(custom: Bench, vend: Bench, how: str) -> None:
    bench = custom if how == "basic" else vend
    said = bench.refused(CLIENT_SECRET="wrong")
    prefix = f"SYNCCTL_{bench.name.upper()}_CLIENT"
    assert "invalid_client" in said
    assert f"Check {prefix}_ID and {prefix}_SECRET" in said


@pytest.mark.parametrize("kind", ["401", "403"])
def test_any_other_refusal_is_one_of_credentials(either: Bench, kind: str) -> None:
    either.token_fault(kind)
    assert f"refuses to give a token with {kind}" in either.refused()
    assert either.requests() == [int(kind)]
    assert either.opened[-1].ledger.bodies(1) == (None, None), "bodies of the token endpoint are never kept"


NOWHERE = [
    ({"status_code": 404}, RunError, "refuses call 1 with 404.*Check SYNCCTL_XERO_AUTH_URL"),
    ({"status_code": 302}, AnswerError, "redirects call 1 to another place. Correct SYNCCTL_XERO_AUTH_URL"),
    (
        {"status_code": 400, "text": "<h1>Bad app</h1>"},
        CredentialsError,
        "a token with 400: Bad app. Check .*_CLIENT_ID",
    ),
    ({"exc": exceptions.InvalidURL("label")}, AccountError, "Check SYNCCTL_XERO_AUTH_URL"),
    ({"exc": exceptions.ReadTimeout}, UnavailableError, "connect/token does not answer in time"),
    ({"content": b" " * 10_000_000}, AnswerError, "has no token in it .*Check SYNCCTL_XERO_AUTH_URL"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), NOWHERE)
def test_the_address_of_the_token_endpoint_is_named(
    xero: Bench, requests_mock: Mocker, answer: dict[str, Any], kind: type[RunError], words: str
) -> None:
    requests_mock.post(xero.settings["AUTH_URL"], **answer)
    assert re.search(words, xero.refused(kind))


@pytest.mark.parametrize("kind", ["html", "garbage"])
def test_what_is_no_token_is_not_understood(either: Bench, kind: str) -> None:
    either.token_fault(kind)
    assert "has no token in it (call 1" in either.refused(AnswerError)
    assert (either.entry()["access"], either.entry()["refresh"]) == ("", "")


def test_a_troubled_token_endpoint_is_tried_again(xero: Bench) -> None:
    for kind in ("500", "502-html", "drop-before"):
        xero.token_fault(kind)
    assert xero.get() == 200
    assert xero.requests() == [500, 502, None, 200]
    xero.passes(HOUR)
    xero.token_fault("503-text", times=4)
    assert "answers 503" in xero.refused(UnavailableError)


def test_a_limited_token_endpoint_is_obeyed(vend: Bench) -> None:
    vend.token_fault("429", retry_after="200")
    vend.refused(DeferredError)
    vend.refused(DeferredError)
    assert vend.requests() == [429], "nothing is asked while the block stands"
    vend.passes(201)
    assert vend.get() == 200


def test_a_lost_answer_costs_nothing_within_the_grace(xero: Bench) -> None:
    xero.token_fault("drop-after")
    assert xero.get() == 200
    assert xero.requests() == [None, 200]
    assert xero.entry()["previous"] == xero.settings["REFRESH_TOKEN"]


def test_a_lost_answer_without_grace_needs_a_person(vend: Bench) -> None:
    vend.token_fault("drop-after")
    vend.clock.time = vend.clock.time.replace(microsecond=0)
    lost = f"syncctl's own request at {iso(vend.clock.time)} was lost, and Tiny takes a refresh token once"
    said = vend.refused()
    assert lost in said
    assert "Consent again: syncctl auth shop" in said
    vend.passes(HOUR)
    assert lost in vend.refused(), "the next run says it, too"


def test_a_killed_run_leaves_word_of_what_it_asked_for(vend: Bench) -> None:
    vend.token_fault("hold", when="after")
    killed_while_held(vend)
    assert "the answer to syncctl's own request at" in vend.refused()


UNSPENT: list[dict[str, Any]] = [{"exc": exceptions.ConnectTimeout}, {"status_code": 429}, {"status_code": 403}]


@pytest.mark.parametrize("answer", UNSPENT)
def test_what_certainly_never_spent_the_token_is_not_blamed(
    vend: Bench, requests_mock: Mocker, answer: dict[str, Any]
) -> None:
    url = f"{vend.settings['BASE_URL']}/api/1.0/token"
    requests_mock.post(url, **answer)
    vend.refused(RunError)
    requests_mock.post(url, status_code=400, json={"error": "invalid_grant"})
    vend.clock.time += timedelta(hours=1)
    assert "it is spent, revoked or was unused too long" in vend.refused()


def test_another_refresh_token_that_is_wrong_leaves_the_old_chain(vend: Bench) -> None:
    vend.get()
    vend.refused(REFRESH_TOKEN="mistyped")
    vend.token_fault("drop-after", times=9)
    vend.refused(RunError, REFRESH_TOKEN="mistyped")
    vend.upstream.request("DELETE", "faults")
    vend.passes(DAY)
    assert vend.get() == 200


@pytest.mark.parametrize("name", ["custom", "xero", "vend"])
def test_another_secret_is_tried_at_once_and_a_wrong_one_spends_nothing(
    name: str, request: pytest.FixtureRequest
) -> None:
    bench: Bench = request.getfixturevalue(name)
    bench.get()
    assert "invalid_client" in bench.refused(CLIENT_SECRET="wrong")
    assert bench.get() == 200
    assert bench.requests()[0] == 200
    assert len(bench.requests()) == 2
    bench.passes(DAY)
    assert bench.get() == 200


def test_with_client_credentials_any_refusal_is_worth_a_new_token(custom: Bench) -> None:
    custom.call_fault("401")
    assert custom.get() == 200
    assert (custom.requests(), custom.requests("recent")) == ([200, 200], [401, 200])


def test_an_app_that_needs_consent_is_told_from_a_custom_connection(xero: Bench) -> None:
    said = xero.refused(REFRESH_TOKEN="")
    assert "unauthorized_client" in said
    assert "An app that a person consents to needs syncctl auth shop" in said


@pytest.mark.parametrize(("name", "requests"), [("custom", 2), ("xero", 1), ("vend", 1)])
def test_a_new_token_is_fetched_on_demand_where_it_spends_nothing(
    name: str, requests: int, request: pytest.FixtureRequest
) -> None:
    bench: Bench = request.getfixturevalue(name)
    bench.get()
    bench.line().renew()
    assert len(bench.requests()) == requests


def test_the_previous_refresh_token_helps_within_the_grace(xero: Bench) -> None:
    xero.get()
    lost = xero.entry() | {"refresh": "lost-by-the-service", "access": "gone"}
    xero.file.write_text(json.dumps({"shop": lost}))
    assert xero.get() == 200
    assert xero.requests() == [200, 400, 200]
    assert xero.entry()["replaced_at"] == lost["replaced_at"], "the grace counts from the first use"
    xero.file.write_text(json.dumps({"shop": lost}))
    xero.passes(1800)
    xero.refused()
    assert xero.requests() == [200, 400, 200, 400]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"shop": 1}', '{"shop": {"access": 1}}'])
def test_a_damaged_file_is_told_and_kept(vend: Bench, content: str) -> None:
    vend.line()
    vend.file.write_text(content)
    with pytest.raises(TokenFileError, match=r"syncctl\.db\.tokens is damaged\. Move it away"):
        vend.get()
    assert vend.file.read_text() == content
    assert not vend.requests()


def test_where_the_file_cannot_be_written_no_refresh_token_is_spent(vend: Bench) -> None:
    vend.line()
    vend.file.with_name(f"{vend.file.name}.new").mkdir()
    with pytest.raises(TokenFileError, match=r"cannot be used"):
        vend.get()
    assert not vend.requests()


def test_no_secret_is_stored_anywhere_else(xero: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    line = xero.line()
    xero.get(line)
    xero.order(expire=True)
    xero.get(line)
    entry = xero.entry()
    basic = base64.b64encode(f"{xero.settings['CLIENT_ID']}:{xero.settings['CLIENT_SECRET']}".encode()).decode()
    secrets = {entry["access"], entry["refresh"], entry["previous"], xero.settings["REFRESH_TOKEN"], basic}
    files = [path for path in xero.state.parent.iterdir() if path != xero.file]
    assert len(files) > 1
    stored = b"".join(path.read_bytes() for path in files) + "".join(capfd.readouterr()).encode()
    assert not [secret for secret in secrets if secret.encode() in stored]
    assert b"Bearer ey" not in stored
    assert line.failures.shown(f"a {entry['access']} b {entry['refresh']} c {basic}") == "a *** b *** c ***"


# Several processes, and kill -9


def process(bench: Bench) -> subprocess.Popen[str]:
    """One call of a process of its own, which says what came of it."""
    command = [sys.executable, __file__, str(bench.state), json.dumps(bench.settings)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 300
    while not true():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.01)


def holding(bench: Bench) -> bool:
    return any(fault["holding"] for fault in bench.upstream.request("GET", "faults")["faults"])


def killed_while_held(bench: Bench) -> None:
    """A process that dies while the service holds its request back."""
    with process(bench) as victim:
        until(lambda: holding(bench))
        victim.kill()
    assert victim.returncode == -signal.SIGKILL
    bench.upstream.request("DELETE", "faults")


def test_killed_before_the_first_use_the_token_is_in_the_file(either: Bench) -> None:
    either.call_fault("hold")
    killed_while_held(either)
    assert either.get() == 200
    assert either.requests() == [200]


def test_killed_before_the_answer_is_written_the_old_token_works(xero: Bench) -> None:
    xero.token_fault("hold", when="after")
    killed_while_held(xero)
    assert (xero.entry()["access"], xero.entry()["refresh"]) == ("", "")
    assert xero.get() == 200
    assert xero.requests() == [None, 200]
    assert xero.entry()["asked_at"] is None


def test_of_two_processes_one_fetches_the_token(vend: Bench) -> None:
    vend.token_fault("hold", when="after")
    with process(vend) as first:
        until(lambda: holding(vend))
        with process(vend) as second:
            assert second.stdout is not None
            assert second.stdout.readline() == "calls\n"
            vend.upstream.request("DELETE", "faults")
            outcomes = [each.communicate(timeout=300) for each in (first, second)]
    assert [out.split()[-1] for out, _ in outcomes] == ["200", "200"], outcomes
    vend.line()
    assert vend.requests() == [200]


def main() -> None:
    """One call."""
    state, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    transport = transport_of(state, settings, SystemClock())
    sys.stdout.write("calls\n")
    sys.stdout.flush()
    sys.stdout.write(f"{transport.get(PATHS[settings['name']]).status}\n")


if __name__ == "__main__":
    main()
