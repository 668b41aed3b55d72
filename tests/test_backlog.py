"""What status, monitoring and the posting commands tell of orders that are not posted, or were changed after that."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from conftest import Shop
from posting import SETTINGS, moment, order, place, post

from syncctl.clock import SystemClock
from syncctl.state.locks import Holder, hold

pytestmark = pytest.mark.products(10)
COUNTS = ("posted", "found", "waiting", "retrying", "rejected", "unknown", "gave_up", "skipped")
NOTHING: dict[str, Any] = dict.fromkeys(
    (*COUNTS, "customers_created", "products_created", "customers_updated", "read_again"), 0
) | {"orders": []}


@pytest.fixture(autouse=True)
def posting(shop: Shop) -> None:
    shop.extra |= SETTINGS
    shop.ok("sync-recent")


def orders(shop: Shop) -> Any:
    return shop.ok("status", "--json").only()["orders"]


def reject(shop: Shop, *numbers: str) -> None:
    place(shop, *(order(number) for number in numbers))
    post(shop, SYNCCTL_UNLEASHED_TAX="0:NONE")


def wait(shop: Shop, **ago: float) -> None:
    """Lets what is queued have been placed and queued some time ago, and posting have begun a day before."""
    seconds = round(timedelta(**ago).total_seconds())
    shop.write("UPDATE outbox SET queued_at = queued_at - ?", seconds * 1000)
    shop.write("UPDATE meta SET value = value - ? WHERE key LIKE 'invoices_since.%'", seconds * 1000 + 86_400_000)
    earlier = "strftime('%Y-%m-%dT%H:%M:%SZ', placed_at, ?)"
    shop.write(
        f"UPDATE orders SET placed_at = {earlier} WHERE number IN (SELECT key FROM outbox)", f"-{seconds} seconds"
    )


def test_status_tells_of_orders_that_are_not_posted(shop: Shop) -> None:
    reject(shop, "1", "2")
    place(shop, order("3"), order("4", status="pending"))
    wait(shop, hours=1)
    found = orders(shop)
    assert {name: number for name, number in found.items() if number and name != "oldest_seconds"} == {
        "new": 1,
        "rejected": 2,
    }
    assert 3600 <= found["oldest_seconds"] < 3660
    assert "1 new, 2 rejected; the oldest waits for" in shop.ok("status").out


@pytest.mark.parametrize("command", ["post-invoices", "retry-queue"])
def test_a_run_before_anything_is_due_says_so(shop: Shop, command: str) -> None:
    reject(shop, "1")
    due = shop.ok("queue", "list", "--json").json()["rows"][0]["due_at"]
    assert f"0 posted, 1 rejected; 0 calls; none due before {due} (syncctl" in shop.ok(command, "-v").out
    assert "none due" not in shop.ok("retry-queue", "--now", "-v").out


def test_an_order_waits_since_it_was_placed_queued_or_not(shop: Shop) -> None:
    shop.write("UPDATE meta SET value = value - 86400000 WHERE key LIKE 'invoices_since.%'")
    place(shop, order("1", placed_at=moment(hours=5)))
    before = orders(shop)
    post(shop, SYNCCTL_UNLEASHED_TAX="0:NONE")
    after = orders(shop)
    assert (before["new"], after["rejected"]) == (1, 1)
    assert after["oldest_seconds"] >= before["oldest_seconds"] >= 5 * 3600


def test_an_order_of_long_ago_that_is_posted_after_all_waits_since_then(shop: Shop) -> None:
    place(shop, order("1", placed_at=moment(days=40)))
    post(shop, "--order", "1", SYNCCTL_UNLEASHED_TAX="0:NONE")
    found = orders(shop)
    assert (found["rejected"], found["oldest_seconds"] < 60) == (1, True)


def test_status_tells_of_orders_that_were_changed_after_they_were_posted(shop: Shop) -> None:
    numbers = [f"{number:02}" for number in range(1, 9)]
    place(shop, *(order(number) for number in numbers))
    post(shop)
    assert orders(shop)["changed"] == 0
    shop.write("UPDATE orders SET status = 'cancelled' WHERE number < '07'")
    shop.write("UPDATE orders SET total = '9.99' WHERE number = '07'")
    found = orders(shop)
    assert (found["changed"], [each["number"] for each in found["changed_orders"]]) == (7, numbers[:5])
    told = shop.ok("status").out
    assert "7 became others in the shop after they were posted: 01, 02, 03, 04, 05, …" in told
    assert len(shop.ok("queue", "list", "--changed", "--json").json()["rows"]) == 7


@pytest.mark.parametrize(("hours", "level"), [(1, "OK"), (3, "WARNING"), (25, "CRITICAL")])
def test_a_monitor_hears_of_orders_that_wait_for_long(shop: Shop, hours: int, level: str) -> None:
    reject(shop, "1")
    wait(shop, hours=hours)
    told = shop.run("status", "--check").out
    assert told.startswith(f"SYNCCTL {level}: ")
    assert "unleashed_orders_waiting=1;;;0" in told
    assert "7200;86400;0" in told


def test_a_monitor_hears_of_orders_that_nobody_posts_at_all(shop: Shop) -> None:
    shop.write("UPDATE meta SET value = value - 86400000 WHERE key LIKE 'invoices_since.%'")
    place(shop, order("1", placed_at=moment(hours=5)))
    assert "an order, or what follows one, has waited for 5 h" in shop.run("status", "--check").out


def test_a_monitor_hears_of_orders_given_up(shop: Shop) -> None:
    reject(shop, "1")
    shop.write("UPDATE outbox SET state = 'gave_up'")
    result = shop.run("status", "--check")
    assert (result.code, "1 given up" in result.out) == (2, True)
    metrics = shop.ok("metrics").out
    assert 'syncctl_orders{connector="unleashed",state="gave_up"} 1\n' in metrics
    assert 'syncctl_oldest_order_seconds{connector="unleashed"} 0\n' in metrics


def test_a_shop_that_posts_nothing_hears_nothing_of_orders(shop: Shop) -> None:
    reads = {"SYNCCTL_UNLEASHED_ROLES": "products,stock"}
    assert shop.ok("status", "--json", **reads).only()["orders"] is None
    assert "orders" not in shop.ok("metrics", **reads).out
    assert "order" not in shop.ok("status", "--check", **reads).out


def told(shop: Shop, command: str, **settings: str) -> dict[str, Any]:
    found = shop.run(command, "--json", **settings).only()
    return {name: found[name] for name in NOTHING}


@pytest.mark.parametrize("command", ["post-invoices", "retry-queue"])
def test_the_keys_of_posting_are_there_whatever_keeps_it_from_posting(shop: Shop, command: str) -> None:
    assert told(shop, command, SYNCCTL_UNLEASHED_API_KEY="") == NOTHING
    assert told(shop, command, SYNCCTL_TIMEZONE="") == NOTHING
    place(shop, order("1"))
    assert told(shop, command, SYNCCTL_UNLEASHED_LIMITS="1/month")["orders"] == []
    with hold(shop.state, "unleashed-push", Holder("x", os.getpid(), 1, moment()), clock=SystemClock()):
        locked = told(shop, command)
    assert locked["orders"] == []
    assert locked["posted"] == 0


def warnings(shop: Shop, **settings: str) -> str:
    return shop.run("status", **settings).err


def test_a_stock_owner_that_never_hears_of_orders_is_a_warning(shop: Shop) -> None:
    assert warnings(shop) == ""
    two = {
        "SYNCCTL_CONNECTORS": "unleashed,xero", "SYNCCTL_XERO_CLIENT_ID": "i", "SYNCCTL_XERO_CLIENT_SECRET": "s",
        "SYNCCTL_XERO_ROLES": "invoices", "SYNCCTL_XERO_TAX": "0:NONE", "SYNCCTL_UNLEASHED_ROLES": "products,stock",
    }  # fmt: skip
    assert "unleashed owns the stock, but has not the role invoices" in warnings(shop, **two)
    assert "unleashed owns the stock" in shop.run("doctor", "--connector", "unleashed", **two).out
    assert warnings(shop, SYNCCTL_UNLEASHED_ROLES="products,stock") == "", "where nothing is posted at all"
    assert "STATUS=Parked leaves the stock" in warnings(shop, SYNCCTL_UNLEASHED_STATUS="Parked")


def test_status_tells_of_orders_that_are_skipped(shop: Shop) -> None:
    place(shop, order("1", placed_at=moment(days=2)), order("2"))
    post(shop)
    assert "none waits; 1 skipped (see syncctl queue list --skipped)" in shop.ok("status").out
    assert orders(shop)["skipped"] == 1
    assert "1 more is skipped: see syncctl queue list --skipped" in shop.ok("queue", "list", "-v").out
    assert "skipped: see" not in shop.ok("queue", "list", "-v", "--skipped").out
