"""What this state cannot know of: an older copy of it, a lost one, another shop, a person who uses the same number."""

from __future__ import annotations

import shutil

import pytest
from conftest import Shop
from posting import SETTINGS, Json, arrived, moment, once, only_error, order, place, post, records, sales


@pytest.fixture(autouse=True)
def posting(shop: Shop) -> None:
    shop.extra |= SETTINGS
    shop.ok("sync-recent")
    shop.ok("sync-customers")


@pytest.fixture
def catalogue_size() -> int:
    return 6


def lose_state(shop: Shop, *, locks: bool = True) -> None:
    for file in shop.folder.glob("syncctl.db*"):
        if locks or not file.name.endswith(".lock"):
            file.unlink()


def restore(shop: Shop, copy: str = "copy.db") -> None:
    lose_state(shop, locks=False)
    shutil.copy(shop.folder / copy, shop.state)


def back_up(shop: Shop) -> None:
    shop.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(shop.state, shop.folder / "copy.db")


def look_ups(shop: Shop) -> int:
    count: int = shop.value("SELECT count(*) FROM calls WHERE method = 'GET' AND path LIKE '/SalesOrders/%'")
    return count


def posted_from_a_lost_state(shop: Shop, **settings: str) -> Json:
    """An order is posted, the state is lost and built anew from the shop's orders."""
    placed = order("1001", placed_at=moment(days=2))
    since = {"SYNCCTL_UNLEASHED_POST_SINCE": moment(days=5)[:10]}
    shop.extra |= since
    place(shop, placed)
    assert post(shop)["posted"] == 1
    lose_state(shop)
    shop.ok("sync-recent")
    shop.ok("sync-customers")
    place(shop, placed)
    return placed


def test_a_new_order_is_posted_without_a_look(shop: Shop) -> None:
    place(shop, order("1001"))
    post(shop)
    assert look_ups(shop) == 0


def test_a_lost_state_finds_what_it_has_posted(shop: Shop) -> None:
    posted_from_a_lost_state(shop)
    result = post(shop)
    assert (result["posted"], result["found"], result["customers_created"]) == (0, 1, 0)
    assert arrived(shop) == once(["1001"])


def test_an_order_of_before_the_state_is_posted_after_a_look(shop: Shop) -> None:
    shop.extra["SYNCCTL_UNLEASHED_POST_SINCE"] = moment(days=5)[:10]
    place(shop, order("1001", placed_at=moment(days=2)))
    assert post(shop)["posted"] == 1
    assert look_ups(shop) == 1


def test_an_older_copy_finds_what_was_posted_since(shop: Shop) -> None:
    place(shop, order("1001"), order("1002"))
    back_up(shop)
    assert post(shop)["posted"] == 2
    restore(shop)
    result = post(shop)
    assert (result["posted"], result["found"]) == (0, 2)
    assert shop.value("SELECT count(*) FROM calls WHERE method = 'POST'") == 0
    assert arrived(shop) == once(["1001", "1002"])


def test_an_older_copy_is_noticed_by_whatever_command_runs_first(shop: Shop) -> None:
    place(shop, order("1001"))
    back_up(shop)
    post(shop)
    restore(shop)
    for _ in range(5):
        shop.ok("sync-recent")
    assert post(shop)["found"] == 1


def test_after_a_restoration_it_is_not_posted_before_the_service_has_settled(shop: Shop) -> None:
    place(shop, order("1001"))
    back_up(shop)
    post(shop, "--order", "none")
    restore(shop)
    result = post(shop)
    assert (result["posted"], result["waiting"]) == (0, 1)
    shop.write("UPDATE meta SET value = value - 400000 WHERE key = 'restored_at'")
    shop.write("UPDATE outbox SET due_at = due_at - 400000")
    assert post(shop)["posted"] == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"Total": 99}, "its total is 99.00 and not 11.50"),
        ({"SourceId": "web-7"}, "is called web-7"),
        ({"Currency": {"CurrencyCode": "AUD"}}, "its currency is AUD"),
        ({"OrderStatus": "Deleted"}, "voided or deleted"),
    ],
)
def test_what_is_found_and_is_not_ours_holds_the_order(shop: Shop, change: Json, word: str) -> None:
    posted_from_a_lost_state(shop)
    (stored,) = sales(shop)
    shop.upstream.put("sales_orders", {"Guid": stored["Guid"], **change})
    before = records(shop, "sales_orders")
    for _ in range(3):
        result = shop.run("post-invoices", "--json")
        assert (result.code, result.only()["rejected"]) == (65, 1)
        assert word in only_error(result)["message"]
        shop.write("UPDATE outbox SET due_at = 0 WHERE state = 'due'")
    assert records(shop, "sales_orders") == before


def test_two_shops_with_the_same_numbers_on_one_account(shop: Shop) -> None:
    place(shop, order("1001"))
    post(shop)
    lose_state(shop)
    shop.extra["SYNCCTL_SHOP"] = "south"
    shop.ok("sync-recent")
    shop.ok("sync-customers")
    place(shop, order("1001"))
    assert post(shop)["posted"] == 1
    references = {each["SourceId"] for each in records(shop, "sales_orders")}
    assert {"demo-1001", "south-1001"} <= references


def test_an_order_that_turns_out_to_be_posted_while_it_waits(shop: Shop) -> None:
    place(shop, order("1001", currency="EUR"))
    post(shop)
    shop.write("INSERT INTO posted_elsewhere SELECT id, 'unleashed', 'so-77' FROM orders")
    shop.run("retry-queue", "--now")
    assert shop.rows("SELECT state, remote_id FROM outbox WHERE kind = 'orders'") == [("done", "so-77")]


def test_an_order_posted_by_an_older_integration_is_left_alone(shop: Shop) -> None:
    place(shop, order("1001"))
    shop.write("INSERT INTO posted_elsewhere SELECT id, 'unleashed', 'so-77' FROM orders")
    assert post(shop)["posted"] == 0
    assert shop.rows("SELECT state, remote_id FROM outbox") == [("done", "so-77")]
