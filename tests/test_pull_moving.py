"""Reads during which the back office is worked in: whatever moves between two pages, nothing is lost."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Shop, Upstream
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from seeded import seeded
from test_pull import mirror, upstream

from syncctl.connectors.base import Page
from syncctl.connectors.unleashed import Unleashed
from syncctl.models import Kind
from syncctl.sandbox import Sandbox

pytestmark = pytest.mark.products(32)
SMALL = {"SYNCCTL_UNLEASHED_PAGE_SIZE": "10"}
Edit = Callable[[Upstream], object]


@contextmanager
def edited_after(edits: dict[int, Edit], shop: Shop) -> Iterator[None]:
    """Works in the back office after the given pages of products, counted over all runs, have been answered."""
    plain, count = Unleashed.pull, 0

    def pull(self: Unleashed, kind: Kind, cursor: str | None) -> Page:
        nonlocal count
        page = plain(self, kind, cursor)
        if kind is Kind.PRODUCTS:
            count += 1
            if count in edits:
                edits[count](shop.upstream)
        return page

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Unleashed, "pull", pull)
        yield


def codes(shop: Shop) -> list[str]:
    found = shop.upstream.request("GET", "records/unleashed/products")["records"]
    return sorted(record["ProductCode"] for record in found)


def guid(shop: Shop, code: str) -> str:
    found: str = shop.upstream.request("GET", f"records/unleashed/products?sku={code}")["records"][0]["Guid"]
    return found


def rename(old: str, new: str, shop: Shop, *, silent: bool = False) -> Edit:
    record = {"Guid": guid(shop, old), "ProductCode": new}
    return lambda upstream: upstream.put("products", record, silent=silent)


@pytest.mark.parametrize("args", [(), ("--full",)])
def test_an_answer_older_than_what_is_stored_changes_nothing(shop: Shop, args: tuple[str, ...]) -> None:
    """A page is under way while `sync-product` reads a product of it again."""
    shop.ok("sync-recent")
    code = shop.value("SELECT sku FROM products ORDER BY sku LIMIT 1")
    shop.upstream.put("products", {"ProductCode": code, "DefaultSellPrice": 1})

    def sync_product(control: Upstream) -> None:
        control.put("products", {"ProductCode": code, "DefaultSellPrice": 2}, silent=True)
        shop.ok("sync-product", code)

    with edited_after({1: sync_product}, shop):
        shop.ok("sync-recent", *args)
    assert shop.value("SELECT price FROM catalogue WHERE sku = ?", code) == "2.00"


@pytest.mark.parametrize("level", [3, 0])
def test_stock_older_than_what_is_stored_changes_nothing(shop: Shop, level: int) -> None:
    shop.ok("sync-recent")
    code = shop.value("SELECT sku FROM catalogue WHERE available > 3 ORDER BY sku LIMIT 1")
    plain = Unleashed.pull

    def pull(self: Unleashed, kind: Kind, cursor: str | None) -> Page:
        page = plain(self, kind, cursor)
        if kind is Kind.STOCK:
            shop.upstream.put("stock", {"ProductGuid": guid(shop, code), "AvailableQty": level}, silent=True)
            shop.ok("sync-product", code)
        return page

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Unleashed, "pull", pull)
        shop.ok("sync-recent", "--full")
    assert shop.value("SELECT available FROM catalogue WHERE sku = ?", code) == level


def test_a_product_that_moves_to_the_front_is_not_lost(shop: Shop) -> None:
    """It was on a page not yet read, and is on one that has been read."""
    with edited_after({1: rename(codes(shop)[-1], "AAA-FIRST", shop)}, shop):
        shop.ok("sync-recent", **SMALL)
    shop.ok("sync-recent", **SMALL)
    assert mirror(shop) == upstream(shop)


@pytest.mark.parametrize("silent", [False, True])
def test_a_product_that_moves_to_the_end_pulls_none_away(shop: Shop, silent: bool) -> None:
    """The first product of page 2 becomes the last of page 1, after page 1 was read."""
    with edited_after({1: rename(codes(shop)[0], "ZZZ-LAST", shop, silent=silent)}, shop):
        result = shop.run("sync-recent", "--json", **SMALL)
    assert (result.code, result.only()["calls"]) == (65, 12), "4 pages, 4 again, and 4 of stock; the new SKU is told"
    assert mirror(shop) == upstream(shop)


def test_a_product_that_is_deleted_pulls_none_away(shop: Shop) -> None:
    first = guid(shop, codes(shop)[0])
    with edited_after({1: lambda upstream: upstream.delete("products", first)}, shop):
        shop.run("sync-recent", **SMALL)
    assert set(upstream(shop)) <= set(mirror(shop))
    assert shop.run("sync-recent", "--full", **SMALL).code == 0
    assert mirror(shop) == upstream(shop)


def test_a_change_of_what_was_read_comes_with_the_next_run(shop: Shop) -> None:
    first = codes(shop)[0]
    with edited_after({2: lambda u: u.put("products", {"ProductCode": first, "DefaultSellPrice": 1})}, shop):
        shop.ok("sync-recent", **SMALL)
    assert mirror(shop) != upstream(shop)
    assert shop.ok("sync-recent", "--json", **SMALL).only()["calls"] == 2
    assert mirror(shop) == upstream(shop)


def test_a_change_behind_the_reading_is_not_passed_by_the_stamp(shop: Shop) -> None:
    """It is older than one that the same reading sees, by more than any overlap."""
    first, *_, last = codes(shop)

    def work(upstream: Upstream) -> None:
        upstream.put("products", {"ProductCode": first, "DefaultSellPrice": 1})
        upstream.advance(3600)
        upstream.put("products", {"ProductCode": last, "DefaultSellPrice": 2})

    with edited_after({1: work}, shop):
        shop.ok("sync-recent", **SMALL)
    shop.ok("sync-recent", **SMALL)
    assert mirror(shop) == upstream(shop)


def test_a_service_that_counts_differently_is_believed_the_second_time(shop: Shop) -> None:
    """It announces more than it shows, and again the same: reading on would change nothing."""
    plain = Unleashed.pull

    def pull(self: Unleashed, kind: Kind, cursor: str | None) -> Page:
        page = plain(self, kind, cursor)
        return page.changed(total=(page.total or 0) + 3)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Unleashed, "pull", pull)
        shop.ok("sync-recent", **SMALL)
    assert mirror(shop) == upstream(shop)


def test_products_that_never_rest_are_read_again_by_the_next_run(shop: Shop) -> None:
    """Something slips through in each of three readings: nothing is taken as complete, and nothing is lost."""
    all_codes = codes(shop)
    edits = {1: all_codes[0], 5: all_codes[1], 9: all_codes[2]}
    moves = {page: rename(code, f"ZZZ-{page}", shop, silent=True) for page, code in edits.items()}
    drops = {page + 1: deletion(shop, all_codes[20 + page]) for page in edits}
    with edited_after(moves | drops, shop):
        first = shop.run("sync-recent", **SMALL)
    assert first.code in (0, 76)
    shop.run("sync-recent", **SMALL)
    assert set(upstream(shop)) <= set(mirror(shop))


def deletion(shop: Shop, code: str) -> Edit:
    remote_id = guid(shop, code)
    return lambda upstream: upstream.delete("products", remote_id)


def test_a_page_that_comes_again_as_the_next_one_is_refused(shop: Shop) -> None:
    """A service that shows the same page for ever would be read for ever."""
    plain = Unleashed.pull

    def pull(self: Unleashed, kind: Kind, cursor: str | None) -> Page:
        page = plain(self, kind, cursor)
        same = plain(self, kind, None)
        return page.changed(records=same.records)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Unleashed, "pull", pull)
        result = shop.run("sync-recent", **SMALL)
    assert result.code == 76
    assert "shows what the page before it showed" in result.err
    assert shop.value("SELECT count(*) FROM remote_products") == 10
    assert shop.value("SELECT count(*) FROM cursors WHERE stamp IS NOT NULL") == 0
    shop.ok("sync-recent", **SMALL)
    assert mirror(shop) == upstream(shop)


SKU = st.text("ABMQZ", min_size=1, max_size=2)
EDIT = st.one_of(
    st.tuples(st.just("price"), st.integers(0, 39), st.integers(1, 99)),
    st.tuples(st.just("rename"), st.integers(0, 39), SKU),
    st.tuples(st.just("add"), SKU, st.integers(1, 99)),
    st.tuples(st.just("stock"), st.integers(0, 39), st.integers(-3, 9)),
)


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with seeded("unleashed", products=32) as sandbox:
        yield sandbox


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
@given(edits=st.lists(st.tuples(st.integers(1, 7), EDIT), min_size=1, max_size=8))
def test_whatever_is_done_while_it_reads_the_mirror_becomes_the_service(
    running: Sandbox, edits: list[tuple[int, tuple[object, ...]]]
) -> None:
    control = Upstream(running.url)
    control.request("POST", "reset", {})
    with tempfile.TemporaryDirectory() as folder:
        env = running.env() | {"SYNCCTL_UNLEASHED_LIMITS": "100000/minute, 125000/month"}
        shop = Shop(Path(folder), env, control)
        by_page: dict[int, Edit] = {}
        for page, edit in edits:
            by_page[page] = both(by_page.get(page), edit)
        with edited_after(by_page, shop):
            for _ in range(3):
                assert shop.run("sync-recent", **SMALL).code in (0, 65)
        assert shop.run("sync-recent", **SMALL).code in (0, 65)
        assert mirror(shop) == upstream(shop)


def both(before: Edit | None, edit: tuple[object, ...]) -> Edit:
    """One more thing done after the same page."""

    def work(control: Upstream) -> None:
        if before:
            before(control)
        carry_out(control, *edit)

    return work


def carry_out(control: Upstream, what: object, which: object, value: object) -> None:
    """What somebody does in the back office; products are counted by their place in it."""
    if what == "add":
        control.put("products", {"Guid": guid_from(control), "ProductCode": which, "DefaultSellPrice": value})
        return
    records = control.request("GET", "records/unleashed/products")["records"]
    chosen = records[int(str(which)) % len(records)]["Guid"]
    if what == "stock":
        control.put("stock", {"ProductGuid": chosen, "AvailableQty": value})
    else:
        control.put("products", {"Guid": chosen, ("ProductCode" if what == "rename" else "DefaultSellPrice"): value})


def guid_from(control: Upstream) -> str:
    number = control.request("GET", "records/unleashed/products")["total"]
    return f"aaaaaaaa-0000-4000-8000-{number:012}"
