"""Mails at the end of a run what a person must know: once when it begins, once when it is over.

Loaded only where there is something to say, and a mail server to say it to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from syncctl.connectors.base import Check
from syncctl.errors import LockedError, worst
from syncctl.invocation import typed
from syncctl.mail.event import RECORD, Event
from syncctl.models import Problem, iso, to_ms
from syncctl.redact import redacted_text
from syncctl.run import GOES_ON
from syncctl.settings.file import elsewhere
from syncctl.state.locks import Holder, hold
from syncctl.state.mailed import Mailed

if TYPE_CHECKING:
    from syncctl.run import Run
    from syncctl.settings.config import Config
    from syncctl.settings.mail import Mail
    from syncctl.tally import Tally

# Why a connector's part of a run ended, by exit code. A lock, a signal and a used-up budget are no failures.
_CAUSES = {70: "bug", 78: "settings", 77: "credentials", 76: "answer", 69: "unavailable", 65: "loss"}
_MAY_PASS = ("answer", "unavailable")  # by itself: mailed only when it has lasted
_OF_THE_COMMAND = ("answer", "bug")  # another command that works proves nothing
_LOCK = "mail"
_WAIT_SECONDS = 30


class Notifier:
    """What one run of one command tells by mail."""

    def __init__(self, config: Config, mail: Mail, mailed: Mailed, run: Run, command: str) -> None:
        self.config = config
        self.mail = mail
        self.mailed = mailed
        self.run = run
        self.command = command

    def tell(self, tallies: Sequence[Tally]) -> None:
        """Notes what happened, mails what is due, and marks in the tallies what nobody needs to print any more.

        Raises `StateError`; a mail that cannot be sent is one sentence, and stays due.
        """
        now = to_ms(self.run.now())
        with self.mailed.database.transaction():
            for tally in tallies:
                self._note(tally, now)
            self.mailed.forget(now)
        if not self.run.stopping and self.mailed.due(now):
            self._deliver()
        loud = {(event.connector, event.record) for event in self.mailed.due(now)}
        for tally in tallies:
            tally.mailed = self._taken_over(tally, loud)

    def _note(self, tally: Tally, now: int) -> None:
        failure = _failure(tally, self.command)
        if failure:
            self.mailed.note(failure, now, delay=self.mail.after_minutes * 60_000 if failure.cause in _MAY_PASS else 0)
        elif tally.calls and tally.codes <= {0, 65} and tally.deferred_until is None:
            for record in self._works(tally.name):
                self.mailed.recover(tally.name, record, now)
        known = self.mailed.pushed(tally.name)
        for problem in tally.errors:
            if problem.record and problem.record not in known:
                self.mailed.note(_of_record(tally.name, problem), now)

    def _works(self, connector: str) -> Iterator[str]:
        """What a run that came to its end proves to be over. A refused loss is over with the next full read only."""
        yield from ("", self.command)
        loss = _loss(self.command)
        refused_at = self.mailed.seen_at(connector, loss)
        full = self.command != "sync-recent" or self.mailed.full_read_at(connector) > (refused_at or 0)
        if refused_at is not None and full:
            yield loss

    def _deliver(self) -> None:
        """One mail of all that is due; no two runs send at once, and no transaction is open while one does."""
        holder = Holder(f"syncctl {self.command}", os.getpid(), self.run.number, iso(self.run.now()))
        try:
            with hold(self.config.state, _LOCK, holder, wait=_WAIT_SECONDS, clock=self.run.clock):
                self._send(self.mailed.due(to_ms(self.run.now())))
        except LockedError as error:
            self._warn(f"Another run is mailing, so {GOES_ON} with what is left to mail: {error.message}")

    def _send(self, events: Sequence[Event]) -> None:
        if not events:  # another run has sent them meanwhile
            return
        from syncctl.mail.smtp import MailError

        try:
            refused = self._post(events)
        except MailError as error:
            self._warn(f"No mail was sent, the next run tries again: {error.message}. {error.remedy}")
            return
        with self.mailed.database.transaction():
            self.mailed.mark(events, to_ms(self.run.now()))
        if refused:
            self._warn(f"The mail did not reach everybody: {refused}. Check SYNCCTL_MAIL_TO")

    def _post(self, events: Sequence[Event]) -> str:
        """Sends; who of several recipients was refused. Raises `MailError`."""
        import socket

        from syncctl.mail.letter import Letter, letter
        from syncctl.mail.smtp import message, send
        from syncctl.mail.waiting import with_waiting

        now, shop, secrets = self.run.now(), self.config.shop, self.config.secrets
        told = with_waiting(events, self.config, self.mailed.database)
        written = letter(told, shop, socket.gethostname(), now)
        body = typed(written.body, elsewhere(self.config.env_file))
        safe = Letter(redacted_text(written.subject, secrets), redacted_text(body, secrets))
        return send(message(safe, self.mail, shop, now), self.mail)

    def _warn(self, text: str) -> None:
        self.run.reporter.warn(redacted_text(text, self.config.secrets))

    def _taken_over(self, tally: Tally, loud: set[tuple[str, str]]) -> frozenset[Problem]:
        """The problems that were mailed, or will be if they last; a bug stays, with its trace."""
        ours = self.mailed.records(tally.name)
        failure = _failure(tally, self.command)
        if failure and failure.cause == "bug":
            ours.discard(failure.record)
        names = {problem: problem.record or (failure.record if failure else "") for problem in tally.errors}
        return frozenset(p for p, name in names.items() if name in ours and (tally.name, name) not in loud)


def try_mail(config: Config, mail: Mail, *, by_sending: bool) -> Check:
    """What `syncctl doctor` says of the mail server, having logged in there or, `by_sending`, sent a mail."""
    from syncctl.mail.smtp import MailError, check

    try:
        said = _send_test(config, mail) if by_sending else check(mail)
    except MailError as error:
        return Check("wrong", "mail", redacted_text(error.message, config.secrets), error.remedy)
    return Check("ok", "mail", redacted_text(said, config.secrets))


def _send_test(config: Config, mail: Mail) -> str:
    from syncctl.mail.letter import Letter
    from syncctl.mail.smtp import message, send

    body = f"syncctl of the shop {config.shop} can mail. This is the test of syncctl doctor --mail.\n"
    refused = send(message(Letter(f"syncctl {config.shop}: a test", body), mail, config.shop, datetime.now(UTC)), mail)
    return f"a test was sent to {', '.join(mail.to)}" + (f", but refused for {refused}" if refused else "")


def _failure(tally: Tally, command: str) -> Event | None:
    """What ended the connector's part of the run; None where nothing did that a person is mailed about."""
    problems = [problem for problem in tally.errors if not problem.record]
    cause = _cause(tally, command) if problems else None
    if cause is None:
        return None
    record = _loss(command) if cause in ("loss", "flood") else command if cause in _OF_THE_COMMAND else ""
    said = "; ".join(problem.message for problem in problems)
    again = f"syncctl {command} --connector {tally.name}" + " --yes-all" * (cause == "flood")
    return Event("failed", tally.name, cause, record, said, problems[0].remedy, command=again)


def _cause(tally: Tally, command: str) -> str | None:
    """A command that posts reads nothing whole: what it refuses as a whole is a flood of orders."""
    cause = _CAUSES.get(worst(tally.codes))
    return "flood" if (cause, command) == ("loss", "post-invoices") else cause


def _loss(command: str) -> str:
    """The guard of a command, as people are told of it."""
    return "flood stop of post-invoices" if command == "post-invoices" else f"loss guard of {command}"


def _of_record(connector: str, problem: Problem) -> Event:
    return Event("failed", connector, RECORD, problem.record, problem.message, problem.remedy)
