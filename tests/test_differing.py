"""An order that is posted with another sum than the shop's stays to be looked at, and its payments wait for that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Shop
from offices import opened
from postbox import Postbox, serving
from posting import Json, place, post
from xero_posting import paid, payments

WRONG = {"SYNCCTL_XERO_TAX": "0.15:ZERORATEDOUTPUT"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened("xero", tmp_path) as office:
        yield office.shop


@pytest.fixture
def differing(shop: Shop) -> Json:
    """The row of an order that came to 10.00 in Xero and not to 11.50."""
    place(shop, paid("1"))
    assert post(shop, **WRONG)["posted"] == 1
    (row,) = [row for row in shop.ok("queue", "list", "--json").json()["rows"] if row["kind"] == "orders"]
    found: Json = row
    return found


def test_it_is_listed_with_both_sums_and_what_to_do(shop: Shop, differing: Json) -> None:
    assert differing["cause"] == "total-differs"
    assert "10.00" in differing["message"]
    assert "11.50" in differing["message"]
    assert f"queue settle {differing['id']} --remote-id {differing['remote_id']}" in differing["remedy"]
    for told in (shop.ok("queue", "list").out, shop.ok("explain", "order", "1").out):
        assert "posted, to look at" in told


def test_it_stays_until_a_person_accepts_it(shop: Shop, differing: Json) -> None:
    assert post(shop)["differing"] == 1
    assert "1 posted with another sum" in shop.ok("status").out
    check = shop.run("status", "--check", "--json").json()["check"]["findings"]
    assert any(each["level"] == "WARNING" and "another sum" in each["message"] for each in check)
    shop.ok("queue", "settle", str(differing["id"]), "--remote-id", differing["remote_id"])
    assert post(shop)["differing"] == 0
    assert not shop.ok("queue", "list", "--cause", "total-differs", "--json").json()["rows"]


def test_its_payment_waits_for_that_and_costs_no_try(shop: Shop, differing: Json) -> None:
    post(shop)
    ((state, cause, tries),) = shop.rows("SELECT state, cause, tries FROM outbox WHERE kind = 'payments'")
    assert (state, cause, tries) == ("waiting", "total-differs", 0)
    assert not payments(shop)
    shop.write("UPDATE order_payments SET amount = '10.00'")
    shop.ok("queue", "settle", str(differing["id"]), "--remote-id", differing["remote_id"])
    post(shop)
    assert len(payments(shop)) == 1


def test_nothing_else_may_be_said_of_it(shop: Shop, differing: Json) -> None:
    for said in (("--remote-id", "another"), ("--not-created",)):
        assert shop.run("queue", "settle", str(differing["id"]), *said).code == 65
    shop.ok("queue", "retry", "--all")
    assert post(shop)["posted"] == 0


def test_its_mail_says_that_it_is_posted_and_how_each_is_accepted(shop: Shop) -> None:
    place(shop, paid("1"), paid("2"))
    with serving(Postbox()) as box:
        post(shop, **WRONG, **box.env())
        mail = box.only()
    assert mail["Subject"] == "syncctl demo: 2 posted, to look at (xero: total-differs)"
    text = mail.get_content().replace("\r\n", "\n")
    assert "  Reason: it is posted, but comes to 10.00 there and not to 11.50\n" in text
    assert "  What to do: Look at each in xero; what is to stay as it is, accept with the command beside it\n" in text
    option = f"--env-file {shop.folder / '.env'}"
    for number, remote_id in shop.rows("SELECT id, remote_id FROM outbox WHERE kind = 'orders'"):
        accept = f"syncctl queue settle {option} {number} --remote-id {remote_id} && syncctl retry-queue {option}\n"
        assert f": To accept it: {accept}" in text
    assert not any(words in text for words in ("failed", "Tried next", "To try now"))
