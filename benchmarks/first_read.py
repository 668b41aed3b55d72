"""What a first read costs, next to a bare loop that fetches and decodes the same pages and stores nothing.

    python benchmarks/first_read.py [--products 100000] [--page-size 200] [--rounds 3] [--latency 0] [--folder DIR]

The sandbox serves both from a process of its own, each answer after `--latency` seconds. Each round runs both, each in
a fresh process; the first read begins with an empty state file. Prints medians, the ratio, the least that it can be in
one process, and how long `status` and `explain` take afterwards.

The least is the loop and, after it, the rows of products, links and stock that the read left behind, inserted page by
page into an empty state, and nothing else: no record checked, none looked for, no call booked, no disk waited for.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypeAlias
from urllib.request import Request, urlopen

MOST_RATIO = 1.5
MOST_MEGABYTES = 100
MOST_MILLISECONDS = 200
UNLIMITED = "1000000000/minute, 1000000000/month"
Rows: TypeAlias = "Sequence[tuple[Any, ...]]"
SYNCCTL = [sys.executable, "-c", "from syncctl.__main__ import main; main()"]


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    processor: float
    megabytes: float
    output: str


def measured(command: list[str], env: Mapping[str, str]) -> Cost:
    """Runs a command to its end; raises `SystemExit` where it fails."""
    began = time.perf_counter()
    with subprocess.Popen(command, env=dict(env), stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{output}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


@contextmanager
def served(products: int) -> Iterator[dict[str, str]]:
    """The environment that points syncctl at a sandbox of that size, which runs meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*SYNCCTL, "sandbox", "--port", str(port), "--service", "unleashed", "--products", str(products)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield clean() | settings(process)
        finally:
            process.terminate()


def settings(process: subprocess.Popen[str]) -> dict[str, str]:
    """The settings that the sandbox prints before it serves."""
    found: dict[str, str] = {}
    for line in process.stdout or ():
        if line.startswith("#"):
            del found["SYNCCTL_UNLEASHED_WAREHOUSE"]  # the loop reads the stock of all of them, too
            return found | {"SYNCCTL_UNLEASHED_LIMITS": UNLIMITED}
        name, _, value = line.strip().partition("=")
        found[name] = value
    raise SystemExit("the sandbox did not start")


def delay(env: Mapping[str, str], seconds: float) -> None:
    """Lets the sandbox answer each call so much later."""
    origin = env["SYNCCTL_UNLEASHED_BASE_URL"].removesuffix("/unleashed")
    fault = {"service": "unleashed", "kind": "slow", "seconds": seconds, "times": 1_000_000}
    with urlopen(Request(f"{origin}/_sandbox/faults", json.dumps(fault).encode(), method="POST")):
        pass


def clean() -> dict[str, str]:
    """The environment of this process, without what would change what is measured."""
    unwanted = ("SYNCCTL_", "XDG_", "PYTHONDONT")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}


def bare() -> None:
    """The loop: every page of products and stock, fetched with `requests` and decoded; prints how many."""
    import requests

    from syncctl.connectors.declared import Values
    from syncctl.connectors.unleashed import Unleashed

    names = ("API_ID", "API_KEY", "CLIENT_TYPE")
    own = {name: os.environ[f"SYNCCTL_UNLEASHED_{name}"] for name in names}
    url, size = os.environ["SYNCCTL_UNLEASHED_BASE_URL"], os.environ["SYNCCTL_UNLEASHED_PAGE_SIZE"]
    session = requests.Session()
    session.auth = Unleashed.auth(Values("unleashed", url, own))
    fetched = 0
    for path, query in (("Products", "includeObsolete=true&"), ("StockOnHand", "")):
        page, pages = 1, 1
        while page <= pages:
            answer = session.get(f"{url}/{path}/{page}?{query}pageSize={size}", timeout=60)
            answer.raise_for_status()
            pages = json.loads(answer.content)["Pagination"]["NumberOfPages"]
            page += 1
            fetched += 1
    print(fetched)


def first_read(env: Mapping[str, str]) -> Cost:
    """`syncctl sync-recent` on an empty state."""
    for path in Path(env["SYNCCTL_STATE"]).parent.glob("state.db*"):
        path.unlink()
    return measured([*SYNCCTL, "sync-recent", "--json"], env)


def rows_alone(env: Mapping[str, str]) -> Cost:
    """The rows of the state that a first read left, put into an empty one."""
    seconds, processor = measured([sys.executable, __file__, "--rows-alone"], env).output.split()
    return Cost(float(seconds), float(processor), 0, "")


def insert_rows() -> None:
    """Inserts them page by page, as the read stores them; prints seconds and CPU seconds of that alone."""
    from contextlib import closing

    from syncctl.state.database import insert, open_database

    state = os.environ["SYNCCTL_STATE"]
    pages = stored_pages(state, int(os.environ["SYNCCTL_UNLEASHED_PAGE_SIZE"]))
    with closing(open_database(f"{state}.rows")) as database:
        began, used = time.perf_counter(), time.process_time()
        for page in pages:
            with database.quick_transaction() as connection:
                for into, rows in page:
                    insert(connection, into, rows)
        print(time.perf_counter() - began, time.process_time() - used)


def stored_pages(state: str, size: int) -> list[list[tuple[str, Rows]]]:
    """The rows of each page, with the table that they belong in: of the products first, then of the stock."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(state)) as database:
        parts = {}
        for table in ("looks", "products", "remote_products", "remote_stock"):
            found = database.execute(f"SELECT * FROM {table}")
            into, rows = f"{table} ({', '.join(column[0] for column in found.description)})", found.fetchall()
            parts[table] = [(into, rows[begin : begin + size]) for begin in range(0, len(rows), size)]
    stock = parts.pop("remote_stock")
    pages = zip_longest(*parts.values(), fillvalue=("", []))  # a product without a SKU is none of the shop's
    return [[part for part in page if part[1]] for page in pages] + [[part] for part in stock]


def show(bares: list[Cost], reads: list[Cost], alone: Cost) -> None:
    """The table, the ratio, and the least that it can be."""
    pages = int(bares[-1].output)
    print(f"{'':14}{'seconds':>9}{'CPU s':>8}{'pages/s':>9}{'max RSS MB':>12}")
    for name, costs in (("bare loop", bares), ("first read", reads)):
        seconds, processor = median(c.seconds for c in costs), median(c.processor for c in costs)
        most = max(c.megabytes for c in costs)
        print(f"{name:14}{seconds:9.1f}{processor:8.1f}{pages / seconds:9.1f}{most:12.1f}")
    print(f"{'rows alone':14}{alone.seconds:9.1f}{alone.processor:8.1f}")
    ratio = median(read.seconds / loop.seconds for loop, read in zip(bares, reads, strict=True))
    print(f"ratio {ratio:.2f} (median of {len(reads)} pairs; wanted: at most {MOST_RATIO})")
    print(f"the loop with the rows alone: {1 + alone.seconds / median(c.seconds for c in bares):.2f}")
    print(f"memory wanted: under {MOST_MEGABYTES} MB with 1,000,000 products")


def show_queries(env: Mapping[str, str], folder: Path) -> None:
    """How long the offline commands take on the state that the read left."""
    found = json.loads(measured([*SYNCCTL, "status", "--json"], env).output)["connectors"][0]["products"]
    commands = {"status": ["status"], "explain product": ["explain", "product", some_sku(folder)]}
    for name, arguments in commands.items():
        seconds = median(measured([*SYNCCTL, *arguments], env).seconds for _ in range(5))
        print(f"{name} at {found:,} products: {seconds * 1e3:.0f} ms (wanted: under {MOST_MILLISECONDS})")
    print(f"state file: {(folder / 'state.db').stat().st_size / 1e6:.0f} MB")


def some_sku(folder: Path) -> str:
    """A SKU from the middle of the state."""
    import sqlite3

    with sqlite3.connect(folder / "state.db") as connection:
        (sku,) = connection.execute(
            "SELECT sku FROM products WHERE id >= (SELECT max(id) / 2 FROM products)"
        ).fetchone()
    return str(sku)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--page-size", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to put the state file (default: the temporary folder)")
    parser.add_argument("--latency", type=float, default=0, help="seconds that each answer takes longer")
    for own in ("--bare", "--rows-alone"):
        parser.add_argument(own, action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """The comparison, or one side of it in a process of its own."""
    options = arguments()
    if options.bare:
        bare()
    elif options.rows_alone:
        insert_rows()
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Runs all of it in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(dir=options.folder) as name, served(options.products) as env:
        folder = Path(name)
        env |= {"SYNCCTL_STATE": str(folder / "state.db"), "SYNCCTL_UNLEASHED_PAGE_SIZE": str(options.page_size)}
        if options.latency:
            delay(env, options.latency)
        bares, reads = [], []
        for _ in range(options.rounds):
            bares.append(measured([sys.executable, __file__, "--bare"], env))
            reads.append(first_read(env))
        show(bares, reads, rows_alone(env))
        show_queries(env, folder)


if __name__ == "__main__":
    main()
