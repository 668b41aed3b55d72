"""`syncctl log`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from syncctl.clock import SystemClock, seconds_in
from syncctl.commands.layout import length, padded, paint, plural, request_words, say
from syncctl.commands.looking import opened, refuse_unknown
from syncctl.commands.messages import show_json
from syncctl.commands.options import Common, Group, common_options, connector_option, gathered
from syncctl.commands.timeline import is_under_way, run_ended
from syncctl.errors import EXIT_CODES, LockedError
from syncctl.models import Kind, Purpose, Struct, from_ms, iso, to_ms

if TYPE_CHECKING:
    import sqlite3

    from syncctl.state.database import Database
    from syncctl.state.journal import Journal

POLL_MS = 1000
_MOST_TEXT = 60
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
    return _show(View("calls", _call, _call_line), {"purpose": purpose, **status}, shown, common)


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
    return _show(View("runs", _run, _run_line), status, shown, common)


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
    return _show(View("changes", _change, _change_line), {"kind": kind}, shown, common)


class View(Struct):
    """A table of the journal: how a row becomes an object of `--json`, and that one the columns of a line."""

    table: str
    as_object: Callable[[Database, sqlite3.Row], dict[str, Any]]
    as_line: Callable[[dict[str, Any]], Sequence[str]]


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


class Columns:
    """Lines whose columns stand below each other; the last one is as long as it is."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._widths: list[int] = []

    def show(self, rows: Iterable[dict[str, Any]]) -> None:
        """Prints rows; a column only ever grows."""
        lines = [self.view.as_line(row) for row in rows]
        for line in lines:
            widths = self._widths or [0] * len(line)
            self._widths = [max(width, length(cell)) for width, cell in zip(widths, line, strict=True)]
        for line in lines:
            cells = [padded(cell, width) for cell, width in zip(line, self._widths, strict=True)]
            say("  ".join([*cells[:-1], line[-1]]).rstrip(), indent=22)


def _call(database: Database, row: sqlite3.Row) -> dict[str, Any]:
    names = ("run", "command", "connector", "purpose", "method", "path", "status", "ms", "bytes", "error")
    return {"call": row["id"], "at": iso(from_ms(row["at"])), **{name: row[name] for name in names}}


def _call_line(call: dict[str, Any]) -> Sequence[str]:
    told = f": {call['error']}" if call["error"] else ""
    return (
        call["at"],
        f"call {call['call']}",
        f"run {call['run']} ({call['command'] or 'not kept'})",
        f"{call['connector']}, {call['purpose']}",
        _status_words(call["status"]),
        "" if call["ms"] is None else f"{call['ms']:>5} ms",
        f"{request_words(call['method'], call['path'])}{told}",
    )


def _status_words(status: int | None) -> str:
    if status is None:
        return paint("no answer", "wrong")
    return paint(str(status), None if status < 400 else "wrong" if status >= 500 else "warning")


def _run(database: Database, row: sqlite3.Row) -> dict[str, Any]:
    from syncctl.state.journal import parts

    times = {name: row[name] and iso(from_ms(row[name])) for name in ("started_at", "finished_at")}
    found = [_part(part) for part in parts(database, row["id"])]
    ended = {"exit_code": row["exit_code"], "under_way": is_under_way(row)}
    return {"run": row["id"], "command": row["command"], **times, **ended, "connectors": found}


def _part(row: sqlite3.Row) -> dict[str, Any]:
    counts = ("exit_code", "calls", "bytes", "seen", "changed", "created", "verified", "drifted", "gone")
    errors = [{"record": record, "message": message, "remedy": rest[0]} for record, message, *rest in _errors(row)]
    until = row["deferred_until"] and iso(from_ms(row["deferred_until"]))
    return {"name": row["connector"], **{name: row[name] for name in counts}, "deferred_until": until, "errors": errors}


def _errors(row: sqlite3.Row) -> list[list[str]]:
    found: list[list[str]] = json.loads(row["errors"])
    return found


def _run_line(run: dict[str, Any]) -> Sequence[str]:
    return (
        run["started_at"],
        f"run {run['run']}",
        run["command"],
        _lasted(run),
        paint(run_ended(run), "wrong" if run["exit_code"] else None),
        "; ".join(map(_part_words, run["connectors"])),
    )


def _lasted(run: dict[str, Any]) -> str:
    if run["finished_at"] is None:
        return ""
    ended, began = (datetime.fromisoformat(run[name]) for name in ("finished_at", "started_at"))
    return f"{(ended - began).total_seconds():.0f} s"


def _part_words(part: dict[str, Any]) -> str:
    words = [f"{part[name]:,} {name}" for name in ("changed", "created", "drifted", "gone") if part[name]]
    words += [f"waits until {part['deferred_until']}"] if part["deferred_until"] else []
    words += [_errors_words(part)] if part["errors"] else []
    return f"{part['name']}: {', '.join([plural(part['calls'], 'call'), *words])}"


def _errors_words(part: dict[str, Any]) -> str:
    errors, first = part["errors"], part["errors"][0]
    told = cut(": ".join(filter(None, (first["record"], first["message"]))))
    return told if part["exit_code"] == LockedError.exit_code else f"{len(errors):,} to look at: {told}"


def _change(database: Database, row: sqlite3.Row) -> dict[str, Any]:
    names = ("call", "run", "command", "connector", "kind", "remote_id", "sku", "field", "before", "after", "rule")
    return {"at": iso(from_ms(row["at"])), **{name: row[name] for name in names}}


def _change_line(change: dict[str, Any]) -> Sequence[str]:
    before, after = ("none" if change[name] is None else cut(change[name]) for name in ("before", "after"))
    return (
        change["at"],
        f"call {change['call']}",
        f"run {change['run']} ({change['command'] or 'not kept'})",
        change["connector"],
        change["sku"] or change["remote_id"],
        change["rule"],
        f"{change['field']}: {before} -> {after}",
    )


def cut(text: str) -> str:
    """A text no longer than a line has room for."""
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"
