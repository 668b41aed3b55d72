"""`syncctl plan`: a schedule that keeps the promise inside the limits, and that costs what it says."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Shop, Upstream
from posting import SETTINGS as TO_UNLEASHED
from posting import moment, order, place
from xero_posting import SETTINGS as TO_XERO
from xero_posting import paid

from syncctl.clock import seconds_in
from syncctl.sandbox import Sandbox
from syncctl.state.database import open_database

EXAMPLE = Path(__file__).parent.parent / "crontab.example"
README = EXAMPLE.with_name("README.md")
SHARES = {"invoice": 100, "recent": 90, "customer": 80, "oldest": 70}
REFERENCE = {
    "SYNCCTL_SHOP": "myshop",
    "SYNCCTL_CONNECTORS": "unleashed,vend,xero",
    "SYNCCTL_TIMEZONE": "Pacific/Auckland",
    "SYNCCTL_UNLEASHED_API_ID": "an-id",
    "SYNCCTL_UNLEASHED_API_KEY": "a-key",
    "SYNCCTL_VEND_DOMAIN_PREFIX": "myshop",
    "SYNCCTL_VEND_TOKEN": "a-token",
    "SYNCCTL_XERO_CLIENT_ID": "an-id",
    "SYNCCTL_XERO_CLIENT_SECRET": "a-secret",
    "SYNCCTL_XERO_ROLES": "customers,invoices",
    "SYNCCTL_XERO_TAX": "0.15:OUTPUT2,0:NONE",
    "SYNCCTL_XERO_PAYMENTS": "card:090",
}
PLENTY = {"SYNCCTL_UNLEASHED_LIMITS": "100000/minute, 125000/month"}
SIZE = ("--products", "5000", "--orders-per-day", "40")


@pytest.fixture
def reference(tmp_path: Path) -> Shop:
    """The reference shop, before its first run: nothing answers."""
    (tmp_path / ".env").touch(mode=0o600)
    return Shop(tmp_path, REFERENCE, Upstream("http://127.0.0.1:9"))


def plan(shop: Shop, *args: str, **settings: str) -> dict[str, dict[str, Any]]:
    """The connectors of `--json` by name."""
    result = shop.ok("plan", *args, "--json", **settings)
    return {each["name"]: each for each in result.json()["connectors"]}


def calls_a_run(connector: dict[str, Any]) -> dict[str, float]:
    return {job["command"]: job["calls_per_run"] for job in connector["jobs"]}


def every(connector: dict[str, Any], command: str) -> int:
    """Its interval in minutes."""
    return int(next(job["every_minutes"] for job in connector["jobs"] if job["command"].startswith(command)))


def installed(shop: Shop, text: str) -> str:
    """A crontab of this folder, as it would be of an installation by the README."""
    text = text.replace(f" --env-file {shop.folder / '.env'}", "").replace(
        str(shop.folder / ".env"), "/etc/syncctl/.env"
    )
    text = text.replace(str(shop.state), "/var/lib/syncctl/state.db")
    text = text.replace(f"  {shop.folder.owner()}  $SYNCCTL", "  syncctl  $SYNCCTL")
    return text.replace(str(Path(sys.executable).with_name("syncctl")), "/opt/syncctl/bin/syncctl")


def test_the_example_is_the_schedule_of_the_reference_shop(reference: Shop) -> None:
    written = installed(reference, reference.ok("plan", *SIZE, "--crontab").out)
    assert written == EXAMPLE.read_text(), f"write this to crontab.example:\n{written}"


def test_the_readme_shows_what_it_prints(reference: Shop) -> None:
    assert reference.ok("plan", *SIZE).out in README.read_text()


def test_a_plan_needs_no_state_and_makes_none(reference: Shop) -> None:
    assert set(plan(reference, *SIZE)) == {"unleashed", "vend", "xero"}
    assert not reference.state.exists()
    refused = reference.run("plan")
    assert refused.code == 2
    assert "--products" in refused.err


def test_it_fits_a_terminal(reference: Shop) -> None:
    tight = {"SYNCCTL_XERO_LIMITS": "100/day", "SYNCCTL_UNLEASHED_LIMITS": "60/minute, 900/month"}
    for settings in ({}, tight):
        lines = reference.ok("plan", *SIZE, **settings).out.splitlines()
        assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("promise", ["30m", "1h", "2h", "3h", "6h", "1d"])
def test_no_usual_day_comes_near_the_promise(reference: Shop, promise: str) -> None:
    found = plan(reference, *SIZE, "--freshness", promise)["unleashed"]
    assert found["fresh_seconds"] <= 0.75 * seconds_in(promise)
    assert 4 * every(found, "sync-recent") * 60 > 0.75 * seconds_in(promise)


LIMITS = ["400/month", "1500/month", "3000/month", "6000/month", "20/day", "70/day", "200/day", "30/hour"]


def window(connector: dict[str, Any], purpose: str, days: float) -> int:
    """The calls for a purpose in a window of so many days."""
    jobs = [job for job in connector["jobs"] if job["purpose"] == purpose]
    return sum(job["calls_per_run"] * math.ceil(days * 1440 / job["every_minutes"]) for job in jobs)


@pytest.mark.parametrize("limit", LIMITS)
def test_each_purpose_stays_in_its_share(reference: Shop, limit: str) -> None:
    calls, unit = limit.split("/")
    found = plan(reference, *SIZE, SYNCCTL_UNLEASHED_LIMITS=limit)["unleashed"]
    assert found["fits"]
    booked = 0
    for purpose, share in SHARES.items():
        own = window(found, purpose, {"month": 31, "day": 1, "hour": 1 / 24}[unit])
        booked += own
        assert not own or booked <= int(calls) * share / 100
    late = [words for words in found["advice"] if "not within 2 h" in words]
    assert bool(late) == (found["fresh_seconds"] > 7200)


def advised(shop: Shop, limit: int) -> list[str]:
    found: list[str] = plan(shop, *SIZE, SYNCCTL_UNLEASHED_LIMITS=f"{limit}/month")["unleashed"]["advice"]
    return found


def test_what_the_plan_asks_for_would_do(reference: Shop) -> None:
    """The limit that it names is enough, and one that is a little smaller is not."""
    (number,) = re.findall(r"at least ([\d,]+) calls a month", " ".join(advised(reference, 400)))
    need = int(number.replace(",", ""))
    assert advised(reference, need) == []
    assert advised(reference, need * 8 // 10)


def test_only_what_there_is_gives_way(reference: Shop) -> None:
    """The reference shop reads no products from Xero."""
    found = plan(reference, *SIZE, SYNCCTL_XERO_LIMITS="30/day")["xero"]
    words = " ".join(found["advice"])
    assert "post-invoices runs every 60 min instead of 20" in words
    assert not re.search("sync-oldest|--full|sync-recent", words)
    assert not found["fits"]
    assert "for orders" in words


def test_a_share_that_does_not_do_is_named_with_what_would(reference: Shop) -> None:
    """As many calls as are wanted, but the last of them are kept for orders."""
    least = plan(reference, *SIZE, SYNCCTL_XERO_LIMITS="30/day")["xero"]["limits"][0]["calls"]
    tight = {"SYNCCTL_XERO_LIMITS": f"{least}/day"}
    found = plan(reference, *SIZE, **tight)["xero"]
    assert (found["limits"][0]["fits"], found["limits"][0]["short_for"]) == (False, "customer")
    words = " ".join(found["advice"])
    assert f"customer calls end at 80 % of the limit, which is {least * 80 // 100}, so that orders" in words
    (need,) = re.findall(r"at least ([\d,]+) calls a day; SYNCCTL_XERO_LIMITS", words)
    assert "0 % left, but not for customer calls" in reference.ok("plan", *SIZE, **tight).out
    assert plan(reference, *SIZE, SYNCCTL_XERO_LIMITS=f"{need}/day")["xero"]["fits"]


def test_one_with_few_calls_gets_lines_of_its_own(reference: Shop) -> None:
    result = reference.ok("plan", *SIZE, "--json", SYNCCTL_VEND_LIMITS="60/day").json()
    recent = {line["connector"]: line["cron"] for line in result["schedule"] if "--max-seconds" in line["arguments"]}
    assert {"unleashed", "vend"} <= recent.keys()
    crontab = reference.ok("plan", *SIZE, "--crontab", SYNCCTL_VEND_LIMITS="60/day").out
    assert "sync-recent --connector vend" in crontab
    assert "sync-recent --full --connector unleashed" in crontab  # vend is left out
    assert "sync-recent --full --connector vend" not in crontab


def test_every_line_of_a_schedule_can_be_run(reference: Shop) -> None:
    open_database(reference.state).close()
    for orders in ("40", "9000"):
        size = ("--products", "5000", "--orders-per-day", orders)
        schedule = reference.ok("plan", *size, "--json", SYNCCTL_VEND_LIMITS="60/day").json()["schedule"]
        for line in schedule:
            reference.ok(*line["arguments"], "--jitter", str(line["jitter_seconds"]), "--dry-run")


def test_a_promise_that_is_too_short_is_told(reference: Shop) -> None:
    result = reference.ok("plan", *SIZE, "--freshness", "5m", "--json").json()
    assert not result["fits"]
    assert "SYNCCTL_FRESHNESS=10m would be kept" in " ".join(result["connectors"][0]["advice"])
    assert reference.ok("plan", *SIZE, "--freshness", "10m", "--json").json()["fits"]


def test_many_orders_are_never_taken_for_a_history(reference: Shop) -> None:
    """Even in an hour with three times as many a run has at most 50, the number that needs a word from a person."""
    for orders in (10, 100, 1000, 4000):
        found = plan(reference, "--products", "5000", "--orders-per-day", str(orders), SYNCCTL_XERO_LIMITS="60/minute")
        assert 3 * orders * every(found["xero"], "post-invoices") / 1440 <= 50
    text = reference.ok("plan", "--products", "5000", "--orders-per-day", "10000", "--crontab").out
    assert "post-invoices --limit 50" in text


def test_shops_have_minutes_of_their_own_that_stay(reference: Shop) -> None:
    made = [reference.ok("plan", *SIZE, "--crontab", SYNCCTL_SHOP=shop).out for shop in ("one", "one", "two")]
    assert made[0] == made[1]
    assert made[0].replace("one", "two") != made[2]


def test_a_mistyped_folder_is_not_made(reference: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "no" / "units"
    result = reference.run("plan", *SIZE, "--systemd", str(folder))
    assert (result.code, f"{folder} cannot be written" in result.err, folder.parent.exists()) == (74, True, False)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_takes_the_units(reference: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "units"
    written = reference.ok("plan", *SIZE, "--systemd", str(folder), "--json").json()["written"]
    assert len(written) == 12
    command = ["systemd-analyze", "verify", *(str(folder / name) for name in written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_run_as_the_owner_of_the_state(reference: Shop, tmp_path: Path) -> None:
    folder, owner = tmp_path / "units", tmp_path.owner()
    assert f"They run as {owner}," in reference.ok("plan", *SIZE, "--systemd", str(folder)).out
    assert all(f"\nUser={owner}\n" in service.read_text() for service in folder.glob("*.service"))


def test_units_of_another_schedule_are_told(reference: Shop, tmp_path: Path) -> None:
    folder = str(tmp_path / "units")
    reference.ok("plan", *SIZE, "--systemd", folder, SYNCCTL_VEND_LIMITS="60/day")
    told = reference.ok("plan", *SIZE, "--systemd", folder).out
    assert "syncctl-myshop-sync-recent-vend.timer" in told.split("not of this schedule")[1]
    assert "not of this schedule" not in reference.ok("plan", *SIZE, "--systemd", folder + "2").out


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Shop]:
    """A shop with all three services that read everything a day ago and has read since, and posts to two of them."""
    (tmp_path / ".env").touch(mode=0o600)
    with Sandbox(port=0, products=60, seed=7) as sandbox:
        settings = TO_UNLEASHED | TO_XERO | {"SYNCCTL_POST_TO_ALL": "yes"}
        shop = Shop(tmp_path, sandbox.env() | settings | PLENTY, Upstream(sandbox.url))
        _read(shop)
        shop.upstream.advance(90_000)
        _read(shop)
        yield shop


def _read(shop: Shop) -> None:
    for command in ("sync-recent", "sync-customers"):
        shop.run(command)


def spent(result: Result) -> dict[str, int]:
    return {each["name"]: each["calls"] for each in result.json()["connectors"]}


def test_a_run_costs_what_the_plan_says(served: Shop) -> None:
    for name, connector in plan(served, "--changes-per-day", "10").items():
        for command, calls in calls_a_run(connector).items():
            if command.startswith("sync-"):
                result = served.run(*command.split(), "--connector", name, "--json")
                assert spent(result) == {name: calls}, (name, command)


def test_an_order_costs_what_the_plan_says(served: Shop) -> None:
    """That of a new customer; in Xero, a contact that was there would be updated besides."""
    found = plan(served, "--orders-per-day", "1")
    jobs = {name: found[name]["jobs"] for name in ("unleashed", "xero")}
    planned = {name: job["calls_per_day"] for name in jobs for job in jobs[name] if job["command"] == "post-invoices"}
    place(served, paid("1001", customer={"email": "ann@new.test", "name": "Ann New"}))
    assert spent(served.run("post-invoices", "--json")) == planned | {"xero": planned["xero"] - 1}


def test_a_plan_calls_nobody_and_writes_nothing(shop: Shop) -> None:
    shop.ok("sync-recent")
    before, calls = shop.state.read_bytes(), shop.upstream.calls()
    shop.ok("plan")
    assert (shop.state.read_bytes(), shop.upstream.calls()) == (before, calls)


def test_a_shop_that_goes_on_costs_what_it_cost(shop: Shop) -> None:
    for _ in range(2):
        shop.ok("sync-recent")
    shop.write("UPDATE run_connectors SET calls = 9")
    (recent,) = (job for job in plan(shop)["unleashed"]["jobs"] if job["command"] == "sync-recent")
    assert (recent["calls_per_run"], recent["observed"]) == (9, True)
    assert "9*" in shop.ok("plan").out


def test_a_run_that_was_put_off_says_nothing_of_the_cost(shop: Shop) -> None:
    for _ in range(2):
        shop.ok("sync-recent")
    before = plan(shop)["unleashed"]["jobs"]
    shop.upstream.fault("429", retry_after=3600)
    shop.ok("sync-recent")
    assert plan(shop)["unleashed"]["jobs"] == before


def test_sizes_and_rates_are_those_of_the_state(shop: Shop) -> None:
    shop.extra |= TO_UNLEASHED
    shop.ok("sync-recent")
    shop.write("UPDATE runs SET started_at = ?", round(time.time() * 1000) - 7 * 86_400_000)
    shop.write("UPDATE run_connectors SET changed = 70")
    place(shop, *(order(str(number), placed_at=moment(days=7)) for number in range(14)))
    found = plan(shop)["unleashed"]
    assert (found["products"], found["changes_per_day"], found["orders_per_day"]) == (120, 10, 2)
    assert found["assumed"] == []


def test_what_others_spend_is_left_to_them(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.write("UPDATE spend SET others = 100000 WHERE win = 'month'")
    month = next(each for each in plan(shop)["unleashed"]["limits"] if each["window"] == "month")
    assert month["others"] >= 100_000
    assert plan(shop)["unleashed"]["advice"]


def test_the_budget_goes_by_the_plan_until_there_is_a_pace(shop: Shop) -> None:
    shop.ok("sync-recent")
    (month,) = (each for each in plan(shop)["unleashed"]["limits"] if each["window"] == "month")
    assert f"syncctl plan reckons with {month['calls']:,}\n" in shop.ok("budget").out


def test_a_limit_that_a_service_told_counts(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.write("INSERT INTO learnt_limits VALUES ('unleashed', 'month', 250000)")
    limits = plan(shop, SYNCCTL_UNLEASHED_LIMITS="")["unleashed"]["limits"]
    assert {"month": 250_000}.items() <= {each["window"]: each["limit"] for each in limits}.items()
