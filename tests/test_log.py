"""`syncctl log`: the journal as a person and a script read it, and how they watch it grow."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

import pytest
from conftest import Shop

from syncctl.clock import SystemClock
from syncctl.models import iso
from syncctl.state.locks import Holder, hold

pytestmark = pytest.mark.products(10)
HOUR_MS = 3_600_000


@pytest.fixture
def read(shop: Shop) -> Shop:
    """A shop that has read everything, then one change by hand, then been refused."""
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 77.5})
    shop.ok("sync-product", "MUG")
    shop.upstream.fault("401")
    assert shop.run("sync-recent").code == 77
    return shop


def rows(shop: Shop, table: str, *options: str) -> list[dict[str, Any]]:
    told = shop.ok("log", table, *options, "--json").json()
    assert (told["schema_version"], told["command"], told["exit_code"]) == (1, f"log {table}", 0)
    found: list[dict[str, Any]] = told[table]
    return found


def numbers(shop: Shop, *options: str) -> list[int]:
    return [row["call"] for row in rows(shop, "calls", *options)]


def test_calls_are_shown_the_newest_last(read: Shop) -> None:
    found = rows(read, "calls")
    assert [row["call"] for row in found] == [number for (number,) in read.rows("SELECT id FROM calls ORDER BY id")]
    first = found[0]
    assert (first["run"], first["command"], first["connector"], first["purpose"]) == (
        1,
        "sync-recent",
        "unleashed",
        "recent",
    )
    assert (first["method"], first["path"], first["status"]) == (
        "GET",
        "/Products/1?includeObsolete=true&pageSize=200",
        200,
    )
    assert numbers(read, "--limit", "2") == [row["call"] for row in found[-2:]]


@pytest.mark.parametrize(
    ("options", "sql"),
    [
        (["--purpose", "manual"], "purpose = 'manual'"),
        (["--status", "200"], "status = 200"),
        (["--status", "4xx"], "status = 401"),
        (["--status", "failed"], "status = 401"),
        (["--connector", "unleashed", "--status", "2xx"], "status = 200"),
        (["--since", "90min"], "id > 1"),
        (["--since", "2000-01-01"], "1"),
        (["--since", "2999-01-01T10:00"], "0"),
    ],
)
def test_calls_are_filtered(read: Shop, options: list[str], sql: str) -> None:
    read.write("UPDATE calls SET at = at - ? WHERE id = 1", 2 * HOUR_MS)
    assert numbers(read, *options) == [
        number for (number,) in read.rows(f"SELECT id FROM calls WHERE {sql} ORDER BY id")
    ]


def test_a_call_without_an_answer_has_failed(read: Shop) -> None:
    read.write("UPDATE calls SET status = NULL, ms = NULL, bytes = NULL WHERE id = 2")
    assert 2 in numbers(read, "--status", "failed")
    assert re.search(r"call 2 .* no answer .*/StockOnHand", read.ok("log", "calls").out)


def test_an_answer_that_makes_no_sense_has_failed(read: Shop) -> None:
    read.upstream.fault("html")
    assert read.run("sync-recent").code == 76
    page = read.value("SELECT max(id) FROM calls")
    assert page in numbers(read, "--status", "failed")
    assert "The answer is no JSON" in rows(read, "calls")[-1]["error"]
    assert re.search(r"outcome +200, .*The answer is no JSON", read.ok("explain", "call", str(page)).out)


def test_that_there_is_none_where_none_may_be_is_no_failure(read: Shop) -> None:
    guid = read.value("SELECT remote_id FROM remote_products WHERE sku = 'MUG'")
    read.upstream.delete("products", guid)
    assert read.run("sync-product", "MUG").code == 65
    assert numbers(read, "--status", "404")
    assert not set(numbers(read, "--status", "404")) & set(numbers(read, "--status", "failed"))


def test_columns_stand_below_each_other(read: Shop) -> None:
    read.write("UPDATE calls SET id = 100000 + id WHERE id > 2")
    lines = read.ok("log", "calls").out.splitlines()
    assert len({line.index(" run ") for line in lines}) == 1
    assert len({line.index("GET /") for line in lines}) == 1
    assert all(re.search(r"call \d+ .*run \d+ ", line) for line in lines)
    assert not any(line.endswith(" ") for line in lines)


def test_runs_tell_what_they_came_to(read: Shop) -> None:
    found = rows(read, "runs")
    assert [(run["run"], run["command"], run["exit_code"]) for run in found] == [
        (1, "sync-recent", 0), (2, "sync-product", 0), (3, "sync-recent", 77),
    ]  # fmt: skip
    assert found[0]["connectors"][0]["calls"] == 2
    assert "refuses the credentials" in found[2]["connectors"][0]["errors"][0]["message"]
    assert [run["run"] for run in rows(read, "runs", "--status", "failed")] == [3]
    assert [run["run"] for run in rows(read, "runs", "--status", "0")] == [1, 2]
    lines = read.ok("log", "runs").out.splitlines()
    assert re.search(r"run 3 .*exit code 77.*unleashed: 1 call, 1 to look at: .* refuses the credentials", lines[2])


def test_a_lock_that_another_run_held_is_nothing_to_look_at(read: Shop) -> None:
    holder = Holder("syncctl sync-recent", os.getpid(), 7, iso(datetime.now(UTC)))
    with hold(read.state, "unleashed", holder, clock=SystemClock()):
        assert read.run("sync-recent").code == 75
    last = read.ok("log", "runs").out.splitlines()[-1]
    assert "unleashed is locked by `syncctl sync-recent`" in last
    assert "to look at" not in last


def test_a_run_under_way_is_told(read: Shop) -> None:
    read.write("INSERT INTO runs (command, started_at, pid) VALUES ('sync-oldest', 1, 1)")
    assert rows(read, "runs")[-1]["finished_at"] is None
    assert "under way" in read.ok("log", "runs").out


def test_changes_lead_to_their_call(read: Shop) -> None:
    (change,) = rows(read, "changes", "--kind", "products")
    assert (change["sku"], change["field"], change["after"], change["rule"]) == ("MUG", "price", "77.50", "manual")
    assert change["run"] == 2
    assert rows(read, "changes", "--kind", "stock") == []
    assert re.search(rf"call {change['call']}  run 2 .* MUG  manual  price: .* -> 77.50", read.ok("log", "changes").out)


@pytest.mark.parametrize(
    "options", [["--since", "yesterday"], ["--status", "9xx"], ["--status", "no"], ["--limit", "0"], ["--purpose", "x"]]
)
def test_a_wrong_filter_is_wrong_usage(read: Shop, options: list[str]) -> None:
    result = read.run("log", "calls", *options)
    assert (result.code, result.out) == (2, "")


@pytest.mark.parametrize("table", ["calls", "runs", "changes"])
def test_a_connector_that_nobody_knows_is_refused_with_those_that_are_known(read: Shop, table: str) -> None:
    read.write("INSERT INTO accounts (connector, kind, base_url, account) VALUES ('old', 'xero', '', '')")
    assert rows(read, table, "--connector", "old") == []
    result = read.run("log", table, "--connector", "nope")
    assert (result.code, result.out) == (78, "")
    assert "there is no nope. There are unleashed, old." in result.err


@pytest.mark.parametrize(
    ("options", "known"),
    [
        (["calls", "--purpose", "nope"], "'invoice', 'manual', 'recent', 'customer', 'oldest', 'auth'"),
        (["calls", "--status", "999"], "200, 4xx or failed"),
        (["runs", "--status", "4xx"], "0, 65, 69, 70, 74, 75, 76, 77, 78, 130, or failed"),
        (["changes", "--kind", "orders"], "'products', 'stock', 'customers'"),
    ],
)
def test_a_value_that_no_row_can_have_is_refused_with_those_that_it_can(
    read: Shop, options: list[str], known: str
) -> None:
    result = read.run("log", *options)
    assert (result.code, result.out) == (2, "")
    assert known in " ".join(result.err.split())


def test_the_log_makes_no_state(shop: Shop) -> None:
    assert shop.run("log", "calls").code == 74
    assert [path.name for path in shop.folder.iterdir()] == [".env"]


@contextmanager
def following(shop: Shop, *options: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """`syncctl log … --follow` in a process of its own, and what it prints."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCCTL_", "XDG_"))}
    command = [sys.executable, "-m", "syncctl", "log", *options, "--follow"]
    env = inherited | shop.env | {"SYNCCTL_STATE": str(shop.state)}
    with subprocess.Popen(command, env=env, cwd=shop.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout
        finally:
            process.kill()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_follow_shows_each_new_call_once_until_a_signal_ends_it(read: Shop, end: signal.Signals) -> None:
    with following(read, "calls", "--limit", "1", "--json") as (process, lines):
        before = json.loads(lines.readline())["call"]
        read.ok("sync-recent")
        found = [json.loads(lines.readline()) for _ in range(2)]
        assert [(call["call"], call["status"]) for call in found] == [(before + 1, 200), (before + 2, 200)]
        process.send_signal(end)
        assert (process.wait(timeout=300), lines.read()) == (0, "")


def test_follow_waits_for_the_outcome_of_a_call(read: Shop) -> None:
    with following(read, "calls", "--limit", "1", "--json") as (_, lines):
        last = json.loads(lines.readline())["call"]
        now = read.value("SELECT strftime('%s', 'now') * 1000")
        for status in (None, 503):
            read.write(
                "INSERT INTO calls (at, run, connector, purpose, method, path, status)"
                " VALUES (?, 1, 'unleashed', 'recent', 'GET', '/x', ?)", now, status,
            )  # fmt: skip
        assert json.loads(lines.readline())["call"] == last + 2
        read.write("UPDATE calls SET status = 200 WHERE id = ?", last + 1)
        told = json.loads(lines.readline())
        assert (told["call"], told["status"]) == (last + 1, 200)


def test_follow_ends_when_nobody_reads_any_more(read: Shop) -> None:
    with following(read, "runs", "--limit", "1") as (process, lines):
        assert lines.readline()
        lines.close()
        assert process.wait(timeout=300) == 0


def test_a_run_that_was_killed_is_told_from_one_that_is_under_way(read: Shop) -> None:
    read.write("UPDATE runs SET finished_at = NULL, exit_code = NULL, pid = ? WHERE id = 1", os.getpid())
    read.write("UPDATE runs SET finished_at = NULL, exit_code = NULL, pid = ? WHERE id = 2", 2**22 + 1)
    first, second = read.ok("log", "runs").out.splitlines()[:2]
    assert ("under way" in first, "cut off" in first) == (True, False)
    assert ("under way" in second, "cut off" in second) == (False, True)
    assert ", cut off" in read.ok("explain", "call", str(read.value("SELECT max(id) FROM calls WHERE run = 2"))).out
