"""What a person says to be posted is looked up in the service, where that can be asked."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Result, Shop
from offices import FORMS, Office, opened
from posting import order, place

VOIDED = {"unleashed": {"OrderStatus": "Deleted"}, "vend": {"state": "voided"}, "xero": {"Status": "VOIDED"}}


@pytest.fixture(params=FORMS)
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """Where an order stands of which the queue knows no more than that it was given up."""
    with opened(request.param, tmp_path) as office:
        place(office.shop, order("1"))
        assert office.run().only()["posted"] == 1
        office.shop.write("UPDATE outbox SET state = 'gave_up', remote_id = '' WHERE kind = 'orders'")
        yield office


@pytest.fixture
def shop(office: Office) -> Shop:
    return office.shop


def stored(office: Office) -> str:
    (record,) = office.posted()["1"]
    found: str = record[office.form.id]
    return found


def settle(office: Office, remote_id: str, **values: str) -> Result:
    number = office.shop.value("SELECT id FROM outbox WHERE kind = 'orders'")
    return office.shop.run("queue", "settle", str(number), "--remote-id", remote_id, **office.settings(**values))


def state(office: Office) -> str:
    found: str = office.shop.value("SELECT state FROM outbox WHERE kind = 'orders'")
    return found


def test_an_order_that_is_there_is_believed_after_one_call(office: Office) -> None:
    calls = office.upstream.calls()
    result = settle(office, stored(office).upper())
    assert (result.code, result.err, state(office)) == (0, "", "done")
    assert office.upstream.calls() - calls == 1


@pytest.mark.parametrize("strange", ["unknown", "customer", "no id"])
def test_an_id_that_no_order_has_is_refused(office: Office, strange: str) -> None:
    customers = [value for record in office.records("customers") for value in record.values()]
    is_id = next(each for each in customers if isinstance(each, str) and len(each) == 36)
    remote_id = {"unknown": str(uuid.uuid4()), "customer": is_id, "no id": "SO/77 & more"}[strange]
    result = settle(office, remote_id)
    assert (result.code, state(office)) == (65, "gave_up")
    assert f"{office.name} has no order with the id {remote_id}" in result.err


def test_an_order_that_is_voided_there_is_refused(office: Office) -> None:
    remote_id = stored(office)
    office.change("1", **VOIDED[office.name])
    result = settle(office, remote_id)
    assert (result.code, state(office)) == (65, "gave_up")
    assert "syncctl queue drop" in result.err


def test_who_has_no_calls_left_is_told_and_the_person_believed(office: Office) -> None:
    result = settle(office, "so-77", LIMITS="1/day")
    assert (result.code, state(office)) == (0, "done")
    assert f"{office.name} was not asked whether it has so-77" in result.err


def test_so_it_is_while_nobody_understands_the_service(office: Office) -> None:
    office.upstream.fault("garbage", times=9)
    result = settle(office, "so-77")
    assert (result.code, state(office)) == (0, "done")
    assert f"{office.name} was not asked whether it has so-77: " in result.err


def test_of_a_connector_that_is_not_configured_any_more_the_person_is_believed(office: Office) -> None:
    office.shop.write("UPDATE outbox SET connector = 'former'")
    assert "former was not asked whether it has so-77: --connector: there is no former" in settle(office, "so-77").err
    assert state(office) == "done"
