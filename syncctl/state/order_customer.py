"""What the outbox calls the customer of an order: one rule, for the run that queues it and for SQL that seeks it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from functools import lru_cache

from syncctl.state.remote_customers import folded

GUEST = "guest:"
KEY_IN_SQL = "customer_key(orders.customer_id, CAST(orders.customer AS BLOB))"  # on a connection that `teach` has seen


def key_of_customer(customer_id: int | None, code: str | None, email: str) -> str:
    """By the shop's number; a guest by its code, else by its e-mail address: `GUEST` alone where it has neither."""
    if customer_id is not None:
        return str(customer_id)
    return f"code:{code}" if code else GUEST + folded(email)


def keys_of_customers(numbers: Iterable[int], names: Iterable[str]) -> list[str]:
    """The keys of customers with these numbers of the shop, codes and e-mail addresses."""
    guests = (key_of_customer(None, *entered) for name in names for entered in ((name, ""), (None, name)))
    return [*map(str, numbers), *guests]


def teach(connection: sqlite3.Connection) -> None:
    """Lets the SQL of this connection use `KEY_IN_SQL`."""
    connection.create_function("customer_key", 2, _key_in_sql, deterministic=True)


@lru_cache(maxsize=10_000)  # each customer that is retried is compared with all orders that are held
def _key_in_sql(customer_id: int | None, entered: bytes) -> str:
    from syncctl.shop.customer import Customer, as_entered
    from syncctl.shop.fields import BadLineError

    customer = Customer()
    try:
        customer = as_entered(json.loads(entered.decode("utf-8", "surrogateescape")), "customer")
    except* (BadLineError, ValueError, RecursionError):
        pass  # nothing is created for such an order
    return key_of_customer(customer_id, customer.code, customer.email)
