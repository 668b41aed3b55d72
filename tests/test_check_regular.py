"""What `status --check` says of commands without a promise, which cron starts day by day until it does no more."""

from __future__ import annotations

import pytest
from conftest import Result, Shop
from test_check import check, pass_time, performance
from test_metrics import parsed, value

ROLES = {"SYNCCTL_UNLEASHED_ROLES": "products,stock,customers"}
REGULAR = ("sync-oldest", "sync-customers")


@pytest.fixture
def catalogue_size() -> int:
    return 10


@pytest.fixture(autouse=True)
def roles(shop: Shop) -> None:
    shop.extra |= ROLES


def run_daily(shop: Shop, *commands: str, days: int = 4, every: int = 1) -> None:
    """Runs commands on so many days, the last of which is today."""
    shop.ok("sync-recent")
    for _ in range(days):
        pass_time(shop, days=every)
        for command in commands:
            shop.ok(command)


def later(shop: Shop, days: float) -> Result:
    """What the check says so many days later, on which sync-recent alone has run."""
    pass_time(shop, days=days)
    shop.ok("sync-recent")
    return check(shop)


@pytest.mark.parametrize("command", REGULAR)
def test_a_command_that_stalls_is_a_warning(shop: Shop, command: str) -> None:
    other = next(each for each in REGULAR if each != command)
    run_daily(shop, command)
    pass_time(shop, days=2.9)
    shop.ok(other)
    assert later(shop, 0).code == 0
    result = later(shop, 0.2)
    assert result.code == 1
    assert f"unleashed: {command} last succeeded 3 days ago, and used to every day: look at cron" in result.out
    assert other not in result.out
    assert performance(result)[f"unleashed_{command.replace('-', '_')}"].endswith("s;259200;;0")
    shop.ok(command)
    assert check(shop).code == 0


def test_what_runs_seldom_is_given_more_time(shop: Shop) -> None:
    run_daily(shop, *REGULAR, every=7)
    assert later(shop, 20.9).code == 0
    result = later(shop, 0.2)
    assert (result.code, "used to every 7 days" in result.out) == (1, True)


@pytest.mark.parametrize(
    ("days", "every", "after"),
    [(3, 1, 9), (4, 0, 9), (4, 12, 35), (4, 1, 31)],
    ids=["too few days", "one day", "less than every 10 days", "given up for good"],
)
def test_what_is_not_run_by_a_schedule_is_never_told(shop: Shop, days: int, every: int, after: int) -> None:
    run_daily(shop, *REGULAR, days=days, every=every)
    result = later(shop, after)
    assert (result.code, set(REGULAR) & {word for word in REGULAR if word in result.out}) == (0, set())


def test_what_no_role_asks_for_is_not_told(shop: Shop) -> None:
    run_daily(shop, *REGULAR)
    pass_time(shop, days=9)
    shop.ok("sync-recent")
    assert "sync-oldest" not in check(shop, SYNCCTL_UNLEASHED_ROLES="customers").out
    assert "sync-customers" not in check(shop, SYNCCTL_UNLEASHED_ROLES="products").out


def test_a_cron_that_runs_them_in_vain_is_not_blamed(shop: Shop) -> None:
    run_daily(shop, "sync-customers")
    pass_time(shop, days=4)
    shop.upstream.fault("500", "Customers", times=None)
    assert shop.run("sync-customers").code == 69
    pass_time(shop, hours=5)
    result = later(shop, 0)
    assert (result.code, "cron" in result.out) == (1, False)
    assert "sync-customers last succeeded 4 days ago, last tried 5 h ago: " in result.out


def test_metrics_tell_by_when_it_is_due(shop: Shop) -> None:
    run_daily(shop, "sync-customers")
    found = parsed(shop.ok("metrics").out)
    due, last = (
        value(found, name, command="sync-customers")
        for name in ("success_due_timestamp_seconds", "last_success_timestamp_seconds")
    )
    assert due - last == 3 * 86_400
    assert not [labels for name, labels in found if "success_due" in name and ("command", "sync-recent") in labels]
