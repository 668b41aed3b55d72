"""The shop's customers and orders in the state: tables that any program may write.

SQLite checks at each INSERT what it can check cheaply; the names of the constraints are the sentences that a program
reads when it is refused. Most programs leave `PRAGMA foreign_keys` off, so triggers do the work of the foreign keys
too, and AUTOINCREMENT keeps the lines of a deleted order from becoming those of a new one.
"""

from __future__ import annotations

_NOW = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
_PRINTED = ("number", "placed_at", "currency", "exchange_rate", "prices_include_tax")
_SUMS = ("customer", "subtotal", "tax_total", "total", "note")


def _check(sentence: str, condition: str) -> str:
    return f'CONSTRAINT "{sentence}" CHECK ({condition})'


def _amount(column: str, more: str = "") -> str:
    """Digits with at most one dot between them and at most a minus before them, or null."""
    return _check(
        f"{column} is decimal text, as 12.50{more and ', ' + more}",
        f"{column} NOT GLOB '*[^-0-9.]*' AND {column} NOT GLOB '?*-*' AND {column} NOT GLOB '*.*.*'"
        f" AND {column} GLOB '*[0-9]' AND ltrim({column}, '-') GLOB '[0-9]*'",
    )


def _filled(column: str) -> str:
    return _check(f"{column} is trimmed and not empty", f"{column} <> '' AND {column} = trim({column})")


def _trimmed(column: str) -> str:
    return _check(f"{column} is trimmed", f"{column} = trim({column})")


def _object(column: str) -> str:
    condition = f"{column} IS NULL OR json_valid({column}) AND json_type({column}) = 'object'"
    return _check(f"{column} is a JSON object", condition)


def _time(column: str) -> str:
    same = f"strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '+0 seconds')"  # adding nothing lets SQLite see a 30 February
    return _check(f"{column} is a time in UTC, as 2026-11-23T05:00:00Z", f"{column} IS NULL OR {column} IS {same}")


_CUSTOMERS = f"""
CREATE TABLE customers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT UNIQUE {_filled("code")},
    name TEXT,
    company TEXT,
    email TEXT {_trimmed("email")},
    phone TEXT,
    billing TEXT {_object("billing")},
    shipping TEXT {_object("shipping")},
    created_at TEXT NOT NULL DEFAULT ({_NOW}),
    created_by TEXT NOT NULL DEFAULT 'shop'
) STRICT
"""

_ORDERS = f"""
CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number TEXT NOT NULL UNIQUE {_filled("number")},
    placed_at TEXT NOT NULL {_time("placed_at")},
    currency TEXT NOT NULL {_check("currency is ISO 4217, as NZD", "currency GLOB '[A-Z][A-Z][A-Z]'")},
    exchange_rate TEXT
        {_amount("exchange_rate")}
        {_check("exchange_rate is more than 0", "CAST(exchange_rate AS REAL) > 0")},
    status TEXT NOT NULL {_filled("status")},
    prices_include_tax INTEGER NOT NULL DEFAULT 0
        {_check("prices_include_tax is 0 or 1", "prices_include_tax IN (0, 1)")},
    customer_id INTEGER REFERENCES customers (id) ON DELETE SET NULL,
    customer TEXT NOT NULL DEFAULT '{{}}' {_object("customer")},
    subtotal TEXT {_amount("subtotal")},
    tax_total TEXT {_amount("tax_total")},
    total TEXT NOT NULL {_amount("total")},
    note TEXT,
    created_at TEXT NOT NULL DEFAULT ({_NOW}),
    created_by TEXT NOT NULL DEFAULT 'shop',
    changed_at TEXT NOT NULL DEFAULT ({_NOW}),
    revision INTEGER NOT NULL DEFAULT 1
) STRICT
"""

_ORDER_LINES = f"""
CREATE TABLE order_lines (
    order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    position INTEGER NOT NULL {_check("position is 1 or more", "position > 0")},
    kind TEXT NOT NULL DEFAULT 'product'
        {_check("kind is product, shipping, discount or fee", "kind IN ('product', 'shipping', 'discount', 'fee')")},
    sku TEXT
        {_trimmed("sku")},
    description TEXT,
    quantity TEXT NOT NULL DEFAULT '1'
        {_amount("quantity")}
        {_check("quantity is more than 0", "CAST(quantity AS REAL) > 0")},
    unit_price TEXT NOT NULL {_amount("unit_price")},
    tax_rate TEXT
        {_amount("tax_rate")}
        {_check("tax_rate is a fraction, as 0.15 for 15 %", "CAST(tax_rate AS REAL) BETWEEN 0 AND 1")},
    tax_amount TEXT {_amount("tax_amount")},
    PRIMARY KEY (order_id, position),
    {_check("a product line has a sku", "kind <> 'product' OR coalesce(sku, '') <> ''")},
    {_check("only a discount is below 0", "(kind = 'discount') = (unit_price GLOB '-*') OR unit_price + 0.0 = 0")}
) STRICT, WITHOUT ROWID
"""

_ORDER_PAYMENTS = f"""
CREATE TABLE order_payments (
    order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    position INTEGER NOT NULL {_check("position is 1 or more", "position > 0")},
    method TEXT NOT NULL {_filled("method")},
    amount TEXT NOT NULL {_amount("amount", "below 0 for money given back")},
    paid_at TEXT {_time("paid_at")},
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID
"""

_POSTED_ELSEWHERE = """
CREATE TABLE posted_elsewhere (
    order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    connector TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    PRIMARY KEY (order_id, connector)
) STRICT, WITHOUT ROWID
"""

_INDEXES = (
    "CREATE INDEX customers_code_nocase ON customers (code COLLATE NOCASE)",
    "CREATE INDEX customers_email_nocase ON customers (email COLLATE NOCASE)",
    "CREATE INDEX orders_number_nocase ON orders (number COLLATE NOCASE)",
    "CREATE INDEX orders_customer ON orders (customer_id)",
    "CREATE INDEX orders_placed ON orders (placed_at)",
    "CREATE INDEX orders_changed ON orders (changed_at)",
)

_PARTS = {
    "order_lines": ("kind", "sku", "description", "quantity", "unit_price", "tax_rate", "tax_amount"),
    "order_payments": ("method", "amount", "paid_at"),
}


def _trigger(name: str, when: str, *actions: str) -> str:
    return f"CREATE TRIGGER {name} {when} BEGIN {' '.join(f'{action};' for action in actions)} END"


def _differs(columns: tuple[str, ...]) -> str:
    return " OR ".join(f"old.{column} IS NOT new.{column}" for column in columns)


def _revise(ids: str) -> str:
    return f"UPDATE orders SET revision = revision + 1, changed_at = {_NOW} WHERE id IN ({ids})"


def _refuse(condition: str, sentence: str) -> str:
    return f"SELECT RAISE(ABORT, '{sentence}') WHERE {condition}"


def _order_triggers() -> tuple[str, ...]:
    """An order's own changes, its deletion, and what a replaced one (INSERT OR REPLACE) may have left behind."""
    columns = (*_PRINTED, *_SUMS)
    parts = ("order_lines", "order_payments", "posted_elsewhere")
    unknown = "new.customer_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM customers WHERE id = new.customer_id)"
    refused = _refuse(unknown, "customer_id: there is no such customer")
    return (
        _trigger(
            "orders_changed",
            f"AFTER UPDATE OF {', '.join(columns)} ON orders WHEN {_differs(columns)}",
            _revise("new.id"),
        ),
        _trigger(
            "orders_deleted",
            "AFTER DELETE ON orders",
            *(f"DELETE FROM {part} WHERE order_id = old.id" for part in parts),
        ),
        _trigger(
            "orders_inserted",
            "AFTER INSERT ON orders",
            refused,
            *(f"DELETE FROM {part} WHERE order_id = new.id" for part in parts),
        ),
        _trigger("orders_assigned", "BEFORE UPDATE OF customer_id ON orders", refused),
        _trigger(
            "customers_deleted",
            "AFTER DELETE ON customers",
            "UPDATE orders SET customer_id = NULL WHERE customer_id = old.id",
        ),
    )


def _part_triggers(table: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Each change of a line or payment changes its order."""
    orphan = _refuse("NOT EXISTS (SELECT 1 FROM orders WHERE id = new.order_id)", "order_id: there is no such order")
    moved = _differs(("order_id", "position", *columns))
    return (
        _trigger(f"{table}_inserted", f"AFTER INSERT ON {table}", orphan, _revise("new.order_id")),
        _trigger(
            f"{table}_changed", f"AFTER UPDATE ON {table} WHEN {moved}", orphan, _revise("old.order_id, new.order_id")
        ),
        _trigger(f"{table}_deleted", f"AFTER DELETE ON {table}", _revise("old.order_id")),
    )


PUSH = (
    *(_CUSTOMERS, _ORDERS, _ORDER_LINES, _ORDER_PAYMENTS, _POSTED_ELSEWHERE),
    *_INDEXES,
    *_order_triggers(),
    *(trigger for table, columns in _PARTS.items() for trigger in _part_triggers(table, columns)),
)
