"""How the commands tell what happened: sentences, summaries, JSON and a progress bar."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from syncctl.commands.layout import Level, ended, padded, paint, plural, say
from syncctl.commands.options import Common
from syncctl.errors import ConfigError, RecordError, SyncctlError
from syncctl.invocation import Given, typed
from syncctl.models import Problem, iso
from syncctl.run import GOES_ON
from syncctl.tally import QUEUED, SCHEMA_VERSION, Tally

_MARK = 9
GROUPS = ("import", "links", "queue", "explain", "log", "state")  # whose commands have names of two words

if TYPE_CHECKING:
    from syncctl.connectors.base import Check


class Terminal:
    """Tells a person what a run does: notes and a progress bar, both on stderr."""

    def __init__(self, common: Common) -> None:
        self.common = common
        self._bar: Any = None
        self._label = ""

    def note(self, text: str) -> None:
        """A sentence, where somebody reads it."""
        self.close()
        if self.common.verbose or sys.stderr.isatty():
            say(text, err=True)

    def warn(self, text: str) -> None:
        """A sentence for everybody."""
        self.close()
        say(f"syncctl: {ended(text)}", err=True)

    def progress(self, label: str, done: int, total: int) -> None:
        """A bar, on a terminal only."""
        if not sys.stderr.isatty():
            return
        if self._bar is None or label != self._label:
            self.close()
            self._label = label
            self._bar = click.progressbar(length=total, label=label, file=sys.stderr)
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos)
        if done >= total:
            self.close()

    def close(self) -> None:
        """Ends the bar's line."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


def mute() -> None:
    """Lets nothing more be written to a stream that nobody reads, not even at the interpreter's end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def end_line() -> None:
    """Goes to a new line of the terminal, where Ctrl-C shows as `^C` in this one."""
    if sys.stderr.isatty():
        click.echo(err=True)


def warn(warnings: Sequence[str]) -> None:
    """Prints warnings, which never change the outcome."""
    for warning in warnings:
        say(f"syncctl: {paint('warning', 'warning')}: {warning}", indent=4, err=True)


def show_json(command: str, **values: object) -> None:
    """One JSON object on stdout; commands in its sentences name the settings file, as `say` does."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, "command": command, **values}, ensure_ascii=False)
    click.echo(typed(text, Given.env_file, lambda words: json.dumps(words, ensure_ascii=False)[1:-1]))


def show_errors(tally: Tally, common: Common) -> None:
    """What went wrong, a sentence a line on stderr; neither a short lock nor what was mailed is news to cron."""
    watched = common.verbose or sys.stderr.isatty()
    if tally.locked_quietly and not watched:
        return
    click.echo(tally.trace, err=True, nl=False)
    for error in tally.errors if watched else [error for error in tally.errors if error not in tally.mailed]:
        say(sentence(tally.name, error.record, error.message, error.remedy), indent=4, err=True)


def sentence(connector: str, record: str, message: str, remedy: str) -> str:
    """`unleashed: MUG-1: what is wrong. What to do.` is the form of every message about a record."""
    from syncctl.wording import one_line  # a run without a word to say needs none

    named = not record and message.startswith(f"{connector} ")  # as in `unleashed is locked by …`
    who = "" if named else f"{connector}: {one_line(record, 80)}: " if record else f"{connector}: "
    return f"{who}{ended(message)}" + (f" {ended(remedy)}" if remedy else "")


def show_check(name: str, check: Check, *, err: bool = False) -> None:
    """`ok       unleashed: clock: …`, and what to do where there is something."""
    told = f"{ended(check.message)} {ended(check.remedy)}" if check.remedy else check.message
    say(f"{mark(check.level)}{name}: {check.subject}: {told}", indent=_MARK, err=err)


def mark(level: Level) -> str:
    """What stands before a line of a check."""
    return padded(paint(level, level), _MARK)


def summary(command: str, tally: Tally) -> str:
    """One line: what was done and what it cost."""
    told = ", ".join(_counted(number, word) for word, number, always in _counts(command, tally) if number or always)
    line = f"{tally.name}: {told}; {plural(tally.calls, 'call')}"
    if tally.deferred_until and command != "sync-product":  # which has told it on stderr
        line += f"; {deferral(tally, tally.deferred_until)}"
    elif tally.pushed.next_try and not tally.calls:
        line += f"; none due before {iso(tally.pushed.next_try)} (syncctl retry-queue --now tries all at once)"
    look = paint(f"{len(tally.errors):,} to look at", "warning")
    return f"{line}; {look}" if tally.errors and not tally.locked_quietly else line


def _counted(number: int, words: str) -> str:
    """`1 customer created`, `2 products read again`."""
    noun, _, verb = words.partition("s ")
    return f"{number:,} {f'{noun} {verb}' if number == 1 and noun in ('customer', 'product') else words}"


def deferral(tally: Tally, until: datetime) -> str:
    """Why the rest is left for later, and when it goes on."""
    why = tally.deferred_because[:1].lower() + tally.deferred_because[1:]
    return why if iso(until) in why or why.endswith(GOES_ON) else f"{why}, goes on {iso(until)}"


def _counts(command: str, tally: Tally) -> list[tuple[str, int, bool]]:
    """The counts that a command is about, each with whether it is told when it is 0."""
    reads_all = command in ("sync-recent", "sync-customers")
    if tally.pushed.counts is not None:
        return [(word, number, word == "posted") for word, number in tally.pushed.told()]
    return [
        ("seen", tally.seen if reads_all else 0, reads_all),
        ("new", tally.created, False),
        ("changed", tally.changed, reads_all),
        ("linked", tally.customers_linked, command == "sync-customers"),
        ("verified", tally.verified, not reads_all),
        ("drifted", tally.drifted, command == "sync-oldest"),
        ("gone", tally.gone, command == "sync-oldest"),
    ]


def show_failure(error: SyncctlError, args: Sequence[str]) -> None:
    """An error that stopped the command before or outside its connectors."""
    messages = error.problems if isinstance(error, ConfigError) else (error.message,)
    record = error.record if isinstance(error, RecordError) else ""
    for message in messages[:-1]:
        say(sentence("syncctl", record, message, ""), indent=4, err=True)
    say(sentence("syncctl", record, messages[-1], error.remedy), indent=4, err=True)
    show_json_failure(args, error.exit_code, [Problem(record, message, error.remedy) for message in messages])


def show_json_failure(args: Sequence[str], code: int, errors: list[Problem]) -> None:
    """The object of a command that ended before it came to its work, where one is asked for.

    The commands that call services keep their form: who reads the errors of all connectors finds these, too; the name
    there is null, since they belong to none of them.
    """
    if "--json" not in args:
        return
    name = " ".join(args[:2]) if args[0] in GROUPS else args[0]
    if not (name.startswith("sync-") or name in ("post-invoices", "retry-queue", "doctor")):
        show_json(name, exit_code=code, errors=[error.as_dict() for error in errors])
        return
    failed = Tally("")
    failed.errors = errors
    failed.pushed.counts = dict.fromkeys(QUEUED, 0) if name in ("post-invoices", "retry-queue") else None
    here: dict[str, object] = {"checks": []} if name == "doctor" else {}
    elsewhere: dict[str, object] = {"here": [], "mail": []} if name == "doctor" else {}
    show_json(name, run=None, exit_code=code, connectors=[failed.as_json() | {"name": None} | here], **elsewhere)
