"""The tables of customers and orders as another program meets them: with nothing of syncctl but the file."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlite_utils

from syncctl.shop.order import Line
from syncctl.state import migrations
from syncctl.state.database import Database, open_database
from syncctl.state.orders import StoredOrder, link_customers, load

ORDER = (
    "INSERT INTO orders (number, placed_at, currency, status, total)"
    " VALUES ('1', '2026-11-23T05:00:00Z', 'NZD', 'paid', '23.00')"
)
LINE = (
    "INSERT INTO order_lines (order_id, position, sku, quantity, unit_price, tax_rate)"
    " VALUES (1, 1, 'MUG', '2', '10.00', '0.15')"
)
PAYMENT = "INSERT INTO order_payments (order_id, position, method, amount) VALUES (1, 1, 'card', '23.00')"
CUSTOMER = "INSERT INTO customers (code, email) VALUES ('C-1', 'ann@example.org')"


@pytest.fixture
def other(database: Database) -> Iterator[sqlite3.Connection]:
    """Another program's connection, with the defaults of SQLite: foreign keys are off."""
    with contextlib.closing(sqlite3.connect(database.path, isolation_level=None)) as connection:
        yield connection


def only(database: Database) -> StoredOrder:
    (found,) = load(database, [1])
    return found


def revision(sql: sqlite3.Connection) -> int:
    found: int = sql.execute("SELECT revision FROM orders WHERE id = 1").fetchone()[0]
    return found


# What is written is what is read


def test_an_order_of_another_program_is_read(database: Database, other: sqlite3.Connection) -> None:
    for sql in (ORDER, LINE, PAYMENT):
        other.execute(sql)
    found = only(database)
    assert (found.number, found.status, found.customer_id, found.problems) == ("1", "paid", None, ())
    assert found.order
    assert [(line.sku, str(line.unit_price), str(line.quantity)) for line in found.order.lines] == [
        ("MUG", "10.00", "2")
    ]
    assert (str(found.order.total), found.order.payments[0].method) == ("23.00", "card")


def test_lines_are_read_in_their_order(database: Database, other: sqlite3.Connection) -> None:
    other.execute(ORDER.replace("23.00", "3"))
    for position, sku in ((30, "C"), (4, "A"), (20, "B")):
        other.execute(
            "INSERT INTO order_lines (order_id, position, sku, unit_price) VALUES (1, ?, ?, '1')", [position, sku]
        )
    order = only(database).order
    assert order
    assert order.lines == tuple(Line(order.total / 3, sku=sku) for sku in "ABC")


def test_orders_come_in_the_order_that_is_asked_for(database: Database, other: sqlite3.Connection) -> None:
    for number in range(1, 451):
        other.execute(ORDER.replace("'1'", f"'{number}'"))
    wanted = [450, 3, *range(10, 400), 999, 1]
    assert [each.id for each in load(database, wanted)] == [each for each in wanted if each != 999]


SPOILT = {
    "INSERT INTO order_lines (order_id, position, sku, unit_price) VALUES (1, 2, 'A', '0.01')": "total 23.00 is 0.01",
    "DELETE FROM order_lines": "It has no lines",
    "UPDATE orders SET total = '-23.00'": "total -23.00 is below 0",
    "UPDATE orders SET total = '1234567890123'": "total '1234567890123' has more than 12 digits",
    "UPDATE orders SET placed_at = '1066-10-14T09:00:00Z'": "placed_at '1066-10-14T09:00:00Z' is before 1970",
    """UPDATE orders SET customer = '{"nick": "Ann"}'""": "customer: There is no key 'nick'",
    """UPDATE orders SET customer = '{"name": "A", "name": "B"}'""": "A key stands twice",
    """UPDATE orders SET customer = '{"billing": {"country": "New Zealand"}}'""": "customer: billing: country",
    "UPDATE orders SET number = 'A' || char(0) || 'B'": "number 'A\\x00B' has an invisible character",
    "UPDATE orders SET number = CAST(x'41ff' AS TEXT)": "This is not UTF-8 text",
    "UPDATE orders SET note = CAST(x'ff' AS TEXT)": "This is not UTF-8 text",
    "UPDATE order_lines SET sku = 'M' || char(8203) || 'G'": "Order line 1: sku 'M\\u200bG' has an invisible character",
    "UPDATE order_lines SET unit_price = 'x'": "Order line 1: unit_price 'x' is not an amount",
    "UPDATE order_lines SET quantity = '-1'": "Order line 1: quantity '-1' is not more than 0",
    "UPDATE order_lines SET sku = NULL": "Order line 1: A product has no sku",
    "UPDATE order_lines SET kind = 'gift'": "Order line 1: kind 'gift' is no kind of line",
    "UPDATE orders SET placed_at = 'soon'": "placed_at 'soon' is not a time",
    "UPDATE orders SET customer = 'Ann'": "customer is not an object",
}


@pytest.mark.parametrize("sql", SPOILT)
def test_nonsense_in_the_tables_is_a_problem_of_its_order(
    database: Database, other: sqlite3.Connection, sql: str
) -> None:
    """The same sentences as of a list, also for what only a program that turns the checks off can write."""
    for good in (ORDER, LINE, "PRAGMA ignore_check_constraints = ON", sql):
        other.execute(good)
    found = only(database)
    assert found.order is None
    assert found.problems[0].message.startswith(SPOILT[sql])
    assert found.problems[0].record.startswith("order ")
    found.problems[0].record.encode()  # it can be printed
    link_customers(database, [1])  # and stops nobody


# What is refused at once

REFUSED = {
    ORDER.replace("'1'", "' 1'"): "number is trimmed and not empty",
    ORDER.replace("'1'", "''"): "number is trimmed and not empty",
    ORDER.replace("05:00:00Z", "05:00:00+13:00"): "placed_at is a time in UTC",
    ORDER.replace("11-23T", "02-30T"): "placed_at is a time in UTC",
    ORDER.replace("2026-11-23T05:00:00Z", "soon"): "placed_at is a time in UTC",
    ORDER.replace("NZD", "nzd"): "currency is ISO 4217",
    ORDER.replace("'paid'", "''"): "status is trimmed and not empty",
    ORDER.replace("'paid'", "NULL"): "NOT NULL",
    ORDER.replace("'23.00'", "'23,00'"): "total is decimal text",
    ORDER.replace("'23.00'", "'2-3'"): "total is decimal text",
    ORDER.replace("'23.00'", "'.5'"): "total is decimal text",
    ORDER.replace("'23.00'", "'5.'"): "total is decimal text",
    ORDER.replace("'23.00'", "'1.2.3'"): "total is decimal text",
    ORDER.replace("'23.00'", "''"): "total is decimal text",
    ORDER.replace("'23.00'", "1e30"): "total is decimal text",
    ORDER.replace("total)", "total, customer_id)").replace("'23.00'", "'1', 7"): "there is no such customer",
    ORDER.replace("total)", "total, customer)").replace("'23.00'", "'1', 'Ann'"): "customer is a JSON object",
    ORDER.replace("total)", "total, customer)").replace("'23.00'", "'1', '[]'"): "customer is a JSON object",
    ORDER.replace("total)", "total, exchange_rate)").replace("'23.00'", "'1', '0'"): "exchange_rate is more than 0",
    LINE.replace("(1, 1,", "(2, 1,"): "there is no such order",
    LINE.replace("(1, 1,", "(1, 0,"): "position is 1 or more",
    LINE.replace("'MUG'", "NULL"): "a product line has a sku",
    LINE.replace("'MUG'", "''"): "a product line has a sku",
    LINE.replace("'MUG'", "'MUG '"): "sku is trimmed",
    LINE.replace("'2'", "'0'"): "quantity is more than 0",
    LINE.replace("'2'", "'-1'"): "quantity is more than 0",
    LINE.replace("'10.00'", "'-10.00'"): "only a discount is below 0",
    LINE.replace("'0.15'", "'15'"): "tax_rate is a fraction",
    LINE.replace("sku,", "kind, sku,").replace("'MUG'", "'gift', 'MUG'"): "kind is product, shipping, discount or fee",
    LINE.replace("sku,", "kind, sku,").replace("'MUG'", "'discount', 'MUG'"): "only a discount is below 0",
    PAYMENT.replace("(1, 1,", "(2, 1,"): "there is no such order",
    PAYMENT.replace("'card'", "''"): "method is trimmed and not empty",
    CUSTOMER.replace("'C-1'", "' C-1'"): "code is trimmed and not empty",
    CUSTOMER.replace("'C-1'", "''"): "code is trimmed and not empty",
    CUSTOMER.replace("'ann", "' ann"): "email is trimmed",
    "INSERT INTO customers (billing) VALUES ('Wellington')": "billing is a JSON object",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_nonsense_is_refused_with_a_sentence(other: sqlite3.Connection, sql: str) -> None:
    if not sql.startswith("INSERT INTO orders"):
        other.execute(ORDER)
    with pytest.raises(sqlite3.IntegrityError) as error:
        other.execute(sql)
    assert REFUSED[sql] in str(error.value)


def test_money_that_comes_as_a_number_is_kept_as_text(other: sqlite3.Connection) -> None:
    other.execute(ORDER.replace("'23.00'", "23.5"))
    assert other.execute("SELECT total, typeof(total) FROM orders").fetchone() == ("23.5", "text")


def test_empty_texts_mean_nothing(database: Database, other: sqlite3.Connection) -> None:
    """As many shops write them, where others write null."""
    other.execute("INSERT INTO customers (name, email) VALUES ('', ''), ('', '')")
    other.execute(ORDER.replace("total)", "total, note, customer)").replace("'23.00'", "'5', '', '{\"email\": \"\"}'"))
    other.execute("INSERT INTO order_lines (order_id, position, kind, sku, unit_price) VALUES (1, 1, 'fee', '', '5')")
    link_customers(database, [1])
    assert (only(database).problems, only(database).customer_id) == ((), None)


def test_a_discount_and_nothing_may_be_written(other: sqlite3.Connection) -> None:
    other.execute(ORDER)
    sql = "INSERT INTO order_lines (order_id, position, kind, unit_price) VALUES (1, ?, ?, ?)"
    for position, (kind, price) in enumerate(
        [("discount", "-5"), ("discount", "0"), ("shipping", "0.00"), ("fee", "1")], 1
    ):
        other.execute(sql, [position, kind, price])


# What a change leaves behind


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE orders SET total = '24.00'",
        'UPDATE orders SET customer = \'{"name": "Ann"}\'',
        "UPDATE order_lines SET quantity = '3'",
        "UPDATE order_lines SET position = 9",
        "DELETE FROM order_lines",
        "INSERT INTO order_lines (order_id, position, sku, unit_price) VALUES (1, 2, 'CUP', '1')",
        "INSERT OR REPLACE INTO order_lines (order_id, position, sku, unit_price) VALUES (1, 1, 'CUP', '1')",
        "UPDATE order_payments SET amount = '1'",
        "DELETE FROM order_payments",
    ],
)
def test_a_change_raises_the_revision(other: sqlite3.Connection, sql: str) -> None:
    for good in (ORDER, LINE, PAYMENT, "UPDATE orders SET changed_at = '2026-01-01T00:00:00Z'"):
        other.execute(good)
    before = revision(other)
    other.execute(sql)
    assert revision(other) == before + 1
    assert other.execute("SELECT changed_at > '2026-01-01T00:00:00Z' FROM orders").fetchone() == (1,)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE orders SET status = 'completed'",
        "UPDATE orders SET customer_id = 1",
        "UPDATE orders SET total = '23.00', note = NULL",
        "UPDATE order_lines SET quantity = '2'",
    ],
)
def test_what_is_no_change_of_what_was_sold_leaves_the_revision(other: sqlite3.Connection, sql: str) -> None:
    for good in (CUSTOMER, ORDER, LINE):
        other.execute(good)
    before = revision(other)
    other.execute(sql)
    assert revision(other) == before


def test_a_line_that_moves_changes_both_orders(other: sqlite3.Connection) -> None:
    for good in (ORDER, ORDER.replace("'1'", "'2'"), LINE):
        other.execute(good)
    other.execute("UPDATE order_lines SET order_id = 2")
    assert other.execute("SELECT revision FROM orders ORDER BY id").fetchall() == [(3,), (2,)]


@pytest.mark.parametrize("foreign_keys", ["ON", "OFF"])
def test_a_deleted_order_leaves_no_lines_to_the_next(other: sqlite3.Connection, foreign_keys: str) -> None:
    for sql in (f"PRAGMA foreign_keys = {foreign_keys}", ORDER, LINE, PAYMENT, "DELETE FROM orders", ORDER):
        other.execute(sql)
    assert other.execute("SELECT id FROM orders").fetchall() == [(2,)]
    assert other.execute("SELECT * FROM order_lines").fetchall() == []
    assert other.execute("SELECT * FROM order_payments").fetchall() == []


def test_an_order_that_is_replaced_starts_without_lines(other: sqlite3.Connection) -> None:
    again = ORDER.replace("INSERT", "INSERT OR REPLACE").replace("(number", "(id, number").replace("('1'", "(1, '1'")
    for sql in (ORDER, LINE, again):
        other.execute(sql)
    assert other.execute("SELECT * FROM order_lines").fetchall() == []


@pytest.mark.parametrize("foreign_keys", ["ON", "OFF"])
def test_a_deleted_customer_is_nobodys_customer(other: sqlite3.Connection, foreign_keys: str) -> None:
    sold = "UPDATE orders SET customer_id = 1"
    for sql in (f"PRAGMA foreign_keys = {foreign_keys}", CUSTOMER, ORDER, sold, "DELETE FROM customers"):
        other.execute(sql)
    assert other.execute("SELECT customer_id FROM orders").fetchall() == [(None,)]


# Whose order it is


@pytest.mark.parametrize(
    ("entered", "customer"),
    [
        ('{"code": "C-1", "email": "bob@example.org"}', 1),
        ('{"email": "ANN@example.org"}', 1),
        ('{"email": "bob@example.org"}', None),
        ('{"email": "two@example.org"}', None),
        ('{"name": "Ann"}', None),
        ('{"code": "C-9", "name": "New"}', 4),
    ],
)
def test_an_order_of_another_program_is_linked_like_an_imported_one(
    database: Database, other: sqlite3.Connection, entered: str, customer: int | None
) -> None:
    twins = "INSERT INTO customers (email) VALUES ('two@example.org'), ('Two@example.org')"
    for sql in (CUSTOMER, twins, ORDER, LINE):
        other.execute(sql)
    other.execute("UPDATE orders SET customer = ?", [entered])
    before = revision(other)
    link_customers(database, [1])
    assert only(database).customer_id == customer
    assert revision(other) == before
    assert other.execute("SELECT code, email, name FROM customers WHERE id = 1").fetchone() == (
        "C-1",
        "ann@example.org",
        None,
    )


def test_an_order_that_has_a_customer_keeps_it(database: Database, other: sqlite3.Connection) -> None:
    for sql in (CUSTOMER, "INSERT INTO customers (code) VALUES ('C-2')", ORDER, LINE):
        other.execute(sql)
    other.execute("""UPDATE orders SET customer_id = 2, customer = '{"code": "C-1"}'""")
    link_customers(database, [1])
    assert only(database).customer_id == 2


@pytest.mark.parametrize("column", ["customers.email", "customers.code", "orders.number"])
def test_looking_without_capitals_reads_an_index(other: sqlite3.Connection, column: str) -> None:
    table = column.partition(".")[0]
    plan = other.execute(f"EXPLAIN QUERY PLAN SELECT id FROM {table} WHERE {column} = 'x' COLLATE NOCASE").fetchall()
    assert [row[3].startswith(f"SEARCH {table} USING") for row in plan] == [True]


# A state file of the version before


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrations.steps().apply(sqlite_utils.Database(connection), stop_before="002_push")
        connection.execute("INSERT INTO products (sku, price) VALUES ('MUG', '4.50')")
        connection.commit()
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    return path


def test_an_older_state_is_brought_up_and_keeps_its_rows(version_1: Path) -> None:
    with contextlib.closing(open_database(version_1)) as database:
        assert [tuple(row) for row in database.rows("SELECT sku, price FROM products")] == [("MUG", "4.50")]
        for sql in (ORDER, LINE):
            database.connection.execute(sql)
        assert only(database).order


def test_an_older_state_ends_with_the_same_schema_as_a_new_one(version_1: Path, tmp_path: Path) -> None:
    open_database(version_1).close()
    open_database(tmp_path / "new.db").close()
    schemas = []
    for path in (version_1, tmp_path / "new.db"):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            schemas.append(connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall())
    assert schemas[0] == schemas[1]
