"""`syncctl budget`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from syncctl.clock import window_words
from syncctl.commands.layout import padded, paint, say
from syncctl.commands.messages import show_json, warn
from syncctl.commands.options import Common, common_options, connector_option
from syncctl.models import iso, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncctl.app import App
    from syncctl.settings.config import ConnectorConfig
    from syncctl.state.ledger import Usage
    from syncctl.state.pace import Pace


@click.command("budget")
@connector_option()
@common_options
def command(*, connector: str | None, common: Common) -> int:
    """Show how full each call window is, by what, and where it will end. Makes no call.

    Where a day or month will end: what is used by now, and for the rest of it as many calls a day as in the last 24
    hours, and as others made a day so far. Before there is such a day, what `syncctl plan` reckons with. A window that
    rolls has no end.

    \b
    Example:
        syncctl budget --connector unleashed
    """
    from syncctl.app import App, chosen

    with App.opened(common.env_file, create=False) as app:
        warn(app.config.warnings)
        connectors = [_connector(app, config) for config in chosen(app.config, connector)]
    if common.as_json:
        show_json("budget", exit_code=0, connectors=connectors)
    else:
        for each in connectors:
            _print(each)
    return 0


def _connector(app: App, config: ConnectorConfig) -> dict[str, Any]:
    from syncctl.state.pace import Pace

    pace = Pace(app.database, config.name, to_ms(app.clock.now()))
    blocked = app.ledger.blocked(config.name)
    planned = _planned(app, config, pace)
    return {
        "name": config.name,
        "blocked": {"until": iso(blocked[0]), "reason": blocked[1]} if blocked else None,
        "last_24_hours": pace.a_day(),
        "windows": [_window(usage, pace, planned) for usage in app.ledger.usage(config.name, config.limits)],
    }


def _planned(app: App, config: ConnectorConfig, pace: Pace) -> dict[str, int]:
    """What `syncctl plan` reckons with in a day or month, as long as there is no pace to go by."""
    if config.problems or pace.a_day() is not None:
        return {}
    from syncctl.plan.given import Given
    from syncctl.plan.planning import planned

    plan = planned(app.config, app.database, Given(), pace.now)
    own = (fitted for fitted, _ in plan.services if fitted.facts.config.name == config.name)
    return {use.limit.name: use.calls for fitted in own for use in fitted.uses if not use.limit.waitable}


def _window(usage: Usage, pace: Pace, planned: Mapping[str, int]) -> dict[str, Any]:
    from syncctl.state.pace import ends_at
    from syncctl.state.windows import SHARES, allowed

    limit, booked = usage.limit, usage.used + usage.others
    return {
        "window": limit.name,
        "limit": limit.calls,
        "used": usage.used,
        "by_purpose": pace.by_purpose(limit),
        "others": usage.others,
        "left": usage.left,
        "left_for": {str(purpose): max(0, allowed(limit, purpose) - booked) for purpose in SHARES},
        "frees_at": iso(usage.frees_at) if usage.frees_at else None,
        "ends_at": ends_at(limit, pace.now),
        "forecast": pace.forecast(usage),
        "planned": planned.get(limit.name),
    }


def _print(connector: dict[str, Any]) -> None:
    say(connector["name"])
    if connector["blocked"]:
        blocked = connector["blocked"]
        say(f"  {padded(paint('blocked', 'warning'), 16)}until {blocked['until']}: {blocked['reason']}", indent=18)
    for window in connector["windows"]:
        label = f"calls/{window_words(window['window'])}"
        for line in _lines(window, connector["last_24_hours"]):
            say(f"  {label:16}{line}", indent=18)
            label = ""


def _lines(window: dict[str, Any], daily: int | None) -> list[str]:
    purposes = [f"{count:,} {purpose}" for purpose, count in window["by_purpose"].items()]
    by = ", ".join([*purposes, *([f"{window['others']:,} by others"] if window["others"] else [])])
    lines = [f"{window['used'] + window['others']:,} of {window['limit']:,} used" + (f": {by}" if by else "")]
    lines += [f"{window['left']:,} left", *_shares(window)]
    if window["ends_at"]:
        lines += [f"begins anew {window['ends_at']}", _end(window, daily)]
    elif window["frees_at"]:
        lines.append(f"rolls: more is left from {window['frees_at']} on")
    return [*lines, f"syncctl plan reckons with {window['planned']:,}"] if window["planned"] else lines


def _shares(window: dict[str, Any]) -> list[str]:
    """What is left for whom, where the less important calls leave some for the others."""
    fewer = [f"{count:,} for {purpose}" for purpose, count in window["left_for"].items() if count < window["left"]]
    return ["of these " + ", ".join(fewer)] if fewer else []


def _end(window: dict[str, Any], daily: int | None) -> str:
    if window["forecast"] is None:
        return "where it will end shows after a whole day (UTC) of calls"
    over = window["forecast"] - window["limit"]
    verdict = f", {over:,} too many" if over > 0 else ""
    return f"about {window['forecast']:,} by then{verdict}, at the {daily:,} calls of the last 24 hours"
