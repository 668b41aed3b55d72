"""A posting run to Xero that is killed, at whatever moment: see `test_crash.py`."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Shop
from posting import Json, customer, line, once, place
from test_crash import Children, begin_anew, moments, until_quiet
from xero_posting import arrived, paid, payments, posting_shop, records

from syncctl.sandbox import Sandbox

SWITCHES: dict[str, Json] = {
    "as it is": {},
    "what is not stored has no id": {"unstored": "OK_null"},
    "a name is as good as a number": {"contact_match": "name"},
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, products=6, seed=7, services=("xero",)) as running:
        yield running


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path) -> Shop:
    return posting_shop(sandbox, tmp_path)


@pytest.fixture
def children(shop: Shop) -> Iterator[Children]:
    """A shop with orders that need everything: a customer, a guest, a new product, and to be paid."""
    known = customer(shop, code="C-77", email="ann@shop.test")
    place(
        shop,
        paid("1001", line("MUG"), line("NEW-1", "5.00", "2"), total="23.00"),
        paid("1002", customer_id=known, customer={"code": "C-77", "email": "ann@shop.test", "name": "Ann"}),
    )
    shutil.copy(shop.state, shop.folder / "before.db")
    running = Children(shop)
    yield running
    running.close()


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
def test_each_order_arrives_once_whenever_it_is_killed(
    shop: Shop,
    children: Children,
    switches: Json,
) -> None:
    begin(shop, switches)
    events = children.run("post-invoices")["events"]
    assert events > 20
    for moment in moments(events):
        begin(shop, switches)
        assert children.run("post-invoices", dies_at=moment)["code"] is None, f"it should have died at {moment}"
        until_quiet(shop, children)
        check(shop, moment)


def begin(shop: Shop, switches: Json) -> None:
    """As it was before; the service knows none of the tokens that it gave since."""
    begin_anew(shop, switches)
    for file in shop.folder.glob("syncctl.db.tokens*"):
        file.unlink()


def check(shop: Shop, moment: int) -> None:
    assert arrived(shop) == once(["1001", "1002"]), f"killed at event {moment}"
    assert payments(shop) == once(["demo-1001/1", "demo-1002/1"]), f"killed at event {moment}"
    emails = Counter(each.get("EmailAddress", "") for each in records(shop, "customers"))
    codes = Counter(each["Code"] for each in records(shop, "products"))
    assert (emails["1001@shop.test"], emails["ann@shop.test"], codes["NEW-1"]) == (1, 1, 1), f"killed at event {moment}"
