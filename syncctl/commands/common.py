"""What the commands share: their common options, how they run, and how they tell the outcome."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncctl.errors import ConfigError, RecordError, SyncctlError, worst
from syncctl.models import Problem, Purpose, Struct, from_ms, iso, to_ms
from syncctl.run import GOES_ON
from syncctl.tally import SCHEMA_VERSION, Tally

if TYPE_CHECKING:
    from syncctl.app import App
    from syncctl.commands.pinged import Pinged
    from syncctl.run import Run


_LONG_SECONDS = 2 * 60 * 60  # a deferral that lasts longer is news to cron


class Common(Struct):
    """The options that every command has."""

    env_file: Path | None
    as_json: bool
    verbose: bool

    @property
    def talks(self) -> bool:
        """Whether anybody reads a summary: cron mails only what is printed, and success is no news."""
        return self.verbose or sys.stdout.isatty()


class Running(Struct):
    """The options of the commands that call services."""

    connector: str | None
    dry_run: bool
    wait_lock: float
    max_seconds: float | None
    jitter: float


class _Seconds(click.FloatRange):
    """A time that can be waited for; `inf` and `nan` are numbers to Python, and no times."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not seconds <= _MOST_SECONDS:  # this way round, since nan is not more than anything
            self.fail(f"{value} is no time of at most a year.", param, ctx)
        return seconds


_MOST_SECONDS = 366 * 86400
_ENV_FILE = click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file; else ./.env, $XDG_CONFIG_HOME/syncctl/.env or /etc/syncctl/.env.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_VERBOSE = click.option("-v", "--verbose", is_flag=True, help="Say what is done, even without a terminal.")
_CONNECTOR = click.option("--connector", metavar="NAME", help="Only this connector.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Print the calls that it would make, and make none.")
_WAIT_LOCK = click.option(
    "--wait-lock", type=_Seconds(0), default=0, metavar="SECONDS", help="Wait this long for another run."
)
_MAX_SECONDS = click.option(
    "--max-seconds", type=_Seconds(0), metavar="SECONDS", help="Stop in good order after this time."
)
_JITTER = click.option(
    "--jitter", type=_Seconds(0), default=0, metavar="SECONDS", help="First wait a random time up to this long."
)


def gathered(options: Sequence[Callable[..., Any]], cls: type[Struct], name: str) -> Callable[..., Any]:
    """A decorator that adds options and hands them to the command as one object."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(**values: Any) -> Any:
            options_given = cls(**{field: values.pop(field) for field in cls.__annotations__})
            return function(**{name: options_given}, **values)

        for option in reversed(options):
            call = option(call)
        return call

    return decorate


common_options = gathered([_ENV_FILE, _JSON, _VERBOSE], Common, "common")
running_options = gathered([_CONNECTOR, _DRY_RUN, _WAIT_LOCK, _MAX_SECONDS, _JITTER], Running, "running")


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
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """A sentence for everybody."""
        self.close()
        click.echo(f"syncctl: {text.rstrip('.')}.", err=True)

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


class Job(Struct):
    """What a syncing command does: its name, what its calls are for, and the work for one connector."""

    command: str
    purpose: Purpose
    work: Callable[..., None]
    lock: bool = True
    push: bool = False
    accept_loss: bool = False


class Outcome(Struct):
    """How a job ended: the run's number, the exit code, and what happened per connector.

    `news` are the connectors whose deferral even cron should hear of.
    """

    run: int
    code: int
    tallies: Sequence[Tally]
    news: Sequence[str] = ()


def run_job(job: Job, common: Common, running: Running) -> int:
    """Runs the work for each connector and tells the outcome; the exit code."""
    pinged = _pinged(job, common)
    try:
        outcome = execute(job, common, running)
    except BaseException as error:
        if pinged:
            pinged.failed(error)
        raise
    if pinged:
        pinged.ended(outcome)
    try:
        _show_outcome(job, outcome, common)
    except BrokenPipeError:  # whoever read it, as `head` does, has seen enough; what was done counts
        mute()
    return outcome.code


def _pinged(job: Job, common: Common) -> Pinged | None:
    """Tells a dead man's switch that a run begins, where there is one; what is done by hand is none of its business."""
    from syncctl.config import ping_url

    url = None if job.purpose is Purpose.MANUAL else ping_url(common.env_file)
    if url is None:
        return None
    from syncctl.commands.pinged import Pinged

    return Pinged(url, job.command)


def mute() -> None:
    """Lets nothing more be written to a stream that nobody reads, not even at the interpreter's end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def execute(job: Job, common: Common, running: Running) -> Outcome:
    """Runs the work for each connector."""
    from syncctl.app import App, Terms, chosen
    from syncctl.run import Run

    with App.opened(common.env_file, create=not job.push) as app:
        if common.talks or sys.stderr.isatty() or job.command == "doctor":  # cron would mail them with every run
            warn(app.config.warnings)
        configs = app.posters(running.connector) if job.push else chosen(app.config, running.connector)
        terminal = Terminal(common)
        run = Run(app.runs.begin(job.command, to_ms(app.clock.now())), job.purpose, app.clock, terminal)
        terms = Terms(job.command, job.lock, job.push, running.wait_lock, job.accept_loss)
        with _stopped_by_sigterm(run), closing(terminal):
            _delay(run, running)
            tallies = app.go_through(run, configs, job.work, terms)
        news = [tally.name for tally in tallies if _is_news(app, job.command, run, tally)]
    return Outcome(run.number, worst(code for tally in tallies for code in tally.codes), tallies, news)


def _is_news(app: App, command: str, run: Run, tally: Tally) -> bool:
    """Whether the connector is kept from its calls for long, and the run before was not."""
    if not tally.deferred_until or not _is_long(tally.deferred_until, app.clock.now()):
        return False
    before = app.runs.deferred_before(tally.name, command, run.number)
    return before is None or not _is_long(from_ms(before[0]), from_ms(before[1]))


def _is_long(until: datetime, now: datetime) -> bool:
    """Whether a deferral is more than a pause: a used-up day or month, which ends at midnight UTC, or hours."""
    at_midnight = to_ms(until) % (86400 * 1000) == 0
    return at_midnight or until - now > timedelta(seconds=_LONG_SECONDS)


@contextmanager
def _stopped_by_sigterm(run: Run) -> Iterator[None]:
    """SIGTERM lets the run finish the record that it is at; then it stops."""
    before = signal.signal(signal.SIGTERM, lambda *_: setattr(run, "stopping", True))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _delay(run: Run, running: Running) -> None:
    """Sits out the jitter; the run's time counts from then on."""
    if running.jitter:
        import random

        run.sleep(random.uniform(0, running.jitter))  # noqa: S311 - no secret
    if running.max_seconds is not None:
        run.deadline = run.now() + timedelta(seconds=running.max_seconds)


def warn(warnings: Sequence[str]) -> None:
    """Prints warnings, which never change the outcome."""
    for warning in warnings:
        click.echo(f"syncctl: warning: {warning}", err=True)


def _show_outcome(job: Job, outcome: Outcome, common: Common) -> None:
    """The summary or the JSON object on stdout, and what went wrong on stderr."""
    command = job.command
    for tally in outcome.tallies:
        show_errors(tally, common)
        by_hand = job.purpose is Purpose.MANUAL
        if tally.deferred_until and (by_hand or (tally.name in outcome.news and not common.talks)):
            click.echo(sentence(tally.name, "", deferral(tally, tally.deferred_until), ""), err=True)
    if common.as_json:
        connectors = [tally.as_json() for tally in outcome.tallies]
        show_json(command, run=outcome.run, exit_code=outcome.code, connectors=connectors)
    elif common.talks:
        for tally in outcome.tallies:
            click.echo(summary(command, tally))


def show_json(command: str, **values: object) -> None:
    """One JSON object on stdout."""
    click.echo(json.dumps({"schema_version": SCHEMA_VERSION, "command": command, **values}, ensure_ascii=False))


def show_errors(tally: Tally, common: Common) -> None:
    """What went wrong, a sentence a line on stderr; neither a short lock nor what was mailed is news to cron."""
    watched = common.verbose or sys.stderr.isatty()
    if tally.locked_quietly and not watched:
        return
    click.echo(tally.trace, err=True, nl=False)
    for error in tally.errors if watched else [error for error in tally.errors if error not in tally.mailed]:
        click.echo(sentence(tally.name, error.record, error.message, error.remedy), err=True)


def sentence(connector: str, record: str, message: str, remedy: str) -> str:
    """`unleashed: MUG-1: what is wrong. What to do.` is the form of every message about a record."""
    named = not record and message.startswith(f"{connector} ")  # as in `unleashed is locked by …`
    who = "" if named else f"{connector}: {record[:80]}: " if record else f"{connector}: "
    return f"{who}{message.rstrip('.')}." + (f" {remedy.rstrip('.')}." if remedy else "")


def summary(command: str, tally: Tally) -> str:
    """One line: what was done and what it cost."""
    told = ", ".join(f"{number:,} {word}" for word, number, always in _counts(command, tally) if number or always)
    line = f"{tally.name}: {told}; {number_of_calls(tally.calls)}"
    if tally.deferred_until and command != "sync-product":  # which has told it on stderr
        line += f"; {deferral(tally, tally.deferred_until)}"
    return line + (f"; {len(tally.errors)} to look at" if tally.errors else "")


def number_of_calls(number: int) -> str:
    """`1 call`, `2 calls`."""
    return f"{number:,} call{'' if number == 1 else 's'}"


def deferral(tally: Tally, until: datetime) -> str:
    """Why the rest is left for later, and when it goes on."""
    why = tally.deferred_because.removeprefix(f"{tally.name}: ")
    why = why[:1].lower() + why[1:]
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
    for message in messages:
        click.echo(sentence("syncctl", record, message, ""), err=True)
    if error.remedy:
        click.echo(f"syncctl: {error.remedy.rstrip('.')}.", err=True)
    show_json_failure(args, error.exit_code, [Problem(record, message, error.remedy) for message in messages])


def show_json_failure(args: Sequence[str], code: int, errors: list[Problem]) -> None:
    """The object of a command that ended before it came to its connectors, where one is asked for.

    The syncing commands keep their form: who reads the errors of all connectors finds these, too; the name there is
    null, since they belong to none of them.
    """
    if "--json" not in args:
        return
    failed = Tally("")
    failed.errors = errors
    told = failed.as_json() | {"name": None}
    if args[0].startswith("sync-") or args[0] == "doctor":
        show_json(args[0], run=None, exit_code=code, connectors=[told])
    else:
        show_json(args[0], exit_code=code, errors=told["errors"])
