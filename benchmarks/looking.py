"""How long the commands that make no call take on a large state, which is made with SQL.

    python benchmarks/looking.py [--products 1000000] [--calls 1000000] [--orders 100000] [--rounds 5] [--folder DIR]

The state has one connector, a year of runs and calls, a change for each call, and 7 days of bodies; a year of orders
with two lines and a payment each, from as many customers as there are orders, of which one in 500 waits for a person
and one in 1,000 was changed after it was posted. Each command runs in a fresh process; prints the medians next to that
of bare `--help`. With --folder the state stays there, and is used again.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
import zlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from statistics import median

from first_read import MOST_MILLISECONDS, SYNCCTL, clean, measured

from syncctl.clock import SystemClock
from syncctl.connectors.unleashed import Unleashed
from syncctl.models import Purpose
from syncctl.state.database import open_database
from syncctl.state.ledger import Ledger, Reservation

YEAR_MS = 365 * 86_400_000
RUNS = 12_000
SETTINGS = {
    "SYNCCTL_SHOP": "bench",
    "SYNCCTL_CONNECTORS": "unleashed",
    "SYNCCTL_UNLEASHED_API_ID": "an-id",
    "SYNCCTL_UNLEASHED_API_KEY": "a-key",
    "SYNCCTL_UNLEASHED_CURRENCY": "NZD",
    "SYNCCTL_UNLEASHED_ROLES": "products,stock,customers,invoices",
    "SYNCCTL_UNLEASHED_TAX": "0.15:G.S.T.",
    "SYNCCTL_FRESHNESS": "9999d",  # the state may be used again
    "SYNCCTL_TIMEZONE": "Pacific/Auckland",
}
_NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"
# A product's id is scattered over the file, as GUIDs are; its look is at most a month old.
_PRODUCTS = (
    f"{_NUMBERS} INSERT INTO products (id, sku, name) SELECT i, printf('SKU-%07d', i), 'Product ' || i FROM n",
    f"""{_NUMBERS} INSERT INTO remote_products
    SELECT i, 'unleashed', printf('%08x-0000-4000-8000-%012x', i * 2654435761 % 4294967296, i), printf('SKU-%07d', i),
        'Product ' || i, NULL, '{{"default":"10.00"}}', iif(i % 500, 'active', 'gone'), i, i, 'sku', 1, 1, NULL
    FROM n""",
    f"{_NUMBERS} INSERT INTO remote_stock SELECT i, '', i, i, 1 FROM n",
    f"""{_NUMBERS} INSERT INTO looks
    SELECT i, 'unleashed', printf('%08x-0000-4000-8000-%012x', i * 2654435761 % 4294967296, i),
        :now - i * 2592, :now - i * 2592, 1 + i % :calls, 1 + i % :calls, iif(i % 500, :now - i * 2592, NULL) FROM n""",
)
_JOURNAL = (
    f"""{_NUMBERS} INSERT INTO calls
    SELECT i, :now - :year + i * (:year / :many), 1 + i * :runs / (:many + 1), 'unleashed', iif(i % 9, 'recent',
    'oldest'), 'GET', '/Products/' || i || '?pageSize=200', iif(i % 1000, 200, 503), 300, 5000, NULL,
    iif(i % 1000, NULL, 'The service answers 503') FROM n""",
    f"""{_NUMBERS} INSERT INTO changes
    SELECT i, :now - :year + i * (:year / :many), 1 + i * :runs / (:many + 1), i, 'unleashed', 'products', printf(
    '%08x-0000-4000-8000-%012x', (1 + i * 7 % :products) * 2654435761 % 4294967296, 1 + i * 7 % :products),
    'price', '10.00', '11.00', iif(i % 50, 'feed', 'drift') FROM n""",
)
_RUNS = (
    f"""{_NUMBERS} INSERT INTO runs SELECT i, iif(i % 5, 'sync-recent', 'sync-oldest'), :now - :year + i * (:year /
    :many), :now - :year + i * (:year / :many) + 9000, iif(i % 100, 0, 65), 1 FROM n""",
    f"""{_NUMBERS} INSERT INTO run_connectors SELECT i, 'unleashed', iif(i % 100, 0, 65), 80, 0, 0, 0, 0, 0, 0, 0, NULL,
    iif(i % 100, '[]', '[["SKU-0000001", "The price is no number", "Mend it there"]]') FROM n""",
)
_SHOP_ORDERS = (
    f"""{_NUMBERS} INSERT INTO customers (id, code, name, email)
    SELECT i, printf('C-%06d', i), 'Customer ' || i, printf('c%06d@example.org', i) FROM n""",
    f"""{_NUMBERS} INSERT INTO orders (id, number, placed_at, currency, status, customer_id, customer, total)
    SELECT i, printf('%06d', i), strftime('%Y-%m-%dT%H:%M:%SZ', (:now - :year + i * (:year / :many)) / 1000,
    'unixepoch'), 'NZD', 'paid', i, json_object('email', printf('c%06d@example.org', i)), '28.75' FROM n""",
    f"""{_NUMBERS} INSERT INTO order_lines (order_id, position, sku, quantity, unit_price, tax_rate)
    SELECT (i + 1) / 2, 1 + i % 2, printf('SKU-%07d', 1 + i * 7 % :products), '1', '12.50', '0.15' FROM (
    SELECT i FROM n UNION ALL SELECT i + :many FROM n)""",
    f"""{_NUMBERS} INSERT INTO order_payments (order_id, position, method, amount)
    SELECT i, 1, 'card', '28.75' FROM n""",
)
# One order in 1,000 is refused, one in 1,000 given up, one in 10,000 unknown; the payment follows the order.
_OUTBOX = (
    f"""{_NUMBERS} INSERT INTO outbox (connector, kind, key, reference, guid, state, due_at, tries, queued_at, ended_at,
    cause, message, remedy, call, remote_id, expected)
    SELECT 'unleashed', 'orders', printf('%06d', i), printf('bench-%06d', i), printf('guid-%06d', i),
    CASE WHEN i % 1000 = 1 THEN 'due' WHEN i % 1000 = 2 THEN 'waiting' WHEN i % 10000 = 3 THEN 'sending' ELSE 'done'
    END,
    :now - :year + i * (:year / :many), 1, iif(i % 1000 IN (1, 2, 3), :now, :now - :year + i * (:year / :many)),
    :now - :year + i * (:year / :many),
    iif(i % 1000 IN (1, 2), 'tax-unmapped', ''), iif(i % 1000 IN (1, 2), 'line 1 has the tax rate 0.20', ''),
    iif(i % 1000 IN (1, 2), 'Add 0.20:CODE', ''), 1 + i * (:calls / :many), printf('there-%06d', i),
    '{{"revision":"4"}}' FROM n""",
    """INSERT INTO outbox (connector, kind, key, reference, guid, state, due_at, queued_at, ended_at, remote_id)
    SELECT connector, 'payments', key || '/1', reference || '/1', guid || '/1', state, due_at, queued_at, ended_at,
    remote_id FROM outbox WHERE kind = 'orders' AND state = 'done'""",
    """INSERT INTO attempts (outbox, at, run, call, outcome)
    SELECT id, due_at, 1, call, iif(state = 'done', 'posted', 'refused') FROM outbox""",
    "UPDATE orders SET changed_at = placed_at",
    "UPDATE orders SET total = '30.00' WHERE id % 1000 = 5",
)
_CUSTOMERS = (
    f"""{_NUMBERS} INSERT INTO remote_customers SELECT 'unleashed', printf('%08x-0000-4000-8001-%012x',
    i * 2654435761 % 4294967296, i), json_array(printf('C-%06d', i)), 'Customer ' || i,
    json_array(printf('c%06d@example.org', i)), 'active', 1, i, iif(i % 100, i, NULL), iif(i % 100, 'code', NULL), 1, 1,
    1 + i * (:calls / :many) FROM n""",
    """INSERT INTO customer_keys SELECT connector, codes ->> 0, 0, remote_id FROM remote_customers
    WHERE customer_id IS NOT NULL""",
    """INSERT INTO customer_keys SELECT connector, emails ->> 0, 9, remote_id FROM remote_customers
    WHERE customer_id IS NOT NULL""",
    """INSERT INTO accounts (connector, kind, base_url, account)
    VALUES ('unleashed', 'unleashed', 'https://api.unleashedsoftware.com', 'an-id')""",
)
_BODY = zlib.compress(b'{"Items":[' + b'{"ProductCode":"A"},' * 50 + b"{}]}")
_BODIES = "INSERT INTO bodies SELECT id, at, NULL, ? FROM calls WHERE at > ?"


def fill(path: Path, products: int, calls: int, orders: int) -> None:
    """Makes the state; takes a minute a million."""
    open_database(path).close()
    now = round(time.time() * 1000)
    with closing(sqlite3.connect(path)) as sql, sql:
        sql.execute("PRAGMA cache_size = -500000")
        values = {"now": now, "year": YEAR_MS, "runs": RUNS, "calls": calls, "products": products}
        parts = [(_PRODUCTS, products), (_JOURNAL, calls), (_RUNS, RUNS)]
        parts += [(part, orders) for part in (_SHOP_ORDERS, _OUTBOX, _CUSTOMERS)]
        for statements, many in parts:
            for statement in statements:
                sql.execute(statement, values | {"many": many})
        sql.execute(_BODIES, (_BODY, now - YEAR_MS // 52))
    with closing(open_database(path)) as database:  # the first call that is booked counts the windows
        wanted = Reservation("unleashed", Unleashed.limits, Purpose.RECENT, "GET", "/Products/1", 1)
        Ledger(database, SystemClock()).reserve(wanted)


def commands(calls: int) -> list[list[str]]:
    """What is measured."""
    return [
        ["--help"],
        ["status"],
        ["status", "--check"],
        ["metrics"],
        ["budget"],
        ["report", "/dev/null"],
        ["plan"],
        ["log", "calls"],
        ["log", "calls", "--status", "failed"],
        ["log", "runs", "--since", "7d"],
        ["log", "changes", "--kind", "products"],
        ["explain", "product", "SKU-0000008"],
        ["explain", "call", str(calls - 5)],
        ["explain", "call", "5"],
        ["explain", "order", "050001"],
        ["explain", "customer", "C-050000"],
        ["explain", "customer", "c050001@example.org"],
        ["queue", "list"],
        ["queue", "list", "--changed"],
        ["queue", "show", "50001"],
        ["links", "list"],
        ["links", "list", "customer", "--ambiguous"],
        ["links", "show", "customer", "C-050001"],
        ["post-invoices", "--dry-run"],
    ]


def show(env: Mapping[str, str], calls: int, rounds: int) -> None:
    """The table."""
    for command in commands(calls):
        costs = [measured([*SYNCCTL, *command], env) for _ in range(rounds)]
        milliseconds = median(cost.seconds for cost in costs) * 1e3
        processor = median(cost.processor for cost in costs) * 1e3
        print(f"{' '.join(command):40}{milliseconds:7.0f} ms{processor:7.0f} ms CPU")
    print(f"wanted: under {MOST_MILLISECONDS} ms each")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the state stays (default: it is thrown away)")
    return parser.parse_args()


def main() -> None:
    """Makes the state where there is none, and measures."""
    options = arguments()
    with tempfile.TemporaryDirectory() as name:
        path = (options.folder or Path(name)) / "state.db"
        if not path.exists():
            began = time.perf_counter()
            fill(path, options.products, options.calls, options.orders)
            print(f"state: {path.stat().st_size / 1e6:.0f} MB, made in {time.perf_counter() - began:.0f} s")
        show(clean() | SETTINGS | {"SYNCCTL_STATE": str(path)}, options.calls, options.rounds)


if __name__ == "__main__":
    main()
