"""What a ping tells of a run: its exit code, and what it said."""

from __future__ import annotations

import click

from syncctl.commands.common import Outcome
from syncctl.commands.messages import sentence, summary, warn
from syncctl.errors import SyncctlError
from syncctl.ping import Ping


class Pinged:
    """The pings of one run of a command."""

    def __init__(self, url: str, command: str) -> None:
        self._ping = Ping(url, lambda message: warn([message]))
        self._command = command
        self._ping.start()

    def ended(self, outcome: Outcome) -> None:
        """A run came to its end; one that found another at work leaves it to that one to tell."""
        if outcome.tallies and all(tally.locked_quietly for tally in outcome.tallies):
            return
        lines = [summary(self._command, tally) for tally in outcome.tallies]
        lines += [sentence(t.name, e.record, e.message, e.remedy) for t in outcome.tallies for e in t.errors]
        told = click.unstyle("\n".join(lines))
        self._ping.end(outcome.code, f"syncctl {self._command}, run {outcome.run}\n{told}")

    def failed(self, error: BaseException) -> None:
        """It ended before or outside its connectors; of a bug no more is told than its kind."""
        if isinstance(error, SyncctlError):
            self._ping.end(error.exit_code, f"syncctl {self._command}\n{error}")
        elif isinstance(error, KeyboardInterrupt):
            self._ping.end(130, f"syncctl {self._command}\ninterrupted")
        else:
            self._ping.end(70, f"syncctl {self._command}\na bug: {type(error).__name__}")
