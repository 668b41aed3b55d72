"""What booking a call costs, next to one bare committed INSERT on the same file.

    python benchmarks/reserve.py [--calls 500000] [--rounds 3000] [--seconds 4] [--folder DIR]

Prints the ratio of the medians, measured in turn in one run; then grants per second with 4 processes at once, and
the fullest true window among those grants. Exit code 1 where a limit was exceeded.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

from syncctl.clock import SystemClock
from syncctl.connectors.declared import Limit
from syncctl.models import Purpose, to_ms
from syncctl.state import windows
from syncctl.state.database import Database, open_database
from syncctl.state.ledger import Ledger, Reservation, WindowFullError

PROCESSES = 4
OPEN = (Limit(10_000_000, 60), Limit(100_000_000, "month"))
TIGHT = (Limit(200, 1), Limit(500, 3), Limit(100_000_000, "month"))
INSERT = "INSERT INTO calls (at, run, connector, purpose, method, path) VALUES (?, ?, ?, ?, ?, ?)"
YEAR_MS = 365 * 86_400_000


def wanted(connector: str, limits: tuple[Limit, ...]) -> Reservation:
    """A call as a run would ask for it."""
    return Reservation(connector, limits, Purpose.INVOICE, "GET", "Products/1", 1)


def fill(path: Path, calls: int) -> None:
    """A state file with the journal of a year."""
    database = open_database(path)
    now = to_ms(datetime.now(UTC))
    step = YEAR_MS / max(1, calls)
    rows = ((now - YEAR_MS + round(i * step), 1, "old", "recent", "GET", "Products/1") for i in range(calls))
    with database.transaction() as db:
        db.executemany(INSERT, rows)
    database.close()


def fill_slots(database: Database) -> None:
    """Puts something into every slot of the rolling window: as many rows to add up as there can be."""
    rolling = OPEN[0]
    newest = windows.slot_at(rolling.window, to_ms(datetime.now(UTC)))
    with database.transaction() as db:
        for slot in range(newest - windows.SLOTS, newest + 1):
            windows.book(db, "one", {rolling.name: (slot, 1, 0)})


def bare(database: Database) -> None:
    """The least that a durable row costs."""
    connection = database.connection
    connection.execute("BEGIN IMMEDIATE")
    row = (to_ms(datetime.now(UTC)), 1, "bare", "recent", "GET", "Products/1")
    connection.execute(INSERT, row)
    connection.execute("COMMIT")


def compare(database: Database, rounds: int) -> None:
    """Times the two in turn, so that whatever else the machine does hits both."""
    fill_slots(database)
    ledger = Ledger(database, SystemClock())
    call = wanted("one", OPEN)
    inserts: list[float] = []
    grants: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        bare(database)
        middle = time.perf_counter()
        ledger.reserve(call)
        inserts.append(middle - start)
        grants.append(time.perf_counter() - middle)
    for name, times in (("bare insert", inserts), ("reserve", grants)):
        print(f"{name:12} median {median(times) * 1e6:7.0f} us   95 % {quantiles(times, n=20)[-1] * 1e6:7.0f} us")
    print(f"{'ratio':12} {median(grants) / median(inserts):.2f} (of medians; wanted: at most 3)")


def work(path: Path, connector: str, limits: tuple[Limit, ...], seconds: float) -> None:
    """One process that asks as fast as it can, and sits out what is full."""
    ledger = Ledger(open_database(path), SystemClock())
    call = wanted(connector, limits)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            ledger.reserve(call)
        except WindowFullError as full:
            time.sleep(max(0.0, (full.until - datetime.now(UTC)).total_seconds()))


def contend(path: Path, connector: str, limits: tuple[Limit, ...], seconds: float) -> None:
    """Several such processes at once, for that long."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=(path, connector, limits, seconds)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def moments(database: Database, connector: str) -> list[int]:
    """When the calls were granted, in order."""
    return [row["at"] for row in database.rows("SELECT at FROM calls WHERE connector = ? ORDER BY at", connector)]


def fullest(granted: list[int], seconds: int) -> int:
    """The largest number of calls in any window of that length, wherever it begins."""
    most = first = 0
    for last, at in enumerate(granted):
        while at - granted[first] >= seconds * 1000:
            first += 1
        most = max(most, last - first + 1)
    return most


def check(granted: list[int]) -> bool:
    """Prints the fullest windows under tight limits; false where one was exceeded."""
    fine = True
    for limit in TIGHT:
        if isinstance(limit.window, int):
            most = fullest(granted, limit.window)
            fine = fine and most <= limit.calls
            print(f"fullest {limit.window} s window of {len(granted)} grants: {most} (limit {limit.calls})")
    return fine


def main() -> int:
    """Runs all of it in a folder that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=500_000, help="rows in the journal beforehand")
    parser.add_argument("--rounds", type=int, default=3_000)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long the processes contend, twice")
    parser.add_argument("--folder", type=Path, help="where to put the state file (default: the temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder, "state.db")
        fill(path, options.calls)
        database = open_database(path)
        compare(database, options.rounds)
        contend(path, "many", OPEN, options.seconds)
        granted = moments(database, "many")
        spread = max(1, granted[-1] - granted[0]) / 1000
        print(f"{PROCESSES} processes: {len(granted) / spread:.0f} grants/s")
        contend(path, "tight", TIGHT, options.seconds)
        fine = check(moments(database, "tight"))
        database.close()
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())
