"""A run that posts to Vend and is killed, at whatever moment: what comes after it brings each order there once.

See `test_crash.py`, whose children these are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Shop
from posting import customer, line, once, order, place, states
from test_crash import Children, begin_anew, moments
from vendbench import VendTest
from vendposting import arrived, paid, ready, sales, there

# The answers to what the vendor does not say: a sale posted twice, its lines then, what is answered, what is unique.
SWITCHES: dict[str, dict[str, object]] = {
    "as it is": {},
    "409 for a sale posted twice": {"sale_repeated": "409", "customer_code_taken": "409", "sku_taken": "409"},
    "lines posted twice are there twice": {"sale_lines_without_id": "append", "sale_create_answer": "text"},
    "nothing is unique, and searches lag": {
        "search_lag": 600, "customer_code_taken": "allowed", "sku_taken": "allowed", "sale_create_answer": "id",
    },
}  # fmt: skip


def until_quiet(shop: Shop, children: Children) -> None:
    """What cron runs, with half an hour between."""
    for _ in range(8):
        children.run("post-invoices")
        shop.upstream.advance(1800)
        shop.write("UPDATE outbox SET due_at = due_at - 1800000, sent_at = sent_at - 1800000")
        if not shop.value("SELECT count(*) FROM outbox WHERE state <> 'done'") and states(shop):
            return
    rows = shop.rows("SELECT kind, key, state, tries, cause, message FROM outbox WHERE state <> 'done'")
    raise AssertionError(f"{rows} {(shop.folder / 'child.log').read_text()[-2000:]}")


class TestKilled(VendTest):
    @pytest.fixture
    def catalogue_size(self) -> int:
        return 6

    @pytest.fixture
    def children(self, shop: Shop) -> Iterator[Children]:
        """A shop with orders that need everything: a customer, a guest, a new product, payments."""
        ready(shop)
        who = customer(shop, code="C-77", email="ann@shop.test")
        known: dict[str, Any] = {"code": "C-77", "email": "ann@shop.test", "name": "Ann"}
        place(
            shop,
            order("1001", line("MUG"), line("NEW-1", "5.00", "2"), total="23.00"),
            order("1002", line("MUG"), line("NEW-1", "5.00", "2"), total="23.00", customer_id=who, customer=known),
        )
        paid(shop, "1001", "1002")
        shutil.copy(shop.state, shop.folder / "before.db")
        running = Children(shop)
        yield running
        running.close()

    @pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
    def test_each_order_arrives_once_whenever_it_is_killed(
        self, shop: Shop, children: Children, switches: dict[str, object]
    ) -> None:
        begin_anew(shop, switches)
        events = children.run("post-invoices")["events"]
        assert events > 20
        for moment in moments(events):
            begin_anew(shop, switches)
            assert children.run("post-invoices", dies_at=moment)["code"] is None, f"it should have died at {moment}"
            until_quiet(shop, children)
            check(shop, f"killed at event {moment}")


def check(shop: Shop, when: str) -> None:
    assert arrived(shop) == once(["1001", "1002"]), when
    assert [len(sale["line_items"]) for sale in sales(shop)] == [2, 2], when
    assert [len(sale["payments"]) for sale in sales(shop)] == [1, 1], when
    codes = [each["customer_code"] for each in there(shop, "customers")]
    skus = [each["sku"] for each in there(shop, "products")]
    assert (codes.count("C-77"), skus.count("NEW-1")) == (1, 1), when
