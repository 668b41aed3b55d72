"""What Xero may answer and its sandbox does not, and what the longest list costs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from conftest import Shop, StillClock, Upstream
from contract import connected, ids_of, read
from requests_mock import Mocker

from syncctl.connectors._xero_answers import DAY_SECONDS
from syncctl.connectors.base import Connector
from syncctl.connectors.declared import Rate, Values
from syncctl.connectors.xero import Xero
from syncctl.errors import AnswerError, CredentialsError, DeferredError
from syncctl.models import Kind
from syncctl.oauth.grants import form

HOST = "https://xero.example"
ITEMS = f"{HOST}/api.xro/2.0/Items"
TOKEN = {"access_token": "token-of-the-app", "expires_in": 1800, "token_type": "Bearer"}
SETTINGS = {
    "SYNCCTL_SHOP": "shop",
    "SYNCCTL_CONNECTORS": "xero",
    "SYNCCTL_XERO_BASE_URL": f"{HOST}/api.xro/2.0",
    "SYNCCTL_XERO_AUTH_URL": f"{HOST}/token",
    "SYNCCTL_XERO_CLIENT_ID": "client",
    "SYNCCTL_XERO_CLIENT_SECRET": "of the client",
    "SYNCCTL_XERO_ROLES": "products,stock",
}
GUID = "5b1e0c44-7a1f-4d0e-9a53-%012d"
LEFT = {"X-DayLimit-Remaining": "914", "X-MinLimit-Remaining": "37", "X-AppMinLimit-Remaining": "9941"}
LONGEST = 100_000
VALUES = Values("xero", Xero.base_url, {"CLIENT_ID": "id", "CLIENT_SECRET": "secret", "AUTH_URL": "https://id.example"})
SCOPE = "accounting.settings.read"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    (tmp_path / ".env").touch(mode=0o600)
    return Shop(tmp_path, SETTINGS, Upstream(HOST, "xero"))


@pytest.fixture
def xero(shop: Shop, monkeypatch: pytest.MonkeyPatch, clock: StillClock, requests_mock: Mocker) -> Iterator[Connector]:
    requests_mock.post(f"{HOST}/token", json=TOKEN | {"scope": "accounting.settings.read"})
    with connected(shop, monkeypatch, clock) as connector:
        yield connector


def limited(problem: str, **headers: str) -> dict[str, Any]:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"status_code": 429, "headers": LEFT | {"X-Rate-Limit-Problem": problem} | more}


def test_too_many_calls_at_once_are_a_matter_of_seconds(
    xero: Connector, clock: StillClock, requests_mock: Mocker
) -> None:
    requests_mock.get(ITEMS, [limited("concurrent"), {"json": {"Items": []}}])
    assert read(xero, Kind.PRODUCTS)[0] == []
    assert 1 <= sum(clock.slept) <= 10


@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [
        (limited("day", Retry_After="45461"), 45461),
        (limited("minute", Retry_After="37", X_DayLimit_Remaining="0"), 3600),
        (limited("", X_DayLimit_Remaining="0"), 3600),
    ],
)
def test_a_used_up_day_ends_the_run_at_once(
    xero: Connector, clock: StillClock, requests_mock: Mocker, refusal: dict[str, Any], seconds: int
) -> None:
    asked = requests_mock.get(ITEMS, **refusal)
    with pytest.raises(DeferredError) as caught:
        xero.pull(Kind.PRODUCTS, None)
    assert (asked.call_count, clock.slept) == (1, [])
    assert caught.value.until == clock.time + timedelta(seconds=seconds)


@pytest.mark.parametrize("date", [{}, {"Date": "some day"}])
def test_without_the_service_s_clock_the_newest_change_is_the_stamp(
    xero: Connector, requests_mock: Mocker, date: dict[str, str]
) -> None:
    changed = [{"ItemID": GUID % n, "UpdatedDateUTC": f"/Date({n}+0000)/"} for n in (1795132800123, 5)]
    requests_mock.get(ITEMS, json={"Items": changed}, headers=date)
    cursor = read(xero, Kind.PRODUCTS)[1]
    read(xero, Kind.PRODUCTS, cursor)
    assert requests_mock.request_history[-1].headers["If-Modified-Since"] == "2026-11-19T23:50:00"
    assert "If-Modified-Since" not in requests_mock.request_history[-2].headers


@pytest.mark.parametrize("end", [b'{"ItemID', b"]", b"NaN]}", b"<html>"])
def test_a_long_list_that_breaks_off_is_refused_before_anything_is_made_of_it(
    xero: Connector, requests_mock: Mocker, end: bytes
) -> None:
    requests_mock.get(ITEMS, content=b'{"Items":[' + b'{"ItemID":"one","Code":"A"},' * 200_000 + end)
    with pytest.raises(AnswerError, match="no JSON"):
        xero.pull(Kind.PRODUCTS, None)


def test_an_address_that_shows_another_item_shows_none(xero: Connector, requests_mock: Mocker) -> None:
    wanted, other = GUID % 1, GUID % 2
    requests_mock.get(f"{ITEMS}/{wanted}", json={"Items": [{"ItemID": other, "Code": wanted}]})
    found = xero.lookup(Kind.PRODUCTS, [wanted])
    assert (ids_of(list(found.records)), list(found.missing)) == ([], [wanted])


@pytest.mark.parametrize("body", ['{"Items":{}}', '{"Elements":[]}', "[]", '<?xml version="1.0"?><Response/>'])
def test_an_answer_without_items_is_none(xero: Connector, requests_mock: Mocker, body: str) -> None:
    requests_mock.get(ITEMS, text=body)
    with pytest.raises(AnswerError):
        xero.pull(Kind.PRODUCTS, None)


def test_what_is_no_item_is_told_and_the_rest_goes_on(xero: Connector, requests_mock: Mocker) -> None:
    requests_mock.get(ITEMS, json={"Items": [None, "x", {"Code": "NO ID"}, {"ItemID": GUID % 1, "Code": "A"}]})
    records = read(xero, Kind.PRODUCTS)[0]
    assert ids_of(records) == [GUID % 1]
    assert [str(record)[:60] for record in records[:3]] == [
        "Problem(record='item 1 of the list', message='is not a recor",
        "Problem(record='item 2 of the list', message='is not a recor",
        "Problem(record='item NO ID of the list', message='has no Ite",
    ]


def test_scopes_are_compared_as_whole_words(xero: Connector, requests_mock: Mocker) -> None:
    requests_mock.post(f"{HOST}/token", json=TOKEN | {"scope": "accounting.settings.readonly accounting.contacts"})
    (check,) = xero.check()
    assert (check.level, check.subject) == ("wrong", "scopes")


def test_an_organisation_that_is_not_active_is_told(xero: Connector, requests_mock: Mocker) -> None:
    organisation = {"Name": "Mugs", "CountryCode": "NZ", "BaseCurrency": "NZD", "OrganisationStatus": "SUSPENDED"}
    requests_mock.get(f"{HOST}/api.xro/2.0/Organisation", json={"Organisations": [organisation]})
    warning = next(check for check in xero.check() if check.subject == "organisation")
    assert (warning.level, "Mugs, NZ: its status is SUSPENDED") == ("warning", warning.message)


def test_no_organisation_is_no_answer(xero: Connector, requests_mock: Mocker) -> None:
    requests_mock.get(f"{HOST}/api.xro/2.0/Organisation", json={"Organisations": []})
    with pytest.raises(AnswerError, match="names no organisation"):
        list(xero.check())


@pytest.mark.parametrize(("answer", "error"), [({"text": "{}"}, AnswerError), ({"status_code": 403}, CredentialsError)])
def test_connections_in_another_form_are_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, requests_mock: Mocker, answer: dict[str, Any], error: type[Exception]
) -> None:
    requests_mock.post(f"{HOST}/token", json=TOKEN | {"refresh_token": "second"})
    requests_mock.get(f"{HOST}/connections", **answer)
    shop.extra["SYNCCTL_XERO_REFRESH_TOKEN"] = "first"
    with connected(shop, monkeypatch) as xero, pytest.raises(error):
        list(xero.check())


def rates(**changed: str) -> dict[int | str, tuple[int, int | None]]:
    headers = LEFT | {f"X-{name}-Remaining": value for name, value in changed.items()}
    found: list[Rate] = list(Xero.rates(headers))
    return {rate.window: (rate.remaining, rate.limit) for rate in found}


def test_what_is_left_is_the_lower_of_both_minutes_and_the_day_in_either_window() -> None:
    assert rates() == {60: (37, None), DAY_SECONDS: (914, None), "day": (914, None)}
    assert rates(AppMinLimit="3")[60] == (3, None)
    assert rates(DayLimit="soon", MinLimit="-1", AppMinLimit="") == {}


def test_a_day_with_more_left_than_the_small_plan_has_is_a_large_one() -> None:
    assert rates(DayLimit="1000")["day"] == (1000, 5000)
    assert rates(DayLimit="999")["day"] == (999, None)


@pytest.mark.parametrize(
    ("problem", "left", "asked", "wanted"),
    [
        ("minute", "914", 37, 37),
        ("Minute limit", "914", None, 60),
        ("appminute", "914", None, 60),
        ("concurrent", "914", None, 3),
        ("day", "0", 45461, 45461),
        ("Daily", "0", None, 3600),
        ("DayLimit", "914", None, 3600),
        ("minute", "0", 37, 3600),
        ("concurrent", "0", None, 3600),
        ("", "0", 45461, 45461),
        ("", "914", 20, 20),
        ("", "914", None, None),
    ],
)
def test_how_long_a_limit_lasts(problem: str, left: str, asked: float | None, wanted: float | None) -> None:
    assert Xero.pause({"X-Rate-Limit-Problem": problem, "X-DayLimit-Remaining": left}, asked) == wanted


EXPIRED = '{"Title":"Unauthorized","Status":401,"Detail":"TokenExpired: token expired at 11/20/2026 07:00:40"}'
NOT_ENTITLED = '{"Title":"Unauthorized","Status":401,"Detail":"AuthorizationUnsuccessful"}'
NO_TENANT = '{"Title":"Forbidden","Status":403,"Detail":"AuthenticationUnsuccessful"}'


@pytest.mark.parametrize(
    ("challenge", "body", "expired"),
    [
        ("", EXPIRED, True),
        ("Bearer error=invalid_token", "", True),
        ('Bearer error="invalid_token", error_description="The token expired"', "<html>", True),
        ('Bearer error="insufficent_scope"', NOT_ENTITLED, False),
        ('Bearer error="insufficient_scope"', "", False),
        ("Bearer", NOT_ENTITLED, False),
        ("", NO_TENANT, False),
        ("", '["TokenExpired"]', False),
    ],
)
def test_which_refusals_a_new_token_mends(challenge: str, body: str, expired: bool) -> None:
    assert Xero.token_expired({"WWW-Authenticate": challenge}, body) is expired


def test_remedies_name_the_scope_or_the_setting() -> None:
    assert SCOPE in Xero.remedy(VALUES, {"WWW-Authenticate": 'Bearer error="insufficent_scope"'}, "")
    assert SCOPE in Xero.remedy(VALUES, {}, NOT_ENTITLED)
    chosen = Xero.remedy(settings(REFRESH_TOKEN="first"), {}, NO_TENANT)
    assert "Check SYNCCTL_XERO_TENANT_ID" in chosen
    assert "syncctl doctor shows the ids" in chosen
    assert Xero.remedy(VALUES, {}, EXPIRED) == Xero.remedy(VALUES, {}, "<p>no</p>") == ""


def test_of_a_custom_connection_nobody_is_asked_to_choose_an_organisation() -> None:
    said = Xero.remedy(VALUES, {}, NO_TENANT)
    assert "Have the custom connection authorised again" in said
    assert "TENANT_ID" not in said
    assert "doctor" not in said
    assert "SYNCCTL_XERO_TENANT_ID may go" in Xero.remedy(settings(TENANT_ID=GUID % 1), {}, NO_TENANT)


VALIDATION = (
    '{"ErrorNumber":10,"Type":"ValidationException","Message":"A validation exception occurred","Elements":['
    '{"Code":"A","ValidationErrors":[{"Message":"Account must be valid."},{"Message":"Tax rate must be valid."}]},'
    '{"ValidationErrors":null},{"ValidationErrors":7},{"ValidationErrors":["odd"]},5]}'
)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (VALIDATION, "Account must be valid.; Tax rate must be valid."),
        ('{"ErrorNumber":14,"Type":"PostDataInvalidException","Message":"Error converting"}', "Error converting"),
        (NO_TENANT, "AuthenticationUnsuccessful"),
        ('{"Title":"Too Many Requests"}', "Too Many Requests"),
        ("The Xero API is currently offline for maintenance", "The Xero API is currently offline for maintenance"),
        ("<html><title>404</title><p>It cannot be found</p>", "404 It cannot be found"),
        ('{"Elements":{},"Message":"two\\nlines"}', "two lines"),
        ("[]", "[]"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_service_is_quoted_whatever_form_it_speaks_in(body: str, words: str) -> None:
    assert Xero.service_words(body) == words


def settings(**more: str) -> Values:
    return Values("xero", Xero.base_url, {**VALUES.settings, **more})


def test_a_custom_connection_asks_with_its_credentials_alone() -> None:
    grant = Xero.grant(settings())
    assert (form(grant, ""), grant.basic) == ({"grant_type": "client_credentials"}, ("id", "secret"))
    assert (grant.url, grant.refresh_token) == ("https://id.example", None)


def test_a_refresh_token_begins_a_chain_with_half_an_hour_of_grace() -> None:
    grant = Xero.grant(settings(REFRESH_TOKEN="first"))
    assert form(grant, "first") == {"grant_type": "refresh_token", "refresh_token": "first"}
    assert (grant.refresh_token, grant.grace) == ("first", 1800)


@pytest.mark.parametrize(("tenant", "sent"), [({}, None), ({"TENANT_ID": "1b2c"}, "1b2c")])
def test_the_organisation_is_named_only_where_one_is_set(tenant: dict[str, str], sent: str | None) -> None:
    request = requests.Request("GET", "https://api.example/Items", auth=Xero.auth(settings(**tenant))).prepare()
    assert request.headers.get("xero-tenant-id") == sent
    assert request.headers["Accept"] == "application/json"


class LongList(BaseHTTPRequestHandler):
    """A Xero with as many items as there may be, made up as they are sent."""

    ITEM = json.dumps(
        {
            "ItemID": GUID,
            "Code": "SKU-%d",
            "Description": "long words " * 20,
            "UpdatedDateUTC": "/Date(1795132800123+0000)/",
            "SalesDetails": {"UnitPrice": 11.5, "AccountCode": "200", "TaxType": "OUTPUT2"},
            "IsTrackedAsInventory": True,
            "QuantityOnHand": 3.5,
        }
    )

    def do_POST(self) -> None:
        self._say(json.dumps(TOKEN))

    def do_GET(self) -> None:
        self._say('{"Items":[', *(f"{self.ITEM % (n, n)}," for n in range(1, LONGEST)), self.ITEM % (0, 0), "]}")

    def _say(self, *parts: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.writelines(part.encode() for part in parts)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silent."""


@pytest.fixture
def long_list() -> Iterator[str]:
    """The address of the long list."""
    server = HTTPServer(("127.0.0.1", 0), LongList)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell the memory")
def test_a_hundred_thousand_items_are_not_held_in_memory(shop: Shop, long_list: str) -> None:
    """In a process of its own: what the tests hold counts not."""
    own = {
        "SYNCCTL_STATE": str(shop.state),
        "SYNCCTL_XERO_BASE_URL": f"{long_list}/api.xro/2.0",
        "SYNCCTL_XERO_AUTH_URL": f"{long_list}/token",
    }
    command = [sys.executable, str(Path(__file__).with_name("read_all.py"))]
    run = subprocess.run(command, env=SETTINGS | own, cwd=shop.folder, capture_output=True, text=True, check=True)
    records, kilobytes = map(int, run.stdout.split())
    assert records == 2 * LONGEST
    assert kilobytes < 80_000
