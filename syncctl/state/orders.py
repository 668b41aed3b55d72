"""The shop's orders in the tables `orders`, `order_lines` and `order_payments`, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from sqlite3 import Connection, Row
from typing import TYPE_CHECKING, Literal

from syncctl.models import Problem, iso, money_text
from syncctl.shop.fields import BadLineError, flat, json_object
from syncctl.shop.order_check import order as checked_order
from syncctl.state.customers import as_json, owner
from syncctl.state.database import Database, any_bytes, explained
from syncctl.state.shop import Counts, clashes

if TYPE_CHECKING:
    from syncctl.shop.customer import Customer
    from syncctl.shop.order import Line, Order, Payment
    from syncctl.shop.order_check import ShopOrder

_AT_ONCE = 200  # orders in one statement or transaction


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """What the tables say of an order: the order, or else what is wrong with it.

    `revision` grows with each change of the order, its lines and its payments, but not with its status: it was changed
    since it was posted if the revision is another than the one that was posted.
    """

    id: int
    number: str
    status: str
    revision: int
    customer_id: int | None
    order: Order | None
    problems: tuple[Problem, ...] = ()


def load(database: Database, ids: Iterable[int]) -> Iterator[StoredOrder]:
    """The orders with these ids, in their order; each as it was at one moment, whoever writes meanwhile."""
    wanted = list(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        with explained(database.path):
            found = {each.id: each for each in _select(database.connection, "id", some)}
        yield from (found[number] for number in some if number in found)


def store(database: Database, orders: Sequence[ShopOrder]) -> Counts:
    """Creates each order by its number, or replaces it if it differs: each whole, in transactions of some.

    Not in one for all, which would keep the shop from selling for as long as a large list takes.
    """
    created = changed = 0
    for start in range(0, len(orders), _AT_ONCE):
        with database.transaction() as connection:
            news = [_store(connection, each) for each in orders[start : start + _AT_ONCE]]
        created += news.count("created")
        changed += news.count("changed")
    return Counts(created, changed, len(orders) - created - changed)


def _store(connection: Connection, each: ShopOrder) -> Literal["created", "changed", "unchanged"]:
    stored = next(_select(connection, "number", [each.order.number]), None)
    number = stored.id if stored else _insert(connection, each.order)
    differs = stored is not None and stored.order != each.order
    if stored and differs:
        _replace(connection, number, stored.order, each.order)
    differs |= _remember_posted(connection, number, each.posted)
    return "created" if stored is None else "changed" if differs else "unchanged"


def conflicts(database: Database, orders: Sequence[ShopOrder]) -> dict[int, Problem]:
    """The lines that cannot be stored because of what is stored."""
    return clashes(database, "orders.number", orders)


def link_customers(database: Database, ids: Iterable[int]) -> None:
    """Links those of these orders to the shop's customers that are not yet: as an import does it, for every writer."""
    sql = "UPDATE orders SET customer_id = ? WHERE id = ? AND customer_id IS NULL AND revision = ?"
    unlinked = [each for each in load(database, ids) if each.order and each.customer_id is None]
    for start in range(0, len(unlinked), _AT_ONCE):
        with database.transaction() as connection:
            for each in unlinked[start : start + _AT_ONCE]:
                customer = owner(connection, each.order.customer) if each.order else None
                connection.execute(sql, [customer, each.id, each.revision])


# Reading: SQLite makes the JSON of a list out of each order, in one statement and so of one moment.

_LINE = ("kind", "sku", "description", "quantity", "unit_price", "tax_rate", "tax_amount")
_PAYMENT = ("method", "amount", "paid_at")
_SCALARS = (
    *("number", "placed_at", "currency", "exchange_rate", "status", "prices_include_tax"),
    *("subtotal", "tax_total", "total", "note"),
)


def _pairs(columns: Sequence[str]) -> str:
    return ", ".join(f"'{column}', {column}" for column in columns)


def _array(table: str, columns: Sequence[str]) -> str:
    rows = f"SELECT * FROM {table} WHERE order_id = orders.id ORDER BY position"
    return f"(SELECT json_group_array(json_object({_pairs(columns)})) FROM ({rows}))"


_DOCUMENT = (
    f"json_object({_pairs(_SCALARS)},"
    " 'customer', CASE WHEN json_valid(customer) THEN json(customer) ELSE customer END,"
    f" 'lines', {_array('order_lines', _LINE)}, 'payments', {_array('order_payments', _PAYMENT)})"
)


def _select(connection: Connection, key: str, values: Sequence[int | str]) -> Iterator[StoredOrder]:
    marks = ", ".join("?" * len(values))
    columns = f"id, number, status, revision, customer_id, {_DOCUMENT} AS document"
    sql = f"SELECT {columns} FROM orders WHERE {key} IN ({marks})"
    with any_bytes(connection):
        rows = connection.execute(sql, values).fetchall()
    return map(_stored, rows)


def _stored(row: Row) -> StoredOrder:
    number, status = _printable(row["number"]), _printable(row["status"])
    order: Order | None = None
    problems: list[Problem] = []
    try:
        order = checked_order(json_object(row["document"]))
    except* BadLineError as group:
        problems += [Problem(f"order {number}", str(fault), fault.remedy) for fault in flat(group)]
    return StoredOrder(row["id"], number, status, row["revision"], row["customer_id"], order, tuple(problems))


def _printable(text: str) -> str:
    """The text, or its escapes where it cannot be shown."""
    return text if text.isprintable() else ascii(text)[1:-1]


# Writing


def _insert(connection: Connection, order: Order) -> int:
    values = {**_row(order), "customer_id": owner(connection, order.customer), "created_by": "import"}
    sql = f"INSERT INTO orders ({', '.join(values)}) VALUES ({', '.join('?' * len(values))}) RETURNING id"
    number: int = connection.execute(sql, list(values.values())).fetchone()[0]
    _insert_lines(connection, number, order)
    _insert_payments(connection, number, order)
    return number


def _replace(connection: Connection, number: int, before: Order | None, order: Order) -> None:
    """Writes what differs: a new status alone must not look like a change of what was sold."""
    old = _row(before) if before else {}
    values = {column: value for column, value in _row(order).items() if column not in old or old[column] != value}
    if "customer" in values:
        values["customer_id"] = owner(connection, order.customer)
    if values:
        update = ", ".join(f"{column} = ?" for column in values)
        connection.execute(f"UPDATE orders SET {update} WHERE id = ?", [*values.values(), number])
    if before is None or before.lines != order.lines:
        connection.execute("DELETE FROM order_lines WHERE order_id = ?", [number])
        _insert_lines(connection, number, order)
    if before is None or before.payments != order.payments:
        connection.execute("DELETE FROM order_payments WHERE order_id = ?", [number])
        _insert_payments(connection, number, order)


def _insert_lines(connection: Connection, number: int, order: Order) -> None:
    rows = [(number, at, *_line(line)) for at, line in enumerate(order.lines, 1)]
    connection.executemany(_insertion("order_lines", _LINE), rows)


def _insert_payments(connection: Connection, number: int, order: Order) -> None:
    rows = [(number, at, *_payment(payment)) for at, payment in enumerate(order.payments, 1)]
    connection.executemany(_insertion("order_payments", _PAYMENT), rows)


def _insertion(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * (2 + len(columns)))
    return f"INSERT INTO {table} (order_id, position, {', '.join(columns)}) VALUES ({marks})"


def _row(order: Order) -> dict[str, str | int | None]:
    return {
        "number": order.number,
        "placed_at": iso(order.placed_at),
        "currency": order.currency,
        "exchange_rate": _plain(order.exchange_rate),
        "status": order.status,
        "prices_include_tax": int(order.prices_include_tax),
        "customer": _entered(order.customer),
        "subtotal": _money(order.subtotal),
        "tax_total": _money(order.tax_total),
        "total": _money(order.total),
        "note": order.note or None,
    }


def _line(line: Line) -> tuple[str | None, ...]:
    texts = (line.kind.value, line.sku, line.description or None)
    return *texts, _plain(line.quantity), _money(line.unit_price), _plain(line.tax_rate), _money(line.tax_amount)


def _payment(payment: Payment) -> tuple[str | None, ...]:
    return payment.method, _money(payment.amount), iso(payment.paid_at) if payment.paid_at else None


def _entered(customer: Customer) -> str:
    return as_json({name: value for name, value in asdict(customer).items() if value})


def _money(value: Decimal | None) -> str | None:
    return None if value is None else money_text(value)


def _plain(value: Decimal | None) -> str | None:
    """A quantity or rate without zeros behind the dot."""
    return None if value is None else f"{value.normalize():f}"


def _remember_posted(connection: Connection, number: int, posted: Mapping[str, str]) -> bool:
    """Keeps where an older integration has posted the order; whether that is news."""
    sql = (
        "INSERT INTO posted_elsewhere (order_id, connector, remote_id) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET remote_id = excluded.remote_id WHERE remote_id <> excluded.remote_id"
    )
    rows = [connection.execute(sql, [number, *pair]).rowcount for pair in posted.items()]
    return sum(rows) > 0
