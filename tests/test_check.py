"""`syncctl status --check`, as Nagios, Icinga and scripts see it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Result, Shop

from syncctl.models import iso

pytestmark = pytest.mark.products(10)
PERFORMANCE = re.compile(r"[a-z0-9_]+=(U|-?[0-9.]+s?)(;[0-9.]*:?){0,4}")


def check(shop: Shop, **settings: str) -> Result:
    """One line on stdout and nothing else, whatever there is to say."""
    result = shop.run("status", "--check", **settings)
    assert result.err == ""
    assert len(result.out.splitlines()) == 1
    assert result.out.startswith(f"SYNCCTL {('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')[result.code]}: ")
    return result


def performance(result: Result) -> dict[str, str]:
    """The data behind the bar, each of the plugins' documented form."""
    data = result.out.partition(" | ")[2].split()
    assert all(PERFORMANCE.fullmatch(datum) for datum in data), data
    return {label: value for label, _, value in (datum.partition("=") for datum in data)}


def pass_time(shop: Shop, **ago: float) -> None:
    """Lets all runs have been made some time ago."""
    ms = round(timedelta(**ago).total_seconds() * 1000)
    shop.write("UPDATE runs SET started_at = started_at - ?1, finished_at = finished_at - ?1", ms)


def test_all_is_well(shop: Shop) -> None:
    shop.ok("sync-recent")
    result = check(shop)
    assert result.code == 0
    assert "unleashed: sync-recent last succeeded 0 s ago" in result.out
    data = performance(result)
    assert re.fullmatch(r"\d+s;5400;7200;0", data["unleashed_freshness"])
    assert data["unleashed_oldest_product"].endswith("s;;;0")
    assert data["unleashed_month"] == "2;;;0;125000"


def test_a_connector_without_products_promises_nothing(shop: Shop) -> None:
    roles = {"SYNCCTL_UNLEASHED_ROLES": "customers"}
    shop.ok("sync-customers", **roles)
    result = check(shop, **roles)
    assert (result.code, "sync-recent" in result.out) == (0, False), result
    assert "unleashed_freshness" not in performance(result)
    assert "freshness_promised" not in shop.ok("metrics", **roles).out


def test_a_setting_that_keeps_every_order_from_being_posted(shop: Shop) -> None:
    shop.ok("sync-recent")
    posting = {"SYNCCTL_UNLEASHED_ROLES": "products,stock,invoices", "SYNCCTL_TIMEZONE": ""}
    result = check(shop, **posting)
    assert (result.code, "no order is posted: SYNCCTL_TIMEZONE is not set" in result.out) == (2, True)
    assert "no order is posted" in shop.run("status", **posting).err
    told = shop.run("doctor", **posting)
    assert (told.code, "every syncctl post-invoices ends with 78: SYNCCTL_TIMEZONE" in told.out) == (78, True)


@pytest.mark.parametrize(
    ("minutes", "settings", "code"),
    [
        (80, {}, 0),
        (95, {}, 1),
        (125, {}, 2),
        (125, {"SYNCCTL_FRESHNESS": "3h"}, 0),
        (10, {"SYNCCTL_FRESHNESS": "9min"}, 2),
        (10, {"SYNCCTL_FRESHNESS": "9m"}, 2),
        (2000, {"SYNCCTL_FRESHNESS": "2 d"}, 0),
    ],
)
def test_a_stalled_cron_is_noticed(shop: Shop, minutes: int, settings: dict[str, str], code: int) -> None:
    shop.ok("sync-recent")
    pass_time(shop, minutes=minutes)
    result = check(shop, **settings)
    assert result.code == code
    assert ("look at cron" in result.out) == bool(code)


def test_the_minutes_of_an_hour_count(shop: Shop) -> None:
    shop.ok("sync-recent")
    pass_time(shop, minutes=100)
    told = check(shop, SYNCCTL_FRESHNESS="90m").out
    assert "last succeeded 1 h 40 min ago, and changes are to show within 1 h 30 min" in told


def test_a_success_of_another_command_keeps_no_promise(shop: Shop) -> None:
    shop.ok("sync-recent")
    pass_time(shop, hours=5)
    shop.ok("sync-oldest")
    assert shop.run("sync-recent", SYNCCTL_UNLEASHED_API_KEY="wrong").code == 77
    result = check(shop)
    assert (result.code, "5 h ago" in result.out) == (2, True)


def test_a_cron_that_runs_in_vain_is_not_blamed(shop: Shop) -> None:
    shop.ok("sync-recent")
    pass_time(shop, hours=3)
    assert shop.run("sync-recent", SYNCCTL_UNLEASHED_API_KEY="wrong").code == 77
    result = check(shop)
    assert (result.code, "cron" in result.out) == (2, False), result
    assert "last succeeded 3 h ago, last tried 0 s ago: The service refuses the credentials" in result.out
    pass_time(shop, hours=3)
    assert "look at cron" in check(shop).out


def test_a_sync_that_is_put_off_is_not_a_stalled_cron(shop: Shop) -> None:
    shop.ok("sync-recent")
    pass_time(shop, hours=3)
    shop.upstream.fault("429", retry_after=3600)
    shop.ok("sync-recent")
    result = check(shop)
    assert (result.code, "cron" in result.out, "last tried 0 s ago: put off until 20" in result.out) == (2, False, True)


def test_what_has_never_been_read_is_critical(shop: Shop) -> None:
    assert shop.run("sync-recent", SYNCCTL_UNLEASHED_API_KEY="wrong").code == 77
    result = check(shop)
    assert result.code == 2
    assert "sync-recent has never succeeded, last tried 0 s ago: The service refuses the credentials" in result.out
    assert performance(result)["unleashed_freshness"].startswith("U;")


def test_a_first_read_that_is_under_way_is_a_warning(shop: Shop) -> None:
    slow = {"SYNCCTL_UNLEASHED_LIMITS": "1/month", "SYNCCTL_UNLEASHED_PAGE_SIZE": "2"}
    shop.run("sync-recent", **slow)
    result = check(shop)
    assert (result.code, "the first read is under way" in result.out) == (1, True)


def break_errors(shop: Shop) -> dict[str, str]:
    shop.ok("sync-recent")
    shop.write("UPDATE run_connectors SET errors = '{'")
    return {}


def break_state(shop: Shop) -> dict[str, str]:
    shop.state.write_text("no database | at all\n" * 99)
    return {}


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda _: {}, "There is no state file"),
        (lambda _: {"SYNCCTL_SHOP": ""}, "SYNCCTL_SHOP is not set"),
        (lambda _: {"SYNCCTL_FRESHNESS": "so|on"}, 'SYNCCTL_FRESHNESS: "so/on" does not fit'),
        (break_state, "not a database"),
        (break_errors, "which syncctl status tells more of"),
    ],
    ids=["no state", "no shop", "wrong setting", "damaged", "bug"],
)
def test_whatever_goes_wrong_is_unknown(shop: Shop, prepare: Callable[[Shop], dict[str, str]], words: str) -> None:
    result = check(shop, **prepare(shop))
    assert result.code == 3
    assert words in result.out
    assert "|" not in result.out


def test_a_wrong_setting_of_one_connector_is_critical(shop: Shop) -> None:
    shop.ok("sync-recent")
    result = check(shop, SYNCCTL_UNLEASHED_API_KEY="")
    assert (result.code, "SYNCCTL_UNLEASHED_API_KEY is not set" in result.out) == (2, True)


def test_a_block_and_a_used_up_month_are_told(shop: Shop) -> None:
    shop.ok("sync-recent")
    assert check(shop, SYNCCTL_UNLEASHED_LIMITS="2/month").code == 2
    shop.upstream.fault("429", retry_after=3600)
    shop.ok("sync-recent")
    result = check(shop)
    assert (result.code, "no calls until 20" in result.out) == (1, True)


def journal(shop: Shop, calls: int, days: float) -> None:
    """So many calls, the same number every hour, since some days ago."""
    now = datetime.now(UTC).timestamp() * 1000
    shop.write(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO calls (at, run,"
        " connector, purpose, method, path) SELECT CAST(?2 - ?3 * 86400000 * (1 - i * 1.0 / ?1) AS INTEGER), 1,"
        " 'unleashed', 'recent', 'GET', '/x' FROM n ORDER BY i",
        calls, now, days,
    )  # fmt: skip


def test_a_month_that_will_not_do_is_a_warning(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.write("DELETE FROM calls")
    shop.write("DELETE FROM call_counts")
    journal(shop, 4000, 4)
    begin = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0)
    left = ((begin + timedelta(days=32)).replace(day=1) - datetime.now(UTC)) / timedelta(days=1)
    few = f"{round(2 + 1000 * left) - 20}/month"
    many = f"{round(2 + 1000 * left) + 20}/month"
    result = check(shop, SYNCCTL_UNLEASHED_LIMITS=few)
    if left > 0.1:  # in the last hours of a month the limit itself is near
        assert (result.code, "at today's pace" in result.out) == (1, True), result
    assert check(shop, SYNCCTL_UNLEASHED_LIMITS=many).code == 0


def test_a_young_journal_forecasts_nothing(shop: Shop) -> None:
    shop.ok("sync-recent")
    assert "unleashed_month_forecast" not in performance(check(shop))


def test_json_has_the_findings(shop: Shop) -> None:
    shop.ok("sync-recent")
    pass_time(shop, hours=5)
    result = shop.run("status", "--check", "--json")
    told = json.loads(result.out)
    assert (result.code, told["exit_code"], told["check"]["level"]) == (2, 2, "CRITICAL")
    assert told["check"]["findings"][0]["level"] == "CRITICAL"


@pytest.mark.parametrize(("days", "code"), [(0, 0), (45, 0), (47, 1), (58, 2)])
def test_a_refresh_token_that_dies_soon_is_told(consented: Shop, days: int, code: int) -> None:
    tokens = consented.folder / "syncctl.db.tokens"
    entry = json.loads(tokens.read_text())
    entry["xero"]["replaced_at"] = iso(datetime.now(UTC) - timedelta(days=days))
    tokens.write_text(json.dumps(entry))
    result = check(consented)
    assert result.code == code
    assert ("the refresh token dies at" in result.out) == bool(code)
    assert performance(result)["xero_token_days"] == f"{60.0 - days};14:;3:"
    assert f"dies in {60 - days} days" in consented.ok("status").out


def test_a_token_file_that_is_damaged_is_unknown(consented: Shop) -> None:
    (consented.folder / "syncctl.db.tokens").write_text("{")
    result = check(consented)
    assert (result.code, "is damaged" in result.out) == (3, True)
    assert "is damaged" in consented.ok("status").out
