"""A call that changes something: sent once, and what nobody knows is said to be unknown."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from conftest import Shop, StillClock
from contract import connected

from syncctl.connectors.base import Connector
from syncctl.errors import CredentialsError, RefusedError, RunError, UnavailableError, UnknownOutcomeError

GUID = str(uuid.UUID(int=7))
PATH = f"/Products/{GUID}"
MUG = {"Guid": GUID, "ProductCode": "WRITTEN", "ProductDescription": "Mug"}


@pytest.fixture
def connector(shop: Shop, monkeypatch: pytest.MonkeyPatch, clock: StillClock) -> Iterator[Connector]:
    with connected(shop, monkeypatch, clock) as found:
        yield found


def fault(shop: Shop, kind: str, **more: object) -> None:
    shop.upstream.fault(kind, match={"method": "POST", "path": "/Products"}, **more)  # type: ignore[arg-type]


def failure(connector: Connector, path: str = PATH) -> RunError:
    with pytest.raises(RunError) as caught:
        connector.http.write("POST", path, MUG)
    return caught.value


def stored(shop: Shop) -> int:
    records = shop.upstream.request("GET", "records/unleashed/products")["records"]
    return sum(record["ProductCode"] == "WRITTEN" for record in records)


@pytest.mark.parametrize(
    ("kind", "there"),
    [("500", 0), ("503-text", 0), ("drop-before", 0), ("drop-after", 1), ("truncated", 1)],
)
def test_a_lost_answer_is_an_unknown_outcome_and_nothing_is_sent_again(
    shop: Shop, connector: Connector, kind: str, there: int
) -> None:
    fault(shop, kind)
    before = shop.upstream.calls()
    error = failure(connector)
    assert type(error) is UnknownOutcomeError
    assert error.call == shop.value("SELECT max(id) FROM calls")
    assert (shop.upstream.calls() - before, stored(shop)) == (1, there)


def test_a_limit_is_certain_and_it_is_sent_again(shop: Shop, connector: Connector) -> None:
    fault(shop, "429", retry_after=1)
    assert connector.http.write("POST", PATH, MUG).json()["ProductCode"] == "WRITTEN"
    assert stored(shop) == 1


def test_what_was_never_sent_is_no_unknown_outcome(connector: Connector) -> None:
    error = failure(connector, "http://127.0.0.1:1/Products")
    assert type(error) is UnavailableError


def test_a_refusal_tells_what_the_service_says(shop: Shop, connector: Connector) -> None:
    with pytest.raises(RefusedError) as caught:
        connector.http.write("POST", PATH, {"Guid": GUID})
    assert "ProductCode" in caught.value.body


def test_refused_credentials_are_certain(shop: Shop, connector: Connector) -> None:
    fault(shop, "403")
    assert type(failure(connector)) is CredentialsError
