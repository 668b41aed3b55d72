"""What a mail says of the orders that wait: for a service that fails, or for a customer or product that is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Shop
from postbox import Postbox, serving
from posting import SETTINGS, Json, customer, line, moment, order, place

OBSOLETE = {"Guid": "7c36511a-0000-4000-8000-000000000001", "CustomerCode": "C-1", "Obsolete": True}


@pytest.fixture
def catalogue_size() -> int:
    return 6


@pytest.fixture(autouse=True)
def box(shop: Shop) -> Iterator[Postbox]:
    """The mail server of a shop that posts, has read everything, and waits for no outage to last."""
    shop.extra |= SETTINGS
    shop.ok("sync-recent")
    shop.ok("sync-customers")
    with serving(Postbox()) as running:
        shop.extra |= running.env() | {"SYNCCTL_MAIL_AFTER": "0m"}
        yield running


def mailed(shop: Shop, box: Postbox, command: str = "post-invoices", **settings: str) -> str:
    """The text of the one mail of a run."""
    shop.run(command, **settings)
    text: str = box.only().get_content()
    return text.replace("\r\n", "\n")


def of_jo(shop: Shop, number: str, code: str = "C-1", **more: str) -> Json:
    """An order of a customer of the shop, whose code Unleashed refuses."""
    shop.upstream.put(
        "customers", OBSOLETE | {"Guid": f"7c36511a-0000-4000-8000-00000000000{code[-1]}", "CustomerCode": code}
    )
    if not shop.rows("SELECT 1 FROM customers WHERE code = ?", code):
        customer(shop, code=code, email=f"{code}@shop.test")
    known = shop.value("SELECT id FROM customers WHERE code = ?", code)
    return order(number, customer={"code": code, "name": "Jo Example"}, customer_id=known, **more)


def test_an_outage_tells_how_many_orders_wait_for_its_end(shop: Shop, box: Postbox) -> None:
    """Not those that are refused for their own sake; those that no run has queued yet as well."""
    first = moment(hours=1)
    place(shop, order("1002"), order("1001", placed_at=first), order("1003", line(rate="0.99"), total="19.90"))
    shop.upstream.fault("500", times=None)
    shop.extra["SYNCCTL_UNLEASHED_POST_SINCE"] = moment(days=2)[:10]
    text = mailed(shop, box)
    assert f"  Waiting for it: 2 orders (1001, 1002), the oldest since {first}\n" in text
    assert "  - 1003\n" in text
    place(shop, order("1004"))
    shop.write("DELETE FROM mailed")
    assert "  Waiting for it: 3 orders (1001, 1002, 1004), the oldest since" in mailed(shop, box, "sync-recent")


def test_an_outage_that_keeps_no_order_says_so(shop: Shop, box: Postbox) -> None:
    shop.upstream.fault("500", times=None)
    assert "  Waiting for it: no order so far\n" in mailed(shop, box, "sync-recent")


def test_where_nothing_is_posted_no_orders_are_told(shop: Shop, box: Postbox) -> None:
    place(shop, order("1001"))
    shop.upstream.fault("500", times=None)
    text = mailed(shop, box, "sync-recent", SYNCCTL_UNLEASHED_ROLES="products,stock")
    assert ("failed (unavailable)" in text, "Waiting" in text) == (True, False)


def test_what_fails_but_holds_up_no_order_tells_of_none(shop: Shop, box: Postbox) -> None:
    place(shop, order("1001"))
    shop.upstream.fault("garbage", "Products", times=None)
    text = mailed(shop, box, "sync-recent")
    assert ("failed (answer)" in text, "Waiting" in text) == (True, False)


def test_a_refused_customer_is_named_with_the_orders_that_wait(shop: Shop, box: Postbox) -> None:
    place(shop, *(of_jo(shop, number) for number in ("1001", "1002")), order("1003"))
    text = mailed(shop, box)
    assert "  Waiting for it: 2 orders (1001, 1002), the oldest since" in text
    assert "  - customer C-1 (Jo Example)\n" in text


def test_customers_that_are_refused_for_one_reason_stay_one_group(shop: Shop, box: Postbox) -> None:
    place(shop, of_jo(shop, "1001"), of_jo(shop, "1002", "C-2"), of_jo(shop, "1003", "C-2"))
    text = mailed(shop, box)
    assert text.count("  What to do: ") == 1
    assert "  - customer C-1 (Jo Example): " in text
    assert "Waiting for it: 1 order (1001), since 20" in text
    assert "Waiting for it: 2 orders (1002, 1003), the oldest since 20" in text


def test_a_guest_who_is_refused_is_called_by_code_and_name(shop: Shop, box: Postbox) -> None:
    shop.upstream.put("customers", OBSOLETE)
    place(shop, order("1001", customer={"code": "C-1", "name": "Jo Example"}))
    assert "  - customer C-1 (Jo Example)\n" in mailed(shop, box)
