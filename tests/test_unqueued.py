"""Whatever the shop does with its orders, a run finds those that are to be posted, without a look at all there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Shop
from posting import arrived, once, order, place, post

from syncctl.state.unqueued_schema import POSTER

pytestmark = [pytest.mark.products(6), pytest.mark.usefixtures("posting")]


def replace(shop: Shop, status: str) -> None:
    """As a program does that writes a whole row for each change."""
    columns = "number, placed_at, currency, customer, total"
    shop.write("CREATE TABLE kept AS SELECT * FROM order_lines")
    shop.write(f"REPLACE INTO orders ({columns}, status) SELECT {columns}, '{status}' FROM orders")
    columns = "position, kind, sku, quantity, unit_price, tax_rate"
    shop.write(
        f"INSERT INTO order_lines (order_id, {columns}) SELECT (SELECT id FROM orders WHERE number = '1'), {columns}"
        " FROM kept"
    )


WAYS: dict[str, Callable[[Shop], None]] = {
    "paid after a run": lambda shop: shop.write("UPDATE orders SET status = 'paid'"),
    "replaced by another row": lambda shop: replace(shop, "paid"),
    "renamed": lambda shop: shop.write("UPDATE orders SET status = 'paid', number = '2'"),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_order_that_is_paid_later_is_posted_then_and_once(shop: Shop, way: str) -> None:
    place(shop, order("1", status="new"))
    assert post(shop)["posted"] == 0
    WAYS[way](shop)
    assert [post(shop)["posted"] for _ in range(2)] == [1, 0]
    assert arrived(shop) == once(shop.rows("SELECT number FROM orders")[0])
    assert shop.rows("SELECT * FROM unqueued") == []


def test_orders_of_before_a_connector_was_posted_to_are_found(shop: Shop) -> None:
    """A dry run tells of them, too, which writes nothing down."""
    reads = {"SYNCCTL_UNLEASHED_ROLES": "products,stock,customers"}
    shop.write("DELETE FROM meta WHERE key GLOB ?", f"{POSTER}*")
    shop.write("DELETE FROM unqueued")
    place(shop, order("1"))
    shop.ok("status", **reads)
    since = {"SYNCCTL_UNLEASHED_POST_SINCE": "2026-01-01"}
    assert shop.ok("post-invoices", "--dry-run", "--json", **since).only()["expected"] > 0
    assert post(shop, **since)["posted"] == 1


def test_an_order_that_nobody_remembers_is_found_by_state_check(shop: Shop) -> None:
    place(shop, order("1"))
    shop.write("DELETE FROM unqueued")
    (found,) = shop.run("state", "check", "--json").json()["findings"]
    assert (found["check"], found["records"]) == ("unnoticed", ["1"])
    for statement in found["remedy"].removeprefix("Run ").partition(" with sqlite3")[0].split("; "):
        shop.write(statement)
    assert shop.ok("state", "check", "--json").json()["findings"] == []
    assert post(shop)["posted"] == 1


def test_an_order_that_is_posted_costs_no_later_run_a_look(shop: Shop) -> None:
    place(shop, order("1"))
    post(shop)
    replace(shop, "shipped")
    post(shop)
    assert shop.rows("SELECT * FROM unqueued") == []
