"""Vend against its sandbox: what every connector promises, and what is Vend's own about its records."""

from __future__ import annotations

import json

import pytest
from contract import KINDS, Bench, ConnectorContract, ids_of, one, read
from requests_mock import Mocker
from vendbench import HARBOUR, MAIN, PAGE, VendBench, VendTest

from syncctl.connectors.base import Connector
from syncctl.errors import AnswerError
from syncctl.models import Kind, Problem, Product, Record, State, Stock


def product(connector: Connector, remote_id: str) -> Product:
    """The product as its own address shows it."""
    (found,) = connector.lookup(Kind.PRODUCTS, [remote_id]).records
    assert isinstance(found, Product)
    return found


def states(records: list[Record | Problem], remote_id: str) -> list[State]:
    return [r.state for r in records if isinstance(r, Product) and r.remote_id == remote_id]


def levels(records: list[Record | Problem]) -> dict[str, str]:
    """What is available at which outlet."""
    return {record.location: str(record.available) for record in records if isinstance(record, Stock)}


class TestContract(VendTest, ConnectorContract):
    """The promises of every connector."""

    def test_an_sku_that_differs_only_in_case_is_told_and_not_taken(self, bench: Bench) -> None:
        """Where the service compares without regard to case; else it does not show the other one at all."""
        assert isinstance(bench, VendBench)
        bench.add("case-1")
        assert not bench.connector.find("CASE-1").records
        bench.upstream.switch(sku_case="ignored")
        bench.delete(next(row["id"] for row in bench.rows("products") if row["sku"] == "case-1"))
        super().test_an_sku_that_differs_only_in_case_is_told_and_not_taken(bench)

    def test_the_check_finds_nothing_wrong_within_its_calls(self, bench: Bench) -> None:
        """In a month in which the version is supported, whenever the tests run."""
        assert isinstance(bench, VendBench)
        with Mocker(real_http=True) as mocker:
            date = {"Date": "Mon, 23 Nov 2026 12:00:00 GMT"}
            mocker.get(f"{bench.url}/outlets", json={"data": [{"id": MAIN}]}, headers=date)
            levels = {check.subject: check.level for check in bench.connector.check()}
        del levels["clock"]
        assert set(levels.values()) == {"ok"}
        before = bench.calls()
        list(bench.restarted(TAX=f"0.15:{MAIN}").check(posts=True))
        assert bench.calls() - before == bench.connector.posting_check_calls


class TestFeeds(VendTest):
    """The cursor of versions."""

    @pytest.mark.parametrize("changes", [1, PAGE - 1])
    def test_less_than_a_page_of_changes_is_one_call_a_feed(self, bench: VendBench, changes: int) -> None:
        cursors = {kind: read(bench.connector, kind)[1] for kind in (Kind.PRODUCTS, Kind.STOCK)}
        changed = sorted(bench.ids(Kind.STOCK))[:changes]
        for remote_id in changed:
            bench.set_price(remote_id, "3.21")
            bench.set_stock(remote_id, "5")
        before = bench.calls()
        for kind, cursor in cursors.items():
            assert sorted(ids_of(read(bench.connector, kind, cursor)[0])) == changed
        assert bench.calls() - before == 2

    def test_a_delta_goes_on_while_its_pages_are_as_large_as_any(self, bench: VendBench) -> None:
        cursor = read(bench.connector, Kind.PRODUCTS)[1]
        changed = sorted(bench.ids(Kind.PRODUCTS))[: 2 * PAGE]
        for remote_id in changed:
            bench.set_price(remote_id, "3.21")
        records, cursor, pages = read(bench.connector, Kind.PRODUCTS, cursor)
        assert (sorted(ids_of(records)), pages) == (changed, 3)
        assert read(bench.connector, Kind.PRODUCTS, cursor)[::2] == ([], 1)

    @KINDS
    def test_a_smaller_page_size_leaves_no_change_waiting(self, bench: VendBench, kind: Kind) -> None:
        cursor = read(bench.connector, kind)[1]
        changed = sorted(bench.ids(kind) & bench.ids(Kind.PRODUCTS))[:25]
        for remote_id in changed:
            bench.set_price(remote_id, "3.21")
            bench.set_stock(remote_id, "5")
        records, _, _ = read(bench.restarted(PAGE_SIZE="10"), kind, cursor)
        assert sorted(ids_of(records)) == changed

    @KINDS
    def test_short_pages_are_no_end(self, bench: VendBench, kind: Kind) -> None:
        bench.upstream.switch(short_pages="yes")
        records, cursor, _ = read(bench.connector, kind)
        assert set(ids_of(records)) == bench.ids(kind)
        changed = sorted(bench.ids(Kind.STOCK))[:PAGE]
        for remote_id in changed:
            bench.set_price(remote_id, "3.21")
            bench.set_stock(remote_id, "5")
        found: set[str] = set()
        for _ in changed:  # what one run leaves, the next one brings
            records, cursor, _ = read(bench.connector, kind, cursor)
            found |= set(ids_of(records))
        assert sorted(found) == changed

    @pytest.mark.parametrize("catalogue_size", [300])
    @pytest.mark.parametrize(("cap", "pages"), [("200", 3), ("1000", 2)])
    def test_a_page_may_be_smaller_than_what_was_asked_for(self, bench: VendBench, cap: str, pages: int) -> None:
        bench.upstream.switch(page_cap=cap)
        connector = bench.restarted(PAGE_SIZE="1000")
        records, cursor, read_pages = read(connector, Kind.PRODUCTS)
        assert (set(ids_of(records)), read_pages) == (bench.ids(Kind.PRODUCTS), pages)
        changed = sorted(bench.ids(Kind.PRODUCTS))[:250]
        for remote_id in changed:
            bench.set_price(remote_id, "3.21")
        assert sorted(ids_of(read(connector, Kind.PRODUCTS, cursor)[0])) == changed

    def test_a_product_that_moves_while_all_are_read_hides_no_other(self, bench: VendBench) -> None:
        page = bench.connector.pull(Kind.PRODUCTS, None)
        begun = list(page.records)
        moved, gone = ids_of(begun)[:2]
        ahead = sorted(bench.ids(Kind.PRODUCTS) - set(ids_of(begun)))[0]
        bench.set_price(moved, "3.21")
        bench.set_price(ahead, "3.21")
        bench.product(gone, deleted_at="2026-11-23T00:00:00+00:00")
        rest, _, _ = read(bench.connector, Kind.PRODUCTS, page.cursor)
        assert {*ids_of(begun), *ids_of(rest)} == bench.ids(Kind.PRODUCTS) | {gone}
        assert str(one(rest, moved).prices["including_tax"]) == "3.21"  # type: ignore[union-attr]
        assert states(rest, gone) == [State.GONE]

    @KINDS
    @pytest.mark.parametrize("version", [2**53 + 1, 2**62 + 1])
    def test_versions_have_64_bits(self, bench: VendBench, kind: Kind, version: int) -> None:
        """Those of the sandbox lie above 2^32 in any case."""
        cursor = read(bench.connector, kind)[1]
        remote_id = sorted(bench.ids(Kind.STOCK))[0]
        bench.upstream.put("products", {"id": remote_id, "version": version}, silent=True)
        stock = {"product_id": remote_id, "outlet_id": MAIN, "version": version}
        bench.upstream.put("stock", stock, silent=True)
        records, stamp, _ = read(bench.connector, kind, cursor)
        assert ids_of(records) == [remote_id]
        assert not bench.connector.announced(kind, version, stamp)
        assert bench.connector.announced(kind, version + 1, stamp)
        assert read(bench.connector, kind, stamp)[0] == []

    @pytest.mark.parametrize(
        "body",
        [
            {"data": [{"id": "a", "version": 7}, {"id": "b", "version": "9"}]},
            {"data": [{"id": "a", "version": 7}, {"id": "b"}], "version": {"min": None, "max": "9"}},
            {"data": [{"id": "a"}, {"id": "b", "version": 9}], "version": {"min": None, "max": None}},
        ],
    )
    def test_the_cursor_is_found_where_the_answer_has_it(self, bench: VendBench, body: object) -> None:
        with Mocker() as mocker:
            mocker.get(f"{bench.url}/products", json=body)
            page = bench.connector.pull(Kind.PRODUCTS, None)
        assert ids_of(list(page.records)) == ["a", "b"]
        assert json.loads(page.cursor)["after"] == 9

    @pytest.mark.parametrize("version", [7, 5, None, 2**63, True, -1, "12,5", {}])
    def test_a_cursor_that_does_not_advance_stops_the_read(self, bench: VendBench, version: object) -> None:
        at = json.dumps({"after": 7, "largest": 1, "whole": True})
        with Mocker() as mocker:
            mocker.post(f"{bench.url}/inventory", json=[{"product_id": "a", "outlet_id": "b", "version": version}])
            with pytest.raises(AnswerError, match=r"after 7 .*\(call \d+\)"):
                bench.connector.pull(Kind.STOCK, at)

    @pytest.mark.parametrize("body", [{"error": "Oops", "details": "no rows today"}, {"data": {}}, {"data": None}])
    def test_an_answer_without_rows_is_not_an_empty_list(self, bench: VendBench, body: dict[str, object]) -> None:
        with Mocker() as mocker:
            mocker.post(f"{bench.url}/inventory", json=body)
            with pytest.raises(AnswerError, match="no list of rows") as caught:
                bench.connector.pull(Kind.STOCK, None)
        assert str(body.get("details", "")) in caught.value.message

    @KINDS
    def test_what_is_no_record_is_told_and_stops_nothing(self, bench: VendBench, kind: Kind) -> None:
        rows = [3, None, {"version": 8}, {"id": "a", "product_id": "a", "outlet_id": "o", "version": 9}]
        with Mocker() as mocker:
            mocker.get(f"{bench.url}/products", json={"data": rows})
            mocker.post(f"{bench.url}/inventory", json=rows)
            records = list(bench.connector.pull(kind, None).records)
        assert ids_of(records) == ["a"]
        assert len([record for record in records if isinstance(record, Problem)]) == 3


class TestProducts(VendTest):
    """What becomes of a product."""

    @pytest.mark.parametrize("form", ["404", "200"])
    def test_a_deleted_product_is_told_by_the_feed_and_missing_alone(self, bench: VendBench, form: str) -> None:
        bench.upstream.switch(deleted_product=form)
        cursor = read(bench.connector, Kind.PRODUCTS)[1]
        ghost = bench.add("GHOST")
        bench.product(ghost, deleted_at="2026-11-23T00:00:00+00:00")
        bench.set_price(ghost, '"12,50"')
        assert states(read(bench.connector, Kind.PRODUCTS, cursor)[0], ghost) == [State.GONE]
        assert states(read(bench.connector, Kind.PRODUCTS)[0], ghost) == [State.GONE]
        assert list(bench.connector.lookup(Kind.PRODUCTS, [ghost]).missing) == [ghost]
        assert list(bench.connector.find("GHOST").missing) == ["GHOST"]

    def test_a_parent_that_is_not_sold_is_no_product(self, bench: VendBench) -> None:
        cursor = read(bench.connector, Kind.PRODUCTS)[1]
        parent = bench.add("FAMILY")
        bench.product(parent, has_variants=True, is_active=False, active=False)
        assert states(read(bench.connector, Kind.PRODUCTS, cursor)[0], parent) == [State.GONE]
        assert list(bench.connector.lookup(Kind.PRODUCTS, [parent]).missing) == [parent]
        assert list(bench.connector.find("FAMILY").missing) == ["FAMILY"]

    def test_a_parent_that_is_sold_is_a_product(self, bench: VendBench) -> None:
        parent = bench.add("FAMILY")
        bench.product(parent, has_variants=True, is_active=True)
        assert product(bench.connector, parent).state is State.ACTIVE
        assert ids_of(list(bench.connector.find("FAMILY").records)) == [parent]

    @pytest.mark.parametrize("fields", ["both", "active", "is_active"])
    def test_what_is_not_sold_is_inactive_whichever_field_tells(self, bench: VendBench, fields: str) -> None:
        bench.upstream.switch(active_fields=fields)
        on, off = bench.add("ON"), bench.add("OFF")
        bench.retire(off)
        assert [product(bench.connector, each).state for each in (on, off)] == [State.ACTIVE, State.INACTIVE]

    @pytest.mark.parametrize(
        ("offers", "told"),
        [
            ((11.5, 10), {"including_tax": "11.5", "excluding_tax": "10"}),
            ((None, 10), {"including_tax": "None", "excluding_tax": "10"}),
            (("11.50", None), {"including_tax": "11.50", "excluding_tax": "None"}),
            ((0, "12,50"), {"including_tax": "0"}),
        ],
    )
    def test_each_price_is_a_tier_and_none_stands_in_for_the_other(
        self, bench: VendBench, offers: tuple[object, object], told: dict[str, str]
    ) -> None:
        remote_id = bench.add("PRICED")
        bench.product(remote_id, price_including_tax=offers[0], price_excluding_tax=offers[1])
        found = product(bench.connector, remote_id)
        assert {tier: str(price) for tier, price in found.prices.items()} == told
        assert [problem.message.split("'")[0] for problem in found.problems] == (
            ["its price in tier excluding_tax "] if len(told) == 1 else []
        )

    def test_neither_another_price_tier_nor_other_outlets_begin_a_read_anew(self, bench: VendBench) -> None:
        scopes = [
            {kind: connector.scope(connector.values, kind) for kind in connector.pulls}
            for connector in (bench.connector, bench.restarted(PRICE_TIER="excluding_tax", OUTLETS=MAIN))
        ]
        assert scopes[0] == scopes[1]

    def test_the_name_is_that_of_the_variant_on_one_line(self, bench: VendBench) -> None:
        remote_id = bench.add("MUG-BLUE")
        bench.product(remote_id, name="Bravo", variant_name="Bravo /\n Blue\t")
        assert product(bench.connector, remote_id).name == "Bravo /  Blue"
        bench.product(remote_id, variant_name=None)
        assert product(bench.connector, remote_id).name == "Bravo"

    @pytest.mark.parametrize(
        ("sku", "shown"), [(None, ""), ("", ""), ("  A 1 ", "A 1"), ("A\n1", "A 1"), (10001, "10001")]
    )
    def test_an_sku_is_trimmed_and_may_be_absent(self, bench: VendBench, sku: object, shown: str) -> None:
        with Mocker() as mocker:
            mocker.get(f"{bench.url}/products/a", json={"data": {"id": "A", "sku": sku, "version": 3}})
            assert product(bench.connector, "a").sku == shown

    def test_the_barcode_is_the_first_printed_code(self, bench: VendBench) -> None:
        remote_id = bench.add("CODED")
        codes = [{"type": "custom", "code": "CODED"}, {"type": "ean", "code": "9559053644252"}]
        bench.product(remote_id, product_codes=codes)
        assert product(bench.connector, remote_id).barcode == "9559053644252"
        bench.product(remote_id, product_codes=codes[:1])
        assert product(bench.connector, remote_id).barcode is None

    def test_a_product_is_found_by_its_sku_and_not_by_another_code(self, bench: VendBench) -> None:
        remote_id = bench.add("MINE")
        bench.product(remote_id, product_codes=[{"type": "CUSTOM", "code": "OTHER"}])
        found = bench.connector.find("OTHER")
        assert (list(found.records), list(found.missing)) == ([], ["OTHER"])


class TestStock(VendTest):
    """What becomes of stock."""

    def test_each_outlet_has_its_own_row(self, bench: VendBench) -> None:
        remote_id = bench.add("TWO-PLACES")
        bench.stock(remote_id, HARBOUR, -2.5)
        assert levels(list(bench.connector.lookup(Kind.STOCK, [remote_id]).records)) == {MAIN: "7", HARBOUR: "-2.5"}
        fed = [r for r in read(bench.connector, Kind.STOCK)[0] if isinstance(r, Stock) and r.remote_id == remote_id]
        assert levels([*fed]) == {MAIN: "7", HARBOUR: "-2.5"}

    @pytest.mark.parametrize("level", ["8", "8.0"])
    def test_a_quantity_may_come_as_a_text(self, bench: VendBench, level: str) -> None:
        remote_id = bench.add("TEXT")
        bench.stock(remote_id, MAIN, level)
        assert levels(list(bench.connector.lookup(Kind.STOCK, [remote_id]).records)) == {MAIN: level}

    def test_of_a_deleted_row_nothing_is_left(self, bench: VendBench) -> None:
        remote_id = bench.add("CLOSED")
        cursor = read(bench.connector, Kind.STOCK)[1]
        row = {"product_id": remote_id, "outlet_id": MAIN, "deleted_at": "2026-11-23T00:00:00+00:00"}
        bench.upstream.put("stock", row)
        assert levels(read(bench.connector, Kind.STOCK, cursor)[0]) == {MAIN: "0"}
        found = bench.connector.lookup(Kind.STOCK, [remote_id])
        assert (levels(list(found.records)), list(found.missing)) == ({MAIN: "0"}, [])

    def test_rows_are_asked_for_in_order_and_with_those_that_were_deleted(self, bench: VendBench) -> None:
        with Mocker() as mocker:
            mocker.post(f"{bench.url}/inventory", json=[])
            mocker.get(f"{bench.url}/inventory/a", json=[])
            bench.connector.pull(Kind.STOCK, None)
            bench.connector.lookup(Kind.STOCK, ["a"])
            fed, single = mocker.request_history
        assert fed.json() == {"after": 0, "size": PAGE, "sort_direction": "asc", "include_deleted": True}
        assert single.qs["include_deleted"] == ["true"]

    @pytest.mark.parametrize("form", ["404", "empty"])
    def test_a_product_without_stock_is_missing(self, bench: VendBench, form: str) -> None:
        bench.upstream.switch(inventory_unknown=form)
        remote_id = "0b5e7a00-1111-4000-8000-0000000000ff"
        bench.product(remote_id, sku="BARE", name="Bare")
        assert list(bench.connector.lookup(Kind.STOCK, [remote_id]).missing) == [remote_id]
        assert list(bench.connector.lookup(Kind.STOCK, ["unknown"]).missing) == ["unknown"]

    def test_the_largest_page_is_one_that_the_service_takes(
        self, bench: VendBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.upstream.switch(inventory_size="400")
        del bench.shop.extra["SYNCCTL_VEND_PAGE_SIZE"]
        monkeypatch.delenv("SYNCCTL_VEND_PAGE_SIZE")
        assert set(ids_of(read(bench.restarted(), Kind.STOCK)[0])) == bench.ids(Kind.STOCK)

    def test_only_the_chosen_outlets_are_sold_from(self, bench: VendBench) -> None:
        assert bench.connector.locations(bench.connector.values) is None
        connector = bench.restarted(OUTLETS=f"{MAIN.upper()}, {HARBOUR}")
        assert connector.locations(connector.values) == (MAIN, HARBOUR)
