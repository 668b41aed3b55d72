"""What `/xero` does with an `Idempotency-Key`."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests

from .xero_client import XeroClient

ANN = {"Name": "Ann Tui"}


def put(xero: XeroClient, key: str, name: str = "Ann Tui") -> requests.Response:
    return xero.send("PUT", "Contacts", {"Name": name}, key=key)


def count(xero: XeroClient, name: str = "Ann Tui") -> int:
    found = xero.control("GET", "records/xero/customers")["records"]
    return sum(each["Name"] == name for each in found)


def test_a_repeated_call_is_answered_and_not_done(xero: XeroClient) -> None:
    first, second = put(xero, "k"), put(xero, "k")
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert count(xero) == 1
    assert xero.writes("customers", first.json()["Contacts"][0]["ContactID"]) == 1
    assert int(second.headers["X-DayLimit-Remaining"]) == int(first.headers["X-DayLimit-Remaining"]) - 1


def test_errors_are_repeated_too(xero: XeroClient) -> None:
    put(xero, "first")
    assert put(xero, "k").status_code == 400
    xero.plant({"ContactID": xero.one("/Contacts?searchTerm=Ann%20Tui")["ContactID"], "Name": "X"}, kind="customers")
    assert put(xero, "k").status_code == 400
    assert put(xero, "another").status_code == 200


def test_a_500_that_stored_something_is_repeated(xero: XeroClient) -> None:
    xero.switch(batch_500="all")
    assert put(xero, "k").status_code == 500
    xero.switch(batch_500="no")
    assert (put(xero, "k").status_code, count(xero)) == (500, 1)


def test_after_six_minutes_it_is_a_new_call(xero: XeroClient) -> None:
    put(xero, "k")
    xero.advance(5 * 60 + 55)
    assert put(xero, "k").status_code == 200
    xero.advance(10)
    assert put(xero, "k").status_code == 400  # the name is taken: it was tried anew


@pytest.mark.parametrize(("method", "path", "name"), [("PUT", "Contacts", "B"), ("POST", "Contacts", "Ann Tui")])
def test_another_request_under_the_same_key(xero: XeroClient, method: str, path: str, name: str) -> None:
    put(xero, "k")
    answer = xero.send(method, path, {"Name": name}, key="k")
    assert answer.status_code == 400
    assert answer.json()["Detail"] == "Idempotency Key k is used with a different request."
    assert xero.send("PUT", "Contacts", ANN, key="k", summarizeErrors="false").status_code == 400


def test_a_key_has_128_characters(xero: XeroClient) -> None:
    assert put(xero, "k" * 128).status_code == 200
    answer = put(xero, "k" * 129, "Bob")
    assert (answer.status_code, count(xero, "Bob")) == (400, 0)
    assert answer.json()["Detail"].endswith("with length 129 is too long.")


def test_keys_belong_to_the_app(xero: XeroClient) -> None:
    put(xero, "k")
    token = xero.refresh().json()["access_token"]
    headers = {"Idempotency-Key": "k", "xero-tenant-id": xero.consent()["SYNCCTL_XERO_TENANT_ID"]}
    answer = xero.call("/Contacts", "PUT", token=token, headers=headers, json={"Contacts": [ANN]})
    assert answer.json()["ErrorNumber"] == 10  # the name is taken: it was done, and not repeated


def test_reading_needs_no_key(xero: XeroClient) -> None:
    for _ in range(2):
        assert xero.status("/Contacts", headers={"Idempotency-Key": "k"}) == 200
    assert put(xero, "k").status_code == 200


def test_whether_post_knows_keys(xero: XeroClient) -> None:
    def post() -> str:
        return str(xero.send("POST", "Contacts", ANN, key="k").json()["Contacts"][0]["UpdatedDateUTC"])

    first = post()
    xero.advance(60)
    assert post() == first
    xero.switch(idempotent_post="no")
    assert post() != first


def test_an_answer_that_got_lost_is_there_for_the_next_try(xero: XeroClient) -> None:
    xero.fault("drop-after", "Contacts")
    with pytest.raises(requests.exceptions.ConnectionError):
        put(xero, "k")
    assert (put(xero, "k").status_code, count(xero)) == (200, 1)


class Held:
    """A first call whose answer is on its way still."""

    def __init__(self, xero: XeroClient, pool: ThreadPoolExecutor) -> None:
        xero.log_in()
        xero.call("/Organisation")  # the token is at hand before two threads want it
        xero.fault("hold", "Contacts", when="after")
        self._xero = xero
        self.first: Future[requests.Response] = pool.submit(put, xero, "k")
        while not xero.control("GET", "faults")["faults"][0]["holding"]:
            pass

    def release(self) -> requests.Response:
        self._xero.control("POST", "faults/release")
        return self.first.result()


@pytest.mark.parametrize(("reading", "status"), [("409", 409), ("run", 400)])
def test_while_the_first_call_runs(xero: XeroClient, reading: str, status: int) -> None:
    xero.switch(in_flight=reading)
    with ThreadPoolExecutor() as pool:
        held = Held(xero, pool)
        assert put(xero, "k").status_code == status  # run: tried anew, and the name is taken
        assert held.release().status_code == 200
    assert put(xero, "k").status_code == 200


def test_the_second_may_wait_for_the_first(xero: XeroClient) -> None:
    with ThreadPoolExecutor() as pool:
        held = Held(xero, pool)
        second = pool.submit(put, xero, "k")
        first = held.release()
        assert second.result().content == first.content
    assert count(xero) == 1


def test_a_reset_lets_go_who_waits(xero: XeroClient) -> None:
    with ThreadPoolExecutor() as pool:
        held = Held(xero, pool)
        second = pool.submit(put, xero, "k")
        while xero.control("GET", "limits")["xero"]["concurrent"]["used"] < 2:
            pass
        xero.control("POST", "reset")
        assert held.first.result().status_code == 200
        assert second.result().status_code in {200, 400, 401}  # it may find the reset half done
