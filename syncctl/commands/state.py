"""`syncctl state`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from syncctl.commands.layout import say
from syncctl.commands.messages import Terminal, sentence, show_json
from syncctl.commands.options import Common, Group, common_options
from syncctl.models import to_ms

if TYPE_CHECKING:
    from syncctl.state.checks import Finding

_CODES = {"damaged": 74, "wrong": 65, "note": 0}
_MOST_SHOWN = 5


@click.group("state", cls=Group)
def command() -> None:
    """Check the state file."""


@command.command("check")
@common_options
def check(*, common: Common) -> int:
    """Look for damage, references to nothing and impossible states, and say what to do. Makes no call.

    Exit codes: 0 nothing that needs anybody, 65 something does, 74 the file itself is damaged. Notes need nobody, and
    are shown on a terminal, with -v and in --json only.

    \b
    Example:
        syncctl state check
    """
    from syncctl.clock import SystemClock
    from syncctl.errors import worst
    from syncctl.settings.config import load
    from syncctl.state import checks
    from syncctl.state.database import open_database

    config = load(common.env_file)
    limits = {each.name: each.limits for each in config.connectors}
    opened = open_database(config.state, group=config.state_group, create=False)
    with closing(opened) as database, closing(Terminal(common)) as terminal:
        now = to_ms(SystemClock().now())
        found = checks.check(
            database, config.shop, limits, now, lambda done, total: terminal.progress("checks", done, total)
        )
    code = worst(_CODES[finding.level] for finding in found)
    if common.as_json:
        show_json("state check", exit_code=code, findings=[finding.as_dict() for finding in found])
    else:
        _print(found, common)
    return code


def _print(found: list[Finding], common: Common) -> None:
    shown = [finding for finding in found if finding.level != "note" or common.talks]
    for finding in shown:
        note = "note: " if finding.level == "note" else ""
        message = f"{_named(finding)}{finding.message}"
        say(note + sentence(finding.connector or "state", "", message, finding.remedy), indent=4)
    if not found and common.talks:
        say("The state file is sound.")


def _named(finding: Finding) -> str:
    shown = ", ".join(record[:40] for record in finding.records[:_MOST_SHOWN])
    more = f" and {finding.count - _MOST_SHOWN:,} more" if finding.count > _MOST_SHOWN else ""
    return f"{shown}{more}: " if shown else ""
