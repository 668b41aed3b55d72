"""Finds or creates what orders need; all is looked for first, so that nothing is created for an order that is held."""

from __future__ import annotations

from collections.abc import Sequence

from syncctl.decide import Hold
from syncctl.models_push import Sale
from syncctl.push.customers import create_customers, find_customers
from syncctl.push.outcomes import wait
from syncctl.push.products import create_products, find_products, names_of, other_codes, products_of
from syncctl.push.pushing import Pushing
from syncctl.state.outbox import Row
from syncctl.state.postable import Postable


def supplied(push: Pushing, rows: Sequence[Row]) -> list[tuple[Row, Sale]]:
    """Those orders that have all they need; the others wait for it, or are refused."""
    return _Supply(push, rows).sales()


class _Supply:
    """What was found or created for orders, and which of them still lack nothing."""

    def __init__(self, push: Pushing, rows: Sequence[Row]) -> None:
        self.push = push
        self.rows = {row.key: row for row in rows}
        self.orders = [postable for row in rows if (postable := push.order(row.key))]
        self.customers: dict[str, str | Hold] = {}  # by order number
        self.products: dict[str, str | Hold] = {}  # by SKU

    def sales(self) -> list[tuple[Row, Sale]]:
        push = self.push
        self.customers |= find_customers(push, self.orders)
        self._put_down()
        self.products |= find_products(push, self.orders)
        self._put_down()
        self.customers |= create_customers(push, [each for each in self.orders if each.number not in self.customers])
        self._put_down()
        self.products |= create_products(push, self.orders, self.products)
        self._put_down()
        return [(self.rows[each.number], sale) for each in self.orders if (sale := self._sale(each))]

    def _put_down(self) -> None:
        """Takes out what is held by what is known now."""
        holds = {each.number: hold for each in self.orders if (hold := self._hold(each))}
        for number, hold in holds.items():
            wait(self.push, self.rows[number], hold)
        self.orders = [each for each in self.orders if each.number not in holds]

    def _hold(self, postable: Postable) -> Hold | None:
        skus = [line.sku or "" for line in products_of(postable.order)]
        answers = [self.customers.get(postable.number), *map(self.products.get, skus)]
        return next((answer for answer in answers if isinstance(answer, Hold)), None)

    def _sale(self, postable: Postable) -> Sale | None:
        order, customer, placed = postable.order, self.customers[postable.number], self.push.day(postable.placed_at)
        if order is None or isinstance(customer, Hold):
            return None
        skus = [line.sku or "" for line in products_of(order)]
        found = {sku: answer for sku in skus if isinstance(answer := self.products[sku], str)}
        is_newest = self.push.orders.is_newest(postable)
        sale = Sale(order, customer, found, placed, self.push.due(placed), newest=is_newest)
        return sale.changed(codes=other_codes(self.push, found), names=names_of(self.push, order, found))
