"""`syncctl doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import click

from syncctl.commands.common import Job, Outcome, execute
from syncctl.commands.layout import say
from syncctl.commands.messages import deferral, mark, sentence, show_check, show_errors, show_json
from syncctl.commands.options import Common, Running, common_options, running_options
from syncctl.connectors.base import Check
from syncctl.errors import worst
from syncctl.models import Purpose
from syncctl.session import Session
from syncctl.tally import Tally


@click.command("doctor")
@click.option("--mail", is_flag=True, help="Send a mail, to see whether it arrives.")
@running_options
@common_options
def command(*, mail: bool, common: Common, running: Running) -> int:
    """Check this machine, the settings and each service: 1-2 calls each, up to 5 for posting.

    Here: settings file, state and tokens, who may read them, and whether cron would find them. At a service:
    credentials, clock, host and rights, and that what the settings name is there; with the role
    invoices also what posting needs. Of the mail server: address, encryption and login.

    \b
    Examples:
        syncctl doctor --connector unleashed
        syncctl doctor --mail
    """
    if running.dry_run:
        from syncctl.commands.forecast import show_forecast
        from syncctl.forecast import Wanted

        return show_forecast(Wanted("doctor"), common, running.connector)
    here = _check_here(common)
    outcome, checks = _check_services(common, running)
    mail_checks = _check_mail(common, by_sending=mail)
    wrong = any(check.level == "wrong" for found in (*checks.values(), here, mail_checks) for check in found)
    code = worst([outcome.code, 78 if wrong else 0])
    if common.as_json:
        rows = [t.as_json() | {"checks": [c.as_dict() for c in checks.get(t.name, [])]} for t in outcome.tallies]
        told = {"here": [check.as_dict() for check in here], "mail": [check.as_dict() for check in mail_checks]}
        show_json("doctor", run=outcome.run, exit_code=code, connectors=rows, **told)
    return code


def _check_services(common: Common, running: Running) -> tuple[Outcome, dict[str, list[Check]]]:
    """Asks each service, and tells what was found as it is found."""
    checks: dict[str, list[Check]] = {}

    def work(session: Session) -> None:
        found = checks.setdefault(session.name, [])
        for check in _checks(session):
            found.append(check)
            _show([check], common, session.name)
        if any(check.level == "wrong" for check in found):
            session.tally.codes.add(78)  # so that the state does not keep this as a success

    def ended(tally: Tally) -> None:
        _show_end(tally, common)
        if tally.deferred_until:  # that nothing could be checked is a finding, too
            why = deferral(tally, tally.deferred_until)
            checks.setdefault(tally.name, []).append(Check("warning", "calls", why))
            if common.as_json:
                say(sentence(tally.name, "", why, ""), indent=4, err=True)
            _show(checks[tally.name][-1:], common, tally.name)

    job = Job("doctor", Purpose.MANUAL, work, lock=False, ended=ended, quiet=True)
    return execute(job, common, running), checks


def _checks(session: Session) -> Iterator[Check]:
    """What the connector asks the service; where orders are posted also, of what was read, products for charges."""
    told, posts = set(), "invoices" in session.roles
    for check in session.connector.check(posts=posts):
        told.add(check.subject)
        yield check
    if posts and session.connector.charges:
        from syncctl.push.charges import charge_checks

        yield from (check for check in charge_checks(session) if check.subject not in told)


def _show_end(tally: Tally, common: Common) -> None:
    """What kept a service from being checked to the end; an interruption is no finding."""
    if common.as_json or 130 in tally.codes:
        show_errors(tally, common)
        return
    click.echo(tally.trace, err=True, nl=False)
    for error in tally.errors:
        say(mark("wrong") + sentence(tally.name, error.record, error.message, error.remedy), indent=9)


def _check_here(common: Common) -> list[Check]:
    """What is to be seen on this machine; the state is made where there is none yet."""
    from syncctl.app import App
    from syncctl.commands.surroundings import checks_here
    from syncctl.state.tokens import TokenFile

    with App.opened(common.env_file) as app:
        found = list(checks_here(app.config, TokenFile(app.config.state).path, common.env_file, os.environ))
        found += [Check("warning", "state", app.doubt)] * bool(app.doubt)
    _show(found, common)
    return found


def _check_mail(common: Common, *, by_sending: bool) -> list[Check]:
    """The mail server as the settings name it; nothing to check where they do not."""
    from syncctl.settings.config import load

    config = load(common.env_file)
    found = []
    if config.mail:
        from syncctl.mail.notify import try_mail

        found = [try_mail(config, config.mail, by_sending=by_sending)]
    elif by_sending:
        found = [Check("wrong", "mail", "there is no mail server", "Set SYNCCTL_SMTP_URL and SYNCCTL_MAIL_TO")]
    _show(found, common)
    return found


def _show(checks: Sequence[Check], common: Common, name: str = "syncctl") -> None:
    for check in checks if not common.as_json else ():
        show_check(name, check)
