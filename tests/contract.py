"""What every connector promises, tested against a local copy of its service.

A connector's tests inherit from `ConnectorContract` and give it a `bench`: the connector, and hands that work in the
service behind its back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import pytest
from conftest import Shop

from syncctl.app import App
from syncctl.clock import Clock
from syncctl.connectors.base import Connector, Found, Page
from syncctl.http.transport import Transport
from syncctl.models import SUM, Kind, Problem, Product, Purpose, Record, State, Stock
from syncctl.run import Run

UNKNOWN_ID = "00000000-0000-4000-8000-00000000dead"


class Bench(Protocol):
    """A connector, and the service as somebody who works in it sees it. Ids are the service's own."""

    @property
    def connector(self) -> Connector:
        """The connector under test, over a real socket."""

    def restarted(self) -> Connector:
        """The same connector as the next process builds it."""

    def calls(self) -> int:
        """How many calls have reached the service."""

    def ids(self, kind: Kind) -> set[str]:
        """The ids of every record of a kind, read behind the connector's back."""

    def add(self, sku: str) -> str:
        """Adds a product with a price and some stock."""

    def set_price(self, remote_id: str, token: str) -> None:
        """Sets a price: a JSON value, which may be one that no price can have."""

    def set_stock(self, remote_id: str, token: str) -> None:
        """Sets what is available: a JSON value, which may be one that no quantity can have."""

    def retire(self, remote_id: str) -> None:
        """Takes a product out of sale; it stays there."""

    def delete(self, remote_id: str) -> None:
        """Removes a product, and no feed tells."""

    def settle(self) -> None:
        """Lets so much time pass that what changed before lies outside any overlap."""


@contextmanager
def connected(shop: Shop, monkeypatch: pytest.MonkeyPatch, clock: Clock | None = None) -> Iterator[Connector]:
    """The shop's only connector over its real transport, as a command builds it."""
    for name, value in (shop.env | shop.extra | {"SYNCCTL_STATE": str(shop.state)}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(shop.folder)
    with App.opened(None, clock=clock) as app:
        (config,) = app.config.connectors
        run = Run(app.runs.begin("test", 0), Purpose.MANUAL, app.clock)
        transport = Transport(config, app.ledger, run, app.config.secrets)
        try:
            yield config.cls(config.values, transport)
        finally:
            transport.close()


def feed_of(connector: Connector, kind: Kind) -> Kind:
    """The kind in whose answers a kind comes: itself, or the one that brings it."""
    return next(feed for feed, pull in connector.pulls.items() if kind in (feed, *pull.brings))


def of_kind(records: Iterable[Record | Problem], kind: Kind) -> list[Record | Problem]:
    """Without the records of kinds that came along."""
    other = Stock if kind is Kind.PRODUCTS else Product
    return [record for record in records if not isinstance(record, other)]


def read(connector: Connector, kind: Kind, cursor: str | None = None) -> tuple[list[Record | Problem], str, int]:
    """Everything from a cursor on; the records, the cursor of the next read, and how many pages came."""
    feed = feed_of(connector, kind)
    records: list[Record | Problem] = []
    pages = 0
    while True:
        page: Page = connector.pull(feed, cursor)
        records += of_kind(page.records, kind)
        cursor, pages = page.cursor, pages + 1
        if page.last:
            return records, cursor, pages


def look_up(connector: Connector, kind: Kind, remote_ids: Sequence[str]) -> Found:
    """Looks up, and leaves out what came along."""
    found = connector.lookup(feed_of(connector, kind), remote_ids)
    return Found(of_kind(found.records, kind), found.missing, found.call)


def live(records: list[Record | Problem]) -> list[Record]:
    """What is there: no problem, and no product of which a feed tells that it was deleted."""
    return [r for r in records if not isinstance(r, Problem) and not (isinstance(r, Product) and r.state is State.GONE)]


def ids_of(records: list[Record | Problem]) -> list[str]:
    """The ids of what is there; that of a product with stock at several places comes once."""
    keys = [(record.remote_id, getattr(record, "location", SUM)) for record in live(records)]
    first = dict(reversed(keys))
    return [remote_id for remote_id, place in keys if first[remote_id] == place]


def tier(bench: Bench) -> str:
    """The tier of prices that the settings name."""
    return bench.connector.price_tier(bench.connector.values)


def told(bench: Bench, product: Record) -> object:
    """The price of a product in that tier."""
    assert isinstance(product, Product)
    return product.prices[tier(bench)]


def one(records: list[Record | Problem], remote_id: str) -> Record:
    (found,) = (r for r in live(records) if r.remote_id == remote_id)
    return found


KINDS = pytest.mark.parametrize("kind", [Kind.PRODUCTS, Kind.STOCK])
UNUSABLE = ['"12,50"', "NaN", "1e400", "true", "{}"]


class ConnectorContract:
    """The promises."""

    @KINDS
    def test_a_full_read_shows_every_record_once(self, bench: Bench, kind: Kind) -> None:
        records, _, pages = read(bench.connector, kind)
        assert sorted(ids_of(records)) == sorted(bench.ids(kind))
        if bench.connector.page_size(bench.connector.values, feed_of(bench.connector, kind)):
            assert pages > 1, "the catalogue is too small to prove paging"
        assert not [record for record in records if isinstance(record, Problem)]

    @KINDS
    def test_pages_are_as_large_as_declared(self, bench: Bench, kind: Kind) -> None:
        connector = bench.connector
        feed = feed_of(connector, kind)
        page = connector.pull(feed, None)
        size = connector.page_size(connector.values, feed)
        assert len(of_kind(page.records, kind)) == (size or len(bench.ids(kind)))
        assert page.last is (size is None)
        assert page.total in (None, len(bench.ids(kind)))

    def test_a_delta_shows_exactly_what_changed(self, bench: Bench) -> None:
        changed, moved = sorted(bench.ids(Kind.STOCK))[:2]
        pulls = bench.connector.pulls
        cursors = {kind: read(bench.connector, kind)[1] for kind in Kind if kind in pulls}
        bench.settle()
        bench.set_price(changed, "3.21")
        bench.set_stock(moved, "5.5")
        products = read(bench.connector, Kind.PRODUCTS, cursors[Kind.PRODUCTS])[0]
        stock = read(bench.connector, Kind.STOCK, cursors.get(Kind.STOCK))[0]
        assert ids_of(products) == [changed]
        assert ids_of(stock) == [moved] if Kind.STOCK in pulls else moved in ids_of(stock)  # what is brought has none
        assert str(told(bench, one(products, changed))).rstrip("0") == "3.21"
        assert float(one(stock, moved).available) == 5.5  # type: ignore[union-attr, arg-type]

    @KINDS
    def test_a_quiet_delta_is_one_call_and_leads_to_the_next(self, bench: Bench, kind: Kind) -> None:
        cursor = read(bench.connector, kind)[1]
        bench.settle()
        for _ in range(3):
            before = bench.calls()
            records, cursor, _ = read(bench.connector, kind, cursor)
            assert bench.calls() - before == 1
            assert not records
        new = bench.add("SEEN-AFTER-QUIET")
        assert new in ids_of(read(bench.connector, kind, cursor)[0])

    @KINDS
    def test_a_cursor_is_text_that_outlives_the_process(self, bench: Bench, kind: Kind) -> None:
        first = bench.connector.pull(feed_of(bench.connector, kind), None)
        begun = of_kind(first.records, kind)
        kept = json.loads(json.dumps(first.cursor))
        assert isinstance(kept, str)
        rest, stamp, _ = read(bench.restarted(), kind, kept)
        assert sorted(ids_of([*begun, *rest])) == sorted(bench.ids(kind))
        bench.settle()
        new = bench.add("SEEN-BY-THE-NEXT")
        assert new in ids_of(read(bench.restarted(), kind, json.loads(json.dumps(stamp)))[0])

    def test_the_stamp_tells_what_a_feed_will_bring(self, bench: Bench) -> None:
        cursor = read(bench.connector, Kind.PRODUCTS)[1]
        bench.settle()
        new = bench.add("NEWER")
        record = one(list(look_up(bench.connector, Kind.PRODUCTS, [new]).records), new)
        assert bench.connector.announced(Kind.PRODUCTS, record.version, cursor)
        after = read(bench.connector, Kind.PRODUCTS, cursor)[1]
        old = one(read(bench.connector, Kind.PRODUCTS)[0], sorted(bench.ids(Kind.PRODUCTS) - {new})[0])
        assert not bench.connector.announced(Kind.PRODUCTS, old.version, after)

    @KINDS
    def test_a_whole_batch_is_looked_up_in_one_call(self, bench: Bench, kind: Kind) -> None:
        batch = bench.connector.lookups[feed_of(bench.connector, kind)].batch
        wanted = sorted(bench.ids(kind))[: batch - 1]
        before = bench.calls()
        found = look_up(bench.connector, kind, [*wanted, UNKNOWN_ID])
        assert bench.calls() - before == 1
        assert len(wanted) == batch - 1, "the catalogue is too small to prove a batch"
        assert sorted(ids_of(list(found.records))) == wanted
        assert list(found.missing) == [UNKNOWN_ID]

    @KINDS
    def test_a_record_is_looked_up_alone(self, bench: Bench, kind: Kind) -> None:
        wanted = sorted(bench.ids(kind))[0]
        there = look_up(bench.connector, kind, [wanted])
        assert (ids_of(list(there.records)), list(there.missing)) == ([wanted], [])
        absent = look_up(bench.connector, kind, [UNKNOWN_ID])
        assert (list(absent.records), list(absent.missing)) == ([], [UNKNOWN_ID])

    def test_a_deleted_product_is_missing_in_a_list_and_alone(self, bench: Bench) -> None:
        batch = bench.connector.lookups[Kind.PRODUCTS].batch
        ghost, other = sorted(bench.ids(Kind.PRODUCTS))[:2]
        bench.delete(ghost)
        assert list(bench.connector.lookup(Kind.PRODUCTS, [ghost, other][:batch]).missing) == [ghost]
        assert list(bench.connector.lookup(Kind.PRODUCTS, [ghost]).missing) == [ghost]

    def test_products_not_for_sale_are_shown_as_such_everywhere(self, bench: Bench) -> None:
        retired, other = bench.add("RETIRED"), bench.add("OTHER")
        batch = bench.connector.lookups[Kind.PRODUCTS].batch
        bench.retire(retired)
        shown = [
            read(bench.connector, Kind.PRODUCTS)[0],
            list(bench.connector.lookup(Kind.PRODUCTS, [retired, other][:batch]).records),
            list(bench.connector.lookup(Kind.PRODUCTS, [retired]).records),
            list(bench.connector.find("RETIRED").records),
        ]
        for records in shown:
            product = one(of_kind(records, Kind.PRODUCTS), retired)
            assert isinstance(product, Product)
            assert product.state is State.INACTIVE

    @pytest.mark.parametrize(
        "sku", ["PLAIN", "TWO WORDS", "A+B", "A&B", "A=B", "50%", "NO#1", "5'\"", "Ü-Ⅷ-漢", "a/b?c"]
    )
    def test_an_sku_is_found_exactly_in_one_call(self, bench: Bench, sku: str) -> None:
        wanted = bench.add(sku)
        bench.add(f"{sku}-X")
        before = bench.calls()
        found = bench.connector.find(sku)
        assert bench.calls() - before == 1
        (product,) = found.records
        assert isinstance(product, Product)
        assert (product.remote_id, product.sku, list(found.missing)) == (wanted, sku, [])

    @pytest.mark.parametrize("sku", ["PREFI", "PREFIX-1-AND-MORE", "Ü", "+"])
    def test_an_unknown_sku_is_missing_whatever_resembles_it(self, bench: Bench, sku: str) -> None:
        bench.add("PREFIX-1")
        bench.add("PREFIX-2")
        found = bench.connector.find(sku)
        assert (list(found.records), list(found.missing)) == ([], [sku])

    def test_an_sku_that_differs_only_in_case_is_told_and_not_taken(self, bench: Bench) -> None:
        bench.add("Case-1")
        found = bench.connector.find("CASE-1")
        (problem,) = found.records
        assert isinstance(problem, Problem)
        assert "Case-1" in problem.message
        assert list(found.missing) == ["CASE-1"]

    def test_all_products_of_an_sku_are_found(self, bench: Bench) -> None:
        twins = {bench.add("TWIN"), bench.add("TWIN")}
        assert set(ids_of(list(bench.connector.find("TWIN").records))) == twins

    @pytest.mark.parametrize("token", [*UNUSABLE, "-1"])
    def test_an_unusable_price_is_a_problem_of_its_record_alone(self, bench: Bench, token: str) -> None:
        bad = bench.add("BAD-PRICE")
        bench.set_price(bad, token)
        records = read(bench.connector, Kind.PRODUCTS)[0]
        product = one(records, bad)
        assert tier(bench) not in product.prices  # type: ignore[union-attr]
        (problem,) = product.problems
        assert problem.record == "BAD-PRICE"
        assert problem.remedy
        assert sorted(ids_of(records)) == sorted(bench.ids(Kind.PRODUCTS))

    @pytest.mark.parametrize("token", [*UNUSABLE, "null"])
    def test_an_unusable_quantity_is_a_problem_of_its_record_alone(self, bench: Bench, token: str) -> None:
        bad = bench.add("BAD-STOCK")
        bench.set_stock(bad, token)
        records = read(bench.connector, Kind.STOCK)[0]
        row = one(records, bad)
        assert isinstance(row, Stock)
        assert row.available is None
        assert [problem.record in ("BAD-STOCK", bad) for problem in row.problems] == [True]
        assert sorted(ids_of(records)) == sorted(bench.ids(Kind.STOCK))

    def test_no_price_is_told_as_such(self, bench: Bench) -> None:
        free = bench.add("NO-PRICE")
        bench.set_price(free, "null")
        product = one(list(look_up(bench.connector, Kind.PRODUCTS, [free]).records), free)
        assert told(bench, product) is None
        assert not product.problems

    def test_the_account_tells_no_secret(self, bench: Bench) -> None:
        connector = bench.connector
        secrets = {connector.setting(setting.name) for setting in connector.settings if setting.secret}
        account = connector.account(connector.values)
        assert account
        assert not [secret for secret in secrets if secret and secret in account]

    def test_the_check_finds_nothing_wrong_within_its_calls(self, bench: Bench) -> None:
        before = bench.calls()
        checks = list(bench.connector.check())
        assert bench.calls() - before <= bench.connector.check_calls
        assert checks
        assert {check.level for check in checks} == {"ok"}
