"""Sell, post, read and sell in the store in any order: the shop never offers what is sold already."""

from __future__ import annotations

import os
from itertools import count
from typing import Any

import pytest
from conftest import Shop
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from posting import SETTINGS, arrived, line, order, place, post, session_of

from syncctl.models import Kind

pytestmark = pytest.mark.products(10)
EXAMPLES = int(os.environ.get("SYNCCTL_TEST_EXAMPLES", "3"))
STEPS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to shrink eight steps would take minutes, and make them little clearer
)


class Selling(RuleBasedStateMachine):
    """A product of its own for each example, in one shop.

    `sold` are the orders: quantity, and whether the shop still wants them; `contained` those that the last reading
    has: they stood in the service when its call was sent. `under_way` is a reading that is not stored yet.
    """

    shop: Shop
    numbers = count(1)

    def __init__(self) -> None:
        super().__init__()
        self.sku = f"CUP-{next(self.numbers)}"
        self.guid = f"bbbbbbbb-0000-4000-8000-{next(self.numbers):012d}"
        self.on_hand = 50
        self.sold: dict[str, tuple[int, bool]] = {}
        self.contained: set[str] = set()
        self.under_way: tuple[list[Any], int, set[str]] | None = None
        self.shop.upstream.put("products", {"Guid": self.guid, "ProductCode": self.sku, "ProductDescription": "A cup"})
        self.stock()
        self.shop.ok("sync-product", self.sku)

    def stock(self) -> None:
        level = {"ProductGuid": self.guid, "WarehouseCode": "MAIN", "QtyOnHand": self.on_hand}
        self.shop.upstream.put("stock", level)

    def there(self) -> set[str]:
        """The orders that stand in the service."""
        return {number for number in arrived(self.shop) if number in self.sold}

    def last_read(self) -> tuple[int, int]:
        """The number of the last reading, and its call."""
        sql = "SELECT available / 1000000, stock_call FROM remote_stock JOIN looks USING (record)"
        ((number, call),) = self.shop.rows(f"{sql} WHERE remote_id = ?", self.guid)
        return number, call

    def available(self) -> Any:
        return self.shop.value("SELECT available FROM catalogue WHERE sku = ?", self.sku)

    @rule(quantity=st.integers(1, 3))
    def sell(self, quantity: int) -> None:
        number = f"{self.sku}-{len(self.sold)}"
        total = f"{quantity * 11.5:.2f}"
        place(self.shop, order(number, line(self.sku, "10.00", str(quantity)), total=total))
        self.sold[number] = (quantity, True)

    @precondition(lambda self: self.sold)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.sold)))
        self.shop.write("UPDATE orders SET status = 'cancelled' WHERE number = ?", number)
        self.sold[number] = (self.sold[number][0], False)

    @rule(fault=st.sampled_from(["", "drop-after", "drop-before", "500"]), read=st.booleans(), deaf=st.booleans())
    def post(self, fault: str, read: bool, deaf: bool) -> None:
        """`deaf`: what became of it cannot be asked for at once."""
        if fault:
            self.shop.upstream.fault(fault, match={"method": "POST", "path": "/SalesOrders"})
        if deaf:
            self.shop.upstream.fault("garbage", "/SalesOrders", times=9)
        call = self.last_read()[1]
        post(self.shop, SYNCCTL_READ_SOLD="yes" if read else "no")
        self.shop.upstream.request("DELETE", "faults")
        if self.last_read()[1] > call:
            self.contained = self.there()

    @rule()
    def read(self) -> None:
        self.shop.ok("sync-product", self.sku)
        self.contained = self.there()

    @precondition(lambda self: self.under_way is None)
    @rule()
    def begin_to_read(self) -> None:
        contained = self.there()
        with session_of(self.shop) as session:
            found = session.connector.lookup(Kind.STOCK, [self.guid])
        self.under_way = list(found.records), found.call, contained

    @precondition(lambda self: self.under_way)
    @rule()
    def end_reading(self) -> None:
        assert self.under_way
        records, call, contained = self.under_way
        self.under_way = None
        with session_of(self.shop) as session, session.database.transaction():
            session.store(records, session.look(call, "manual"))
        if self.last_read()[1] == call:
            self.contained = contained

    @rule()
    def sell_in_the_store(self) -> None:
        self.on_hand -= 1
        self.stock()

    @rule()
    def forget_what_is_over(self) -> None:
        self.shop.ok("retry-queue")

    @invariant()
    def nothing_is_offered_twice(self) -> None:
        there, last = self.there(), self.last_read()[0]
        taken = sum(
            quantity
            for number, (quantity, wanted) in self.sold.items()
            if number not in self.contained and (wanted or number in there)
        )
        assert self.available() <= last - taken

    def teardown(self) -> None:
        """When all is posted and read, it is the service's own number."""
        for _ in range(6):
            self.shop.write("UPDATE outbox SET due_at = due_at - 3600000, sent_at = sent_at - 3600000")
            post(self.shop)
            if not self.shop.value("SELECT count(*) FROM outbox WHERE state = 'sending' OR cause <> ''"):
                break
        self.read()
        wanted = {number for number, (_, wanted) in self.sold.items() if wanted}
        assert wanted <= self.there()
        taken = sum(self.sold[number][0] for number in self.there())
        assert self.available() == self.last_read()[0] == self.on_hand - taken


def test_nothing_is_offered_twice(shop: Shop) -> None:
    shop.extra |= SETTINGS
    shop.ok("sync-recent")
    machine = type("Machine", (Selling,), {"shop": shop})
    run_state_machine_as_test(machine, settings=STEPS)
