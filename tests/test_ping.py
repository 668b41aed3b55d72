"""`SYNCCTL_PING_URL`: what a dead man's switch hears of a run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import Shop
from test_cli import holder
from test_startup import SLOW, blocked, loaded

from syncctl import ping
from syncctl.clock import SystemClock
from syncctl.state.locks import hold

pytestmark = pytest.mark.products(10)
__all__ = ["blocked"]
SECRET = "3f1c-the-uuid"


class Switch(NamedTuple):
    """The other end: its address, what it heard, and the status that it answers; `held` keeps it silent."""

    url: str
    heard: list[tuple[str, str]]
    status: list[int]
    free: threading.Event

    def settings(self) -> dict[str, str]:
        return {"SYNCCTL_PING_URL": self.url}


@pytest.fixture
def switch() -> Iterator[Switch]:
    heard: list[tuple[str, str]] = []
    status, free = [200], threading.Event()
    free.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard.append((self.path, body))
            free.wait(30)
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Switch(f"http://127.0.0.1:{server.server_port}/{SECRET}", heard, status, free)
        free.set()
        server.shutdown()
        thread.join()


def test_a_run_tells_that_it_begins_and_that_it_is_done(shop: Shop, switch: Switch) -> None:
    shop.ok("sync-recent", **switch.settings())
    (start, nothing), (done, log) = switch.heard
    assert (start, nothing, done) == (f"/{SECRET}/start", "", f"/{SECRET}")
    assert log.splitlines()[0] == "syncctl sync-recent, run 1"
    assert "unleashed: " in log


def test_what_is_told_has_no_colours(shop: Shop, switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TERM", raising=False)
    assert shop.run("sync-recent", **switch.settings(), SYNCCTL_UNLEASHED_API_KEY="wrong").code == 77
    log = switch.heard[-1][1]
    assert ("1 to look at" in log, "\x1b" in log) == (True, False)


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"SYNCCTL_UNLEASHED_API_KEY": "wrong"}, 77, "unleashed: The service refuses the credentials"),
        ({"SYNCCTL_SHOP": ""}, 78, "SYNCCTL_SHOP is not set"),
        ({"SYNCCTL_STATE": "/proc/nowhere/x.db"}, 74, "/proc/nowhere"),
    ],
)
def test_a_failure_is_told_with_its_code_and_words(
    shop: Shop, switch: Switch, settings: dict[str, str], code: int, words: str
) -> None:
    assert shop.run("sync-recent", **switch.settings(), **settings).code == code
    path, log = switch.heard[-1]
    assert (path, words in log) == (f"/{SECRET}/{code}", True)


def test_a_query_of_the_address_stays_behind(shop: Shop, switch: Switch) -> None:
    shop.ok("sync-recent", SYNCCTL_PING_URL=f"{switch.url}?create=1")
    assert [path for path, _ in switch.heard] == [f"/{SECRET}/start?create=1", f"/{SECRET}?create=1"]


def test_only_the_end_of_a_long_log_is_told(shop: Shop, switch: Switch) -> None:
    said: list[str] = []
    ping.Ping(switch.url, said.append).end(65, "x" * 20_000 + "end")
    assert (len(switch.heard[0][1]), switch.heard[0][1][-3:], said) == (10_000, "end", [])


def test_a_run_that_finds_another_at_work_leaves_it_to_that_one(shop: Shop, switch: Switch) -> None:
    shop.ok("sync-recent")
    with hold(shop.state, "unleashed", holder(timedelta(hours=1)), clock=SystemClock()):
        assert shop.run("sync-recent", **switch.settings()).code == 75
    assert [path for path, _ in switch.heard] == [f"/{SECRET}/start"]
    with hold(shop.state, "unleashed", holder(timedelta(hours=3)), clock=SystemClock()):
        assert shop.run("sync-recent", **switch.settings()).code == 75
    assert switch.heard[-1][0] == f"/{SECRET}/75"


@pytest.mark.parametrize(
    "args",
    [
        ("sync-recent", "--dry-run"), ("sync-product", "MUG"), ("doctor",), ("status",), ("status", "--check"),
        ("budget",), ("log", "calls"), ("explain", "product", "MUG"),
    ],
)  # fmt: skip
def test_looking_and_work_by_hand_are_not_told(shop: Shop, switch: Switch, args: tuple[str, ...]) -> None:
    shop.ok("sync-recent")
    shop.run(*args, **switch.settings())
    assert switch.heard == []


def test_a_ping_that_fails_is_a_warning_without_the_address(shop: Shop, switch: Switch) -> None:
    switch.status[0] = 404
    result = shop.run("sync-recent", **switch.settings())
    assert (result.code, result.err.count("warning: the ping to SYNCCTL_PING_URL failed (it answers 404)")) == (0, 2)
    result = shop.run("sync-recent", SYNCCTL_PING_URL=f"http://127.0.0.1:9/{SECRET}")
    assert (result.code, result.err.count("Connection refused")) == (0, 2)
    assert SECRET not in result.err
    result = shop.run("sync-recent", SYNCCTL_PING_URL=f"http://[::1/{SECRET}")
    assert (result.code, SECRET in result.err) == (0, False)


def test_a_silent_switch_holds_up_nothing(shop: Shop, switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ping, "PING_SECONDS", 0.2)
    switch.free.clear()
    result = shop.run("sync-recent", **switch.settings())
    assert (result.code, result.err.count("no answer within 0.2 s")) == (0, 2)


def test_the_address_may_stand_in_a_file(shop: Shop, switch: Switch) -> None:
    file = shop.folder / "ping"
    file.touch(mode=0o600)
    file.write_text(switch.url)
    shop.ok("sync-recent", SYNCCTL_PING_URL_FILE=str(file))
    assert len(switch.heard) == 2


def test_a_wrong_address_is_told_without_showing_it(shop: Shop) -> None:
    result = shop.run("sync-recent", SYNCCTL_PING_URL=SECRET)
    assert (result.code, "SYNCCTL_PING_URL: the value does not fit" in result.err) == (78, True)
    assert SECRET not in result.err


def test_without_the_setting_nothing_of_it_is_loaded(blocked: Path) -> None:
    modules = loaded(blocked, "sync-recent")
    assert not modules & (SLOW | {"syncctl.ping", "syncctl.commands.pinged"})
