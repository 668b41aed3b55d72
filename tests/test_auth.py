"""`syncctl auth`: a person consents on the sandbox's pages; the tests are the browser, over real sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from conftest import Result, Shop, Upstream
from ports import free_port
from seeded import seeded
from test_interrupts import until
from test_json import ALWAYS, BLOCKS, NO_CONSENT, faults, parsed

from syncctl.models import iso, to_ms


class Person:
    """A person at a shop, with a terminal and a browser."""

    def __init__(self, shop: Shop, name: str) -> None:
        self.shop = shop
        self.name = name
        self.port = free_port()

    def begin(self, *options: str) -> subprocess.Popen[str]:
        """`syncctl auth` in a process of its own, which waits for the browser."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SYNCCTL_", "XDG_"))}
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
            kept.pop(name, None)
        env = kept | self.shop.env | self.shop.extra | {"SYNCCTL_STATE": str(self.shop.state)}
        command = [sys.executable, "-m", "syncctl", "auth", self.name, "--port", str(self.port), *options]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.shop.folder, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    @staticmethod
    def address(process: subprocess.Popen[str]) -> str:
        """The address of the page, as it is printed."""
        assert process.stdout
        return next(line.strip() for line in process.stdout if line.startswith("http"))

    @staticmethod
    def ended(process: subprocess.Popen[str], pasted: str = "") -> Result:
        out, err = process.communicate(pasted, timeout=30)
        return Result(process.returncode, out, err)

    def consents(self, *options: str) -> Result:
        """The browser goes to the page, and from there to where it is sent."""
        process = self.begin(*options)
        page = requests.get(self.address(process), timeout=20)
        assert "syncctl has got the answer" in page.text
        return self.ended(process)

    def pastes(self, *lines: str, wait: float = 0, change: tuple[str, str] = ("", "")) -> Result:
        """The browser is on another machine: the person brings what it shows at its end."""
        process = self.begin("--no-browser")
        sent = requests.get(self.address(process), allow_redirects=False, timeout=20)
        self.shop.upstream.advance(wait)
        return self.ended(process, "\n".join([*lines, sent.headers["Location"].replace(*change), ""]))

    def file(self) -> Path:
        return self.shop.state.with_name("syncctl.db.tokens")

    def tokens(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.file().read_text())[self.name]
        return found


def settings_of(upstream: Upstream, name: str) -> dict[str, str]:
    """The settings of an app that a person consents to; without a refresh token."""
    told = upstream.request("GET", "tokens")[name]
    if name == "xero":
        found: dict[str, str] = told["settings"] | {"SYNCCTL_XERO_APP": "web", "SYNCCTL_XERO_REFRESH_TOKEN": ""}
        return found
    keys = {key.upper(): told[key] for key in ("client_id", "client_secret")}
    return {f"SYNCCTL_VEND_{key}": value for key, value in (keys | {"TOKEN": ""}).items()}


def person_at(name: str, folder: Path) -> Iterator[Person]:
    with seeded(name, products=5) as running:
        (folder / ".env").touch(mode=0o600)
        upstream = Upstream(running.url, name)
        upstream.switch(consent="allow")
        yield Person(Shop(folder, running.env(), upstream, settings_of(upstream, name)), name)


@pytest.fixture
def xero(tmp_path: Path) -> Iterator[Person]:
    yield from person_at("xero", tmp_path)


@pytest.fixture
def vend(tmp_path: Path) -> Iterator[Person]:
    yield from person_at("vend", tmp_path)


@pytest.fixture(params=["xero", "vend"])
def either(request: pytest.FixtureRequest) -> Person:
    found: Person = request.getfixturevalue(request.param)
    return found


def everything_kept(person: Person) -> str:
    """What is on the disk, but for the token file."""
    files = (path for path in person.shop.folder.iterdir() if path.name.startswith("syncctl.db"))
    return "".join(path.read_bytes().decode("latin-1") for path in files if not path.name.endswith(".tokens"))


def test_the_browser_comes_back_and_the_connector_works(either: Person) -> None:
    without = either.shop.run("sync-recent")
    assert without.code == 77
    assert f"Run syncctl auth {either.name} once" in without.err
    result = either.consents()
    assert (result.code, result.err) == (0, "")
    assert "scopes: all that is needed" in result.out
    assert either.shop.run("doctor").code == 0
    either.shop.ok("sync-recent")
    kept = everything_kept(either)
    for secret in (either.tokens()["access"], either.tokens()["refresh"]):
        assert secret not in result.out
        assert secret not in kept


def test_an_address_is_pasted_where_the_port_is_taken(either: Person) -> None:
    with socket.create_server(("127.0.0.1", either.port)):
        result = either.pastes("what is this", "")
    assert result.code == 0, result
    assert "That is no address with a code" in result.out
    assert either.tokens()["refresh"]


def test_without_no_browser_a_taken_port_is_told(vend: Person) -> None:
    with socket.create_server(("127.0.0.1", vend.port)):
        result = vend.ended(vend.begin())
    assert result.code == 69
    assert f"Port {vend.port} cannot be listened on" in result.err
    assert "--port" in result.err
    assert "--no-browser" in result.err


def test_a_person_may_refuse(either: Person) -> None:
    either.shop.upstream.switch(consent="deny")
    result = either.consents()
    assert result.code == 77
    assert "refused on the page (access_denied)" in result.err


@pytest.mark.parametrize(
    "answer", [{"code": "x", "state": "old"}, {"error": "access_denied", "state": "old"}, {"error": "access_denied"}]
)
def test_an_answer_to_another_try_is_refused_and_the_right_one_awaited(vend: Person, answer: dict[str, str]) -> None:
    process = vend.begin()
    address = vend.address(process)
    stray = requests.get(f"http://127.0.0.1:{vend.port}/callback", answer, timeout=20)
    assert (stray.status_code, "was not taken" in stray.text) == (400, True)
    assert "syncctl has got the answer" in requests.get(address, timeout=20).text
    result = vend.ended(process)
    assert (result.code, len(result.err.splitlines())) == (0, 1)
    assert "belongs to another try" in result.err
    assert ("press Ctrl-C" in result.err) == ("error" in answer)
    assert vend.tokens()["refresh"]


def test_what_is_pasted_of_another_try_is_refused(either: Person) -> None:
    with socket.create_server(("127.0.0.1", either.port)):
        result = either.pastes(change=("state=", "state=x"))
    assert (result.code, "belongs to another try" in result.err) == (77, True)
    assert not either.file().exists()


def test_a_pasted_refusal_needs_no_state(vend: Person) -> None:
    process = vend.begin("--no-browser")
    vend.address(process)
    assert "refused on the page (access_denied)" in vend.ended(process, "?error=access_denied\n").err


def test_an_expired_code_is_told(either: Person) -> None:
    result = either.pastes(wait=601)
    minutes = {"xero": 5, "vend": 10}[either.name]
    assert result.code == 77
    assert f"lives for {minutes} minutes" in result.err
    assert f"syncctl auth {either.name}" in result.err


def test_where_the_port_is_taken_it_says_so_and_ends_without_a_pasted_line(vend: Person) -> None:
    with socket.create_server(("127.0.0.1", vend.port)):
        result = vend.ended(vend.begin("--no-browser"))
    assert (result.code, "Nobody consented" in result.err) == (77, True)
    assert f"Port {vend.port} cannot be listened on (Address already in use)" in result.out
    assert "Pasting works all the same" in result.out


def test_what_the_browser_brings_is_shown_in_one_harmless_line(vend: Person) -> None:
    process = vend.begin("--no-browser")
    vend.address(process)
    said = vend.ended(process, "?error=server_error&error_description=now%1B%5B31m%0Aand+then\n").err
    assert "with server_error: now" in said
    assert "\x1b" not in said
    assert len(said.splitlines()) == 1


def test_a_wrong_secret_is_told_by_its_setting(either: Person) -> None:
    either.shop.extra[f"SYNCCTL_{either.name.upper()}_CLIENT_SECRET"] = "wrong-secret"
    result = either.consents()
    assert result.code == 77
    assert "invalid_client" in result.err
    assert f"SYNCCTL_{either.name.upper()}_CLIENT_SECRET" in result.err
    assert "wrong-secret" not in result.err


def test_what_was_not_granted_is_told(either: Person) -> None:
    either.shop.upstream.switch(consent_grants="fewer")
    result = either.consents()
    lost = {"xero": "accounting.contacts.read", "vend": "retailer:read"}[either.name]
    assert result.code == 77
    assert f"scopes: {lost} not granted" in result.out


def test_another_store_is_not_let_in(vend: Person) -> None:
    vend.shop.upstream.switch(consent_store="other")
    result = vend.consents()
    assert result.code == 78
    assert "The consent is for demo-two, and SYNCCTL_VEND_DOMAIN_PREFIX says demo" in result.err


def test_the_organisations_to_choose_from_are_listed(xero: Person) -> None:
    chosen = xero.shop.extra["SYNCCTL_XERO_TENANT_ID"]
    xero.shop.extra["SYNCCTL_XERO_TENANT_ID"] = ""
    xero.shop.upstream.switch(organisations="2")
    result = xero.consents()
    assert result.code == 78
    assert "The consent need not be given again" in result.out
    assert f"Set SYNCCTL_XERO_TENANT_ID to one of {chosen} (Demo Homeware Ltd), " in result.out
    xero.shop.extra["SYNCCTL_XERO_TENANT_ID"] = chosen
    xero.shop.ok("sync-recent")


def test_an_app_without_a_secret_consents_with_pkce(xero: Person) -> None:
    native = xero.shop.upstream.request("GET", "tokens")["xero"]["native"]
    xero.shop.extra |= native | {"SYNCCTL_XERO_APP": "pkce", "SYNCCTL_XERO_CLIENT_SECRET": ""}
    assert xero.consents().code == 0
    xero.shop.upstream.request("POST", "tokens", {"service": "xero", "expire": True})
    xero.shop.ok("sync-recent")


@pytest.mark.parametrize("roles", ["customers", "invoices"])
def test_what_is_asked_for_is_what_the_roles_need(vend: Person, roles: str) -> None:
    vend.shop.extra |= {"SYNCCTL_VEND_ROLES": roles, "SYNCCTL_TIMEZONE": "Pacific/Auckland"}
    assert ("sales:write" in vend.consents().out) == (roles == "invoices")
    assert ("sales:write" in vend.tokens()["scopes"]) == (roles == "invoices")


@pytest.mark.parametrize("name", ["xero", "vend"])
def test_who_needs_no_consent_is_told_so(name: str, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(name)
    person.shop.extra = {}
    result = person.shop.ok("auth", name)
    assert f"{name} needs no consent" in result.out
    for options in ((), ("--status",)):
        told = person.shop.ok("auth", name, *options, "--json").json()
        assert told["consent_needed"] is False
        assert not list(faults(told, ALWAYS | parsed(NO_CONSENT), "auth"))


def test_an_unknown_name_is_told_with_those_that_there_are(vend: Person) -> None:
    result = vend.shop.run("auth", "venn")
    assert (result.code, "SYNCCTL_CONNECTORS has vend" in result.err) == (78, True)


def test_json_is_one_object_beside_the_dialogue(vend: Person) -> None:
    process = vend.begin("--no-browser", "--json")
    assert process.stderr
    address = next(line.strip() for line in process.stderr if line.startswith("http"))
    requests.get(address, timeout=20)
    found = vend.ended(process).json()
    assert (found["command"], found["exit_code"]) == ("auth", 0)
    assert [check["level"] for check in found["connectors"][0]["checks"]] == ["ok", "ok"]


def test_while_the_service_wants_no_calls_nobody_is_asked(vend: Person) -> None:
    vend.shop.run("sync-recent")
    until = datetime.now(UTC) + timedelta(hours=5)
    vend.shop.write("INSERT INTO blocks VALUES ('vend', ?, 'It rests', ?)", to_ms(until), to_ms(datetime.now(UTC)))
    result = vend.ended(vend.begin())
    assert (result.code, "goes on" in result.err, result.out) == (75, True, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_interrupts_is_told_that_nothing_was_saved(vend: Person, number: signal.Signals) -> None:
    process = vend.begin()
    vend.address(process)
    process.send_signal(number)
    result = vend.ended(process)
    assert (result.code, result.err) == (130, "vend: Interrupted; nothing was saved. Run syncctl auth vend again.\n")
    assert not vend.file().exists()


def test_who_interrupts_after_the_consent_is_told_that_it_is_saved(xero: Person) -> None:
    xero.shop.upstream.fault("hold", "/connections")
    process = xero.begin()
    requests.get(xero.address(process), timeout=20)
    until(xero.file().exists)
    until(lambda: any(fault["holding"] for fault in xero.shop.upstream.request("GET", "faults")["faults"]))
    process.send_signal(signal.SIGINT)
    result = xero.ended(process)
    assert result.code == 130
    assert f"Interrupted; the tokens are saved in {xero.file()}. Check them: syncctl doctor" in result.err
    assert [path.name for path in xero.shop.folder.glob("*.tokens*") if path.suffix != ".lock"] == [xero.file().name]
    xero.shop.upstream.request("DELETE", "faults")
    xero.shop.ok("sync-recent")


def test_a_second_consent_that_is_interrupted_leaves_the_first(vend: Person) -> None:
    vend.consents()
    process = vend.begin()
    vend.address(process)
    process.send_signal(signal.SIGINT)
    assert "the consent of before stays" in vend.ended(process).err
    vend.shop.ok("sync-recent")


# What becomes of it


def test_the_json_of_a_status_is_what_is_documented(xero: Person) -> None:
    documented = ALWAYS | parsed(BLOCKS["auth --status"])
    assert not list(faults(xero.shop.run("auth", "xero", "--status", "--json").json(), documented, "before"))
    xero.consents()
    assert not list(faults(xero.shop.ok("auth", "xero", "--status", "--json").json(), documented, "after"))


def test_status_tells_what_was_consented_to_and_when_it_ends(xero: Person) -> None:
    before = xero.shop.run("auth", "xero", "--status")
    assert (before.code, "nobody has consented yet" in before.out) == (77, True)
    xero.shop.run("sync-recent")
    assert "nobody has consented yet" in xero.shop.ok("status", "--json").only()["token"]["problem"]
    xero.consents()
    found = xero.shop.ok("auth", "xero", "--status", "--json").json()
    assert (found["refresh_days"], found["missing"]) == (60, [])
    assert "accounting.settings.read" in found["granted"]
    assert xero.shop.ok("status", "--json").only()["token"]["days"] == 60
    calls = xero.shop.upstream.calls()
    xero.shop.ok("auth", "xero", "--status")
    assert xero.shop.upstream.calls() == calls


@pytest.mark.parametrize(("days", "words"), [(45, ""), (50, "token dies in"), (61, "token died on")])
def test_status_warns_before_a_refresh_token_dies(xero: Person, days: int, words: str) -> None:
    xero.consents()
    file = xero.shop.state.with_name("syncctl.db.tokens")
    token = xero.tokens() | {"replaced_at": iso(datetime.now(UTC) - timedelta(days=days))}
    file.write_text(json.dumps({"xero": token}))
    shown = xero.shop.run("auth", "xero", "--status")
    assert shown.code == (77 if days > 60 else 0)
    for told in (xero.shop.ok("status").out, shown.out):
        assert ("warning: the refresh " in told) == bool(words)
        assert words in told
        assert ("consent again with syncctl auth xero" in told) == (days > 60)
        assert ("a run uses it" in told) == (days < 60)


def test_status_tells_what_is_missing_and_how_to_get_it(xero: Person) -> None:
    xero.shop.upstream.switch(consent_grants="fewer")
    xero.consents()
    result = xero.shop.run("auth", "xero", "--status")
    assert result.code == 77
    assert "missing         accounting.contacts.read: let the app ask for it, then run syncctl auth xero" in result.out


def test_a_chain_of_the_settings_goes_on_without_them(either: Person) -> None:
    told = either.shop.upstream.request("GET", "tokens")[either.name]
    variable = f"SYNCCTL_{either.name.upper()}_REFRESH_TOKEN"
    either.shop.ok("sync-recent", **{variable: told["refresh_token"]})
    either.shop.upstream.request("POST", "tokens", {"service": either.name, "expire": True})
    either.shop.ok("sync-recent")


def test_a_consent_replaces_a_refresh_token_that_stands_in_the_settings(either: Person) -> None:
    either.shop.extra[f"SYNCCTL_{either.name.upper()}_REFRESH_TOKEN"] = "spent-long-ago"
    assert either.shop.run("sync-recent").code == 77
    assert either.consents().code == 0
    either.shop.ok("sync-recent")
