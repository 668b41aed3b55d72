"""Credentials, routing, lookups, limits: what is the same for every resource."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from syncctl.sandbox import Sandbox

from .client import Client

COLON = "/Products?modifiedSince=2026-11-01T00%3A00%3A00&pageSize=1"


def signed(client: Client, query: str) -> int:
    """The status of a call whose signature is over `query`."""
    return client.call("GET", COLON, headers=client.headers(query)).status_code


def test_the_decoded_query_is_signed(client: Client) -> None:
    encoded = COLON.partition("?")[2]
    decoded = encoded.replace("%3A", ":")
    outcomes = {"decoded": (200, 403), "encoded": (403, 200), "either": (200, 200)}
    for form, expected in outcomes.items():
        client.switch(signature=form)
        assert (signed(client, decoded), signed(client, encoded)) == expected
        assert signed(client, "something else") == 403


def test_a_plus_is_not_a_space_to_the_signature(client: Client) -> None:
    target = "/Customers?customerName=Two+Words"
    assert client.call("GET", target, headers=client.headers("customerName=Two+Words")).status_code == 200
    assert client.call("GET", target, headers=client.headers("customerName=Two Words")).status_code == 403


def test_published_examples_of_signatures(client: Client) -> None:
    header = client.headers("modifiedSince=2026-11-01T00:00:00&pageSize=200")
    assert header["api-auth-signature"] == "Y34Z0VmW/BMYoQbkQ8sxDCTm/8YUsaNymncSPyYYRxs="


@pytest.mark.parametrize(
    "headers", [{"api-auth-id": "nobody"}, {"api-auth-signature": ""}, {"api-auth-signature": "ü"}]
)
def test_wrong_credentials_are_a_403(client: Client, headers: dict[str, str]) -> None:
    encoded = {name: value.encode() for name, value in headers.items()}
    assert client.call("GET", "/Products", headers=encoded).status_code == 403


def test_client_type_optional_or_required(client: Client) -> None:
    assert client.status("GET", "/Taxes") == 200
    client.switch(client_type="required")
    assert client.status("GET", "/Taxes") == 403
    assert client.call("GET", "/Taxes", headers={"client-type": "shop/syncctl"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/SalesOrder", 404),
        ("GET", "/", 404),
        ("GET", "/Products/MUG", 404),
        ("DELETE", "/Products", 405),
        ("PATCH", "/Customers", 405),
        ("OPTIONS", "/Customers", 405),
    ],
)
def test_unknown_paths_and_methods(client: Client, method: str, path: str, status: int) -> None:
    assert client.status(method, path) == status


def test_lookups(client: Client) -> None:
    warehouses = client.get("/Warehouses?pageSize=1000")
    assert warehouses["Pagination"]["NumberOfItems"] == 3
    assert [w["WarehouseCode"] for w in warehouses["Items"] if w["IsDefault"]] == ["MAIN"]
    assert client.get(f"/Warehouses/{warehouses['Items'][0]['Guid']}") == warehouses["Items"][0]
    assert {tax["TaxCode"]: tax["TaxRate"] for tax in client.items("/Taxes")}["G.S.T."] == 0.15
    assert client.items("/Currencies")[0]["CurrencyCode"] == "NZD"
    assert set(client.get("/PaymentTerms")) == {"Items"}
    assert client.items("/Companies")[0]["BaseCurrencyCode"] == "NZD"
    assert client.status("GET", "/Taxes/7d3c2a10-5b1e-5c55-9a3a-1f0c6f5e0001") == 404


def test_other_prefixes_are_named(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.url}/vendhq/Products", timeout=20)
    assert answer.status_code == 404
    assert "/unleashed" in answer.json()["error"]


def test_the_month_is_used_up_until_the_first(client: Client) -> None:
    client.control("POST", "quota", {"service": "unleashed", "used": 124_999})
    assert client.status("GET", "/Taxes") == 200
    blocked = client.call("GET", "/Taxes")
    assert blocked.status_code == 429
    assert blocked.json()["Description"] == "API usage limit reached"
    client.switch(month_answer=403)
    assert client.status("GET", "/Taxes") == 403
    client.control("POST", "clock", {"advance": 32 * 86400})
    assert client.status("GET", "/Taxes") == 200
    assert client.control("GET", "limits")["unleashed"]["month"] == {"limit": 125_000, "used": 1}


def test_calls_without_credentials_do_not_count(client: Client) -> None:
    client.call("GET", "/Taxes", headers={"api-auth-signature": "wrong"})
    assert client.control("GET", "limits")["unleashed"]["month"]["used"] == 0


def test_a_limit_per_minute_rolls(client: Client) -> None:
    assert client.control("GET", "limits")["unleashed"]["minute"]["limit"] is None
    client.control("POST", "limits", {"unleashed": {"minute": 2}})
    assert [client.status("GET", "/Taxes") for _ in range(3)] == [200, 200, 429]
    assert client.call("GET", "/Taxes").content == b""
    client.control("POST", "clock", {"advance": 61})
    assert client.status("GET", "/Taxes") == 200
    client.control("POST", "limits", {"unleashed": {"minute": None}})
    assert [client.status("GET", "/Taxes") for _ in range(3)] == [200] * 3


def test_retry_after_absent_in_seconds_or_as_a_date(client: Client) -> None:
    client.control("POST", "limits", {"unleashed": {"minute": 0}})
    assert "Retry-After" not in client.call("GET", "/Taxes").headers
    client.switch(retry_after="seconds")
    assert client.call("GET", "/Taxes").headers["Retry-After"] == "60"
    client.switch(retry_after="date")
    answer = client.call("GET", "/Taxes").headers
    wait = parsedate_to_datetime(answer["Retry-After"]) - parsedate_to_datetime(answer["Date"])
    assert 58 <= wait.total_seconds() <= 61


def test_the_date_header_follows_the_clock(client: Client) -> None:
    client.control("POST", "clock", {"advance": -86400 * 365})
    dated = parsedate_to_datetime(client.call("GET", "/Taxes").headers["Date"])
    assert timedelta(days=364) < datetime.now(UTC) - dated < timedelta(days=366)
