"""`syncctl report`: how the last days went, as one page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncctl.commands.layout import plural, say
from syncctl.commands.messages import show_json, warn
from syncctl.commands.options import Common, common_options
from syncctl.invocation import typed
from syncctl.models import from_ms, iso, to_ms

if TYPE_CHECKING:
    from syncctl.commands.status import Overview

_COLUMNS = 60  # of the plot of freshness
_MOST_ROWS = 10
_DAY_MS = 86_400_000


@click.command("report")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How far it looks back.")
@common_options
def command(*, file: Path, days: int, common: Common) -> int:
    """Write a page of how the last days went: freshness, calls, queue, drift and errors. Makes no call.

    The page is one HTML file that needs neither a script nor the network. It names products, orders and errors.

    \b
    Examples:
        syncctl report report.html
        syncctl report --days 7 /var/www/html/syncctl.html
    """
    from html import escape

    from syncctl.commands.metrics import replace
    from syncctl.report.page import page
    from syncctl.settings.file import elsewhere

    figures, seen = gathered(common.env_file, days)
    replace(file, typed(page(figures), elsewhere(seen.places["env_file"]), escape))
    if common.as_json:
        show_json("report", exit_code=0, file=str(file), **figures)
    else:
        warn(seen.warnings)
        if common.talks:
            say(f"{file} shows {plural(days, 'day')} up to {figures['generated_at']}", indent=4)
    return 0


def gathered(env_file: str | None, days: int) -> tuple[dict[str, Any], Overview]:
    """The figures of the page, and what status knows; raises `ConfigError` and `StateError`."""
    from syncctl.app import App
    from syncctl.commands.status import overview

    seen = overview(env_file)
    begin = to_ms(seen.now) // _DAY_MS - days + 1  # the day, since 1970
    with App.opened(env_file, create=False) as app:
        figures = {
            "shop": app.config.shop,
            "generated_at": iso(seen.now),
            "days": days,
            "queue": list(_queue(app, seen.now)),
            "posted": _posted(app, begin, days),
            "connectors": [_connector(app, each, begin, seen.now) for each in seen.connectors],
        }
    return figures, seen


def _connector(app: Any, told: dict[str, Any], begin: int, now: datetime) -> dict[str, Any]:
    """A connector as status tells it, and its last days."""
    from syncctl.commands.check import findings
    from syncctl.state.reporting import Reporting

    reporting = Reporting(app.database, told["name"], begin * _DAY_MS)
    return {
        "name": told["name"],
        "problems": told["problems"],
        "now": [finding.as_dict() for finding in findings(told, now)],
        "products": told["products"],
        "customers": told["customers"],
        "gone": told["gone"],
        "promised_seconds": told["freshness"]["promised"],
        "freshness": list(_worst(reporting.successes(), begin * _DAY_MS, to_ms(now))),
        "windows": told["windows"],
        "a_day": _a_day(told["windows"]),
        "days": list(_days(reporting, begin, to_ms(now) // _DAY_MS)),
        "endpoints": reporting.endpoints(_MOST_ROWS),
        "errors": [dict(row) | {"last_at": iso(from_ms(row["last_at"]))} for row in reporting.errors(_MOST_ROWS)],
    }


def _a_day(windows: Sequence[dict[str, Any]]) -> int | None:
    """How many calls of a day the calendar windows have room for: that of a day, else the thirtieth part of a month."""
    limits = {each["window"]: each["limit"] for each in windows}
    return limits.get("day") or (limits["month"] // 30 if "month" in limits else None)


def _worst(successes: Sequence[int], begin: int, end: int) -> Iterator[dict[str, Any]]:
    """How old the data was at worst in each of some equal parts of the time; None before the first success."""
    step = (end - begin) / _COLUMNS
    for number in range(_COLUMNS):
        start, stop = begin + number * step, begin + (number + 1) * step
        yield {"at": iso(from_ms(round(start))), "worst_seconds": _oldest(successes, start, stop)}


def _oldest(successes: Sequence[int], start: float, stop: float) -> int | None:
    """The data is as old as the last success; it is oldest just before the next one, or at the end."""
    ages = [
        min(following, stop) - success
        for success, following in pairwise([*successes, math.inf])
        if success < stop and following > start
    ]
    return round(max(ages) / 1000) if ages else None


def _days(reporting: Any, begin: int, end: int) -> Iterator[dict[str, Any]]:
    """Each day with its calls by purpose, and what had drifted or was gone."""
    changes = {row["day"]: row for row in reporting.changes()}
    calls: dict[int, dict[str, int]] = {}
    for row in reporting.calls():
        calls.setdefault(row["day"], {})[row["purpose"]] = row["calls"]
    for day in range(begin, end + 1):
        row = changes.get(day)
        counted = {"drifted": row["drifted"] if row else 0, "gone": row["gone"] if row else 0}
        yield {"day": _date(day), "calls": calls.get(day, {}), **counted}


def _posted(app: Any, begin: int, days: int) -> list[dict[str, Any]]:
    from syncctl.state.reporting import posted

    counted: dict[int, dict[str, int]] = {}
    for row in posted(app.database, begin * _DAY_MS):
        counted.setdefault(row["day"], {})[row["connector"]] = row["posted"]
    return [{"day": _date(day), "posted": counted.get(day, {})} for day in range(begin, begin + days)]


def _queue(app: Any, now: datetime) -> Iterator[dict[str, Any]]:
    from syncctl.state.reporting import queue

    for row in queue(app.database):
        told = {name: row[name] for name in ("connector", "kind", "state", "cause", "rows")}
        yield told | {"oldest_seconds": max(0, (to_ms(now) - row["oldest_at"]) // 1000)}


def _date(day: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(days=day)).date().isoformat()  # noqa: DTZ001 - a day, not a moment
