"""A posting run that is killed, at whatever moment: what comes after it brings each order to the service once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Shop
from killed import Children, children_of, kill_at_each_moment, place_demanding
from posting import Json, arrived, once, order, ready, records

pytestmark = pytest.mark.products(6)
SWITCHES: dict[str, Json] = {
    "as it is": {},
    "a guid twice overwrites": {"repost": "overwrite"},
    "500 after saving": {"partial_save_500": "yes"},
    "searches lag": {"search_lag": 600},
}


@pytest.fixture
def children(shop: Shop) -> Iterator[Children]:
    """A shop with orders that need everything: a customer, a guest, a new product, and to be completed."""
    ready(shop, SYNCCTL_UNLEASHED_STATUS="Completed")
    place_demanding(shop, order)
    with children_of(shop) as running:
        yield running


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
def test_each_order_arrives_once_whenever_it_is_killed(shop: Shop, children: Children, switches: Json) -> None:
    kill_at_each_moment(children, switches, lambda when: check(shop, when))


def check(shop: Shop, when: str) -> None:
    assert arrived(shop) == once(["1001", "1002"]), when
    emails = [each["Email"] for each in records(shop, "customers")]
    made = [emails.count(email) for email in ("1001@shop.test", "ann@shop.test")]
    new = [each for each in records(shop, "products") if each["ProductCode"] == "NEW-1"]
    assert (made, len(new)) == ([1, 1], 1), when
    invoices = [each for each in records(shop, "invoices") if each["Total"] in (23.0, 11.5)]
    assert len(invoices) == 2, when
