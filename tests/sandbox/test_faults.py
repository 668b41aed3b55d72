import json
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from threading import Event
from uuid import uuid4

import pytest
import requests

from .client import Client

NEW = {"ProductCode": "NEW", "ProductDescription": "New"}


def exists(client: Client, path: str) -> bool:
    return client.status("GET", path) == 200


def held(client: Client) -> int:
    return sum(fault["holding"] for fault in client.control("GET", "faults")["faults"])


def wait_until_held(client: Client) -> None:
    pause = Event()
    while held(client) == 0:
        pause.wait(0.005)


def test_skip_and_times_count_matching_requests_only(client: Client) -> None:
    client.fault("500", match={"method": "get", "path": r"^/products/2"}, skip=1, times=2)
    assert client.status("GET", "/Products/1") == 200
    statuses = [client.status("GET", "/Products/2?pageSize=1") for _ in range(4)]
    assert statuses == [200, 500, 500, 200]
    (fault,) = client.control("GET", "faults")["faults"]
    assert (fault["skip"], fault["times"], fault["happened"]) == (0, 0, 2)


def test_a_fault_without_match_and_end_is_for_everything(client: Client) -> None:
    number = client.fault("500", times=None)
    assert {client.status("GET", path) for path in ("/Products", "/Taxes")} == {500}
    assert client.control("DELETE", f"faults?id={number}") == {"removed": 1}
    assert client.status("GET", "/Taxes") == 200


def test_faults_happen_one_after_the_other(client: Client) -> None:
    client.fault("500")
    client.fault("503-text")
    assert [client.status("GET", "/Taxes") for _ in range(3)] == [500, 503, 200]


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("500", 500, "application/json; charset=utf-8"),
        ("503-text", 503, "text/plain; charset=utf-8"),
        ("html", 200, "text/html; charset=utf-8"),
        ("401", 401, "application/json; charset=utf-8"),
        ("403", 403, "application/json; charset=utf-8"),
    ],
)
def test_answers_instead_of_the_work(client: Client, kind: str, status: int, content_type: str) -> None:
    client.fault(kind)
    path = f"/Products/{uuid4()}"
    answer = client.call("POST", path, NEW)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, content_type)
    assert not exists(client, path)


def test_too_many_requests_in_every_form(client: Client) -> None:
    for retry_after in (None, 7, "1.5"):
        client.fault("429", retry_after=retry_after)
        answer = client.call("GET", "/Taxes")
        assert (answer.status_code, answer.content) == (429, b"")
        wanted = None if retry_after is None else str(retry_after)
        assert answer.headers.get("Retry-After") == wanted
    client.fault("429", window="month", retry_after="date", seconds=90)
    answer = client.call("GET", "/Taxes")
    assert answer.json() == {"Description": "API usage limit reached"}
    wait = parsedate_to_datetime(answer.headers["Retry-After"]) - parsedate_to_datetime(answer.headers["Date"])
    assert 88 <= wait.total_seconds() <= 91


@pytest.mark.parametrize(("kind", "done"), [("drop-before", False), ("drop-after", True)])
def test_a_connection_closed_without_an_answer(client: Client, kind: str, *, done: bool) -> None:
    client.fault(kind)
    path = f"/Products/{uuid4()}"
    with pytest.raises(requests.ConnectionError):
        client.call("POST", path, NEW)
    assert exists(client, path) is done
    assert client.control("GET", "calls")["counts"][0]["status"] == 0


def test_a_body_cut_in_half(client: Client) -> None:
    client.fault("truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.call("GET", "/Products")


def test_a_body_that_is_no_json(client: Client) -> None:
    client.fault("garbage")
    answer = client.call("GET", "/Products")
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


def test_a_slow_answer(client: Client) -> None:
    client.fault("slow", seconds=0.05)
    assert client.status("GET", "/Products") == 200


@pytest.mark.parametrize(("when", "done"), [("before", False), ("after", True)])
def test_a_request_held_until_released(client: Client, when: str, *, done: bool) -> None:
    client.fault("hold", match={"method": "POST"}, when=when)
    path = f"/Products/{uuid4()}"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.status, "POST", path, NEW)
        wait_until_held(client)
        assert exists(client, path) is done
        assert client.control("GET", "calls?list=1")["calls"][0]["status"] is None
        assert client.control("POST", "faults/release") == {"released": 1}
        assert answer.result() == 201
    assert held(client) == 0
    assert exists(client, path)


def test_deleting_a_fault_lets_go_what_it_holds(client: Client) -> None:
    client.fault("hold", match={"path": "Taxes"})
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.status, "GET", "/Taxes")
        wait_until_held(client)
        client.control("DELETE", "faults")
        assert answer.result() == 200


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "earthquake"},
        {"kind": "500", "times": -1},
        {"kind": "500", "skip": "two"},
        {"kind": "500", "seconds": 1},
        {"kind": "slow", "seconds": "long"},
        {"kind": "429", "window": "decade"},
        {"kind": "hold", "when": "never"},
        {"kind": "500", "match": {"path": "("}},
    ],
)
def test_a_fault_that_makes_no_sense(client: Client, order: dict[str, object]) -> None:
    answer = client.ask_control("POST", "faults", {"service": "unleashed", **order})
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 20


def test_a_fault_of_an_unknown_service(client: Client) -> None:
    assert client.ask_control("POST", "faults", {"service": "moon", "kind": "500"}).status_code == 404
