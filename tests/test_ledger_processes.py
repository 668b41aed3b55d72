"""The ledger under several real processes, and under kill -9. Run as a script, this file is one such process."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from syncctl.clock import SystemClock
from syncctl.connectors.declared import Limit
from syncctl.errors import DeferredError
from syncctl.models import Purpose
from syncctl.state.database import Database, open_database
from syncctl.state.ledger import Ledger, Reservation, WindowFullError

PROCESSES = 4
KILLED = -9
# The last limit ends the work, so that what is granted in all is known exactly, however fast the machine is.
FEW = (Limit(20, 7200),)
EXACT = (Limit(1_000_000, 60), Limit(300, 3600))
ROLLING = (Limit(40, 1), Limit(60, 2), Limit(120, 3600))
STORM = (Limit(1_000_000, 1), Limit(2000, 3600), Limit(1_000_000, "month"))
KILLS = 15


def wanted(limits: tuple[Limit, ...]) -> Reservation:
    return Reservation("shop", limits, Purpose.INVOICE, "GET", "Products/1", 1)


def work(path: Path, limits: tuple[Limit, ...]) -> None:
    """Says what it got; ends when nothing is left and nobody is to be killed any more."""
    clock = SystemClock()
    ledger = Ledger(open_database(path), clock)
    call = wanted(limits)
    while True:
        try:
            sys.stdout.write(f"{ledger.reserve(call)}\n")
            sys.stdout.flush()
        except WindowFullError as full:
            clock.sleep(max(0.0, (full.until - clock.now()).total_seconds()))
        except DeferredError:
            if path.with_name("over").exists():
                return
            clock.sleep(0.01)


class Crew:
    """Processes that ask; each writes the ids that it was granted to a file of its own."""

    def __init__(self, path: Path, limits: str) -> None:
        self.path = path
        self.limits = limits  # the name of one of the constants above
        self.members: list[subprocess.Popen[bytes]] = []

    def start(self, number: int = 1) -> None:
        for _ in range(number):
            command = [sys.executable, __file__, str(self.path), self.limits]
            with self.path.with_name(f"granted-{self.limits}-{len(self.members)}").open("wb") as output:
                self.members.append(subprocess.Popen(command, stdout=output))

    def kill_one(self) -> None:
        """SIGKILLs one of those that still work, wherever it happens to be."""
        victim = random.choice([member for member in self.members if member.poll() is None])
        victim.kill()
        victim.wait()

    def finish(self) -> list[int]:
        """Lets them end; the exit codes, in the order in which they were started."""
        self.path.with_name("over").touch()
        return [member.wait(timeout=300) for member in self.members]

    def granted(self) -> list[int]:
        """All ids that a process has heard of."""
        files = self.path.parent.glob("granted-*")
        return [int(line) for file in files for line in file.read_text().splitlines()]


def journal(database: Database) -> list[tuple[int, int]]:
    """Id and time of each call, in the order in which they were booked."""
    return [(row["id"], row["at"]) for row in database.rows("SELECT id, at FROM calls ORDER BY id")]


def new_state(folder: Path) -> Path:
    path = folder / "state.db"
    open_database(path).close()
    return path


def test_processes_together_get_exactly_the_limit(tmp_path: Path) -> None:
    crew = Crew(new_state(tmp_path), "EXACT")
    crew.start(PROCESSES)
    assert crew.finish() == [0] * PROCESSES
    database = open_database(crew.path)
    calls = journal(database)
    database.close()
    assert len(calls) == 300
    assert sorted(crew.granted()) == [call for call, _ in calls]


def test_no_true_rolling_window_holds_more_than_its_limit(tmp_path: Path) -> None:
    crew = Crew(new_state(tmp_path), "ROLLING")
    crew.start(PROCESSES)
    assert crew.finish() == [0] * PROCESSES
    database = open_database(crew.path)
    times = [at for _, at in journal(database)]
    database.close()
    assert len(times) == 120
    assert times == sorted(times), "a time was taken before the lock was held"
    for limit in ROLLING[:2]:
        distances = [later - first for first, later in zip(times, times[limit.calls :], strict=False)]
        assert min(distances) > int(limit.window) * 1000


def test_killed_processes_waste_calls_but_never_win_any(tmp_path: Path) -> None:
    crew = Crew(new_state(tmp_path), "STORM")
    database = open_database(crew.path)
    crew.start(PROCESSES)
    for kill in range(KILLS):
        wait_for_calls(database, kill * 100 + random.randrange(100))
        crew.kill_one()
        crew.start()
    assert sorted(crew.finish()) == [KILLED] * KILLS + [0] * PROCESSES
    calls = [call for call, _ in journal(database)]
    heard = crew.granted()
    assert len(calls) == 2000
    assert len(set(heard)) == len(heard)
    assert set(heard) <= set(calls)
    assert len(calls) - len(heard) <= KILLS
    assert [row[0] for row in database.rows("SELECT sum(used) FROM spend GROUP BY win")] == [2000] * len(STORM)
    assert [row[0] for row in database.rows("PRAGMA integrity_check")] == ["ok"]
    database.close()


def wait_for_calls(database: Database, number: int) -> None:
    while len(database.rows("SELECT 1 FROM calls LIMIT ?", number)) < number:
        time.sleep(0.001)


def test_the_process_that_made_the_file_shares_it_like_any_other(tmp_path: Path) -> None:
    database = open_database(tmp_path / "state.db")
    few = Crew(Path(database.path), "FEW")
    few.start()
    few.finish()
    own = [Ledger(database, SystemClock()).reserve(wanted(EXACT)) for _ in range(10)]
    rest = Crew(Path(database.path), "EXACT")
    rest.start()
    rest.finish()
    database.close()
    assert sorted(own + rest.granted()) == list(range(1, 301))


if __name__ == "__main__":
    work(Path(sys.argv[1]), globals()[sys.argv[2]])
