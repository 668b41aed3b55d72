"""The shop's customers in the table `customers`, which other programs write, too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from sqlite3 import Connection
from typing import TYPE_CHECKING

from syncctl.models import Problem
from syncctl.state.database import Database, any_bytes, explained
from syncctl.state.shop import Counts, clashes

if TYPE_CHECKING:
    from syncctl.shop.customer import Customer, Field, ShopCustomer


def store(database: Database, customers: Sequence[ShopCustomer]) -> Counts:
    """Creates or changes each customer by its code, or without one by its e-mail, in one transaction.

    Only what differs is written; a field that a customer of the list does not tell keeps its stored value.
    """
    created = changed = 0
    with database.transaction() as connection:
        for customer in customers:
            row = _stored(connection, customer)
            told = {name: _column(value) for name, value in customer.fields.items()}
            if row is None:
                _insert(connection, {"code": customer.code, **told, "created_by": "import"})
                created += 1
            else:
                changed += _change(connection, row, told)
    return Counts(created, changed, len(customers) - created - changed)


def conflicts(database: Database, customers: Sequence[ShopCustomer]) -> dict[int, Problem]:
    """The lines that cannot be stored because of what is stored: a code in other capitals, an e-mail of several."""
    found = clashes(database, "customers.code", [customer for customer in customers if customer.code])
    for customer in (each for each in customers if not each.code):
        with explained(database.path):
            owners = with_email(database.connection, customer.email)
        if len(owners) > 1:
            message = f"The shop has {len(owners)} customers with the e-mail {customer.email!r}"
            found[customer.line] = Problem(f"line {customer.line}", message, "Give the line the code of one of them")
    return found


def owner(connection: Connection, entered: Customer) -> int | None:
    """The shop's customer whose data was entered for an order; None for a guest.

    With a code it is the customer with that code, made of this data where there is none: an existing row is never
    overwritten by an order. Without a code it is the only one with that e-mail. Two or more with one e-mail are
    nobody's: which of them is meant is for a person to say.
    """
    if not entered.code:
        owners = with_email(connection, entered.email) if entered.email else []
        return owners[0] if len(owners) == 1 else None
    row = connection.execute("SELECT id FROM customers WHERE code = ?", [entered.code]).fetchone()
    return row[0] if row else _insert(connection, {**_columns(entered), "created_by": "order"})


def with_email(connection: Connection, email: str) -> list[int]:
    """The ids of the customers with this e-mail, whatever its capitals."""
    if email.isascii():
        rows = connection.execute("SELECT id FROM customers WHERE email = ? COLLATE NOCASE ORDER BY id", [email])
        return [row[0] for row in rows]
    with any_bytes(connection):
        foreign = connection.execute(
            "SELECT id, email FROM customers WHERE email GLOB '*[^ -~]*' ORDER BY id"
        ).fetchall()
    return [row[0] for row in foreign if row[1].casefold() == email.casefold()]


def _columns(entered: Customer) -> dict[str, str | None]:
    return {field.name: _column(getattr(entered, field.name)) for field in fields(entered)}


def _column(value: Field) -> str | None:
    """How a field stands in the table: an address as JSON, nothing as null."""
    return (value if isinstance(value, str) else as_json(value)) if value else None


def as_json(value: Mapping[str, object]) -> str:
    """The one JSON text of an object."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _stored(connection: Connection, customer: ShopCustomer) -> int | None:
    if customer.code:
        row = connection.execute("SELECT id FROM customers WHERE code = ?", [customer.code]).fetchone()
        return row[0] if row else None
    return next(iter(with_email(connection, customer.email)), None)


def _insert(connection: Connection, values: dict[str, str | None]) -> int:
    marks = ", ".join("?" * len(values))
    sql = f"INSERT INTO customers ({', '.join(values)}) VALUES ({marks}) RETURNING id"
    number: int = connection.execute(sql, list(values.values())).fetchone()[0]
    return number


def _change(connection: Connection, number: int, told: dict[str, str | None]) -> bool:
    """Writes the fields that differ; whether any did."""
    if not told:
        return False
    update = ", ".join(f"{name} = ?" for name in told)
    differs = " OR ".join(f"{name} IS NOT ?" for name in told)
    values = list(told.values())
    sql = f"UPDATE customers SET {update} WHERE id = ? AND ({differs})"
    return connection.execute(sql, [*values, number, *values]).rowcount > 0
