"""An independent client, xero-python from PyPI, reads: another reading of the same API."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from .xero_client import XeroClient

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it was written for is some Pythons ago
    from xero_python.accounting import AccountingApi
    from xero_python.api_client import ApiClient
    from xero_python.api_client.configuration import Configuration
    from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
    from xero_python.exceptions import HTTPStatusException
    from xero_python.identity import IdentityApi


class Keeper:
    """Keeps the tokens of one app, as the library wants it."""

    def __init__(self, xero: XeroClient, app: tuple[str, str]) -> None:
        self.token: dict[str, Any] = {}
        settings = OAuth2Token(client_id=app[0], client_secret=app[1])
        getter: Callable[[], dict[str, Any]] = lambda: self.token  # noqa: E731
        self.client = ApiClient(
            Configuration(oauth2_token=settings), oauth2_token_getter=getter, oauth2_token_saver=self.save
        )
        self.tokens = TokenApi(self.client, *app)
        self.accounting = AccountingApi(self.client, base_url=xero.base)
        self.identity = IdentityApi(self.client, base_url=xero.root)

    def save(self, token: dict[str, Any]) -> None:
        self.token = token


@pytest.fixture(autouse=True)
def here(xero: XeroClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenApi, "client_credentials_token_url", xero.token_url)
    monkeypatch.setattr(TokenApi, "refresh_token_url", xero.token_url)
    monkeypatch.setattr(TokenApi, "revoke_token_url", f"{xero.root}/connect/revocation")


@contextmanager
def kept(xero: XeroClient, app: tuple[str, str]) -> Iterator[Keeper]:
    keeper = Keeper(xero, app)
    try:
        yield keeper
    finally:
        keeper.client.rest_client.pool_manager.clear()


@pytest.fixture
def custom(xero: XeroClient) -> Iterator[Keeper]:
    with kept(xero, xero.custom) as keeper:
        keeper.token = keeper.tokens.get_client_credentials_token(app_store_billing=False)
        yield keeper


@pytest.fixture
def web(xero: XeroClient) -> Iterator[Keeper]:
    with kept(xero, xero.web) as keeper:
        refresh = xero.consent()["SYNCCTL_XERO_REFRESH_TOKEN"]
        keeper.token = keeper.tokens.refresh_token(refresh, ["offline_access", "accounting.settings.read"])
        yield keeper


def test_it_reads_the_items(custom: Keeper, xero: XeroClient) -> None:
    items = custom.accounting.get_items("", unitdp=4).items
    ours = {item["ItemID"]: item for item in xero.items("?unitdp=4")}
    assert {item.item_id for item in items} == set(ours)
    for item in items:
        assert item.code == ours[item.item_id]["Code"]
        assert item.quantity_on_hand == ours[item.item_id].get("QuantityOnHand")
        if item.sales_details.unit_price is not None:
            assert f"{item.sales_details.unit_price:f}" == f"{ours[item.item_id]['SalesDetails']['UnitPrice']:.4f}"
    assert any(isinstance(item.quantity_on_hand, Decimal) for item in items)


def test_it_reads_what_changed(custom: Keeper, xero: XeroClient) -> None:
    mark = datetime.now(UTC)
    xero.advance(60)
    xero.plant({"Code": "MUG", "Name": "Bigger mug"})
    (item,) = custom.accounting.get_items("", if_modified_since=mark).items
    assert (item.name, item.updated_date_utc.tzinfo is not None) == ("Bigger mug", True)


def test_it_reads_one_item_by_its_code(custom: Keeper) -> None:
    assert custom.accounting.get_item("", "TEA POT").items[0].code == "TEA POT"
    with pytest.raises(HTTPStatusException):
        custom.accounting.get_item("", "NOPE")


def test_it_reads_the_small_lists(custom: Keeper) -> None:
    (organisation,) = custom.accounting.get_organisations("").organisations
    assert (organisation.name, str(organisation.base_currency.value)) == ("Demo Homeware Ltd", "NZD")
    accounts = custom.accounting.get_accounts("", where='Status=="ACTIVE"').accounts
    assert {account.type.value for account in accounts} >= {"BANK", "REVENUE", "INVENTORY", "DIRECTCOSTS"}
    rates = {rate.tax_type: rate.effective_rate for rate in custom.accounting.get_tax_rates("").tax_rates}
    assert rates["OUTPUT2"] == 15
    actions = custom.accounting.get_organisation_actions("").actions
    assert "UseMulticurrency" in {action.name for action in actions}


def test_it_finds_the_tenant_and_reads_with_it(web: Keeper) -> None:
    (connection,) = web.identity.get_connections()
    assert connection.created_date_utc.year == 2026
    assert len(web.accounting.get_tax_rates(connection.tenant_id).tax_rates) == 4
    with pytest.raises(HTTPStatusException):
        web.accounting.get_tax_rates("another")
    web.identity.delete_connection(connection.id)
    assert web.identity.get_connections() == []


def test_it_revokes(web: Keeper, xero: XeroClient) -> None:
    assert web.tokens.revoke_token(web.token["refresh_token"]) == 200
    web.client.last_response.release_conn()  # the library leaves the empty answer unread
    assert xero.refresh(web.token["refresh_token"]).status_code == 400
