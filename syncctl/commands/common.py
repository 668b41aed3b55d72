"""How the commands that call services run: a job for each connector, told to a dead man's switch and to people."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from syncctl.commands.layout import say
from syncctl.commands.messages import Terminal, deferral, mute, sentence, show_errors, show_json, summary, warn
from syncctl.commands.options import Common, Running
from syncctl.errors import worst
from syncctl.models import Purpose, Struct, to_ms
from syncctl.tally import Tally

if TYPE_CHECKING:
    from syncctl.app import App
    from syncctl.commands.pinged import Pinged
    from syncctl.run import Run


_LONG_MS = 2 * 60 * 60 * 1000  # a deferral that lasts longer, from run to run, is news to cron


class Job(Struct):
    """What a syncing command does: its name, what its calls are for, and the work for one connector.

    `ended` is told of each connector when its part is over, `quiet` leaves warnings of the settings to the command.
    """

    command: str
    purpose: Purpose
    work: Callable[..., None]
    lock: bool = True
    push: bool = False
    accept_loss: bool = False
    ended: Callable[[Tally], None] | None = None
    quiet: bool = False


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
    from syncctl.settings.config import ping_url

    url = None if job.purpose is Purpose.MANUAL else ping_url(common.env_file)
    if url is None:
        return None
    from syncctl.commands.pinged import Pinged

    return Pinged(url, job.command)


def execute(job: Job, common: Common, running: Running) -> Outcome:
    """Runs the work for each connector."""
    from syncctl.app import App, Terms, chosen
    from syncctl.run import Run

    with App.opened(common.env_file, create=not job.push) as app:
        if not job.quiet and (common.talks or sys.stderr.isatty()):  # cron would mail them with every run
            warn((*app.config.warnings, *app.config.unheard))
        if app.doubt:
            warn([app.doubt])
        configs = app.posters(running.connector) if job.push else chosen(app.config, running.connector)
        terminal = Terminal(common)
        run = Run(app.runs.begin(job.command, to_ms(app.clock.now())), job.purpose, app.clock, terminal)
        terms = Terms(job.command, job.lock, job.push, running.wait_lock, job.accept_loss, job.ended)
        with _stopped_by_sigterm(run), closing(terminal):
            _delay(run, running)
            tallies = app.go_through(run, configs, job.work, terms)
            if job.push:
                from syncctl.push.summary import sum_up

                for tally in tallies:
                    sum_up(app.database, tally, run.number, to_ms(app.clock.now()))
        news = [tally.name for tally in tallies if _is_news(app, job.command, run, tally)]
    return Outcome(run.number, worst(code for tally in tallies for code in tally.codes), tallies, news)


def _is_news(app: App, command: str, run: Run, tally: Tally) -> bool:
    """Whether the connector is kept from its calls for long, and was not yet by the end of the run before."""
    if not tally.deferred_until:
        return False
    before, now = app.runs.deferred_before(tally.name, command, run.number), to_ms(app.clock.now())
    since = before.since if before and not tally.seen + tally.verified else None
    if not _is_long(since or now, to_ms(tally.deferred_until)):
        return False
    return before is None or not _is_long(before.since or before.ended, before.until)


def _is_long(since: int, until: int) -> bool:
    """Whether a deferral (ms) is more than a pause: a used-up day or month, which ends at midnight UTC, or hours."""
    at_midnight = until % (86400 * 1000) == 0
    return at_midnight or until - since > _LONG_MS


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


def _show_outcome(job: Job, outcome: Outcome, common: Common) -> None:
    """The summary or the JSON object on stdout, and what went wrong on stderr."""
    command = job.command
    for tally in outcome.tallies:
        show_errors(tally, common)
        by_hand = job.purpose is Purpose.MANUAL
        if tally.deferred_until and (by_hand or (tally.name in outcome.news and not common.talks)):
            say(sentence(tally.name, "", deferral(tally, tally.deferred_until), ""), indent=4, err=True)
    if common.as_json:
        connectors = [tally.as_json() for tally in outcome.tallies]
        show_json(command, run=outcome.run, exit_code=outcome.code, connectors=connectors)
    elif common.talks:
        for tally in outcome.tallies:
            say(summary(command, tally), indent=4)
