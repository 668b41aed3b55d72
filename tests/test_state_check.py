"""`syncctl state check`: what cannot be is found, and what it says to do about it helps."""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from conftest import Shop
from posting import arrived, moment, once, order, place, post, ready

pytestmark = pytest.mark.products(6)


@pytest.fixture(autouse=True)
def posted(shop: Shop) -> Shop:
    ready(shop)
    place(shop, order("1001"), order("1002"))
    post(shop)
    return shop


def findings(shop: Shop, code: int = 65) -> list[dict[str, Any]]:
    result = shop.run("state", "check", "--json")
    assert (result.code, result.err) == (code, ""), result
    found: list[dict[str, Any]] = result.json()["findings"]
    return found


def only(shop: Shop, check: str) -> dict[str, Any]:
    (found,) = findings(shop)
    assert found["check"] == check
    return found


def mend(shop: Shop, finding: dict[str, Any]) -> None:
    """Does what the remedy says."""
    sql = re.search(r"(UPDATE|DELETE) .*?(?= with sqlite3)", finding["remedy"])
    if sql:
        shop.write(sql[0])
    for command in re.findall(r"syncctl ((?:retry-queue|sync-recent|queue drop)[^,:;]*)", finding["remedy"]):
        words = shlex.split(command.partition(" with ")[0].removesuffix(" --connector"))
        numbers = shop.rows("SELECT id FROM outbox WHERE kind = 'orders' AND state <> 'done'")
        shop.ok(*words, *(str(number) for (number,) in numbers if words == ["queue", "drop"]))


def test_a_sound_state(shop: Shop) -> None:
    assert findings(shop, 0) == []
    assert shop.ok("state", "check").out == ""
    assert shop.ok("state", "check", "-v").out == "The state file is sound.\n"


def test_a_damaged_file(shop: Shop) -> None:
    with closing(sqlite3.connect(shop.state, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET rootpage = 3 WHERE name = 'products_sku_nocase'")
    (found,) = findings(shop, 74)
    assert (found["level"], "syncctl restore" in found["remedy"]) == ("damaged", True)


IMPOSSIBLE = {
    "sending": "UPDATE outbox SET state = 'sending', sent_at = 1, due_at = 1 WHERE key = '1001'",
    "done-without-id": "UPDATE outbox SET remote_id = '' WHERE key = '1001'",
    "order-gone": "UPDATE outbox SET state = 'due', key = '1009' WHERE key = '1001'",
    "undercounted": "UPDATE spend SET used = used - 1 WHERE win = 'month'",
    "looked-at-in-future": "UPDATE looks SET product_at = 9e15, oldest_at = 9e15 WHERE rowid = 1",
}


@pytest.mark.parametrize("check", IMPOSSIBLE)
def test_the_remedy_mends_it(shop: Shop, check: str) -> None:
    shop.write(IMPOSSIBLE[check])
    mend(shop, only(shop, check))
    assert findings(shop, 0) == []
    shop.ok("sync-recent")
    assert arrived(shop) == once(["1001", "1002"])


def test_what_is_looked_for_later_is_no_finding_before_that(shop: Shop) -> None:
    """It is a state like others, of which status tells; retry-queue would not ask for it yet."""
    place(shop, order("1003"))
    shop.upstream.fault("drop-before", match={"method": "POST", "path": "/SalesOrders"})
    assert post(shop)["unknown"] == 1
    assert findings(shop, 0) == []
    shop.write("UPDATE outbox SET due_at = 1 WHERE key = '1003'")
    (found,) = findings(shop, 0)
    assert (found["check"], found["level"], found["records"]) == ("unknown", "note", ["1003"])


def test_what_a_run_is_sending_right_now_is_no_finding(shop: Shop) -> None:
    shop.write(IMPOSSIBLE["sending"])
    shop.write("UPDATE attempts SET outcome = 'sending'")
    shop.write("UPDATE runs SET finished_at = NULL, pid = ? WHERE command = 'post-invoices'", os.getpid())
    assert findings(shop, 0) == []


@pytest.mark.parametrize(
    ("sql", "check"),
    [
        ("DELETE FROM attempts WHERE outbox = (SELECT id FROM outbox WHERE key = '1001')", "no-attempt"),
        ("UPDATE outbox SET call = 99999 WHERE key = '1001'", "no-call"),
    ],
)
def test_a_history_that_was_lost_is_noted(shop: Shop, sql: str, check: str) -> None:
    shop.write(sql)
    (found,) = findings(shop, 0)
    assert (found["check"], found["level"], found["records"]) == (check, "note", ["1001"])


@pytest.mark.parametrize(
    ("sql", "check"),
    [
        ("UPDATE orders SET placed_at = '2062-11-23T00:00:00Z' WHERE number = '1001'", "placed-in-future"),
        ("UPDATE sources SET connector = 'xero' WHERE field = 'price'", "no-owner"),
    ],
)
def test_what_is_only_worth_knowing_fails_no_nightly_cron(shop: Shop, sql: str, check: str) -> None:
    shop.write(sql)
    (found,) = findings(shop, 0)
    assert (found["check"], found["level"]) == (check, "note")
    assert shop.ok("state", "check").out == ""
    assert shop.ok("state", "check", "-v").out.startswith("note: ")


def test_a_note_hides_nothing_that_needs_somebody(shop: Shop) -> None:
    shop.write("UPDATE orders SET placed_at = '2062-11-23T00:00:00Z' WHERE number = '1001'")
    shop.write(IMPOSSIBLE["sending"])
    assert {found["level"] for found in findings(shop)} == {"note", "wrong"}
    assert "note: " not in shop.run("state", "check").out


def test_the_state_of_another_shop_is_found(shop: Shop) -> None:
    shop.write("UPDATE meta SET value = 'other' WHERE key = 'shop'")
    found = only(shop, "other-shop")
    assert (found["records"], "SYNCCTL_SHOP" in found["remedy"]) == (["other"], True)


def test_what_got_no_answer_is_noted_and_nobody_is_called(shop: Shop) -> None:
    """The run came to its end; the next one asks the service."""
    place(shop, order("1003"))
    shop.upstream.fault("drop-after", match={"method": "POST", "path": "/SalesOrders"})
    shop.upstream.fault("500", "SalesOrders", times=None)
    assert shop.run("post-invoices").code == 69
    (found,) = findings(shop, 0)
    assert (found["check"], found["level"], found["records"]) == ("unknown", "note", ["1003"])
    assert "not there any more" not in shop.run("state", "check").out


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("DELETE FROM products WHERE sku = 'MUG'", "remote_products"),
        ("DELETE FROM runs WHERE id = 1", "run_connectors"),
        ("DELETE FROM calls WHERE id = (SELECT min(call) FROM bodies)", "bodies"),
    ],
)
def test_what_a_program_without_foreign_keys_leaves_behind(shop: Shop, sql: str, table: str) -> None:
    shop.write(sql)
    found = only(shop, "reference")
    assert f"rows of {table} name a row of" in found["message"]
    mend(shop, found)
    assert findings(shop, 0) == []


def test_a_connector_that_is_not_configured_any_more(shop: Shop) -> None:
    place(shop, order("1003", placed_at=moment(days=1)))
    shop.write("INSERT INTO outbox (connector, kind, key, reference, guid, state, due_at, queued_at)"
               " SELECT 'old', kind, '1003', reference, guid, 'due', 0, 0 FROM outbox WHERE key = '1001'")  # fmt: skip
    note, wrong = sorted(findings(shop), key=lambda found: found["level"])
    assert [note["level"], wrong["level"]] == ["note", "wrong"]
    assert (wrong["check"], wrong["connector"], wrong["records"]) == ("nobody-posts", "old", ["1003"])
    shop.ok("queue", "drop", "--all", "--connector", "old")
    (left,) = findings(shop, 0)
    assert left["check"] == "not-configured"
    assert shop.ok("state", "check", "-v").out.startswith("note: old: is not named in SYNCCTL_CONNECTORS")


def test_what_a_person_reads(shop: Shop) -> None:
    shop.write("UPDATE outbox SET state = 'sending' WHERE kind = 'orders'")
    result = shop.run("state", "check")
    assert result.out == (
        "unleashed: 1001, 1002: sent by a run that is not there any more, so nobody knows whether it arrived."
        " Run syncctl retry-queue: it asks the service.\n"
    )
    assert (result.code, result.err) == (65, "")
