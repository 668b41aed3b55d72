"""The pages on which a person lets an app in, of `/xero` and of `/vend`, and the codes that come back."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from .vend_client import VendClient
from .xero_client import XeroClient

BACK = "http://localhost:8765/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
XERO_SCOPES = "offline_access accounting.settings.read accounting.contacts"
VEND_SCOPES = "products:read inventory:read"


def returned(answer: requests.Response) -> dict[str, str]:
    """What the browser brings back to the app."""
    assert answer.status_code == 302, answer.text
    place, _, query = answer.headers["Location"].partition("?")
    assert place == BACK
    return {name: values[0] for name, values in parse_qs(query).items()}


class XeroPage:
    """The page of `/xero`, as the browser of a person has it."""

    def __init__(self, xero: XeroClient) -> None:
        self.xero = xero
        xero.switch(consent="allow")
        self.app = xero.web

    def open(self, **wish: str) -> requests.Response:
        asked = {"response_type": "code", "client_id": self.app[0], "redirect_uri": BACK, "state": "s-1"}
        url = f"{self.xero.root}/identity/connect/authorize"
        return requests.get(url, params=asked | {"scope": XERO_SCOPES} | wish, allow_redirects=False, timeout=20)

    def code(self, **wish: str) -> str:
        return returned(self.open(**wish))["code"]

    def redeem(self, code: str, **form: str) -> requests.Response:
        told = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        return self.xero.ask_token(self.app, **told | form)


@pytest.fixture
def page(xero: XeroClient) -> XeroPage:
    return XeroPage(xero)


def test_a_page_asks_and_a_button_answers(xero: XeroClient, page: XeroPage) -> None:
    xero.switch(consent="page")
    shown = page.open()
    assert shown.status_code == 200
    assert "accounting.settings.read" in shown.text
    for button, expected in (("allow", "code"), ("deny", "error")):
        pressed = requests.post(shown.url, data={"decision": button}, allow_redirects=False, timeout=20)
        assert {"state", expected} <= set(returned(pressed))
    assert returned(pressed) == {"error": "access_denied", "state": "s-1"}


def test_a_code_of_xeros_gives_tokens_once(xero: XeroClient, page: XeroPage) -> None:
    code = page.code()
    tokens = page.redeem(code).json()
    assert tokens["scope"] == XERO_SCOPES
    assert xero.refresh(tokens["refresh_token"]).status_code == 200
    assert page.redeem(code).json() == {"error": "invalid_grant"}


def test_without_offline_access_there_is_no_refresh_token(page: XeroPage) -> None:
    assert "refresh_token" not in page.redeem(page.code(scope="accounting.contacts")).json()


def test_a_code_of_xeros_lives_for_five_minutes(xero: XeroClient, page: XeroPage) -> None:
    for seconds, status in ((295, 200), (301, 400)):
        code = page.code()
        xero.advance(seconds)
        assert page.redeem(code).status_code == status


def test_a_code_is_tied_to_its_redirect_address(page: XeroPage) -> None:
    assert page.redeem(page.code(), redirect_uri=BACK + "/").json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    "wish",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "http://127.0.0.1:8765/callback"},
        {"redirect_uri": "http://shop.example/callback"},
        {"redirect_uri": ""},
    ],
)
def test_an_untrusted_wish_stays_at_xero(page: XeroPage, wish: dict[str, str]) -> None:
    assert page.open(**wish).status_code == 400


def test_a_custom_connection_has_no_page(xero: XeroClient, page: XeroPage) -> None:
    assert page.open(client_id=xero.custom[0]).status_code == 400


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"scope": "accounting.transactions"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_wrong_wish_comes_back_from_xero(page: XeroPage, wish: dict[str, str], error: str) -> None:
    assert returned(page.open(**wish))["error"] == error


def test_an_app_without_a_secret_proves_itself(xero: XeroClient, page: XeroPage) -> None:
    native = xero.control("GET", "tokens")["xero"]["native"]["SYNCCTL_XERO_CLIENT_ID"]
    page.app = (native, "")
    assert returned(page.open())["error"] == "invalid_request", "a challenge is required"
    wish = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    for verifier, status in ((VERIFIER, 200), ("w" * 43, 400), ("", 400)):
        form = {"client_id": native, "redirect_uri": BACK, "code_verifier": verifier}
        form |= {"grant_type": "authorization_code", "code": page.code(**wish)}
        assert requests.post(xero.token_url, data=form, timeout=20).status_code == status


def test_a_consent_connects_the_app_again(xero: XeroClient, page: XeroPage) -> None:
    xero.control("POST", "tokens", {"service": "xero", "revoke": True})
    token = page.redeem(page.code()).json()["access_token"]
    (connection,) = xero.call("//connections", token=token).json()
    xero.switch(organisations="2")
    both = xero.call("//connections", token=token).json()
    assert connection in both
    assert len({each["tenantId"] for each in both}) == 2


class VendPage:
    """The page of `/vend`."""

    def __init__(self, vend: VendClient) -> None:
        self.vend = vend
        self.keys = vend.tokens()
        self.switch(consent="allow")

    def switch(self, **values: str) -> None:
        self.vend.control("POST", "switches", {"vend": values})

    def open(self, **wish: str) -> requests.Response:
        asked = {"response_type": "code", "client_id": self.keys["client_id"], "redirect_uri": BACK}
        asked |= {"state": "state-of-8", "scope": VEND_SCOPES} | wish
        return requests.get(f"{self.vend.base}/connect", params=asked, allow_redirects=False, timeout=20)

    def redeem(self, code: str = "", **form: str) -> Any:
        code = code or returned(self.open())["code"]
        told = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        told |= {name: self.keys[name] for name in ("client_id", "client_secret")}
        return requests.post(f"{self.vend.base}/api/1.0/token", data=told | form, timeout=20)


@pytest.fixture
def till(vend: VendClient) -> VendPage:
    return VendPage(vend)


def test_a_code_of_vends_gives_a_pair_once(till: VendPage) -> None:
    back = returned(till.open())
    assert (back["domain_prefix"], back["scope"], back["state"]) == ("demo", VEND_SCOPES, "state-of-8")
    pair = till.redeem(back["code"]).json()
    assert (pair["scope"], pair["domain_prefix"]) == (VEND_SCOPES, "demo")
    assert till.vend.refresh(pair["refresh_token"]).status_code == 200
    assert till.redeem(back["code"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("form", [{"redirect_uri": "http://localhost:1/callback"}, {"code": "none"}])
def test_a_code_of_vends_that_does_not_fit(till: VendPage, form: dict[str, str]) -> None:
    assert till.redeem(**form).json()["error"] == "invalid_grant"


def test_a_code_of_vends_lives_for_ten_minutes(till: VendPage) -> None:
    code = returned(till.open())["code"]
    till.vend.control("POST", "clock", {"advance": 601})
    assert till.redeem(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("wish", "error"), [({"scope": ""}, "invalid_scope"), ({"state": "short"}, "invalid_request")])
def test_a_wrong_wish_comes_back_from_vend(till: VendPage, wish: dict[str, str], error: str) -> None:
    assert returned(till.open(**wish))["error"] == error


def test_a_person_may_give_less_choose_another_store_or_refuse(till: VendPage) -> None:
    till.switch(consent_grants="fewer", consent_store="other")
    back = returned(till.open())
    assert (back["scope"], back["domain_prefix"]) == ("products:read", "demo-two")
    till.switch(consent="deny")
    assert returned(till.open())["error"] == "access_denied"


def test_the_page_of_vend_shows_what_is_asked(till: VendPage) -> None:
    till.switch(consent="page")
    shown = till.open()
    assert "inventory:read" in shown.text
    pressed = requests.post(shown.url, data={"decision": "allow"}, allow_redirects=False, timeout=20)
    assert urlsplit(pressed.headers["Location"]).path == "/callback"
