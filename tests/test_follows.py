"""Payments of posted orders count wherever orders do: in the summary, in status, for monitors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Shop
from offices import opened
from posting import place, post
from xero_posting import paid


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose payment of an order was refused."""
    with opened("xero", tmp_path) as office:
        refused = office.shop
        place(refused, paid("1001"))
        assert post(refused, SYNCCTL_XERO_PAYMENTS="card:200")["posted"] == 1
        yield refused


def test_a_refused_payment_is_told(shop: Shop) -> None:
    assert "0 posted, 1 rejected; 0 calls" in shop.run("post-invoices", "-v").out
    assert shop.ok("status", "--json").only()["orders"]["rejected"] == 1
    assert "1 rejected; the oldest waits" in shop.ok("status").out
    assert 'syncctl_orders{connector="xero",state="rejected"} 1\n' in shop.ok("metrics").out


def test_a_payment_that_waits_for_long_or_is_given_up_alarms_a_monitor(shop: Shop) -> None:
    shop.write("UPDATE outbox SET queued_at = queued_at - 3 * 3600 * 1000 WHERE kind = 'payments'")
    assert "xero: an order, or what follows one, has waited for 3 h" in shop.run("status", "--check").out
    shop.write("UPDATE outbox SET state = 'gave_up' WHERE kind = 'payments'")
    result = shop.run("status", "--check")
    assert (result.code, "xero: 1 given up: look at syncctl queue list" in result.out) == (2, True)
    assert "0 posted, 1 given up; 0 calls" in shop.run("post-invoices", "-v").out
