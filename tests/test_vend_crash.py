"""A run that posts to Vend and is killed, at whatever moment: what comes after it brings each order there once.

See `killed.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Shop
from killed import Children, children_of, kill_at_each_moment
from posting import Json, customer, line, once, order, place
from vendbench import VendTest
from vendposting import arrived, paid, ready, sales, there

# The answers to what the vendor does not say: a sale posted twice, its lines then, what is answered, what is unique.
SWITCHES: dict[str, Json] = {
    "as it is": {},
    "409 for a sale posted twice": {"sale_repeated": "409", "customer_code_taken": "409", "sku_taken": "409"},
    "lines posted twice are there twice": {"sale_lines_without_id": "append", "sale_create_answer": "text"},
    "nothing is unique, and searches lag": {
        "search_lag": 600, "customer_code_taken": "allowed", "sku_taken": "allowed", "sale_create_answer": "id",
    },
}  # fmt: skip


@pytest.mark.products(6)
class TestKilled(VendTest):
    @pytest.fixture
    def children(self, shop: Shop) -> Iterator[Children]:
        """A shop with orders that need everything: a customer, a guest, a new product, payments."""
        ready(shop)
        who = customer(shop, code="C-77", email="ann@shop.test")
        known: Json = {"code": "C-77", "email": "ann@shop.test", "name": "Ann"}
        place(
            shop,
            order("1001", line("MUG"), line("NEW-1", "5.00", "2"), total="23.00"),
            order("1002", line("MUG"), line("NEW-1", "5.00", "2"), total="23.00", customer_id=who, customer=known),
        )
        paid(shop, "1001", "1002")
        with children_of(shop) as running:
            yield running

    @pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
    def test_each_order_arrives_once_whenever_it_is_killed(
        self, shop: Shop, children: Children, switches: Json
    ) -> None:
        kill_at_each_moment(children, switches, lambda when: check(shop, when))


def check(shop: Shop, when: str) -> None:
    assert arrived(shop) == once(["1001", "1002"]), when
    assert [len(sale["line_items"]) for sale in sales(shop)] == [2, 2], when
    assert [len(sale["payments"]) for sale in sales(shop)] == [1, 1], when
    codes = [each["customer_code"] for each in there(shop, "customers")]
    skus = [each["sku"] for each in there(shop, "products")]
    assert (codes.count("C-77"), skus.count("NEW-1")) == (1, 1), when
