"""What is old goes by itself; what explains a present value, or an order that is not posted, stays."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Shop
from posting import order, place, post, ready

pytestmark = pytest.mark.products(6)
DAY = 86_400_000
TIMES = {
    "calls": ("at",), "runs": ("started_at", "finished_at"), "changes": ("at",), "bodies": ("at",),
    "attempts": ("at",), "outbox": ("queued_at", "sent_at", "due_at"),
}  # fmt: skip


def pass_days(shop: Shop, days: int) -> None:
    """As if everything so far had been that much earlier."""
    for table, columns in TIMES.items():
        for column in columns:
            shop.write(f"UPDATE {table} SET {column} = {column} - ?", days * DAY)
    shop.write("UPDATE meta SET value = value - ? WHERE key = 'pruned_at'", days * DAY)


def removed(shop: Shop, *args: str, **settings: str) -> dict[str, int]:
    told: dict[str, int] = shop.ok("prune", "--json", *args, **settings).json()["removed"]
    return told


def reprice(shop: Shop, price: float) -> None:
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": price})
    shop.ok("sync-recent")


def story(shop: Shop) -> dict[str, Any]:
    (record,) = shop.ok("explain", "product", "MUG", "--json").json()["records"]
    found: dict[str, Any] = record
    return found


def test_the_present_value_is_still_explained(shop: Shop) -> None:
    for price in (1, 2, 3):
        reprice(shop, price)
    before = story(shop)
    pass_days(shop, 500)
    shop.ok("sync-recent")
    shop.ok("prune")
    after = story(shop)
    (change,) = after["changes"]
    assert (change["before"], change["after"], change["command"]) == ("2.00", "3.00", "sync-recent")
    assert change["request"].startswith("GET /Products")
    assert after["first_seen"]["command"] == before["first_seen"]["command"] == "sync-recent"
    assert shop.value("SELECT count(*) FROM calls") < 8


def test_a_run_prunes_by_itself_once_a_day(shop: Shop) -> None:
    for _ in range(3):
        shop.ok("sync-recent")
    pass_days(shop, 500)
    shop.ok("sync-recent")
    assert shop.value("SELECT count(*) FROM runs") == 2, "the first read, and the one now"
    assert shop.value("SELECT count(*) FROM bodies WHERE at < unixepoch() * 1000 - 7 * 86400000") == 0
    shop.write("UPDATE bodies SET at = at - 30 * 86400000")
    kept = shop.value("SELECT count(*) FROM bodies")
    shop.ok("sync-recent")
    assert shop.value("SELECT count(*) FROM bodies") > kept, "this day has had its round"


def test_the_last_success_of_each_command_is_remembered(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.ok("sync-oldest")
    pass_days(shop, 500)
    for _ in range(2):
        shop.ok("sync-recent")
    shop.ok("prune")
    assert "sync-oldest     succeeded 500 days ago" in shop.ok("status").out
    assert shop.value("SELECT count(*) FROM runs WHERE command = 'sync-oldest'") == 1


def test_a_dry_run_counts_what_then_goes(shop: Shop) -> None:
    for price in (1, 2, 3):
        reprice(shop, price)
    pass_days(shop, 500)
    shop.write("UPDATE meta SET value = unixepoch() * 1000 WHERE key = 'pruned_at'")
    shop.ok("sync-recent")
    told = removed(shop, "--dry-run")
    assert min(told.values()) > 0
    assert removed(shop) == told
    assert set(removed(shop).values()) == {0}
    assert "0 bodies, 0 changes, 0 calls, 0 runs" in shop.ok("prune", "--dry-run").out


def test_an_order_that_is_not_posted_keeps_what_the_service_said(shop: Shop) -> None:
    ready(shop)
    place(shop, order("1001"))
    path = {"method": "POST", "path": "SalesOrders"}
    shop.upstream.request("POST", "faults", {"service": "unleashed", "match": path, "kind": "500", "times": 1})
    post(shop)
    call = shop.value("SELECT id FROM calls WHERE method = 'POST' AND path LIKE '/SalesOrders%'")
    pass_days(shop, 500)
    shop.ok("prune")
    assert shop.ok("explain", "call", str(call), "--json").json()["status"] == 500
    assert shop.value("SELECT count(*) FROM bodies WHERE call = ?", call) == 1
    post(shop)
    assert shop.value("SELECT state FROM outbox WHERE kind = 'orders'") == "done"
    shop.ok("prune")
    assert shop.value("SELECT count(*) FROM bodies WHERE call = ?", call) == 0
    assert shop.value("SELECT count(*) FROM calls WHERE id = ?", call) == 1, "how it came there is told for ever"


def test_calls_that_the_month_still_counts_cannot_be_pruned(shop: Shop) -> None:
    result = shop.run("prune", SYNCCTL_KEEP_JOURNAL_DAYS="30")
    assert result.code == 78
    assert "SYNCCTL_KEEP_JOURNAL_DAYS:" in result.err
    assert "at least 35" in result.err


def test_the_space_is_given_back_on_demand(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.write("CREATE TABLE waste AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300)"
               " SELECT randomblob(4000) AS what FROM n")  # fmt: skip
    shop.write("DROP TABLE waste")
    told = shop.ok("prune", "--vacuum", "--json").json()
    assert told["bytes_after"] < told["bytes_before"] - 1_000_000
    assert shop.state.stat().st_size == told["bytes_after"]
