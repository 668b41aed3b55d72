"""What a token opens at `/xero`: its life, tenants, scopes and connections."""

import re

import pytest
import requests

from .xero_client import XeroClient


def detail(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()
    assert list(body) == ["Type", "Title", "Status", "Detail", "Instance", "Extensions"]
    assert body["Status"] == answer.status_code
    return answer.status_code, body["Detail"]


# Access tokens


def test_an_access_token_lives_for_thirty_minutes(xero: XeroClient) -> None:
    token = xero.log_in()
    xero.advance(29 * 60 + 50)
    assert xero.status("/Organisation", token=token) == 200
    xero.advance(20)
    answer = xero.call("/Organisation", token=token)
    status, text = detail(answer)
    assert status == 401
    assert re.fullmatch(r"TokenExpired: token expired at \d\d/\d\d/\d{4} \d\d:\d\d:\d\d", text)
    assert answer.headers["WWW-Authenticate"] == "Bearer error=invalid_token"
    assert "X-DayLimit-Remaining" not in answer.headers


def test_tokens_are_made_to_expire(xero: XeroClient) -> None:
    xero.call("/Organisation")
    xero.tokens(expire=True)
    assert detail(xero.call("/Organisation"))[1].startswith("TokenExpired")
    assert xero.status("/Organisation", token=xero.log_in()) == 200


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "Bearer nonsense"])
def test_no_token_or_none_of_ours(xero: XeroClient, header: str) -> None:
    asked = {"Authorization": header}
    assert detail(xero.call("/Items", headers=asked)) == (401, "AuthenticationUnsuccessful")
    xero.switch(no_token="AuthorizationUnsuccessful")
    assert detail(xero.call("/Items", headers=asked)) == (401, "AuthorizationUnsuccessful")


def test_a_refresh_token_is_no_access_token(xero: XeroClient) -> None:
    assert xero.status("/Items", token=xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"]) == 401


# Tenants


def tenant(xero: XeroClient) -> str:
    return xero.consent()["SYNCCTL_XERO_TENANT_ID"]


def test_a_custom_connection_needs_no_tenant(xero: XeroClient) -> None:
    for header in ({}, {"xero-tenant-id": ""}, {"xero-tenant-id": tenant(xero).upper()}):
        assert xero.status("/Organisation", headers=header) == 200
    answer = xero.call("/Organisation", headers={"xero-tenant-id": "another"})
    assert detail(answer) == (403, "AuthenticationUnsuccessful")


def test_the_other_app_needs_the_tenant(xero: XeroClient) -> None:
    token = xero.refresh().json()["access_token"]
    assert xero.status("/Organisation", token=token, headers={"xero-tenant-id": tenant(xero)}) == 200
    for header in ({}, {"xero-tenant-id": ""}, {"xero-tenant-id": "another"}):
        assert detail(xero.call("/Organisation", token=token, headers=header))[0] == 403


def test_revoking_leaves_nothing(xero: XeroClient) -> None:
    token = xero.refresh().json()["access_token"]
    refresh = xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"]
    named = {"xero-tenant-id": tenant(xero)}
    xero.call("/Organisation")
    xero.tokens(revoke=True)
    assert xero.refresh(refresh).json() == {"error": "invalid_grant"}
    assert detail(xero.call("/Organisation", token=token, headers=named)) == (403, "AuthenticationUnsuccessful")
    assert detail(xero.call("/Organisation"))[0] == 403
    assert xero.status("/Organisation", token=xero.log_in()) == 403
    xero.switch(revoked_custom="unauthorized_client")
    assert xero.ask_token(grant_type="client_credentials").json() == {"error": "unauthorized_client"}
    xero.tokens(consent=True)
    assert xero.status("/Organisation") == 200


def test_the_revocation_endpoint(xero: XeroClient) -> None:
    refresh = xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"]
    url = f"{xero.root}/connect/revocation"
    assert requests.post(url, data={"token": refresh}, auth=xero.custom, timeout=20).status_code == 200
    assert xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"] == refresh  # not that app's token
    answer = requests.post(url, data={"token": refresh}, auth=xero.web, timeout=20)
    assert (answer.status_code, answer.content) == (200, b"")
    assert xero.refresh(refresh).json() == {"error": "invalid_grant"}
    assert xero.status("/Organisation") == 200  # the custom connection is another one


# Scopes


def test_a_missing_scope(xero: XeroClient) -> None:
    token = xero.log_in(scope="accounting.contacts accounting.invoices.read")
    assert xero.status("/Items", token=token) == 200
    for path in ("/Organisation", "/Accounts", "/TaxRates"):
        answer = xero.call(path, token=token)
        assert detail(answer) == (401, "AuthorizationUnsuccessful")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficent_scope"'
    xero.switch(missing_scope="403", scope_challenge="insufficient_scope")
    answer = xero.call("/Accounts", token=token)
    assert detail(answer)[0] == 403
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
    assert xero.status("/Items", token=xero.log_in(scope="accounting.settings.read")) == 200


@pytest.mark.parametrize(
    ("which", "statuses"), [("all", [200, 200]), ("no_settings", [200, 401]), ("contacts_only", [401, 401])]
)
def test_an_app_without_some_scope(xero: XeroClient, which: str, statuses: list[int]) -> None:
    xero.switch(app_scopes=which)
    token = xero.log_in()
    assert [xero.status(path, token=token) for path in ("/Items", "/TaxRates")] == statuses
    asked = xero.ask_token(grant_type="client_credentials", scope="accounting.settings.read")
    assert asked.status_code == (200 if which == "all" else 400)


# Connections


@pytest.mark.parametrize("path", ["//connections", "//Connections"])
def test_connections(xero: XeroClient, path: str) -> None:
    token = xero.refresh().json()["access_token"]
    answer = xero.call(path, token=token)
    (connection,) = answer.json()
    assert connection["tenantId"] == tenant(xero)
    assert (connection["tenantType"], connection["tenantName"]) == ("ORGANISATION", "Demo Homeware Ltd")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}", connection["createdDateUtc"])
    assert "X-AppMinLimit-Remaining" in answer.headers
    assert "X-DayLimit-Remaining" not in answer.headers
    assert xero.call(f"{path}?authEventId={connection['authEventId']}", token=token).json() == [connection]
    assert xero.call(f"{path}?authEventId=another", token=token).json() == []


def test_connections_of_a_custom_connection(xero: XeroClient) -> None:
    assert detail(xero.call("//connections")) == (403, "AuthenticationUnsuccessful")
    xero.switch(connections="list")
    assert [each["tenantId"] for each in xero.call("//connections").json()] == [tenant(xero)]


def test_a_connection_is_deleted(xero: XeroClient) -> None:
    token = xero.refresh().json()["access_token"]
    (connection,) = xero.call("//connections", token=token).json()
    path = f"//connections/{connection['id']}"
    assert xero.status(path, method="DELETE", token=token) == 204
    assert xero.status(path, method="DELETE", token=token) == 404
    assert xero.call("//connections", token=token).json() == []
    assert xero.status("/Items", token=token, headers={"xero-tenant-id": tenant(xero)}) == 403
    assert xero.status("//connections", method="POST", token=token) == 501


@pytest.mark.parametrize(("cost", "left"), [("free", "999"), ("day", "998")])
def test_whether_connections_cost_a_call_of_the_day(xero: XeroClient, cost: str, left: str) -> None:
    xero.switch(connections_cost=cost)
    xero.call("//connections")
    assert xero.call("/Organisation").headers["X-DayLimit-Remaining"] == left
