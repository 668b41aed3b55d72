"""Forgets customers and products that were to be created, and that no order needs any more."""

from __future__ import annotations

from collections.abc import Sequence

from syncctl.models import Kind
from syncctl.push.customers import customer_key
from syncctl.push.products import products_of
from syncctl.push.pushing import Pushing
from syncctl.state.outbox import Row


def forget_unneeded(push: Pushing, uncreated: Sequence[Row]) -> None:
    """Only of rows that are not there for certain: should an order need one again, it is made under the same names."""
    needed = _needed(push)
    with push.session.transaction():
        push.outbox.forget([row for row in uncreated if (row.kind, row.key) not in needed])


def _needed(push: Pushing) -> set[tuple[Kind, str]]:
    """Kind and key of all that the orders need which are to be posted."""
    connector = push.session.connector
    needed: set[tuple[Kind, str]] = set()
    for row in push.outbox.open_orders():
        postable = push.order(row.key)
        if postable and postable.order:
            needed.add((Kind.CUSTOMERS, customer_key(type(connector), connector.values, postable)))
            needed |= {(Kind.PRODUCTS, line.sku or "") for line in products_of(postable.order)}
    return needed
