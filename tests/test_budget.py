"""`syncctl budget`: how full the windows are, by what, and where they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import Shop
from test_check import journal

from syncctl.models import iso, to_ms

pytestmark = pytest.mark.products(10)
LIMITS = {"SYNCCTL_UNLEASHED_LIMITS": "60/minute, 10000/month"}


def month(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = shop.ok("budget", "--json", **LIMITS).only()["windows"][1]
    assert found["window"] == "month"
    return found


def test_each_purpose_is_told(shop: Shop) -> None:
    shop.ok("sync-recent", **LIMITS)
    shop.ok("sync-oldest", **LIMITS)
    shop.ok("sync-product", "MUG", **LIMITS)
    shop.write("UPDATE spend SET others = 30 WHERE win = 'month'")
    for window in shop.ok("budget", "--json", **LIMITS).only()["windows"]:
        assert window["by_purpose"] == {"manual": 2, "oldest": 2, "recent": 2}
        assert window["used"] == 6
    found = month(shop)
    assert (found["others"], found["left"]) == (30, 9964)
    assert found["left_for"] == {"invoice": 9964, "manual": 9464, "recent": 8964, "customer": 7964, "oldest": 6964}
    text = shop.ok("budget", **LIMITS).out
    assert "36 of 10,000 used: 2 manual, 2 oldest, 2 recent, 30 by others" in text
    assert "54 left\n" in text
    assert "of these 9,464 for manual, 8,964 for recent, 7,964 for customer, 6,964 for oldest" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_calls_that_no_longer_count_are_not_told(shop: Shop) -> None:
    shop.ok("sync-recent", **LIMITS)
    shop.write("UPDATE calls SET at = at - 62000")
    shop.write("DELETE FROM spend WHERE win = '60s'")
    minute = shop.ok("budget", "--json", **LIMITS).only()["windows"][0]
    assert (minute["window"], minute["by_purpose"], minute["used"]) == ("60s", {}, 0)


def test_the_forecast_is_what_it_says(shop: Shop) -> None:
    shop.ok("sync-recent", **LIMITS)
    assert month(shop)["forecast"] is None
    assert "where it will end shows after a whole day" in shop.ok("budget", **LIMITS).out
    shop.write("DELETE FROM calls")
    shop.write("DELETE FROM call_counts")
    journal(shop, 300, 3)
    found = month(shop)
    end = datetime.fromisoformat(found["ends_at"])
    left = (end - datetime.now(UTC)) / timedelta(days=1)
    assert found["forecast"] == pytest.approx(2 + 100 * left, abs=3)
    assert (
        f"about {found['forecast']:,} by then, at the 100 calls of the last 24 hours" in shop.ok("budget", **LIMITS).out
    )


def test_others_go_on_as_so_far(shop: Shop) -> None:
    shop.ok("sync-recent", **LIMITS)
    shop.write("DELETE FROM call_counts")
    now = to_ms(datetime.now(UTC))
    shop.write("INSERT INTO call_counts VALUES ('unleashed', ?, 'recent', 1)", now // 86_400_000 - 5)
    before = month(shop)["forecast"]
    shop.write("UPDATE spend SET others = 10 WHERE win = 'month'")
    end = datetime.fromisoformat(month(shop)["ends_at"])
    begin = (end - timedelta(days=1)).replace(day=1)
    elapsed = max(1.0, (datetime.now(UTC) - begin) / timedelta(days=1))
    grown = 10 + 10 / elapsed * ((end - datetime.now(UTC)) / timedelta(days=1))
    assert month(shop)["forecast"] - before == pytest.approx(grown, abs=1.1)


def test_a_block_is_told(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.fault("429", retry_after=3600)
    shop.ok("sync-recent")
    told = shop.ok("budget", "--json").only()["blocked"]
    assert told["until"] > iso(datetime.now(UTC))
    assert f"blocked         until {told['until']}" in shop.ok("budget").out


def test_one_connector_alone(shop: Shop) -> None:
    shop.ok("sync-recent")
    assert shop.ok("budget", "--connector", "unleashed", "--json").only()["name"] == "unleashed"
    assert shop.run("budget", "--connector", "xero").code == 78


def test_a_window_that_is_counted_anew_is_told_before_the_next_call(shop: Shop) -> None:
    """`state check` says to delete from `spend`; a changed setting adds windows, too."""
    shop.ok("sync-recent")
    before = shop.ok("budget", "--json").only()["windows"]
    shop.write("DELETE FROM spend")
    after = shop.ok("budget", "--json").only()["windows"]
    assert [each["used"] for each in after] == [each["used"] for each in before]
    assert shop.value("SELECT count(*) FROM spend") == 0, "a look writes nothing"


def test_a_limit_that_comes_back_into_the_settings_is_kept(shop: Shop) -> None:
    """Whoever tries a looser plan and goes back to the old one has spent the old one's calls all the same."""
    day, minute = {"SYNCCTL_UNLEASHED_LIMITS": "6/day"}, {"SYNCCTL_UNLEASHED_LIMITS": "60/minute"}
    shop.ok("sync-product", "MUG", **day)
    shop.ok("sync-recent", **minute)
    shop.ok("sync-recent", **minute)
    (window,) = shop.ok("budget", "--json", **day).only()["windows"]
    assert (window["used"], window["left"]) == (shop.upstream.calls(), 0) == (6, 0)
    assert window["by_purpose"] == {"manual": 2, "recent": 4}
    assert shop.run("sync-recent", "--json", **day).only()["deferred_until"]
    assert shop.upstream.calls() == 6
