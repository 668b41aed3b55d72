"""What the shop may still sell: the stock owner's number, less what that number cannot contain yet."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Shop
from posting import SETTINGS, Json, line, moment, order, place, post, session_of

from syncctl.connectors.base import Found
from syncctl.models import Kind

pytestmark = pytest.mark.products(30)
CUP = "bbbbbbbb-0000-4000-8000-00000000000a"
JUG = "bbbbbbbb-0000-4000-8000-00000000000b"
KEEP = {"SYNCCTL_READ_SOLD": "no"}


@pytest.fixture(autouse=True)
def posting(shop: Shop) -> None:
    """A shop that posts, and has 20 cups."""
    shop.extra |= SETTINGS
    shop.upstream.put("products", {"Guid": CUP, "ProductCode": "CUP", "ProductDescription": "A cup"})
    restock(shop, 20)
    shop.ok("sync-recent")


def restock(shop: Shop, on_hand: float) -> None:
    shop.upstream.put("stock", {"ProductGuid": CUP, "WarehouseCode": "MAIN", "QtyOnHand": on_hand})


def available(shop: Shop, sku: str = "CUP") -> Any:
    return shop.value("SELECT available FROM catalogue WHERE sku = ?", sku)


def read(shop: Shop) -> Any:
    """Reads the stock of the cups; what may be sold then."""
    shop.ok("sync-product", "CUP")
    return available(shop)


def sell(shop: Shop, number: str, quantity: str = "2", **more: Any) -> None:
    place(shop, order(number, line("CUP", "10.00", quantity), total=f"{float(quantity) * 11.5:.2f}", **more))


def set_status(shop: Shop, number: str, status: str) -> None:
    shop.write("UPDATE orders SET status = ? WHERE number = ?", status, number)


def lose_answers(shop: Shop, times: int) -> None:
    shop.upstream.fault("drop-after", match={"method": "POST", "path": "/SalesOrders"}, times=times)
    shop.upstream.fault("garbage", "/SalesOrders", times=9)


def test_what_is_sold_is_off_at_once_and_until_the_service_is_known_to_have_it_off(shop: Shop) -> None:
    sell(shop, "1", "2.5")
    assert available(shop) == 17.5
    assert "less 2.5 of order 1, which is not in" in shop.ok("explain", "product", "CUP").out
    post(shop, **KEEP)
    assert available(shop) == 17.5
    restock(shop, 15)
    assert read(shop) == 12.5


def test_what_is_sold_of_a_product_without_a_link_counts_no_longer_than_of_another(shop: Shop) -> None:
    shop.extra["SYNCCTL_NEW_PRODUCTS"] = "ignore"
    shop.upstream.put("products", {"Guid": JUG, "ProductCode": "JUG", "ProductDescription": "A jug"})
    shop.ok("sync-recent")
    place(shop, order("1", line("JUG")))
    assert "less 1 of order 1" in shop.run("explain", "product", "JUG").out
    assert post(shop, **KEEP)["posted"] == 1
    assert "less 1 of order 1" in shop.run("explain", "product", "JUG").out
    shop.upstream.put("stock", {"ProductGuid": JUG, "WarehouseCode": "MAIN", "QtyOnHand": 9})
    shop.ok("sync-recent")
    assert "less" not in shop.ok("explain", "product", "JUG").out
    post(shop)
    assert not shop.rows("SELECT * FROM sold")


def test_a_reading_that_began_before_an_order_arrived_does_not_have_it(shop: Shop) -> None:
    sell(shop, "1")
    early = begin_to_read(shop)
    post(shop, **KEEP)
    store(shop, early)
    assert available(shop) == 18
    late = begin_to_read(shop)
    restock(shop, 15)
    assert read(shop) == 13
    store(shop, late)
    assert available(shop) == 13, "a later call has told otherwise"


def begin_to_read(shop: Shop) -> Found:
    with session_of(shop) as session:
        found = session.connector.lookup(Kind.STOCK, [CUP])
        return found.changed(records=list(found.records))


def store(shop: Shop, found: Found) -> None:
    with session_of(shop) as session, session.database.transaction():
        session.store(found.records, session.look(found.call, "manual"))


def test_after_posting_the_stock_of_what_was_sold_is_read_in_one_call(shop: Shop) -> None:
    place(shop, order("1"))
    assert post(shop, **KEEP)["read_again"] == 0
    restock(shop, 15)
    place(shop, order("2"))
    sell(shop, "3", "1")
    result = post(shop)
    assert (result["read_again"], result["errors"]) == (2, []), "the mug of the run before, too"
    assert shop.value("SELECT count(*) FROM calls WHERE purpose = 'oldest'") == 1
    assert available(shop) == 14
    assert post(shop)["calls"] == 0


@pytest.mark.parametrize("fault", ["garbage", "401"])
def test_that_it_cannot_be_read_again_fails_no_posting(shop: Shop, fault: str) -> None:
    sell(shop, "1")
    shop.upstream.fault(fault, "/StockOnHand", times=9)
    result = shop.run("post-invoices", "--json")
    assert (result.code, result.only()["posted"], result.only()["errors"]) == (0, 1, [])
    assert (result.only()["read_again"], available(shop)) == (0, 18)


def test_what_is_left_for_orders_alone_is_not_spent_on_reading_again(shop: Shop) -> None:
    sell(shop, "1")
    result = post(shop, SYNCCTL_UNLEASHED_LIMITS="6/month")
    assert (result["posted"], result["read_again"], result["deferred_until"]) == (1, 0, None)


@pytest.mark.parametrize("status", ["cancelled", "pending"])
def test_an_order_that_is_not_to_be_posted_takes_nothing(shop: Shop, status: str) -> None:
    sell(shop, "1")
    set_status(shop, "1", status)
    assert available(shop) == 20
    post(shop)
    assert available(shop) == 20
    set_status(shop, "1", "paid")
    assert available(shop) == 18


def test_an_order_cancelled_after_it_was_sent_counts_as_it_was_sent(shop: Shop) -> None:
    sell(shop, "1")
    post(shop, **KEEP)
    set_status(shop, "1", "cancelled")
    shop.write("UPDATE order_lines SET quantity = '9'")
    assert available(shop) == 18
    shop.write("DELETE FROM orders")
    assert available(shop) == 18
    assert read(shop) == 18


def test_an_order_of_which_nobody_knows_counts_whatever_becomes_of_it(shop: Shop) -> None:
    sell(shop, "1")
    lose_answers(shop, 1)
    assert post(shop)["unknown"] == 1
    set_status(shop, "1", "cancelled")
    assert (available(shop), read(shop)) == (18, 16), "it is there, but nobody knows"
    shop.ok("queue", "drop", "--all", "--connector", "unleashed")
    assert (available(shop), read(shop)) == (16, 18), "a call after it was given up has it"


def test_a_refused_order_counts_until_a_person_drops_it(shop: Shop) -> None:
    sell(shop, "1")
    assert post(shop, SYNCCTL_UNLEASHED_TAX="0:NONE")["rejected"] == 1
    assert (available(shop), read(shop)) == (18, 18)
    shop.write("UPDATE outbox SET state = 'gave_up' WHERE kind = 'orders'")
    assert available(shop) == 18
    shop.ok("queue", "drop", "--all")
    assert available(shop) == 20
    post(shop)
    shop.ok("queue", "retry", shop_row(shop))
    assert available(shop) == 18


def shop_row(shop: Shop) -> str:
    return str(shop.value("SELECT id FROM outbox WHERE kind = 'orders'"))


def test_orders_from_before_the_role_and_those_posted_elsewhere_then_take_nothing(shop: Shop) -> None:
    sell(shop, "OLD", placed_at=moment(days=3))
    sell(shop, "ELSE", placed_at=moment(days=3))
    sell(shop, "LATE")
    insert = "INSERT INTO posted_elsewhere SELECT id, 'unleashed', number FROM orders WHERE number IN ('ELSE', 'LATE')"
    shop.write(insert)
    assert available(shop) == 18
    post(shop, **KEEP)
    assert available(shop) == 18, "nobody knows whether the last reading was before that"
    assert read(shop) == 20


def test_where_posting_takes_no_stock_an_order_counts_while_the_shop_calls_it_paid(shop: Shop) -> None:
    sell(shop, "1")
    post(shop, SYNCCTL_UNLEASHED_STATUS="Parked")
    assert read(shop) == 18
    set_status(shop, "1", "shipped")
    assert available(shop) == 20


def test_a_stock_owner_that_is_not_posted_to_keeps_its_number(shop: Shop) -> None:
    sell(shop, "1")
    shop.ok("status", SYNCCTL_UNLEASHED_ROLES="products,stock")
    assert available(shop) == 20
    shop.ok("status")
    assert available(shop) == 18


def test_the_settings_say_which_orders_count(shop: Shop) -> None:
    sell(shop, "1", status="pending")
    sell(shop, "2", placed_at=moment(days=3))
    for settings, left in (
        ({"SYNCCTL_POST_STATUSES": "pending"}, 18),
        ({"SYNCCTL_UNLEASHED_POST_SINCE": moment(days=9)[:10]}, 18),
        ({}, 20),
    ):
        shop.ok("status", **settings)
        assert available(shop) == left


def test_an_order_that_the_shop_writes_anew_counts_once(shop: Shop) -> None:
    sell(shop, "1")
    replaced: Json = {"number": "1", "placed_at": moment(), "currency": "NZD", "status": "paid", "total": "34.50"}
    names = ", ".join(replaced)
    shop.write(f"INSERT OR REPLACE INTO orders ({names}) VALUES (?, ?, ?, ?, ?)", *replaced.values())
    number = shop.value("SELECT id FROM orders")
    for position, quantity in ((1, "2"), (2, "1")):
        shop.write(
            "INSERT INTO order_lines (order_id, position, sku, quantity, unit_price) VALUES (?, ?, 'CUP', ?, '10.00')",
            number, position, quantity,
        )  # fmt: skip
    assert available(shop) == 17
    shop.write("UPDATE order_lines SET kind = 'fee', sku = NULL WHERE position = 2")
    shop.write("UPDATE orders SET number = '1b'")
    assert available(shop) == 18
    shop.write("DELETE FROM orders")
    assert (available(shop), shop.value("SELECT count(*) FROM sold")) == (20, 0)


def test_what_is_in_the_number_is_kept_no_longer(shop: Shop) -> None:
    sell(shop, "1")
    place(shop, order("OLD", placed_at=moment(days=3)))
    post(shop)
    assert shop.value("SELECT count(*) FROM sold") == 0
