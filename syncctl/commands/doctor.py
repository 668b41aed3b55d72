"""`syncctl doctor`."""

from __future__ import annotations

import click

from syncctl.commands.common import (
    Common,
    Job,
    Running,
    common_options,
    deferral,
    execute,
    running_options,
    sentence,
    show_errors,
    show_json,
)
from syncctl.connectors.base import Check
from syncctl.errors import worst
from syncctl.models import Purpose
from syncctl.session import Session
from syncctl.tally import Tally


@click.command("doctor")
@running_options
@common_options
def command(*, common: Common, running: Running) -> int:
    """Check credentials, clock, host and settings with one or two calls per service.

    \b
    Example:
        syncctl doctor --connector unleashed
    """
    if running.dry_run:
        from syncctl.commands.forecast import show_forecast
        from syncctl.plan import Wanted

        return show_forecast(Wanted("doctor"), common, running.connector)
    checks: dict[str, list[Check]] = {}

    def work(session: Session) -> None:
        found = checks.setdefault(session.name, [])
        for check in session.connector.check():
            found.append(check)
            if not common.as_json:
                _print(session.name, check)

    outcome = execute(Job("doctor", Purpose.MANUAL, work, lock=False), common, running)
    wrong = any(check.level == "wrong" for found in checks.values() for check in found)
    code = worst([outcome.code, 78 if wrong else 0])
    for tally in outcome.tallies:
        show_errors(tally, common)
        if tally.deferred_until:
            _warn(tally, deferral(tally, tally.deferred_until), common, checks)
    if common.as_json:
        rows = [t.as_json() | {"checks": [c.as_dict() for c in checks.get(t.name, [])]} for t in outcome.tallies]
        show_json("doctor", run=outcome.run, exit_code=code, connectors=rows)
    return code


def _warn(tally: Tally, why: str, common: Common, checks: dict[str, list[Check]]) -> None:
    """That nothing could be checked is a finding, too."""
    check = Check("warning", "calls", why)
    checks.setdefault(tally.name, []).append(check)
    if common.as_json:
        click.echo(sentence(tally.name, "", why, ""), err=True)
    else:
        _print(tally.name, check)


def _print(name: str, check: Check) -> None:
    remedy = f". {check.remedy}" if check.remedy else ""
    click.echo(f"{check.level:8} {name}: {check.subject}: {check.message}{remedy}")
