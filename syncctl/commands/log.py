"""`syncctl log`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from syncctl.clock import SystemClock, seconds_in
from syncctl.commands.layout import say
from syncctl.commands.log_rows import CALLS, CHANGES, RUNS, Columns, View
from syncctl.commands.looking import opened, refuse_unknown
from syncctl.commands.messages import show_json
from syncctl.commands.options import Common, Group, common_options, connector_option, gathered
from syncctl.errors import EXIT_CODES
from syncctl.models import Kind, Purpose, Struct, to_ms

if TYPE_CHECKING:
    from syncctl.state.journal import Journal

POLL_MS = 1000
_CODES = [str(code) for code in EXIT_CODES if code != 2]  # with which a run can end
_CHANGING = [str(kind) for kind in (Kind.PRODUCTS, Kind.STOCK, Kind.CUSTOMERS)]  # of which changes are written down


def _moment(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """A length of time before now, or a date or time (UTC unless it says otherwise), in milliseconds since 1970."""
    if value is None:
        return None
    with suppress(ValueError):
        return to_ms(SystemClock().now() - timedelta(seconds=seconds_in(value)))
    try:
        moment = datetime.fromisoformat(value)
        return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        wanted = "90m, 2h, 3d, 2026-11-20 or 2026-11-20T17:00"
        raise click.BadParameter(f"{value} is no time; write it as {wanted}.") from error


def _status(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, int]:
    """`404`, `4xx` or `failed`, as conditions of the journal."""
    if value is None or value == "failed":
        return {"failed": 1} if value else {}
    if not re.fullmatch(r"[1-5]([0-9]{2}|xx)", value):
        raise click.BadParameter(f"{value} is none; write it as 200, 4xx or failed.")
    return {"least": int(value.replace("x", "0")), "most": int(value.replace("x", "9"))}


def _exit_code(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, int]:
    """`65` or `failed`, as conditions of the journal."""
    if value is None or value == "failed":
        return {"failed": 1} if value else {}
    if value not in _CODES:
        raise click.BadParameter(f"{value} is no exit code of a run; these are {', '.join(_CODES)}, or failed.")
    return {"least": int(value), "most": int(value)}


class Shown(Struct):
    """Which rows are shown, and how."""

    connector: str | None
    since: int | None
    limit: int
    follow: bool


_shown = gathered(
    [
        connector_option(),
        click.option(
            "--since", callback=_moment, metavar="TIME", help="As 2h, 3d, 2026-11-20, 2026-11-20T17:00 (UTC)."
        ),
        click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many."),
        click.option("--follow", is_flag=True, help="Go on until Ctrl-C; with --json one object a line."),
    ],
    Shown,
    "shown",
)


@click.group("log", cls=Group)
def command() -> None:
    """Show the journal: calls, runs and changes, the newest last. Makes no call."""


@command.command("calls")
@click.option("--purpose", type=click.Choice([str(purpose) for purpose in Purpose]), help="Only calls for this.")
@click.option(
    "--status", callback=_status, metavar="STATUS", help="As 200, 4xx, or failed: refused, or no usable answer."
)
@_shown
@common_options
def calls(*, purpose: str | None, status: dict[str, int], shown: Shown, common: Common) -> int:
    """Show the calls to the services.

    \b
    Examples:
        syncctl log calls --since 2h --status failed
        syncctl log calls --follow
    """
    return _show(CALLS, {"purpose": purpose, **status}, shown, common)


@command.command("runs")
@click.option(
    "--status", callback=_exit_code, metavar="CODE", help=f"The exit code ({', '.join(_CODES)}), or failed: any but 0."
)
@_shown
@common_options
def runs(*, status: dict[str, int], shown: Shown, common: Common) -> int:
    """Show the executions of commands, and what each came to.

    \b
    Example:
        syncctl log runs --since 1d --status failed
    """
    return _show(RUNS, status, shown, common)


@command.command("changes")
@click.option("--kind", type=click.Choice(_CHANGING), help="Only changes of these records.")
@_shown
@common_options
def changes(*, kind: str | None, shown: Shown, common: Common) -> int:
    """Show what changed at the services, field by field.

    \b
    Example:
        syncctl log changes --since 2026-11-20 --kind stock
    """
    return _show(CHANGES, {"kind": kind}, shown, common)


def _show(view: View, conditions: Mapping[str, object], shown: Shown, common: Common) -> int:
    from syncctl.state.journal import Journal

    wanted = {"connector": shown.connector, "since": shown.since, **conditions}
    with opened(common) as (config, database):
        refuse_unknown(shown.connector, config, database)
        journal = Journal(database, view.table, {name: value for name, value in wanted.items() if value is not None})
        rows = journal.newest(shown.limit)
        newest = [view.as_object(database, row) for row in rows if row["settled"] or not shown.follow]
        if shown.follow:
            _follow(view, journal, newest, as_json=common.as_json)
        elif common.as_json:
            show_json(f"log {view.table}", exit_code=0, **{view.table: newest})
        else:
            Columns(view).show(newest)
            if not newest and common.talks:
                say("the journal has no such row")
    return 0


def _follow(view: View, journal: Journal, found: list[dict[str, Any]], *, as_json: bool) -> None:
    """Shows what is there and then what comes, until a signal ends it or nobody reads any more."""
    import signal
    import sys

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    columns = Columns(view)
    try:
        while True:
            if as_json:
                click.echo("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in found), nl=False)
            else:
                columns.show(found)
            sys.stdout.flush()
            if _nobody_reads(sys.stdout.fileno()):
                return
            found = [view.as_object(journal.database, row) for row in journal.following()]
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


def _nobody_reads(output: int) -> bool:
    """Waits a while, or until the other end of a pipe is closed."""
    import select

    poll = select.poll()
    poll.register(output, 0)
    return bool(poll.poll(POLL_MS))
