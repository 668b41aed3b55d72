"""What the transport does for connectors that ask by POST, tell their limits, or answer with one large list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

import pytest
from conftest import StillClock
from requests_mock import Mocker

from syncctl.connectors.declared import Limit, Rate, Values
from syncctl.connectors.unleashed import Unleashed
from syncctl.errors import AnswerError, DeferredError
from syncctl.http.line import MOST_HELD_BYTES
from syncctl.http.transport import Transport
from syncctl.models import Purpose
from syncctl.run import Run
from syncctl.settings.connector import ConnectorConfig
from syncctl.state.database import Database
from syncctl.state.learnt import Learnt
from syncctl.state.ledger import Ledger
from syncctl.state.runs import Runs

URL = "https://back.example"
PUBLISHED = (Limit(350, 300),)
Line = Callable[..., Transport]


class Telling(Unleashed):
    """A service whose answers tell how large its limit is and what is left of it."""

    @classmethod
    def rates(cls, headers: Mapping[str, str]) -> Iterator[Rate]:
        if "X-Left" in headers:
            yield Rate(300, int(headers["X-Left"]), int(headers["X-Limit"]) if "X-Limit" in headers else None)


@pytest.fixture
def database(database: Database) -> Database:
    Runs(database).claim_account("shop", "telling", URL, "id")
    return database


@pytest.fixture
def line(database: Database, clock: StillClock) -> Iterator[Line]:
    """Makes the transport of a new run."""
    opened: list[Transport] = []

    def make(*, given: bool = False) -> Transport:
        values = Values("shop", URL, {"API_ID": "id", "API_KEY": "key", "CLIENT_TYPE": "a/b"})
        limits = Learnt(database, "shop").limits(PUBLISHED)
        config = ConnectorConfig("shop", "telling", Telling, values, frozenset({"products"}), limits, given, ())
        transport = Transport(config, Ledger(database, clock), Run(1, Purpose.MANUAL, clock), {"key"})
        opened.append(transport)
        return transport

    yield make
    for transport in opened:
        transport.close()


def left(database: Database, clock: StillClock) -> int:
    (usage,) = Ledger(database, clock).usage("shop", Learnt(database, "shop").limits(PUBLISHED))
    return usage.left


def test_what_others_spent_is_booked(line: Line, database: Database, clock: StillClock, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/a", json={}, headers={"X-Left": "100"})
    line().get("/a")
    assert left(database, clock) == 100


def test_a_larger_limit_counts_from_the_next_run_on(
    line: Line, database: Database, clock: StillClock, requests_mock: Mocker
) -> None:
    requests_mock.get(f"{URL}/a", json={}, headers={"X-Left": "649", "X-Limit": "650"})
    line().get("/a")
    assert left(database, clock) == 649
    assert line().config.limits == (Limit(650, 300),)


def test_after_a_429_calls_go_on_when_the_service_says_so(line: Line, clock: StillClock, requests_mock: Mocker) -> None:
    refused = {"status_code": 429, "headers": {"X-Left": "0", "X-Limit": "350", "Retry-After": "250"}}
    requests_mock.get(f"{URL}/a", [refused, {"json": {}, "headers": {"X-Left": "349"}}])
    with pytest.raises(DeferredError):
        line().get("/a")
    clock.time += timedelta(seconds=251)
    assert line().get("/a").json() == {}
    assert clock.slept == []


def test_limits_that_are_set_stay(line: Line, database: Database, clock: StillClock, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/a", json={}, headers={"X-Left": "649", "X-Limit": "650"})
    line(given=True).get("/a")
    assert left(database, clock) == 349


def test_a_question_by_post_is_asked_again(line: Line, requests_mock: Mocker) -> None:
    requests_mock.post(f"{URL}/inventory", [{"status_code": 503}, {"json": [1]}])
    assert line().ask("/inventory", {"after": 2**53 + 1}).json() == [1]
    assert [sent.json() for sent in requests_mock.request_history] == [{"after": 2**53 + 1}] * 2


def test_a_whole_address_is_called_as_it_is(line: Line, requests_mock: Mocker) -> None:
    requests_mock.get("https://other.example/connections", json=[7])
    assert line().get("https://other.example/connections").json() == [7]


def large(end: bytes = b"]}") -> bytes:
    """A body above what is held in memory."""
    element = json.dumps({"Price": 1.25, "Text": "x" * 1000}).encode()
    many = MOST_HELD_BYTES // len(element) + 10
    return b'{"Status":"OK","Items":[' + b",".join([element] * many) + end


@pytest.mark.parametrize("body", [large(), b'{"Items":[{"Price":1.25}]}'], ids=["large", "small"])
def test_elements_come_one_by_one_with_exact_prices(line: Line, requests_mock: Mocker, body: bytes) -> None:
    requests_mock.get(f"{URL}/Items", content=body)
    elements = line().get("/Items").elements("Items")
    assert {element["Price"] for element in elements} == {Decimal("1.25")}


def test_a_large_body_that_is_cut_off_is_told(line: Line, requests_mock: Mocker) -> None:
    requests_mock.get(f"{URL}/Items", content=large(end=b""))
    with pytest.raises(AnswerError, match=r"no JSON \(call 1"):
        list(line().get("/Items").elements("Items"))


@pytest.mark.parametrize("body", [large(), b'{"Items":[]}', b"[]"], ids=["large", "small", "array"])
def test_a_body_without_the_list_is_told(line: Line, requests_mock: Mocker, body: bytes) -> None:
    requests_mock.get(f"{URL}/Items", content=body)
    with pytest.raises(AnswerError, match="no list of Contacts"):
        list(line().get("/Items").elements("Contacts"))
