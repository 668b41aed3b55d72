"""What a run that has nothing to do costs, next to a Python that only imports click and sqlite3.

    python benchmarks/startup.py [--rounds 41]

Each round starts every command once, so that whatever else the machine does hits all of them. Prints the medians of
the wall time and of the processor time, and their ratios to the bare Python's.
"""

from __future__ import annotations

import argparse
import compileall
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import syncctl
from syncctl.clock import SystemClock
from syncctl.state.blocks import Blocks
from syncctl.state.database import open_database
from syncctl.state.locks import Holder, hold

MOST = 1.3
BARE = "import click, sqlite3"
SYNCCTL = "from syncctl.__main__ import main; main()"  # what the installed script does
SETTINGS = {
    "SYNCCTL_SHOP": "bench",
    "SYNCCTL_CONNECTORS": "unleashed",
    "SYNCCTL_UNLEASHED_API_ID": "an-id",
    "SYNCCTL_UNLEASHED_API_KEY": "a-key",
}


@dataclass
class Case:
    """A command, where it runs and with which settings; what its runs cost."""

    name: str
    arguments: list[str]
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Runs it once, and notes what it cost."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SYNCCTL_", "XDG"))}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        command = [sys.executable, *self.arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=kept | self.settings, capture_output=True, text=True, check=False
        )
        self.wall.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if done.returncode not in (0, 75):
            raise SystemExit(f"{self.name}: exit code {done.returncode}\n{done.stderr}")


def prepare(folder: Path, *, env_file: bool) -> dict[str, str]:
    """A folder with a state in which the connector is blocked; the settings that are not in its `.env`."""
    folder.mkdir()
    database = open_database(folder / "syncctl.db")
    Blocks(database, SystemClock()).block("unleashed", datetime.now(UTC) + timedelta(days=1), "The quota is used up")
    database.close()
    if not env_file:
        return SETTINGS
    path = folder / ".env"
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in SETTINGS.items()))
    return {}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """While another run holds the lock."""
    clock = SystemClock()
    holder = Holder("syncctl sync-recent", os.getpid(), 1, "2026-11-23T12:00:00Z")
    with hold(folder / "syncctl.db", "unleashed", holder, clock=clock):
        yield


def cases(folder: Path) -> list[Case]:
    """The bare Python first, then what is compared with it."""
    blocked, quoted, held = folder / "environment", folder / "file", folder / "held"
    recent = ["-c", SYNCCTL, "sync-recent"]
    return [
        Case("bare Python", ["-c", BARE], folder),
        Case("--help", ["-c", SYNCCTL, "--help"], folder),
        Case("blocked, environment", recent, blocked, prepare(blocked, env_file=False)),
        Case("blocked, .env", recent, quoted, prepare(quoted, env_file=True)),
        Case("locked", recent, held, prepare(held, env_file=False)),
    ]


def show(compared: list[Case]) -> None:
    """The table."""
    bare = compared[0]
    print(f"{'':22}{'wall ms':>9}{'ratio':>7}{'CPU ms':>9}{'ratio':>7}   (of medians; wanted: at most {MOST})")
    for case in compared:
        wall, processor = median(case.wall), median(case.processor)
        ratios = wall / median(bare.wall), processor / median(bare.processor)
        print(f"{case.name:22}{wall * 1e3:9.1f}{ratios[0]:7.2f}{processor * 1e3:9.1f}{ratios[1]:7.2f}")


def main() -> None:
    """Runs all of it in a folder that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=41)
    options = parser.parse_args()
    compileall.compile_dir(str(Path(syncctl.__file__).parent), quiet=1)
    with tempfile.TemporaryDirectory() as name:
        compared = cases(Path(name))
        with locked(Path(name, "held")):
            for _ in range(options.rounds):
                for case in compared:
                    case.run()
    show(compared)


if __name__ == "__main__":
    main()
