"""How rows of the journal read: as objects of `--json`, and as lines whose columns stand below each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncctl.commands.layout import length, padded, paint, plural, request_words, say
from syncctl.commands.timeline import is_under_way, run_ended
from syncctl.errors import LockedError
from syncctl.models import Struct, from_ms, iso

if TYPE_CHECKING:
    import sqlite3

    from syncctl.state.database import Database

_MOST_TEXT = 60


class View(Struct):
    """A table of the journal: how a row becomes an object of `--json`, and that one the columns of a line."""

    table: str
    as_object: Callable[[Database, sqlite3.Row], dict[str, Any]]
    as_line: Callable[[dict[str, Any]], Sequence[str]]


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
    told = _cut(": ".join(filter(None, (first["record"], first["message"]))))
    return told if part["exit_code"] == LockedError.exit_code else f"{len(errors):,} to look at: {told}"


def _change(database: Database, row: sqlite3.Row) -> dict[str, Any]:
    names = ("call", "run", "command", "connector", "kind", "remote_id", "sku", "field", "before", "after", "rule")
    return {"at": iso(from_ms(row["at"])), **{name: row[name] for name in names}}


def _change_line(change: dict[str, Any]) -> Sequence[str]:
    before, after = ("none" if change[name] is None else _cut(change[name]) for name in ("before", "after"))
    return (
        change["at"],
        f"call {change['call']}",
        f"run {change['run']} ({change['command'] or 'not kept'})",
        change["connector"],
        change["sku"] or change["remote_id"],
        change["rule"],
        f"{change['field']}: {before} -> {after}",
    )


def _cut(text: str) -> str:
    """A text no longer than a line has room for."""
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"


CALLS = View("calls", _call, _call_line)
RUNS = View("runs", _run, _run_line)
CHANGES = View("changes", _change, _change_line)
