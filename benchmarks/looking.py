"""How long the commands that make no call take on a large state, which is made with SQL.

    python benchmarks/looking.py [--products 1000000] [--calls 1000000] [--rounds 5] [--folder DIR]

The state has one connector, a year of runs and calls, a change for each call, and 7 days of bodies. Each command runs
in a fresh process; prints the medians next to that of bare `--help`. With --folder the state stays there, and is used
again.
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

from syncctl.state.database import open_database

YEAR_MS = 365 * 86_400_000
RUNS = 12_000
SETTINGS = {
    "SYNCCTL_SHOP": "bench",
    "SYNCCTL_CONNECTORS": "unleashed",
    "SYNCCTL_UNLEASHED_API_ID": "an-id",
    "SYNCCTL_UNLEASHED_API_KEY": "a-key",
}
_NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"
# A product's id is scattered over the file, as GUIDs are; its look is at most a month old.
_PRODUCTS = (
    f"{_NUMBERS} INSERT INTO products (id, sku, name) SELECT i, printf('SKU-%07d', i), 'Product ' || i FROM n",
    f"""{_NUMBERS} INSERT INTO remote_products
    SELECT 'unleashed', printf('%08x-0000-4000-8000-%012x', i * 2654435761 % 4294967296, i), printf('SKU-%07d', i),
        'Product ' || i, NULL, '{{"default":"10.00"}}', iif(i % 500, 'active', 'gone'), i, i, 'sku', 1, 1, NULL
    FROM n""",
    f"""{_NUMBERS} INSERT INTO remote_stock
    SELECT 'unleashed', printf('%08x-0000-4000-8000-%012x', i * 2654435761 % 4294967296, i), '', i, i, 1 FROM n""",
    f"""{_NUMBERS} INSERT INTO looks
    SELECT 'unleashed', printf('%08x-0000-4000-8000-%012x', i * 2654435761 % 4294967296, i),
        :now - i * 2592, :now - i * 2592, 1 + i % :calls, 1 + i % :calls, :now - i * 2592 FROM n WHERE i % 500""",
)
_JOURNAL = (
    f"""{_NUMBERS} INSERT INTO calls
    SELECT i, :now - :year + i * (:year / :many), 1 + i * :runs / (:many + 1), 'unleashed', iif(i % 9, 'recent',
    'oldest'), 'GET', '/Products/' || i || '?pageSize=200', iif(i % 1000, 200, 503), 300, 5000, NULL, NULL FROM n""",
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
_BODY = zlib.compress(b'{"Items":[' + b'{"ProductCode":"A"},' * 50 + b"{}]}")
_BODIES = "INSERT INTO bodies SELECT id, at, NULL, ? FROM calls WHERE at > ?"


def fill(path: Path, products: int, calls: int) -> None:
    """Makes the state; takes a minute a million."""
    open_database(path).close()
    now = round(time.time() * 1000)
    with closing(sqlite3.connect(path)) as sql, sql:
        sql.execute("PRAGMA cache_size = -500000")
        values = {"now": now, "year": YEAR_MS, "runs": RUNS, "calls": calls, "products": products}
        for statements, many in ((_PRODUCTS, products), (_JOURNAL, calls), (_RUNS, RUNS)):
            for statement in statements:
                sql.execute(statement, values | {"many": many})
        sql.execute(_BODIES, (_BODY, now - YEAR_MS // 52))


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
            fill(path, options.products, options.calls)
            print(f"state: {path.stat().st_size / 1e6:.0f} MB, made in {time.perf_counter() - began:.0f} s")
        show(clean() | SETTINGS | {"SYNCCTL_STATE": str(path)}, options.calls, options.rounds)


if __name__ == "__main__":
    main()
