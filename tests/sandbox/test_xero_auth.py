"""The token endpoint of `/xero`."""

import pytest
import requests

from .xero_client import XeroClient

DAY = 86_400


def error(answer: requests.Response) -> str:
    assert answer.status_code == 400
    body: dict[str, str] = answer.json()
    assert list(body) == ["error"]
    return body["error"]


# The token endpoint


def test_client_credentials_with_and_without_scope(xero: XeroClient) -> None:
    whole = xero.ask_token(grant_type="client_credentials").json()
    assert set(whole) == {"access_token", "expires_in", "token_type", "scope"}
    assert (whole["expires_in"], whole["token_type"]) == (1800, "Bearer")
    assert whole["access_token"].startswith("eyJ")
    assert {"accounting.settings", "accounting.invoices.read"} <= set(whole["scope"].split())
    assert "accounting.transactions" not in whole["scope"]
    wanted = "accounting.settings.read accounting.contacts"
    assert xero.ask_token(grant_type="client_credentials", scope=wanted).json()["scope"] == wanted


def test_credentials_in_the_form(xero: XeroClient) -> None:
    client_id, secret = xero.custom
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    assert requests.post(xero.token_url, data=form, timeout=20).status_code == 200
    assert error(requests.post(xero.token_url, data=form | {"client_secret": "no"}, timeout=20)) == "invalid_client"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"scope": "accounting.transactions"}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"grant_type": "refresh_token"}, "unauthorized_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
    ],
)
def test_what_a_custom_connection_cannot_ask_for(xero: XeroClient, form: dict[str, str], expected: str) -> None:
    assert error(xero.ask_token(**{"grant_type": "client_credentials", **form})) == expected


def test_wrong_and_empty_credentials(xero: XeroClient) -> None:
    def asked(client_id: str, secret: str) -> str:
        return error(xero.ask_token((client_id, secret), grant_type="client_credentials"))

    client_id, secret = xero.custom
    assert asked(client_id, "wrong") == asked("nobody", secret) == "invalid_client"
    assert asked("", "") == "unauthorized_client"
    xero.switch(wrong_secret="unauthorized_client", empty_id="invalid_request")
    assert asked(client_id, "wrong") == "unauthorized_client"
    assert asked("", "") == "invalid_request"
    broken = {"Authorization": "Basic !"}
    answer = requests.post(xero.token_url, data={"grant_type": "client_credentials"}, headers=broken, timeout=20)
    assert error(answer) == "invalid_request"


def test_the_token_endpoint_takes_a_posted_form_only(xero: XeroClient) -> None:
    assert error(requests.post(xero.token_url, json={}, auth=xero.custom, timeout=20)) == "invalid_request"
    assert requests.get(xero.token_url, timeout=20).status_code == 405


def test_a_refresh_token_is_rotated(xero: XeroClient) -> None:
    first = xero.refresh().json()
    assert set(first) == {"id_token", "access_token", "expires_in", "token_type", "scope", "refresh_token"}
    second = xero.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert second["scope"] == first["scope"]


def test_the_previous_token_works_for_thirty_minutes(xero: XeroClient) -> None:
    old = xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"]
    assert xero.refresh(old).status_code == 200
    xero.advance(29 * 60)
    retried = [xero.refresh(old) for _ in range(3)]
    assert [answer.status_code for answer in retried] == [200] * 3
    xero.advance(2 * 60)
    assert error(xero.refresh(old)) == "invalid_grant"
    assert xero.refresh(retried[-1].json()["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("reading", "status"), [("keeps", 200), ("replaces", 400)])
def test_what_becomes_of_a_lost_token(xero: XeroClient, reading: str, status: int) -> None:
    xero.switch(grace_retry=reading)
    old = xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"]
    lost = xero.refresh(old).json()["refresh_token"]
    kept = xero.refresh(old).json()["refresh_token"]
    assert xero.refresh(lost).status_code == status
    assert xero.refresh(kept).status_code == 200


def test_the_answer_of_a_refresh_is_lost(xero: XeroClient) -> None:
    old = xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"]
    web = xero.web
    xero.fault("drop-after", "connect/token")
    with pytest.raises(requests.exceptions.ConnectionError):
        xero.ask_token(web, grant_type="refresh_token", refresh_token=old)
    assert xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"] != old
    assert xero.refresh(old).status_code == 200
    xero.fault("drop-before", "connect/token")
    with pytest.raises(requests.exceptions.ConnectionError):
        xero.refresh()


def test_an_unused_refresh_token_lives_for_sixty_days(xero: XeroClient) -> None:
    token = xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"]
    xero.advance(59 * DAY)
    token = xero.refresh(token).json()["refresh_token"]
    xero.advance(59 * DAY)
    token = xero.refresh(token).json()["refresh_token"]
    xero.advance(61 * DAY)
    assert error(xero.refresh(token)) == "invalid_grant"


def test_an_unknown_refresh_token(xero: XeroClient) -> None:
    access = xero.refresh().json()["access_token"]
    for token in ("nonsense", access, xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"].upper()):
        assert error(xero.refresh(token)) == "invalid_grant"


def test_a_refresh_may_ask_for_less_but_not_for_more(xero: XeroClient) -> None:
    xero.tokens(consent=True, scope="offline_access accounting.contacts accounting.settings.read")
    narrow = xero.refresh(scope="accounting.contacts").json()
    assert narrow["scope"] == "accounting.contacts"
    assert "id_token" not in narrow
    assert "accounting.settings.read" in xero.refresh(narrow["refresh_token"]).json()["scope"]
    assert error(xero.refresh(scope="accounting.payments")) == "invalid_scope"


def test_a_new_consent_begins_a_new_chain(xero: XeroClient) -> None:
    xero.tokens(revoke=True)
    assert "SYNCCTL_XERO_REFRESH_TOKEN" not in xero.consent()
    xero.tokens(consent=True)
    assert xero.refresh().status_code == 200


def test_orders_about_tokens_that_make_no_sense(xero: XeroClient) -> None:
    for order in ({}, {"burn": True}, {"scope": "x"}):
        answer = xero.ask_control("POST", "tokens", {"service": "xero", **order})
        assert answer.status_code == 400
        assert "revoke" in answer.json()["error"]
