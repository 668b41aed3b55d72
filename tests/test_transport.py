"""One request: what each way of failing means, how often it is tried, and what it books."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from conftest import StillClock
from requests import exceptions
from requests_mock import Mocker

from syncctl.connectors import connector_class
from syncctl.connectors.declared import Limit, Values
from syncctl.errors import (
    AccountError,
    AnswerError,
    CredentialsError,
    DeferredError,
    InterruptedRunError,
    RefusedError,
    RunError,
    UnavailableError,
)
from syncctl.http.transport import Transport
from syncctl.models import Purpose
from syncctl.run import Run, Silent
from syncctl.settings.config import ConnectorConfig
from syncctl.state.database import Database
from syncctl.state.ledger import Ledger
from syncctl.state.runs import Runs

URL = "https://back.example"
KEY = "very/secret+key=="
PLENTY = (Limit(1000, 60),)
MONTH = (Limit(20, "month"),)
Line = Callable[..., Transport]


@pytest.fixture
def database(database: Database) -> Database:
    Runs(database).claim_account("shop", "unleashed", URL, "id")
    return database


@pytest.fixture
def line(database: Database, clock: StillClock) -> Iterator[Line]:
    """Makes the transport of a new run."""
    opened: list[Transport] = []

    def make(
        limits: tuple[Limit, ...] = PLENTY, seconds: float | None = None, own: StillClock = clock, **more: str
    ) -> Transport:
        cls = connector_class("unleashed")
        values = Values("shop", URL, {"API_ID": "id", "API_KEY": KEY, "CLIENT_TYPE": "a/b"} | more)
        config = ConnectorConfig("shop", "unleashed", cls, values, frozenset({"products"}), limits, True, ())
        deadline = None if seconds is None else own.now() + timedelta(seconds=seconds)
        run = Run(1, Purpose.MANUAL, own, deadline=deadline)
        opened.append(Transport(config, Ledger(database, own), run, {KEY}))
        return opened[-1]

    yield make
    for transport in opened:
        transport.close()


def booked(database: Database) -> int:
    row = database.row("SELECT count(*) FROM calls")
    assert row
    return int(row[0])


def refused(transport: Transport, kind: type[RunError]) -> RunError:
    """The error of a call, which is of this very class."""
    with pytest.raises(RunError) as caught:
        transport.get("/Products/1", "pageSize=200")
    assert type(caught.value) is kind
    return caught.value


FIELDS = {"Items": [{"Field": "Lines[0]", "Description": "is wrong"}], "Description": "no"}


class Case(NamedTuple):
    """What comes instead of an answer, and what it means."""

    answer: dict[str, Any]
    kind: type[RunError]
    code: int
    tries: int
    words: str


ANSWERS: list[tuple[dict[str, Any], type[RunError], int, int, str]] = [
    ({"status_code": 500, "reason": "Oops"}, UnavailableError, 69, 4, "answers 500 Oops.*next run tries again"),
    ({"status_code": 503, "text": "<h1>Back soon</h1>"}, UnavailableError, 69, 4, "answers 503.*: Back soon"),
    ({"status_code": 408}, UnavailableError, 69, 4, "answers 408"),
    ({"status_code": 400, "json": FIELDS}, RefusedError, 76, 1, r"call 1 with 400.*: Lines\[0\]: is wrong"),
    ({"status_code": 422, "reason": "No Way", "text": "No way: a: b"}, RefusedError, 76, 1, "with 422 No Way: a: b"),
    ({"status_code": 404}, RefusedError, 76, 1, "call 1 with 404.*Check SYNCCTL_SHOP_BASE_URL"),
    ({"status_code": 401}, CredentialsError, 77, 1, "401.*SYNCCTL_SHOP_API_ID and SYNCCTL_SHOP_API_KEY.*doctor"),
    ({"status_code": 403}, CredentialsError, 77, 1, "credentials with 403.*Check SYNCCTL_SHOP_API_ID"),
    (
        {"status_code": 302, "headers": {"Location": "https://login.example/"}},
        AnswerError, 76, 1, "redirects call 1 to https://login.example/. Correct SYNCCTL_SHOP_BASE_URL",
    ),
    ({"status_code": 429}, DeferredError, 0, 4, "says 429"),
    ({"status_code": 429, "headers": {"Retry-After": "3600"}}, DeferredError, 0, 1, "says 429"),
    ({"exc": exceptions.ConnectTimeout}, UnavailableError, 69, 4, "https://back.example does not answer in time"),
    ({"exc": exceptions.ReadTimeout}, UnavailableError, 69, 4, "https://back.example does not answer in time"),
    ({"exc": exceptions.ConnectionError("gone")}, UnavailableError, 69, 4, r"cannot be reached \(gone\)"),
    ({"exc": exceptions.ChunkedEncodingError}, UnavailableError, 69, 4, "broke off in the middle"),
    ({"exc": exceptions.ContentDecodingError}, AnswerError, 76, 4, "cannot be unpacked"),
    ({"exc": exceptions.SSLError("bad")}, UnavailableError, 69, 1, r"No trusted TLS.*\(bad\).*CA certificates"),
    ({"exc": exceptions.InvalidURL("label")}, AccountError, 78, 1, "can be made.*Check SYNCCTL_SHOP_BASE_URL"),
    ({"exc": UnicodeError}, AccountError, 78, 1, "SYNCCTL_SHOP_API_ID and SYNCCTL_SHOP_API_KEY: .* cannot be sent"),
    ({"exc": OSError("no CA bundle")}, UnavailableError, 69, 1, r"cannot be called \(no CA bundle\).*certificates"),
]  # fmt: skip


@pytest.mark.parametrize("case", [Case(*case) for case in ANSWERS])
def test_each_failure_has_its_meaning(line: Line, database: Database, requests_mock: Mocker, case: Case) -> None:
    requests_mock.get(f"{URL}/Products/1", **case.answer)
    transport = line()
    error = refused(transport, case.kind)
    assert error.exit_code == case.code
    assert requests_mock.call_count == transport.calls == booked(database) == case.tries
    with pytest.raises(RunError, match=case.words):
        raise error


def test_a_passing_trouble_is_sat_out(line: Line, database: Database, clock: StillClock, requests_mock: Mocker) -> None:
    troubles: list[dict[str, Any]] = [
        {"status_code": 500},
        {"exc": exceptions.ConnectionError},
        {"json": {"Items": []}},
    ]
    requests_mock.get(f"{URL}/Products/1", troubles)
    assert line().get("/Products/1").json() == {"Items": []}
    assert booked(database) == 3
    assert 2 < sum(clock.slept) < 10


@pytest.mark.parametrize("status", [429, 503])
def test_a_short_retry_after_is_sat_out(
    line: Line, database: Database, clock: StillClock, requests_mock: Mocker, status: int
) -> None:
    again = {"status_code": status, "headers": {"Retry-After": "30"}}
    requests_mock.get(f"{URL}/Products/1", [again, {"text": "{}"}])
    line().get("/Products/1")
    assert sum(clock.slept) == pytest.approx(30)
    assert booked(database) == 2


def test_a_long_retry_after_of_a_broken_service_ends_the_tries(line: Line, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/Products/1", status_code=503, headers={"Retry-After": "600"})
    refused(line(), UnavailableError)
    assert requests_mock.call_count == 1


@pytest.mark.parametrize(("asked", "lasts"), [("7200", 7200), ("99999999", 86400), (None, 900)])
def test_a_block_is_remembered_by_the_next_run(
    line: Line, clock: StillClock, requests_mock: Mocker, asked: str | None, lasts: int
) -> None:
    requests_mock.get(f"{URL}/Products/1", status_code=429, headers={"Retry-After": asked} if asked else {})
    first = refused(line(), DeferredError)
    assert isinstance(first, DeferredError)
    assert first.until == clock.time + timedelta(seconds=lasts)
    calls = requests_mock.call_count
    again = refused(line(), DeferredError)
    assert isinstance(again, DeferredError)
    assert abs(again.until - first.until) < timedelta(milliseconds=1)
    assert requests_mock.call_count == calls
    clock.time = first.until + timedelta(milliseconds=1)
    refused(line(), DeferredError)
    assert requests_mock.call_count > calls


def test_a_block_of_a_clock_that_was_ahead_ends_in_time(line: Line, clock: StillClock, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/Products/1", status_code=429, headers={"Retry-After": "600"})
    refused(line(), DeferredError)
    clock.time -= timedelta(hours=2)
    error = refused(line(), DeferredError)
    assert isinstance(error, DeferredError)
    assert error.until == clock.time + timedelta(seconds=600)


def test_a_clock_that_jumps_back_prolongs_no_wait(line: Line, requests_mock: Mocker) -> None:
    class Jumping(StillClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            self.time -= timedelta(hours=1)

    clock = Jumping()
    again = {"status_code": 429, "headers": {"Retry-After": "20"}}
    requests_mock.get(f"{URL}/Products/1", [again, {"text": "{}"}])
    line(own=clock).get("/Products/1")
    assert sum(clock.slept) == pytest.approx(20)


def test_a_signal_ends_a_wait_within_a_second(line: Line, database: Database, requests_mock: Mocker) -> None:
    class Signalled(StillClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            transport.run.stopping = len(self.slept) == 3

    clock = Signalled()
    transport = line(own=clock)
    requests_mock.get(f"{URL}/Products/1", status_code=429, headers={"Retry-After": "60"})
    with pytest.raises(InterruptedRunError):
        transport.get("/Products/1")
    assert len(clock.slept) == 3
    assert max(clock.slept) <= 1


def test_the_deadline_hides_no_outage(line: Line, clock: StillClock, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/Products/1", status_code=500)
    refused(line(seconds=2.5), UnavailableError)
    assert requests_mock.call_count == 2
    assert sum(clock.slept) < 2.5


def test_no_wait_beyond_the_deadline(line: Line, clock: StillClock, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/Products/1", status_code=429, headers={"Retry-After": "30"})
    refused(line(seconds=10), DeferredError)
    assert (requests_mock.call_count, clock.slept) == (1, [])
    refused(line(), DeferredError)
    assert requests_mock.call_count == 1


def timeouts(requests_mock: Mocker) -> list[object]:
    return [request.timeout for request in requests_mock.request_history]


def test_a_silent_service_is_waited_for_no_longer_than_the_run_lasts(
    line: Line, clock: StillClock, requests_mock: Mocker
) -> None:
    requests_mock.get(f"{URL}/Products/1", exc=exceptions.ReadTimeout)
    error = refused(line(seconds=6), UnavailableError)
    assert "was silent for 6 s, as long as --max-seconds" in error.message
    assert (timeouts(requests_mock), clock.slept) == ([(6, 6)], [])


def test_the_time_that_is_left_is_shared_with_the_connectors_to_come(line: Line, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/Products/1", text="{}")
    for seconds, to_come in ((60, 2), (0.5, 0), (1000, 3)):
        transport = line(seconds=seconds)
        transport.run.to_come = to_come
        transport.get("/Products/1")
    assert timeouts(requests_mock) == [(10, 20), (1, 1), (10, 90)]


def test_an_answer_that_must_not_be_lost_keeps_its_time(line: Line, requests_mock: Mocker) -> None:
    requests_mock.post(f"{URL}/SalesOrders/1", text="{}")
    line(seconds=6).write("POST", "/SalesOrders/1", {})
    assert timeouts(requests_mock) == [(10, 90)]


def test_a_full_minute_is_sat_out_inside_the_deadline_only(
    line: Line, clock: StillClock, requests_mock: Mocker
) -> None:
    requests_mock.get(f"{URL}/Products/1", text="{}")
    two = (Limit(2, 60),)
    for _ in range(3):
        line(two).get("/Products/1")
    assert 60 <= sum(clock.slept) <= 62
    line(two).get("/Products/1")
    error = refused(line(two, seconds=30), DeferredError)
    assert "2 calls" in error.message


def test_a_person_is_told_of_a_wait(line: Line, clock: StillClock, requests_mock: Mocker) -> None:
    class Told(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    notes: list[str] = []
    requests_mock.get(f"{URL}/Products/1", text="{}")
    for _ in range(3):
        transport = line((Limit(2, 60),))
        transport.run.reporter = Told()
        transport.get("/Products/1")
    (note,) = notes
    assert note.startswith("shop: waits 6")
    assert note.endswith(" s, as the 2 calls a minute are used")


def test_words_that_repeat_the_reason_are_left_out(line: Line, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/Products/1", status_code=403, reason="Forbidden", text="Forbidden")
    assert "with 403 Forbidden" in refused(line(), CredentialsError).message
    assert "Forbidden: " not in refused(line(), CredentialsError).message


def used(line: Line, requests_mock: Mocker, calls: int) -> None:
    """Books that many calls, all accepted."""
    requests_mock.get(f"{URL}/Products/1", text="{}")
    for _ in range(calls):
        line(MONTH).get("/Products/1")


def test_a_bare_403_at_the_end_of_the_month_is_quota(line: Line, clock: StillClock, requests_mock: Mocker) -> None:
    used(line, requests_mock, 17)
    requests_mock.get(f"{URL}/Products/1", status_code=403)
    error = refused(line(MONTH, PAGE_SIZE="100"), DeferredError)
    assert isinstance(error, DeferredError)
    assert "quota" in error.message
    assert error.until == clock.time + timedelta(days=1)


@pytest.mark.parametrize(("status", "kind"), [(429, DeferredError), (403, CredentialsError)])
def test_a_month_that_others_used_up_is_told_of(
    line: Line, requests_mock: Mocker, status: int, kind: type[RunError]
) -> None:
    used(line, requests_mock, 3)
    requests_mock.get(f"{URL}/Products/1", status_code=status)
    told = str(refused(line(MONTH), kind))
    assert "of 20 calls of this month (UTC) are booked here: look at the account's usage there" in told
    assert "SYNCCTL_SHOP_LIMITS" in told


def test_a_limit_of_minutes_blames_nobody_else(line: Line, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/Products/1", status_code=429)
    assert "booked here" not in refused(line((Limit(2, 60),)), DeferredError).message


def test_a_used_up_quota_is_tried_once_a_day(
    line: Line, database: Database, clock: StillClock, requests_mock: Mocker
) -> None:
    used(line, requests_mock, 17)
    requests_mock.get(f"{URL}/Products/1", status_code=403)
    for calls in (18, 18, 19, 19):
        refused(line(MONTH), DeferredError)
        assert booked(database) == calls
        clock.time += timedelta(hours=12, seconds=1)


def test_the_probe_waits_for_no_more_than_the_new_month(line: Line, clock: StillClock, requests_mock: Mocker) -> None:
    clock.time = datetime(2026, 12, 31, 20, tzinfo=UTC)
    used(line, requests_mock, 17)
    requests_mock.get(f"{URL}/Products/1", status_code=403)
    error = refused(line(MONTH), DeferredError)
    assert isinstance(error, DeferredError)
    assert error.until == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("calls", "key"), [(16, KEY), (0, KEY), (17, "another")])
def test_any_other_403_is_about_credentials(line: Line, requests_mock: Mocker, calls: int, key: str) -> None:
    used(line, requests_mock, calls)
    requests_mock.get(f"{URL}/Products/1", status_code=403)
    refused(line(MONTH, API_KEY=key), CredentialsError)


def test_a_month_booked_in_vain_is_no_quota(line: Line, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/Products/1", status_code=403)
    for _ in range(18):
        refused(line(MONTH), CredentialsError)
