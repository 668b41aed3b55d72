"""How often and how much at once, and what failing looks like at `/xero`."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .xero_client import XeroClient

HALF_A_DAY = 43_200


def left(xero: XeroClient) -> tuple[str, str, str]:
    headers = xero.call("/Organisation").headers
    return headers["X-DayLimit-Remaining"], headers["X-MinLimit-Remaining"], headers["X-AppMinLimit-Remaining"]


def test_every_answer_says_what_is_left(xero: XeroClient) -> None:
    assert left(xero) == ("999", "59", "9999")
    assert xero.call("/Items/NOPE").headers["X-DayLimit-Remaining"] == "998"
    assert xero.call("/Items", method="PUT").headers["X-MinLimit-Remaining"] == "57"
    xero.limit(day=5000)
    assert left(xero) == ("4996", "56", "9996")
    xero.limit(minute=None)
    assert "X-MinLimit-Remaining" not in xero.call("/Organisation").headers


def test_tokens_and_refused_tokens_do_not_count(xero: XeroClient) -> None:
    xero.log_in()
    xero.call("/Items", token="nonsense")
    assert left(xero)[0] == "999"


def test_sixty_calls_a_minute(xero: XeroClient) -> None:
    assert [xero.status("/Organisation") for _ in range(61)] == [200] * 60 + [429]
    answer = xero.call("/Organisation")
    assert answer.headers["X-Rate-Limit-Problem"] == "minute"
    assert 50 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["X-MinLimit-Remaining"] == "0"
    assert answer.headers["X-DayLimit-Remaining"] == "940"
    assert answer.content == b""
    xero.advance(61)
    assert xero.status("/Organisation") == 200


def test_a_thousand_calls_a_day(xero: XeroClient) -> None:
    xero.control("POST", "quota", {"service": "xero", "used": 999})
    assert left(xero)[0] == "0"
    xero.advance(HALF_A_DAY)
    token = xero.log_in()
    answer = xero.call("/Organisation", token=token)
    assert answer.status_code == 429
    assert answer.headers["X-Rate-Limit-Problem"] == "day"
    assert HALF_A_DAY - 60 <= int(answer.headers["Retry-After"]) <= HALF_A_DAY + 60
    xero.advance(HALF_A_DAY)
    assert xero.status("/Organisation", token=xero.log_in()) == 200


@pytest.mark.parametrize(("reading", "hour"), [("fixed", 13 + 37 / 60), ("midnight", 0)])
def test_a_day_that_begins_at_an_hour(xero: XeroClient, reading: str, hour: float) -> None:
    now = time.time()
    xero.advance(90_000 - (now - hour * 3600) % 86_400)  # an hour after the day began
    xero.switch(day_window=reading)
    xero.control("POST", "quota", {"service": "xero", "used": 1000})
    wait = int(xero.call("/Organisation").headers["Retry-After"])
    assert 23 * 3600 - 60 <= wait <= 23 * 3600 + 60
    xero.advance(wait - 60)
    assert xero.status("/Organisation", token=xero.log_in()) == 429
    xero.advance(120)
    assert xero.status("/Organisation", token=xero.log_in()) == 200


def test_whether_a_refused_call_counts(xero: XeroClient) -> None:
    def after_three_refusals() -> int:
        xero.limit(minute=0)
        assert [xero.status("/Organisation") for _ in range(3)] == [429] * 3
        xero.limit(minute=60)
        used: int = xero.control("GET", "limits")["xero"]["day"]["used"]
        return used

    assert after_three_refusals() == 0
    xero.switch(refused_counts="yes")
    assert after_three_refusals() == 3


def test_the_limit_of_the_app(xero: XeroClient) -> None:
    xero.limit(appminute=1)
    assert xero.status("/Organisation") == 200
    for path in ("/Organisation", "//connections"):
        assert xero.call(path).headers["X-Rate-Limit-Problem"] == "appminute"


def held(xero: XeroClient, calls: int) -> list[int]:
    """The statuses of so many calls at once, after the first five of them were held for a while."""
    token = xero.log_in()
    xero.fault("hold", "Items", times=5)
    with ThreadPoolExecutor(calls) as pool:
        waiting = [pool.submit(xero.status, "/Items/MUG", token=token) for _ in range(calls)]
        try:
            deadline = time.monotonic() + 300
            while not all_held(xero) and time.monotonic() < deadline:
                time.sleep(0.01)
            statuses = [xero.status("/Organisation", token=token), xero.status("//connections", token=token)]
        finally:
            xero.control("POST", "faults/release")
        return statuses + sorted(each.result() for each in waiting)


def all_held(xero: XeroClient) -> bool:
    (fault,) = xero.control("GET", "faults")["faults"]
    held: bool = fault["holding"] == 5
    return held


def test_five_at_once(xero: XeroClient) -> None:
    xero.switch(connections="list")
    assert held(xero, 5) == [429, 200, *[200] * 5]
    assert xero.status("/Organisation") == 200
    assert xero.control("GET", "limits")["xero"]["concurrent"] == {"limit": 5, "used": 0}


def test_a_sixth_at_once_where_it_is_allowed(xero: XeroClient) -> None:
    xero.switch(connections="list")
    xero.limit(concurrent=None)
    assert held(xero, 5) == [200, 200, *[200] * 5]


def test_the_refusal_of_one_too_many_at_once(xero: XeroClient) -> None:
    xero.limit(concurrent=0)
    answer = xero.call("/Organisation")
    assert answer.status_code == 429
    assert answer.headers["X-Rate-Limit-Problem"] == "concurrent"
    assert "Retry-After" not in answer.headers
    assert answer.headers["X-MinLimit-Remaining"] == "60"


@pytest.mark.parametrize(
    ("form", "content", "body"),
    [
        ("empty", "text/html", ""),
        ("html", "text/html", "<html><body><h1>Too Many Requests</h1></body></html>"),
        ("json", "application/json", '{"Title":"Too Many Requests"}'),
    ],
)
def test_forms_of_a_429(xero: XeroClient, form: str, content: str, body: str) -> None:
    xero.switch(body_429=form)
    xero.limit(minute=0)
    answer = xero.call("/Organisation")
    assert answer.headers["Content-Type"].startswith(content)
    assert answer.text == body


@pytest.mark.parametrize(
    ("spelling", "words"),
    [("lower", ["minute", "day"]), ("words", ["Minute limit", "Daily"]), ("limits", ["MinLimit", "DayLimit"])],
)
def test_spellings_of_the_problem(xero: XeroClient, spelling: str, words: list[str]) -> None:
    xero.switch(problem=spelling, retry_after="absent")
    for window, word in zip(("minute", "day"), words, strict=True):
        xero.limit(minute=60, day=1000)
        xero.limit(**{window: 0})
        answer = xero.call("/Organisation")
        assert answer.headers["X-Rate-Limit-Problem"] == word
        assert "Retry-After" not in answer.headers


def test_planted_refusals(xero: XeroClient) -> None:
    xero.fault("429")
    assert xero.call("/Items").headers["Retry-After"] == "37"
    xero.fault("429", window="day")
    answer = xero.call("/Items").headers
    assert (answer["Retry-After"], answer["X-DayLimit-Remaining"]) == ("45461", "0")
    xero.fault("429", window="day", retry_after=66975)
    assert xero.call("/Items").headers["Retry-After"] == "66975"
    xero.fault("429", window="concurrent")
    assert "Retry-After" not in xero.call("/Items").headers
    assert left(xero)[0] == "999"  # planted ones do not count


@pytest.mark.parametrize(
    ("kind", "status", "content", "text"),
    [
        ("500", 500, "text/plain", "Internal Server Error"),
        ("503-text", 503, "text/plain", "The Xero API is currently offline for maintenance"),
        ("401", 401, "application/json", "TokenExpired"),
        ("403", 403, "application/json", "AuthenticationUnsuccessful"),
    ],
)
def test_failures_in_the_vendors_shape(xero: XeroClient, kind: str, status: int, content: str, text: str) -> None:
    xero.fault(kind, "Items")
    answer = xero.call("/Items")
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith(content)
    assert text in answer.text


def test_limits_that_make_no_sense(xero: XeroClient) -> None:
    answer = xero.ask_control("POST", "limits", {"xero": {"decade": 1}})
    assert "minute, day, appminute, concurrent" in answer.json()["error"]
