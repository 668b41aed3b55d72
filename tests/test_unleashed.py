"""Unleashed against its sandbox: what every connector promises, and what is Unleashed's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from conftest import Shop
from contract import ConnectorContract, connected, ids_of, read

from syncctl.connectors.base import Connector
from syncctl.connectors.unleashed import signature
from syncctl.models import Kind, Problem, Product

KEY = "sandbox-key-not-a-secret=="


class UnleashedBench:
    """See `contract.Bench`."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self.shop = shop
        self.upstream = shop.upstream
        self._monkeypatch, self._stack = monkeypatch, stack
        self.connector = self.restarted()

    def restarted(self) -> Connector:
        return self._stack.enter_context(connected(self.shop, self._monkeypatch))

    def calls(self) -> int:
        return self.upstream.calls()

    def ids(self, kind: Kind) -> set[str]:
        found = self.upstream.request("GET", f"records/unleashed/{kind}")["records"]
        return {record["Guid"].lower() for record in found}

    def add(self, sku: str) -> str:
        guid = str(uuid.uuid4())
        self.upstream.put("products", {"Guid": guid, "ProductCode": sku, "DefaultSellPrice": 10})
        self.upstream.put("stock", {"ProductGuid": guid, "QtyOnHand": 7})
        return guid

    def set_price(self, remote_id: str, token: str) -> None:
        self._post("products", f'{{"Guid":"{remote_id}","DefaultSellPrice":{token}}}')

    def set_stock(self, remote_id: str, token: str) -> None:
        self._post("stock", f'{{"ProductGuid":"{remote_id}","AvailableQty":{token}}}')

    def _post(self, kind: str, text: str) -> None:
        answer = requests.post(f"{self.upstream.url}/records/unleashed/{kind}", data=text, timeout=30)
        assert answer.ok, answer.text

    def retire(self, remote_id: str) -> None:
        self.upstream.put("products", {"Guid": remote_id, "Obsolete": True})

    def delete(self, remote_id: str) -> None:
        self.upstream.delete("products", remote_id)

    def settle(self) -> None:
        self.upstream.advance(3600)


@pytest.fixture
def bench(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[UnleashedBench]:
    shop.extra.setdefault("SYNCCTL_UNLEASHED_PAGE_SIZE", "50")
    with ExitStack() as stack:
        yield UnleashedBench(shop, monkeypatch, stack)


class TestContract(ConnectorContract):
    """The promises of every connector."""


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "4OHBA2tjrXAHWQ4O2w+9rQNHuPJn11/pq6xovYbh0YE="),
        ("pageSize=200", "Gu4F3pNHdiUzRN5Lfl0wjRLb1b4ahdH/e6CkMLxxp1M="),
        ("modifiedSince=2026-11-01T00:00:00&pageSize=200", "Y34Z0VmW/BMYoQbkQ8sxDCTm/8YUsaNymncSPyYYRxs="),
        ("modifiedSince=2026-11-01T00%3A00%3A00&pageSize=200", "Y34Z0VmW/BMYoQbkQ8sxDCTm/8YUsaNymncSPyYYRxs="),
        ("contactEmail=jo@example.test", "jk7zxt8RB8k/ldLV3mBKJ2b4kIzlGTaaV7m58zg9WP0="),
        ("customerName=Two%20Words", "6KLCnkTlh7w5pPJzxI83lIDDeLUMcIuHR2lIjIbz+2o="),
        ("orderStatus=Parked,Placed&pageSize=200", "KpgwSxEE35EIb7XVcidMvLnw2Rn1qPxWx+z8pVYmED4="),
    ],
)
def test_signatures_of_worked_examples(query: str, wanted: str) -> None:
    assert signature(KEY, query) == wanted


def requests_made(shop: Shop) -> list[str]:
    return [path for (path,) in shop.rows("SELECT path FROM calls ORDER BY id")]


def test_queries_that_need_no_escapes_have_none(bench: UnleashedBench) -> None:
    """A colon or comma that travels escaped is refused by a service that signs what it received."""
    bench.upstream.switch(signature="encoded")
    cursor = read(bench.connector, Kind.PRODUCTS)[1]
    assert ids_of(read(bench.connector, Kind.PRODUCTS, cursor)[0]) == []
    batch = sorted(bench.ids(Kind.STOCK))[:50]
    assert not bench.connector.lookup(Kind.STOCK, batch).missing
    assert {check.level for check in bench.connector.check()} == {"ok"}
    assert not [path for path in requests_made(bench.shop) if "%" in path]


@pytest.mark.parametrize("form", ["decoded", "either"])
def test_a_warehouse_with_blanks_is_signed_as_the_service_reads_it(bench: UnleashedBench, form: str) -> None:
    bench.upstream.switch(signature=form)
    bench.shop.extra["SYNCCTL_UNLEASHED_WAREHOUSE"] = "NO SUCH + PLACE é"
    records, _, pages = read(bench.restarted(), Kind.STOCK)
    assert (records, pages) == ([], 1)


@pytest.mark.parametrize("needed", ["optional", "required"])
def test_the_client_type_is_always_sent(bench: UnleashedBench, needed: str) -> None:
    bench.upstream.switch(client_type=needed)
    assert bench.connector.lookup(Kind.STOCK, sorted(bench.ids(Kind.STOCK))[:1]).records


def test_codes_are_searched_by_what_is_safe_to_sign(bench: UnleashedBench) -> None:
    wanted = bench.add("PLUM+BOWL & CO")
    assert ids_of(list(bench.connector.find("PLUM+BOWL & CO").records)) == [wanted]
    assert requests_made(bench.shop)[-1].startswith("/Products?productCode=PLUM&")


def test_an_sku_behind_too_many_others_is_not_called_unknown(bench: UnleashedBench) -> None:
    bench.upstream.switch(page_cap="200")
    for number in range(201):
        bench.upstream.put("products", {"ProductCode": f"CROWD&{number:03}"})
    found = bench.connector.find("CROWD&Z")
    assert not found.missing
    (problem,) = found.records
    assert isinstance(problem, Problem)
    assert "CROWD" in problem.message
    assert "--full" in problem.remedy


def test_a_plain_sku_comes_first_however_many_begin_with_it(bench: UnleashedBench) -> None:
    bench.upstream.switch(page_cap="200")
    wanted = bench.add("CROWD")
    for number in range(201):
        bench.upstream.put("products", {"ProductCode": f"CROWD-{number:03}"})
    found = bench.connector.find("CROWD")
    assert (ids_of(list(found.records)), list(found.missing)) == ([wanted], [])
    assert list(bench.connector.find("CROW").missing) == ["CROW"]


def test_each_price_tier_is_kept_apart(bench: UnleashedBench) -> None:
    guid = bench.add("TIERS")
    prices: dict[str, Any] = {f"SellPriceTier{n}": {"Value": n} for n in range(1, 11)}
    bench.upstream.put("products", {"Guid": guid, **prices, "SellPriceTier4": {"Value": None}})
    (product,) = bench.connector.lookup(Kind.PRODUCTS, [guid]).records
    assert isinstance(product, Product)
    told = {tier: None if amount is None else int(amount) for tier, amount in product.prices.items()}
    assert told == {"default": 10, "4": None, **{str(n): n for n in range(1, 11) if n != 4}}


def test_one_bad_tier_leaves_the_others(bench: UnleashedBench) -> None:
    guid = bench.add("ONE-BAD-TIER")
    bench.upstream.put("products", {"Guid": guid, "SellPriceTier3": {"Value": "12,50"}})
    (product,) = bench.connector.lookup(Kind.PRODUCTS, [guid]).records
    assert isinstance(product, Product)
    assert "3" not in product.prices
    assert product.prices["default"] == 10
    (problem,) = product.problems
    assert "tier 3" in problem.message
    assert "12,50" in problem.message


@pytest.mark.parametrize("stamp", ["null", '"2026-11-23"', '"/Date(9223372036854775807)/"', '"/Date(x)/"', "5", "{}"])
def test_a_date_that_is_none_stops_nothing(bench: UnleashedBench, stamp: str) -> None:
    guid = bench.add("NO-DATE")
    bench.upstream.request("POST", "records/unleashed/products?silent=1", {"Guid": guid, "Notes": ""})
    url = f"{bench.upstream.url}/records/unleashed/products?silent=1"
    assert requests.post(url, data=f'{{"Guid":"{guid}","LastModifiedOn":{stamp}}}', timeout=30).ok
    records, cursor, _ = read(bench.connector, Kind.PRODUCTS)
    assert sorted(ids_of(records)) == sorted(bench.ids(Kind.PRODUCTS))
    bench.settle()
    newer = bench.add("NEWER")
    assert newer in ids_of(read(bench.connector, Kind.PRODUCTS, cursor)[0])
