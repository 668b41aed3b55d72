"""What a command prints and how it ends, as cron, a person and a script see it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Shop

from syncctl.clock import SystemClock
from syncctl.http import transport
from syncctl.models import iso
from syncctl.state.locks import Holder, hold

KEYS = {"schema_version", "command", "run", "exit_code", "connectors"}
COUNTS = {"calls", "bytes", "seen", "changed", "created", "verified", "drifted", "gone", "customers_linked"}
CONNECTOR_KEYS = {"name", *COUNTS, "deferred_until", "errors"}
SYNCING = [("sync-recent",), ("sync-recent", "--full"), ("sync-oldest",), ("sync-product", "{sku}")]


@pytest.fixture
def sku(shop: Shop) -> str:
    """A product that the shop has read."""
    shop.ok("sync-recent")
    found: str = shop.value("SELECT sku FROM products ORDER BY sku LIMIT 1")
    return found


def dump(shop: Shop) -> list[str]:
    """Every row of every table."""
    with closing(sqlite3.connect(shop.state)) as connection:
        return list(connection.iterdump())


def no_tls(shop: Shop) -> str:
    """An address that is down, and not tried again: https where plain HTTP is served."""
    return shop.env["SYNCCTL_UNLEASHED_BASE_URL"].replace("http:", "https:")


@pytest.mark.parametrize("args", SYNCING)
def test_success_is_silent_under_cron(shop: Shop, sku: str, args: tuple[str, ...]) -> None:
    assert shop.ok(*[arg.format(sku=sku) for arg in args]).out == ""


def test_verbose_tells_one_line_a_connector(shop: Shop, sku: str) -> None:
    assert shop.ok("sync-recent", "-v").out == "unleashed: 0 seen, 0 changed; 2 calls\n"
    shop.upstream.put(
        "products", {"ProductCode": sku, "DefaultSellPrice": 77.5}, {"ProductCode": "NEW", "Obsolete": False}
    )
    line = shop.ok("sync-recent", "-v").out
    assert line == "unleashed: 2 seen, 1 new, 1 changed; 2 calls\n"
    assert shop.ok("sync-oldest", "-v").out.endswith("0 drifted, 0 gone; 2 calls\n")


@pytest.mark.parametrize("args", SYNCING)
def test_json_is_one_object_of_the_documented_form(shop: Shop, sku: str, args: tuple[str, ...]) -> None:
    done = shop.ok(*[arg.format(sku=sku) for arg in args], "--json").json()
    assert done.keys() == KEYS
    assert (done["schema_version"], done["command"], done["exit_code"]) == (1, args[0], 0)
    assert done["run"] == shop.value("SELECT max(id) FROM runs")
    (connector,) = done["connectors"]
    assert connector.keys() == CONNECTOR_KEYS
    assert connector["name"] == "unleashed"
    assert connector["calls"] > 0 or "--full" in args
    assert all(type(connector[count]) is int for count in COUNTS)
    assert (connector["deferred_until"], connector["errors"]) == (None, [])


BEFORE_A_RUN: list[tuple[tuple[str, ...], dict[str, str], int, str]] = [
    (("sync-recent",), {"SYNCCTL_SHOP": ""}, 78, "SYNCCTL_SHOP is not set"),
    (("sync-oldest",), {"SYNCCTL_STATE": "/proc/nowhere/x.db"}, 74, "/proc/nowhere/x.db"),
    (("sync-recent", "--connector", "xero"), {}, 78, "--connector: there is no xero"),
    (("sync-recent", "--no-such-option"), {}, 2, "--no-such-option"),
    (("sync-product",), {}, 2, "Missing argument 'SKU...'"),
]


@pytest.mark.parametrize(("args", "settings", "code", "words"), BEFORE_A_RUN)
def test_json_has_its_form_before_a_run_too(
    shop: Shop, args: tuple[str, ...], settings: dict[str, str], code: int, words: str
) -> None:
    result = shop.run(*args, "--json", **settings)
    done = result.json()
    assert done.keys() == KEYS
    assert (result.code, done["exit_code"], done["run"], done["command"]) == (code, code, None, args[0])
    (told,) = done["connectors"]
    assert told.keys() == CONNECTOR_KEYS
    assert told["name"] is None
    assert words in told["errors"][0]["message"]
    assert words in result.err


def broken_cursor(shop: Shop) -> None:
    shop.write("UPDATE cursors SET stamp = '{'")


def broken_state(shop: Shop) -> None:
    shop.state.write_text("This is no database, whatever its name may say. " * 100)


EXITS: list[tuple[int, tuple[str, ...], Callable[[Shop], object], dict[str, str]]] = [
    (0, ("sync-recent",), lambda _: None, {}),
    (2, ("sync-recent", "--limit", "x"), lambda _: None, {}),
    (65, ("sync-product", "NO-SUCH-SKU"), lambda _: None, {}),
    (69, ("sync-recent",), lambda shop: shop.upstream.fault("503-text"), {}),
    (70, ("sync-recent",), broken_cursor, {}),
    (74, ("sync-recent",), broken_state, {}),
    (76, ("sync-recent",), lambda shop: shop.upstream.fault("html"), {}),
    (76, ("sync-recent",), lambda shop: shop.upstream.fault("garbage"), {}),
    (77, ("sync-recent",), lambda _: None, {"SYNCCTL_UNLEASHED_API_KEY": "wrong"}),
    (77, ("sync-recent",), lambda shop: shop.upstream.fault("401"), {}),
    (78, ("sync-recent",), lambda _: None, {"SYNCCTL_UNLEASHED_API_KEY": ""}),
]


@pytest.mark.parametrize("case", EXITS, ids=lambda case: f"{case[0]}-{' '.join(case[1])}")
def test_each_exit_code_has_its_cause(
    shop: Shop,
    sku: str,
    case: tuple[int, tuple[str, ...], Callable[[Shop], object], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "TRIES", 1)
    code, args, prepare, settings = case
    prepare(shop)
    result = shop.run(*args, **settings)
    assert result.code == code, result
    assert bool(result.err) == bool(code)
    assert ("Traceback" in result.err) == (code == 70)


def two(shop: Shop, **more: str) -> dict[str, str]:
    """Settings of two accounts, `nz` and `au`; `more` changes them."""
    names = ("BASE_URL", "API_ID", "API_KEY")
    settings = {f"SYNCCTL_{n}_{s}": shop.env[f"SYNCCTL_UNLEASHED_{s}"] for n in ("NZ", "AU") for s in names}
    without = {name: "" for name in shop.env if name.startswith("SYNCCTL_UNLEASHED_")}
    return without | {"SYNCCTL_CONNECTORS": "nz:unleashed, au:unleashed"} | settings | more


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ({"SYNCCTL_NZ_API_KEY": ""}, 78, "nz: SYNCCTL_NZ_API_KEY is not set"),
        ({"SYNCCTL_NZ_API_KEY": "wrong"}, 77, "Check SYNCCTL_NZ_API_ID and SYNCCTL_NZ_API_KEY"),
        ({"SYNCCTL_NZ_BASE_URL": "https://no-such-host.invalid"}, 69, "nz: The host of https://no-such-host.invalid"),
    ],
)
def test_one_connector_that_fails_stops_no_other(shop: Shop, wrong: dict[str, str], code: int, words: str) -> None:
    result = shop.run("sync-recent", "--json", **two(shop, **wrong))
    assert result.code == code
    nz, au = result.json()["connectors"]
    assert (nz["name"], nz["seen"], len(nz["errors"])) == ("nz", 0, 1)
    assert (au["name"], au["errors"]) == ("au", [])
    assert au["seen"] > 120
    assert words in result.err
    assert len(result.err.splitlines()) == 1


def test_the_worst_code_wins(shop: Shop) -> None:
    both = two(shop, SYNCCTL_NZ_API_KEY="wrong", SYNCCTL_AU_BASE_URL=no_tls(shop))
    assert shop.run("sync-recent", **both).code == 77
    assert shop.run("sync-recent", "--connector", "au", **both).code == 69
    assert shop.run("sync-recent", **two(shop, SYNCCTL_NZ_API_KEY="", SYNCCTL_AU_API_KEY="wrong")).code == 78


def test_a_bug_in_one_connector_stops_no_other(shop: Shop) -> None:
    shop.ok("sync-recent", **two(shop))
    shop.write("UPDATE cursors SET stamp = '{' WHERE connector = 'nz'")
    result = shop.run("sync-recent", "--json", **two(shop))
    assert result.code == 70
    assert [each["calls"] for each in result.json()["connectors"]] == [0, 2]


def test_one_connector_alone(shop: Shop) -> None:
    result = shop.ok("sync-recent", "--connector", "au", "--json", **two(shop))
    assert result.only()["name"] == "au"


def test_a_lost_key_takes_nothing_out_of_the_catalogue(shop: Shop, sku: str) -> None:
    before = shop.rows("SELECT * FROM catalogue")
    assert shop.run("sync-recent", SYNCCTL_UNLEASHED_API_KEY="").code == 78
    assert shop.rows("SELECT * FROM catalogue") == before


def test_a_mistyped_command_gets_a_suggestion(shop: Shop) -> None:
    result = shop.run("sync-recnt")
    assert result.code == 2
    assert "Did you mean sync-recent?" in result.err


@pytest.mark.parametrize("args", [*SYNCING, ("doctor",)])
def test_a_dry_run_calls_nobody_and_changes_nothing(shop: Shop, sku: str, args: tuple[str, ...]) -> None:
    before, calls = dump(shop), shop.upstream.calls()
    result = shop.ok(*[arg.format(sku=sku) for arg in args], "--dry-run")
    assert "; none was made" in result.out
    assert (dump(shop), shop.upstream.calls()) == (before, calls)


@pytest.mark.parametrize("args", [*SYNCING, ("doctor",)])
def test_a_dry_run_makes_no_state(shop: Shop, args: tuple[str, ...]) -> None:
    shop.ok(*args, "--dry-run")
    assert [path.name for path in shop.folder.iterdir()] == [".env"]


def test_a_used_up_month_is_no_failure_and_says_when_it_goes_on(shop: Shop) -> None:
    few = {"SYNCCTL_UNLEASHED_LIMITS": "4/month", "SYNCCTL_UNLEASHED_PAGE_SIZE": "25"}
    first = shop.run("sync-recent", "-v", **few)
    assert first.code == 0
    assert "calls of this month (UTC) are used" in first.out
    following = (datetime.now(UTC).replace(day=1) + timedelta(days=32)).strftime("%Y-%m-01T00:00:00Z")
    assert first.out.count(following) == 1
    result = shop.ok("sync-recent", "--json", **few)
    assert result.only()["deferred_until"] == following
    assert result.only()["calls"] == 0
    assert shop.ok("sync-recent", **few).out == ""


def deferred(shop: Shop, *args: str, limits: str = "1/month") -> str:
    """What a command that may not call says on stderr, under cron; it says nothing on stdout."""
    result = shop.run(*args, SYNCCTL_UNLEASHED_LIMITS=limits)
    assert (result.code, result.out) == (0, "")
    return result.err


@pytest.mark.parametrize("command", ["sync-recent", "sync-oldest"])
@pytest.mark.parametrize("limits", ["1/day", "1/month"])
def test_cron_is_told_once_that_the_budget_is_used_up(shop: Shop, sku: str, command: str, limits: str) -> None:
    (line,) = deferred(shop, command, limits=limits).splitlines()
    assert line.startswith("unleashed: 2/1 calls of this ")
    assert "they go on at" in line
    assert deferred(shop, command, limits=limits) == ""
    with hold(shop.state, "unleashed", holder(timedelta(0)), clock=SystemClock()):
        assert shop.run(command).code == 75
    assert deferred(shop, command, limits=limits) == "", "a run that was locked out brings no news"
    shop.ok(command)
    assert "of this" in deferred(shop, command, limits=limits)


@pytest.mark.parametrize(("seconds", "lines"), [(3600, 0), (10800, 1)])
def test_cron_is_told_of_a_long_block_only(shop: Shop, sku: str, seconds: int, lines: int) -> None:
    shop.upstream.fault("429", retry_after=seconds)
    assert [len(deferred(shop, "sync-recent", limits="9/month").splitlines()) for _ in range(2)] == [lines, 0]


def test_cron_is_told_once_of_a_service_that_refuses_every_run_for_hours(shop: Shop, sku: str) -> None:
    """It never says how long: each of its refusals stands for minutes."""
    shop.upstream.fault("429", times=None)
    told = [deferred(shop, "sync-recent", limits="99/month")]
    for _ in range(4):
        shop.write("UPDATE runs SET (started_at, finished_at) = (started_at - ?1, finished_at - ?1)", 3_600_000)
        shop.write("UPDATE run_connectors SET deferred_until = deferred_until - ?", 3_600_000)
        shop.write("UPDATE blocks SET (until, learnt_at) = (until - ?1, learnt_at - ?1)", 3_600_000)
        told.append(deferred(shop, "sync-recent", limits="99/month"))
    assert [len(each.splitlines()) for each in told] == [0, 0, 1, 0, 0]
    assert "429 Too Many Requests, though only" in told[2]
    assert len(told[2].split()) < 40


def test_a_full_read_that_takes_several_runs_hides_no_used_up_month(shop: Shop) -> None:
    slow = "2/minute, 3/month"
    assert deferred(shop, "sync-recent", "--max-seconds", "0.0001") == ""
    shop.ok("sync-recent", "--max-seconds", "30", SYNCCTL_UNLEASHED_LIMITS="2/minute", SYNCCTL_UNLEASHED_PAGE_SIZE="50")
    assert "of this month" in deferred(shop, "sync-recent", limits=slow)


@pytest.mark.parametrize("args", [(), ("-v",), ("--json",)])
def test_by_hand_one_is_always_told_of_a_used_up_budget(shop: Shop, sku: str, args: tuple[str, ...]) -> None:
    for _ in range(2):
        result = shop.run("sync-product", sku, *args, SYNCCTL_UNLEASHED_LIMITS="1/month")
        assert result.code == 0
        assert result.err.startswith("unleashed: 2/1 calls of this month (UTC) are used; they go on at")
        assert len(result.err.splitlines()) == 1
        assert sku not in result.out, "nothing was read"


def test_doctor_tells_programs_that_it_could_not_check(shop: Shop, sku: str) -> None:
    result = shop.run("doctor", "--json", SYNCCTL_UNLEASHED_LIMITS="1/month")
    (check,) = result.only()["checks"]
    assert (result.code, check["level"], check["subject"]) == (0, "warning", "calls")
    assert "calls of this month (UTC) are used" in check["message"]
    assert check["message"] in result.err


@pytest.mark.parametrize(("limit", "waits"), [("2/month", True), ("3/month", True), ("10/month", False)])
def test_status_tells_when_recent_calls_go_on(shop: Shop, sku: str, limit: str, *, waits: bool) -> None:
    few = {"SYNCCTL_UNLEASHED_LIMITS": limit}
    until = shop.ok("status", "--json", **few).only()["windows"][0]["recent_waits_until"]
    assert bool(until) == waits
    assert (f"; sync-recent waits until {until}" in shop.ok("status", **few).out) == waits
    assert shop.run("sync-recent", "--json", **few).only()["deferred_until"] == until


def test_a_run_that_a_guard_refused_is_no_success(shop: Shop, sku: str) -> None:
    before = shop.ok("status", "--json").only()["commands"]
    ids = shop.rows("SELECT remote_id FROM remote_products")
    for (remote_id,) in ids[: len(ids) // 2]:
        shop.upstream.delete("products", remote_id)
    assert shop.run("sync-recent", "--full").code == 65
    (after,) = shop.ok("status", "--json").only()["commands"]
    assert after["last_success"] == before[0]["last_success"]
    assert shop.run("sync-oldest").code == 65
    assert "never succeeded" in shop.ok("status").out


def test_a_run_with_a_bad_record_is_a_success(shop: Shop, sku: str) -> None:
    shop.write("UPDATE runs SET finished_at = 1")
    assert shop.run("sync-product", sku, "NOWHERE").code == 65
    assert "never succeeded" not in shop.ok("status").out


@pytest.mark.parametrize("option", ["--max-seconds", "--jitter", "--wait-lock"])
@pytest.mark.parametrize("value", ["inf", "nan", "-1", "1e300"])
def test_a_time_that_cannot_be_waited_for_is_wrong_usage(shop: Shop, option: str, value: str) -> None:
    result = shop.run("sync-recent", option, value)
    assert (result.code, result.out) == (2, "")
    assert option in result.err
    assert "Traceback" not in result.err


def test_after_max_seconds_the_next_run_goes_on(shop: Shop, sku: str) -> None:
    line = shop.ok("sync-recent", "-v", "--max-seconds", "0").out
    assert line == "unleashed: 0 seen, 0 changed; 0 calls; stopped after --max-seconds; the next run goes on\n"


def test_the_help_of_the_sandbox_is_laid_out(shop: Shop) -> None:
    told = shop.ok("sandbox", "--help").out
    assert "\\b" not in told
    assert "  syncctl sync-recent --env-file sandbox.env\n" in told


def test_a_used_port_is_told_before_anything_is_printed(shop: Shop) -> None:
    port = shop.upstream.url.split(":")[2].partition("/")[0]
    result = shop.run("sandbox", "--port", port, "--products", "0")
    assert (result.code, result.out) == (69, "")
    assert f"Port {port} cannot be used" in result.err


def test_a_dry_run_before_the_first_run_expects_nothing(shop: Shop, sku: str) -> None:
    assert shop.ok("sync-recent", "--dry-run", "--json").only()["expected"] == 2
    shop.state.unlink()
    told = shop.ok("sync-recent", "--dry-run", "--json").only()
    assert (told["minimum"], told["expected"]) == (2, None)
    assert "at least 1 call, " in shop.ok("doctor", "--dry-run").out


def test_max_seconds_ends_in_good_order_and_the_next_run_goes_on(shop: Shop) -> None:
    slow = {"SYNCCTL_UNLEASHED_LIMITS": "2/minute", "SYNCCTL_UNLEASHED_PAGE_SIZE": "50"}
    result = shop.run("sync-recent", "--max-seconds", "30", "-v", **slow)
    assert result.code == 0
    assert "reading 120 products and their stock in 6 calls, about 3 min" in result.err
    assert "2 calls in 60s is used up, goes on" in result.out
    assert shop.value("SELECT count(*) FROM remote_products") == 100
    result = shop.run("sync-recent", "--json", "-v", SYNCCTL_UNLEASHED_PAGE_SIZE="50")
    assert "reading 120 products (100 are in) and their stock in 4 calls, less than a minute" in result.err
    done = result.only()
    assert shop.value("SELECT count(*) FROM remote_products") == 120
    assert shop.value("SELECT count(DISTINCT path) = count(*) FROM calls") == 1
    assert done["errors"] == []


def holder(age: timedelta) -> Holder:
    return Holder("syncctl sync-recent", os.getpid(), 7, iso(datetime.now(UTC) - age))


def test_a_lock_is_silent_unless_its_holder_is_old(shop: Shop, sku: str) -> None:
    for age, told in ((timedelta(hours=1, minutes=59), ""), (timedelta(hours=2, minutes=1), "kill")):
        with hold(shop.state, "unleashed", holder(age), clock=SystemClock()):
            result = shop.run("sync-recent")
            assert (result.code, result.out) == (75, "")
            assert bool(result.err) == bool(told)
            assert told in result.err
            assert shop.run("sync-recent", "-v").err.startswith("unleashed is locked by `syncctl sync-recent`")
            assert shop.run("sync-recent", "--json").only()["errors"][0]["message"].startswith("unleashed is locked")
            assert shop.ok("sync-product", sku)


def test_doctor_says_that_calls_are_blocked(shop: Shop, sku: str) -> None:
    shop.upstream.fault("429", retry_after=3600)
    shop.ok("sync-recent")
    assert "warning  unleashed: calls: the service says 429" in shop.ok("doctor").out


@pytest.mark.parametrize("args", [("sync-product",), ("explain", "product")])
def test_an_argument_that_is_no_text_is_refused(shop: Shop, sku: str, args: tuple[str, ...]) -> None:
    result = shop.run(*args, "MUG-\udcff")
    assert result.code == 2
    assert "is no text" in result.err


def test_wrong_roles_of_no_connector_reach_no_service(shop: Shop) -> None:
    result = shop.run("sync-recent", "--connector", "unleashed", SYNCCTL_UNLEASHED_ROLES="prodcts")
    assert (result.code, shop.upstream.calls()) == (78, 0)
    assert "SYNCCTL_UNLEASHED_ROLES" in result.err


SMALL = {"SYNCCTL_UNLEASHED_PAGE_SIZE": "20"}


def dry_run(shop: Shop, *args: str, **settings: str) -> tuple[int | None, int]:
    """What the dry run expects, and what the run then makes."""
    expected: int | None = shop.ok(*args, "--dry-run", "--json", **settings).only()["expected"]
    return expected, shop.run(*args, "--json", **settings).only()["calls"]


def test_a_dry_run_in_the_middle_of_a_first_read_tells_what_is_left_of_all_kinds(shop: Shop) -> None:
    assert dry_run(shop, "sync-recent", SYNCCTL_UNLEASHED_LIMITS="3/day", **SMALL) == (None, 2)
    assert "what is left of reading 120 products" in shop.ok("sync-recent", "--dry-run", **SMALL).out
    expected, calls = dry_run(shop, "sync-recent", **SMALL)
    assert expected == calls == 4 + 6
    assert dry_run(shop, "sync-recent", **SMALL) == (2, 2)
    assert dry_run(shop, "sync-recent", "--full", **SMALL) == (12, 12)


def test_a_dry_run_tells_of_a_budget_that_is_used_up(shop: Shop) -> None:
    shop.ok("sync-recent")
    few = {"SYNCCTL_UNLEASHED_LIMITS": "4/day"}
    assert dry_run(shop, "sync-recent", **few) == (1, 1)
    assert "of the calls of this day (UTC) only 0 are left for it" in shop.ok("sync-recent", "--dry-run", **few).out
    assert dry_run(shop, "sync-recent", **few) == (0, 0)


def test_a_dry_run_tells_of_a_service_that_asks_for_no_calls(shop: Shop, sku: str) -> None:
    shop.upstream.fault("429", retry_after=3600)
    shop.ok("sync-recent")
    assert "the service says 429" in shop.ok("sync-recent", "--dry-run").out
    assert dry_run(shop, "sync-recent") == (0, 0)


def test_a_full_read_announces_all_its_calls_and_one_of_stock_alone_its_own(shop: Shop, sku: str) -> None:
    told = shop.run("sync-recent", "--full", "-v", **SMALL).err
    assert "reading 120 products and their stock in 12 calls" in told
    assert "records of stock in 6 calls" in told
    assert "stock" not in shop.run("sync-recent", "--full", "-v", SYNCCTL_UNLEASHED_ROLES="products", **SMALL).err


def test_a_sentence_has_one_mark_at_its_end(shop: Shop) -> None:
    result = shop.run("status", SYNCCTL_NEW_PRODUCTS="maybe", SYNCCTL_NEW_PRODUCT="insert")
    first, second, *_ = result.err.splitlines()
    assert first == 'syncctl: SYNCCTL_NEW_PRODUCTS: "maybe" does not fit; write insert or ignore.'
    assert second.split("?")[1].startswith(" Mend ")
