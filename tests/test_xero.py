"""Xero against its sandbox: what every connector promises, and what is Xero's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import Shop, Upstream
from contract import ConnectorContract, connected, ids_of, of_kind, one, read
from seeded import seeded

from syncctl.connectors._stamps import OVERLAP_MS
from syncctl.connectors.base import Check, Connector
from syncctl.connectors.xero import Xero
from syncctl.errors import CredentialsError, DeferredError, RefusedError
from syncctl.models import Kind, Product, State, Stock
from syncctl.sandbox import Sandbox

SCOPE = "accounting.settings.read"


class XeroBench:
    """See `contract.Bench`."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self.shop = shop
        self.upstream = shop.upstream
        self._monkeypatch, self._stack = monkeypatch, stack
        self.connector = self.restarted()

    def restarted(self) -> Connector:
        return self._stack.enter_context(connected(self.shop, self._monkeypatch))

    def calls(self) -> int:
        """Tokens cost none."""
        counts = self.upstream.request("GET", "calls")["counts"]
        return sum(each["count"] for each in counts if each["path"] != "/connect/token")

    def records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.upstream.request("GET", "records/xero/products")["records"]
        return found

    def ids(self, kind: Kind) -> set[str]:
        wanted = (True,) if kind is Kind.STOCK else (True, False)
        return {item["ItemID"].lower() for item in self.records() if item["IsTrackedAsInventory"] in wanted}

    def add(self, sku: str) -> str:
        guid = str(uuid.uuid4())
        self.put({"ItemID": guid, "Code": sku, "SalesDetails": {"UnitPrice": 10}} | tracked(7))
        return guid

    def put(self, *items: dict[str, Any]) -> None:
        self.upstream.put("products", *items)

    def set_price(self, remote_id: str, token: str) -> None:
        self._post(f'{{"ItemID":"{remote_id}","SalesDetails":{{"UnitPrice":{token}}}}}')

    def set_stock(self, remote_id: str, token: str) -> None:
        self._post(f'{{"ItemID":"{remote_id}","QuantityOnHand":{token}}}')

    def _post(self, text: str) -> None:
        answer = requests.post(f"{self.upstream.url}/records/xero/products", data=text, timeout=30)
        assert answer.ok, answer.text

    def retire(self, remote_id: str) -> None:
        self.put({"ItemID": remote_id, "IsSold": False})

    def delete(self, remote_id: str) -> None:
        self.upstream.delete("products", remote_id)

    def settle(self) -> None:
        """Not so much that the token expires as well."""
        self.upstream.advance(OVERLAP_MS / 1000 + 60)

    def paths(self) -> list[str]:
        """The calls to the API, as they left."""
        return [path for (path,) in self.shop.rows("SELECT path FROM calls ORDER BY id") if "/connect/" not in path]

    def checks(self) -> dict[str, Check]:
        return {check.subject: check for check in self.restarted().check()}


def tracked(quantity: float) -> dict[str, Any]:
    account = {"InventoryAssetAccountCode": "630", "PurchaseDetails": {"COGSAccountCode": "310"}}
    return {"IsTrackedAsInventory": True, "QuantityOnHand": quantity} | account


@pytest.fixture
def sandbox(catalogue_size: int) -> Iterator[Sandbox]:
    with seeded("xero", products=catalogue_size) as running:
        yield running


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path) -> Shop:
    """A shop with a custom connection."""
    (tmp_path / ".env").touch(mode=0o600)
    return Shop(tmp_path, sandbox.env() | {"SYNCCTL_XERO_ROLES": "products,stock"}, Upstream(sandbox.url, "xero"))


@pytest.fixture
def bench(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[XeroBench]:
    with ExitStack() as stack:
        yield XeroBench(shop, monkeypatch, stack)


@pytest.fixture
def consented(bench: XeroBench) -> XeroBench:
    """A shop whose app was authorised by a person: with a refresh token, and for one organisation of several."""
    bench.shop.extra |= bench.upstream.request("GET", "tokens")["xero"]["settings"]
    return bench


class TestContract(ConnectorContract):
    """The promises of every connector."""

    def test_all_products_of_an_sku_are_found(self, bench: XeroBench) -> None:  # type: ignore[override]
        """An address shows one of them, as codes are unique; the list of all shows what it has."""
        twins = {bench.add("TWIN/1"), bench.add("TWIN/1")}
        assert set(ids_of(list(bench.connector.find("TWIN/1").records))) == twins
        assert twins <= set(ids_of(read(bench.connector, Kind.PRODUCTS)[0]))

    @pytest.mark.parametrize("sku", ["Case-1", "Case/1"])
    def test_an_sku_that_differs_only_in_case_is_told_and_not_taken(self, bench: XeroBench, sku: str) -> None:  # type: ignore[override]
        """Whether an address regards case is not documented; where it does, nothing alike is to be seen."""
        bench.add(sku)
        found = bench.connector.find(sku.upper())
        assert not of_kind(found.records, Kind.PRODUCTS) or "differs only in case" in str(found.records)
        assert list(found.missing) == [sku.upper()]


def test_stock_follows_its_product_in_one_call_and_only_where_it_is_counted(bench: XeroBench) -> None:
    before = bench.calls()
    records = list(bench.connector.pull(Kind.PRODUCTS, None).records)
    assert bench.calls() - before == 1
    counted = bench.ids(Kind.STOCK)
    assert 0 < len(counted) < len(bench.ids(Kind.PRODUCTS)), "the catalogue proves nothing"
    for here, following in zip(records, [*records[1:], None], strict=True):
        if isinstance(here, Product):
            assert (isinstance(following, Stock) and following.remote_id == here.remote_id) == (
                here.remote_id in counted
            )


def test_prices_come_with_four_decimals(bench: XeroBench) -> None:
    guid = bench.add("FINE")
    bench.set_price(guid, "0.1234")
    connector = bench.connector
    looks = [connector.pull(Kind.PRODUCTS, None).records, connector.lookup(Kind.PRODUCTS, [guid]).records]
    found = [one(of_kind(records, Kind.PRODUCTS), guid) for records in [*looks, connector.find("FINE").records]]
    assert [product.prices["default"] for product in found if isinstance(product, Product)] == [Decimal("0.1234")] * 3


def test_an_item_with_next_to_nothing_is_a_product(bench: XeroBench) -> None:
    guid = str(uuid.uuid4())
    bench.put({"ItemID": guid, "Name": "two\nlines\tof <it>", "SalesDetails": {}})
    product = one(read(bench.connector, Kind.PRODUCTS)[0], guid)
    assert isinstance(product, Product)
    assert (product.sku, product.name, product.state) == ("", "two lines of <it>", State.ACTIVE)
    assert (product.prices, product.problems) == ({"default": None}, ())


@pytest.mark.parametrize("details", ['"free"', "7.5", "[]", "null"])
def test_sales_details_of_another_form_stop_nothing(bench: XeroBench, details: str) -> None:
    guid = bench.add("ODD")
    bench._post(f'{{"ItemID":"{guid}","SalesDetails":{details}}}')
    records = read(bench.connector, Kind.PRODUCTS)[0]
    assert sorted(ids_of(records)) == sorted(bench.ids(Kind.PRODUCTS))


@pytest.mark.parametrize("code", ["5b1e0c44-7a1f-4d0e-9a53-2f2f3a4b5c6d", "5b1e0c447a1f4d0e9a532f2f3a4b5c6d"])
def test_a_code_that_looks_like_an_id_is_no_id(bench: XeroBench, code: str) -> None:
    other = bench.add("WHOSE ID IT IS")
    bench.put({"ItemID": code, "Code": "WITH THAT ID"})
    bench.put({"ItemID": other, "Code": code})
    assert ids_of(list(bench.connector.find(code).records)) == [other]
    assert not bench.connector.lookup(Kind.PRODUCTS, [code]).missing


@pytest.mark.parametrize("code", ["..", ".", "A.", "A+B", "50%", "C:\\", "<b>", "?"])
def test_a_code_that_no_address_can_hold_is_found(bench: XeroBench, code: str) -> None:
    wanted = bench.add(code)
    assert ids_of(list(bench.connector.find(code).records)) == [wanted]


def test_a_plain_code_is_asked_for_by_its_address(bench: XeroBench) -> None:
    bench.connector.find("TWO WÖRDS-1")
    assert bench.paths() == ["/Items/TWO%20W%C3%96RDS-1?unitdp=4"]


@pytest.mark.parametrize("rule", ["inclusive", "strict", "strict_second"])
def test_no_change_falls_between_two_reads(bench: XeroBench, rule: str) -> None:
    bench.upstream.switch(modified_since=rule)
    cursor = read(bench.connector, Kind.PRODUCTS)[1]
    for number in range(3):
        new = bench.add(f"NEW-{number}")
        records, cursor, _ = read(bench.connector, Kind.PRODUCTS, cursor)
        assert new in ids_of(records)
        bench.upstream.advance(OVERLAP_MS / 1000 - 1)


def test_the_journal_keeps_the_bodies_of_changes_and_not_the_full_list(bench: XeroBench) -> None:
    cursor = read(bench.connector, Kind.PRODUCTS)[1]
    assert bench.shop.value("SELECT count(*) FROM bodies") == 0
    read(bench.connector, Kind.PRODUCTS, cursor)
    assert bench.shop.value("SELECT count(*) FROM bodies") == 1


@pytest.mark.parametrize("form", ["empty", "304"])
def test_nothing_new_may_take_two_forms(bench: XeroBench, form: str) -> None:
    bench.upstream.switch(nothing_new=form)
    cursor = read(bench.connector, Kind.PRODUCTS)[1]
    records, again, _ = read(bench.connector, Kind.PRODUCTS, cursor)
    assert records == []
    new = bench.add("NEW")
    assert ids_of(read(bench.connector, Kind.PRODUCTS, again)[0]) == [new]


def test_a_clock_that_was_ahead_hides_no_change(bench: XeroBench) -> None:
    bench.upstream.advance(7200)
    bench.add("AHEAD")
    cursor = read(bench.connector, Kind.PRODUCTS)[1]
    bench.upstream.advance(-7200)
    new = bench.add("BACK IN TIME")
    assert new in ids_of(read(bench.connector, Kind.PRODUCTS, cursor)[0])


def test_a_change_dated_in_the_future_moves_no_stamp_there(bench: XeroBench) -> None:
    guid = bench.add("FUTURE")
    bench.upstream.put("products", {"ItemID": guid, "UpdatedDateUTC": "/Date(4102444800000+0000)/"}, silent=True)
    cursor = read(bench.connector, Kind.PRODUCTS)[1]
    new, before = bench.add("NOW"), bench.calls()
    assert new in ids_of(read(bench.connector, Kind.PRODUCTS, cursor)[0])
    assert bench.calls() - before == 1


@pytest.mark.parametrize("stamp", ["null", '"2026-11-23"', '"/Date(9223372036854775807)/"', "5", "{}"])
def test_a_date_that_is_none_stops_nothing(bench: XeroBench, stamp: str) -> None:
    guid = bench.add("NO-DATE")
    url = f"{bench.upstream.url}/records/xero/products?silent=1"
    assert requests.post(url, data=f'{{"ItemID":"{guid}","UpdatedDateUTC":{stamp}}}', timeout=30).ok
    records, cursor, _ = read(bench.connector, Kind.PRODUCTS)
    assert sorted(ids_of(records)) == sorted(bench.ids(Kind.PRODUCTS))
    newer = bench.add("NEWER")
    assert newer in ids_of(read(bench.connector, Kind.PRODUCTS, cursor)[0])


def test_a_path_that_is_not_there_is_no_deleted_item(bench: XeroBench) -> None:
    bench.shop.extra["SYNCCTL_XERO_BASE_URL"] = bench.shop.env["SYNCCTL_XERO_BASE_URL"].removesuffix("/2.0")
    with pytest.raises(RefusedError, match=r"404.*Check SYNCCTL_XERO_BASE_URL"):
        bench.restarted().find("A/B")
    with pytest.raises(RefusedError, match=r"404.*Check SYNCCTL_XERO_BASE_URL"):
        bench.restarted().pull(Kind.PRODUCTS, None)


@pytest.mark.parametrize("status", ["401", "403"])
@pytest.mark.parametrize("spelling", ["insufficent_scope", "insufficient_scope"])
def test_a_missing_scope_is_named_and_one_more_token_tried_at_most(
    bench: XeroBench, status: str, spelling: str
) -> None:
    bench.upstream.switch(app_scopes="contacts_only", missing_scope=status, scope_challenge=spelling)
    with pytest.raises(CredentialsError, match=f"{status}.*{SCOPE} is missing: give it to the app"):
        bench.connector.pull(Kind.PRODUCTS, None)
    tokens = [each for each in bench.upstream.request("GET", "calls")["counts"] if each["path"] == "/connect/token"]
    assert sum(each["count"] for each in tokens) == (2 if status == "401" else 1)


@pytest.mark.parametrize("hint", ["seconds", "absent"])
@pytest.mark.parametrize("spelling", ["lower", "words", "limits"])
def test_a_used_up_day_ends_the_run_however_it_is_told(bench: XeroBench, spelling: str, hint: str) -> None:
    bench.upstream.switch(problem=spelling, retry_after=hint)
    bench.upstream.request("POST", "quota", {"service": "xero", "window": "day", "used": 1000})
    with pytest.raises(DeferredError):
        bench.connector.pull(Kind.PRODUCTS, None)
    with pytest.raises(DeferredError):
        bench.restarted().pull(Kind.PRODUCTS, None)
    assert bench.calls() == 1


def test_a_consented_app_reads_its_organisation(consented: XeroBench) -> None:
    connector = consented.restarted()
    assert sorted(ids_of(read(connector, Kind.PRODUCTS)[0])) == sorted(consented.ids(Kind.PRODUCTS))
    assert connector.account(connector.values) == consented.shop.extra["SYNCCTL_XERO_TENANT_ID"]


@pytest.mark.parametrize("mode", ["bench", "consented"])
def test_a_token_whose_time_is_up_at_the_service_is_replaced(mode: str, request: pytest.FixtureRequest) -> None:
    bench: XeroBench = request.getfixturevalue(mode)
    connector = bench.restarted()
    cursor = read(connector, Kind.PRODUCTS)[1]
    bench.upstream.advance(1900)
    new = bench.add("LATER")
    assert ids_of(read(connector, Kind.PRODUCTS, cursor)[0]) == [new]


@pytest.mark.parametrize("tenant", ["", "00000000-0000-4000-8000-00000000dead"])
def test_another_organisation_is_refused_with_the_setting_to_check(consented: XeroBench, tenant: str) -> None:
    consented.shop.extra["SYNCCTL_XERO_TENANT_ID"] = tenant
    with pytest.raises(CredentialsError, match=r"403.*Check SYNCCTL_XERO_TENANT_ID.*syncctl doctor"):
        consented.restarted().pull(Kind.PRODUCTS, None)


@pytest.mark.parametrize("tenant", ["", "00000000-0000-4000-8000-00000000dead"])
def test_the_check_names_the_organisations_to_choose_from(consented: XeroBench, tenant: str) -> None:
    right = consented.shop.extra["SYNCCTL_XERO_TENANT_ID"]
    consented.shop.extra["SYNCCTL_XERO_TENANT_ID"] = tenant
    check = consented.checks()["tenant"]
    assert check.level == "wrong"
    assert f"Set SYNCCTL_XERO_TENANT_ID to {right} (Demo Homeware Ltd)" in check.remedy


def test_the_check_names_a_missing_scope(bench: XeroBench) -> None:
    bench.upstream.switch(app_scopes="contacts_only")
    (check,) = bench.checks().values()
    assert (check.level, check.subject) == ("wrong", "scopes")
    assert f"Give the app the scope {SCOPE}" in check.remedy
    assert bench.calls() == 0


def test_the_check_of_a_consented_app_stays_within_its_calls(consented: XeroBench) -> None:
    before = consented.calls()
    checks = consented.checks()
    assert consented.calls() - before <= Xero.check_calls
    assert {check.level for check in checks.values()} == {"ok"}
    assert "Demo Homeware Ltd" in checks["tenant"].message


def test_the_check_of_a_custom_connection_asks_for_no_connections(bench: XeroBench) -> None:
    checks = bench.checks()
    assert {check.level for check in checks.values()} == {"ok"}
    assert bench.paths() == ["/Organisation"]
    assert checks["organisation"].message == "Demo Homeware Ltd, NZ"


def test_the_check_names_the_currency_where_none_is_set(bench: XeroBench) -> None:
    bench.shop.extra["SYNCCTL_XERO_CURRENCY"] = ""
    assert "SYNCCTL_XERO_CURRENCY=NZD" in bench.checks()["currency"].message


@pytest.mark.parametrize(("currency", "level"), [("NZD", "ok"), ("EUR", "wrong")])
def test_the_currency_is_compared_with_the_organisation(bench: XeroBench, currency: str, level: str) -> None:
    bench.shop.extra["SYNCCTL_XERO_CURRENCY"] = currency
    assert bench.checks()["currency"].level == level
