"""Where the demo plays: the shop's folder, the copies of the services, and the screen."""

from __future__ import annotations

import json
import shutil
import sqlite3
import textwrap
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from syncctl.errors import EXIT_CODES

Json = dict[str, Any]
_MOST_WIDTH = 100
_INTERRUPTED = 130


@dataclass(slots=True)
class Stage:
    """A shop with a folder of its own, that sells what the services at `url` have; `faults` is what went wrong."""

    folder: Path
    url: str = ""
    faults: list[str] = field(default_factory=list)

    @property
    def state(self) -> Path:
        """The state file."""
        return self.folder / "syncctl.db"

    def write_settings(self, settings: dict[str, str]) -> None:
        """Writes the shop's `.env`, with a limit that does not slow the demo down."""
        told = settings | {"SYNCCTL_STATE": str(self.state), "SYNCCTL_UNLEASHED_LIMITS": "6000/minute, 125000/month"}
        env_file = self.folder / ".env"
        env_file.touch(mode=0o600)
        env_file.write_text("".join(f"{name}={value}\n" for name, value in told.items()))

    def mend(self, variable: str, value: str) -> None:
        """Somebody corrects one line of the `.env`."""
        env_file = self.folder / ".env"
        lines = env_file.read_text().splitlines()
        mended = [f"{variable}={value}" if line.startswith(f"{variable}=") else line for line in lines]
        env_file.write_text("\n".join(mended) + "\n")

    def part(self, title: str) -> None:
        """The heading of a part of the story."""
        click.secho(f"\n{title}\n{'=' * len(title)}", bold=True)

    def say(self, words: str) -> None:
        """What happens next, before it happens."""
        click.echo()
        click.secho(_filled(words, "# ", "# "), bold=True)

    def tell(self, words: str) -> None:
        """What came of it."""
        click.echo(_filled(words))

    def quote(self, text: str) -> None:
        """What somebody else has written."""
        for line in text.splitlines():
            click.echo(_filled(line, "  | ", "  |     ") if line else "  |")

    def run(self, *args: str, ends_with: int = 0) -> None:
        """Runs a command as a shell in the folder would, and shows what it says and, where it is not 0, how it ends."""
        from syncctl import cli

        click.secho(f"$ syncctl {' '.join(args)}", fg="cyan")
        here = [str(self.folder / each) if (self.folder / each).is_file() else each for each in args]
        code = cli.run([*here, "--env-file", str(self.folder / ".env")])
        if code == _INTERRUPTED:
            raise KeyboardInterrupt  # who stops a command means the demo
        if code:
            click.echo(f"(exit code {code}: {EXIT_CODES.get(code, 'wrong usage')})")
        if code != ends_with:
            self.faults.append(f"syncctl {' '.join(args)} ended with {code} and not with {ends_with}")

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the shop's own programs would read in the state file."""
        with closing(sqlite3.connect(self.state)) as connection:
            return connection.execute(sql, values).fetchall()

    def change(self, service: str, kind: str, records: list[Json], *, silent: bool = False) -> None:
        """Somebody changes records in a back office."""
        self.request("POST", f"records/{service}/{kind}", {"records": records, "silent": silent})

    def records(self, service: str, kind: str) -> list[Json]:
        """What stands in a back office, as it says itself; numbers are exact."""
        found: list[Json] = self.request("GET", f"records/{service}/{kind}?limit=100000")["records"]
        return found

    def calls(self) -> dict[str, int]:
        """How many calls have reached each service."""
        counts: dict[str, int] = {}
        for each in self.request("GET", "calls")["counts"]:
            counts[each["service"]] = counts.get(each["service"], 0) + each["count"]
        return counts

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Asks the sandbox behind syncctl's back."""
        import urllib.request

        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data, method=method)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
            return json.load(answer, parse_float=Decimal)

    def close(self) -> None:
        """The last words: no call may be missing in the books."""
        reached = sum(self.calls().values())
        ((booked,),) = self.rows("SELECT count(*) FROM calls")
        click.echo(f"\n{reached} calls reached the services, and {booked} are booked.")
        if reached != booked:
            self.faults.append(f"{reached} calls reached the services, but {booked} are booked")


def _filled(words: str, first: str = "", others: str = "") -> str:
    """A paragraph as wide as the terminal, within reason; what begins with spaces stays where it is."""
    width = min(shutil.get_terminal_size().columns, _MOST_WIDTH)
    return textwrap.fill(words, width, initial_indent=first, subsequent_indent=others, break_long_words=False)
