"""A posting run to Xero that is killed, at whatever moment: see `killed.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Shop
from killed import Children, children_of, kill_at_each_moment, place_demanding
from offices import opened
from posting import Json, once
from xero_posting import arrived, paid, payments, records

SWITCHES: dict[str, Json] = {
    "as it is": {},
    "what is not stored has no id": {"unstored": "OK_null"},
    "a name is as good as a number": {"contact_match": "name"},
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened("xero", tmp_path) as office:
        yield office.shop


@pytest.fixture
def children(shop: Shop) -> Iterator[Children]:
    """A shop with orders that need everything: a customer, a guest, a new product, and to be paid."""
    place_demanding(shop, paid)
    with children_of(shop) as running:
        yield running


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
def test_each_order_arrives_once_whenever_it_is_killed(shop: Shop, children: Children, switches: Json) -> None:
    kill_at_each_moment(children, switches, lambda when: check(shop, when))


def check(shop: Shop, when: str) -> None:
    assert arrived(shop) == once(["1001", "1002"]), when
    assert payments(shop) == once(["demo-1001/1", "demo-1002/1"]), when
    emails = Counter(each.get("EmailAddress", "") for each in records(shop, "customers"))
    codes = Counter(each["Code"] for each in records(shop, "products"))
    assert (emails["1001@shop.test"], emails["ann@shop.test"], codes["NEW-1"]) == (1, 1, 1), when
