"""`syncctl auth`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from syncctl.commands.common import Job, execute
from syncctl.commands.layout import say
from syncctl.commands.messages import deferral, end_line, sentence, show_check, show_errors, show_json
from syncctl.commands.options import Common, Running, common_options, connector_names
from syncctl.errors import ConfigError, DeferredError, InterruptedRunError, UnavailableError
from syncctl.models import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncctl.connectors.base import Check
    from syncctl.connectors.declared import Consent
    from syncctl.oauth.callback import Listener
    from syncctl.oauth.consent import Wish
    from syncctl.run import Run
    from syncctl.session import Session
    from syncctl.settings.config import Config, ConnectorConfig

PORT = 8765
_GRANTED, _SETTING = 77, 78  # the exit codes of a consent that gave too little, and of one that leaves a choice open


@click.command("auth")
@click.argument("name", shell_complete=connector_names)
@click.option("--status", is_flag=True, help="Tell what was consented to and when it ends. Makes no call.")
@click.option("--no-browser", is_flag=True, help="Open no browser: the address is for one on another machine.")
@click.option(
    "--port", default=PORT, show_default=True, type=click.IntRange(1, 65535), help="Where the browser comes back to."
)
@common_options
def command(*, name: str, status: bool, no_browser: bool, port: int, common: Common) -> int:
    """Let a person consent on the service's page, once, for the connector NAME.

    Opens the page, or prints its address, and waits until the browser comes back to http://localhost:8765/callback,
    or until the address that it ended at is pasted. That address has to be among the redirect addresses of the app.

    Exit codes: 0 all that is needed was granted, 77 nobody consented, or to less, 78 a setting still has to be chosen,
    as Xero's organisation; the tokens are kept.

    \b
    Examples:
        syncctl auth xero
        syncctl auth xero --no-browser
        syncctl auth xero --status
    """
    from syncctl.settings.config import load

    config = load(common.env_file)
    connector = _named(config, name)
    asked = connector.cls.consent(connector.values, connector.roles)
    if isinstance(asked, str):
        return _needs_none(name, asked, common)
    if status:
        from syncctl.commands.auth_status import show_status

        return show_status(config, connector, asked, common)
    return _Consenting(connector, asked, port, common, browser=not no_browser).run()


def _named(config: Config, name: str) -> ConnectorConfig:
    found = next((each for each in config.connectors if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in config.connectors)
        raise ConfigError([f"There is no connector {name}"], f"SYNCCTL_CONNECTORS has {known}")
    if found.problems:
        raise ConfigError(found.problems)
    return found


def _needs_none(name: str, why: str, common: Common) -> int:
    if common.as_json:
        show_json("auth", exit_code=0, connector=name, consent_needed=False, why=why)
    else:
        say(f"{name} needs no consent: {why}. Check it with: syncctl doctor --connector {name}")
    return 0


class _Consenting:
    """One consent, from the address to the tokens."""

    def __init__(self, connector: ConnectorConfig, asked: Consent, port: int, common: Common, *, browser: bool) -> None:
        self.connector = connector
        self.asked = asked
        self.port = port
        self.common = common
        self.browser = browser
        self.again = f"Run syncctl auth {connector.name} again"
        self.checks: list[Check] = []

    def run(self) -> int:
        """The exit code, after everything was told."""
        name = self.connector.name
        running = Running(name, dry_run=False, wait_lock=0, max_seconds=None, jitter=0)
        outcome = execute(Job("auth", Purpose.MANUAL, self._work, lock=False), self.common, running)
        code = outcome.code
        for tally in outcome.tallies:
            show_errors(tally, self.common)
            if tally.deferred_until:
                say(sentence(name, "", deferral(tally, tally.deferred_until), ""), indent=4, err=True)
                code = code or 75
        if self.common.as_json:
            rows = [t.as_json() | {"checks": [check.as_dict() for check in self.checks]} for t in outcome.tallies]
            show_json("auth", run=outcome.run, exit_code=code, connectors=rows)
        elif next_step := self._next(code):
            say(next_step)
        return code

    def _next(self, code: int) -> str:
        """What to do after a consent; "" where there was none, or it has to be given again."""
        look = f"syncctl doctor --connector {self.connector.name}"
        if code == _SETTING and self.checks:
            return f"The consent need not be given again. Once the setting is right: {look}"
        return "" if code else f"Next: {look}"

    def _work(self, session: Session) -> None:
        """A consent, or what an interruption left of one."""
        from syncctl.state.tokens import TokenFile

        file, name = TokenFile(session.config.state), self.connector.name
        before = file.read().get(name)
        try:
            self._consent(session)
        except (KeyboardInterrupt, InterruptedRunError):
            if file.read().get(name) != before:
                told, remedy = f"the tokens are saved in {file.path}", f"Check them: syncctl doctor --connector {name}"
            else:
                told, remedy = f"nothing was saved{' and the consent of before stays' if before else ''}", self.again
            end_line()
            raise InterruptedRunError(f"Interrupted; {told}", remedy) from None

    def _consent(self, session: Session) -> None:
        from syncctl.http.transport import Transport

        transport, values = session.connector.http, self.connector.values
        grant = self.connector.cls.grant(values)
        assert isinstance(transport, Transport)  # noqa: S101 - for the type checker
        assert grant  # noqa: S101 - what is consented to is a grant
        if blocked := transport.ledger.blocked(self.connector.name):  # so that nobody consents in vain
            raise DeferredError(blocked[1], blocked[0])
        wish, answer = self._answered(session.run)
        code = wish.code(answer, values, self.again)
        transport.secrets |= {code, wish.verifier} - {""}
        token = transport.begin(wish.form(grant, code), self.asked.minutes)
        for check in self._found(session, token.scopes):
            self.checks.append(check)
            show_check(self.connector.name, check, err=self.common.as_json)
            if check.level == "wrong":
                session.tally.codes.add(_GRANTED if check.subject == "scopes" else _SETTING)

    def _answered(self, run: Run) -> tuple[Wish, Mapping[str, str]]:
        """What the browser came back with."""
        from syncctl.oauth.callback import wait
        from syncctl.oauth.consent import Wish

        wish = Wish.new(self.asked, self.port)
        listener, why_not = self._listener(wish)
        with listener or nullcontext():
            self._ask(wish, why_not)
            return wish, wait(wish, listener, run, lambda found: self._complain(wish, found))

    def _listener(self, wish: Wish) -> tuple[Listener | None, str]:
        """Where the browser comes back to; none, and why, where it is elsewhere, so that it may be pasted anyway."""
        from syncctl.oauth.callback import Listener

        try:
            return Listener(self.port, wish), ""
        except UnavailableError as error:
            if self.browser:
                raise
            return None, error.message

    def _ask(self, wish: Wish, why_not: str) -> None:
        address = wish.address()
        opened = self.browser and _open(address)
        title = self.connector.cls.title
        self._tell(
            f"{'A browser opens this page of' if opened else 'Open this address in a browser: the page of'} {title}"
        )
        click.echo(f"\n{address}\n", err=self.common.as_json)  # whole, to be copied
        self._tell(f"It asks for: {' '.join(wish.consent.scopes)}", indent=2)
        self._tell(f"The app ({wish.consent.app}) needs the redirect address {wish.redirect}", indent=2)
        paste = "paste here the whole address that it ended at:"
        if why_not:
            cannot = f"{why_not}, so the browser cannot come back to it. Pasting works all the same:"
            self._tell(f"\n{cannot} once you have allowed, whatever the browser shows then, {paste}")
        else:
            self._tell(f"\nWaiting for the browser to come back. One on another machine shows an error then: {paste}")

    def _complain(self, wish: Wish, found: Mapping[str, str]) -> None:
        """Of what is no answer to this wish."""
        if not found:
            self._tell(f"That is no address with a code. Paste the whole one, which begins with {wish.redirect}:")
            return
        refused = " If you have refused on the page, press Ctrl-C." if "error" in found else ""
        told = f"an answer that belongs to another try (its state is not ours) was not taken; still waiting.{refused}"
        say(f"{self.connector.name}: {told}", indent=4, err=True)

    def _tell(self, text: str, indent: int = 0) -> None:
        say(text, indent=indent, err=self.common.as_json)

    def _found(self, session: Session, granted: str | None) -> Iterator[Check]:
        """What the consent gave."""
        from syncctl.connectors.base import Check

        file = f"{session.config.state}.tokens"
        yield Check("ok", "consent", f"the tokens are in {file}")
        yield _scope_check(self.asked, granted, self.again)
        yield from session.connector.consented()


def _scope_check(asked: Consent, granted: str | None, again: str) -> Check:
    from syncctl.connectors._fields import text
    from syncctl.connectors.base import Check
    from syncctl.oauth.consent import missing

    lacking = missing(asked.scopes, granted)
    if lacking:
        remedy = f"Give them to the app ({asked.app}). {again}"
        return Check("wrong", "scopes", f"{', '.join(lacking)} not granted", remedy)
    told = "all that is needed" if granted is not None else "the service does not tell them"
    return Check("ok", "scopes", told + (f": {text(granted)}" if granted else ""))


def _open(address: str) -> bool:
    """Whether a browser was found; none that would take over the terminal."""
    import webbrowser

    graphical = sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))
    return bool(graphical) and webbrowser.open(address)
