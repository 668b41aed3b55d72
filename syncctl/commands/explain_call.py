"""`syncctl explain call`: what was sent and what came back, and how to send it again by hand."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from syncctl.clock import SystemClock, window_words
from syncctl.commands.layout import say
from syncctl.commands.looking import tell
from syncctl.commands.options import Common, common_options
from syncctl.commands.timeline import is_under_way, run_ended
from syncctl.errors import RecordError
from syncctl.models import Purpose, from_ms, iso, to_ms

if TYPE_CHECKING:
    import sqlite3

    from syncctl.app import App
    from syncctl.settings.config import ConnectorConfig

_MOST_LINES = 60
_MOST_WIDTH = 200
_CARRIED_OVER = (
    "carried over by a restore, for the budget, from the newer file that it replaced; the run, the answer and the"
    " changes of the call are in that file alone (STATE.before-TIME)"
)


@click.command("call")
@click.argument("call", metavar="ID", type=click.IntRange(1))
@common_options
def explain_call(*, call: int, common: Common) -> int:
    """Tell what a call sent and what came back, as far as it is kept, and how to repeat it.

    Secrets are left out; in the line for curl they are variables of the shell.

    \b
    Example:
        syncctl explain call 4711
    """
    from syncctl.app import App

    with App.opened(common.env_file, create=False) as app:
        story = _story(app, call)
    return tell("explain call", story, _print, common)


def _story(app: App, number: int) -> dict[str, Any]:
    from syncctl.state import journal

    row = journal.call(app.database, number)
    if row is None:
        remedy = f"See syncctl log calls; after {app.config.keep['journal']} days calls are forgotten"
        raise RecordError(str(number), "The journal has no call of this number", remedy)
    config = next((each for each in app.config.connectors if each.name == row["connector"]), None)
    request, response = app.ledger.bodies(number)
    names = ("connector", "purpose", "method", "path", "status", "ms", "bytes", "request_id", "error", "changes")
    return {
        "call": number,
        "at": iso(from_ms(row["at"])),
        **{name: row[name] for name in names},
        "carried_over": bool(row["carried_over"]),
        "run": _run(row),
        "windows": _windows(app, row, config),
        "request": _text(request),
        "response": _text(response),
        "response_missing": None if response is not None else _why(app, row),
        "curl": _curl(app, row, config, _text(request)),
    }


def _run(row: sqlite3.Row) -> dict[str, Any]:
    times = {name: row[name] and iso(from_ms(row[name])) for name in ("started_at", "finished_at")}
    ended = {"exit_code": row["exit_code"], "under_way": is_under_way(row)}
    return {"run": row["run"], "command": row["command"], **times, **ended}


def _windows(app: App, row: sqlite3.Row, config: ConnectorConfig | None) -> list[dict[str, Any]]:
    """Which one of our calls it was in each window; a request for a token counts nowhere."""
    from syncctl.state.journal import position

    if config is None or row["purpose"] == Purpose.AUTH:
        return []
    return [
        {"window": limit.name, "limit": limit.calls, "position": position(app.database, row, limit)}
        for limit in config.limits
    ]


def _text(body: bytes | None) -> str | None:
    return None if body is None else body.decode("utf-8", "replace")


def _why(app: App, row: sqlite3.Row) -> str:
    """Why there is no answer to be shown."""
    from syncctl.http.line import MOST_BODY_BYTES

    days = app.config.keep["bodies"]
    if row["carried_over"]:
        return _CARRIED_OVER
    if row["status"] is None:
        return "none came" if row["error"] else "none came so far, or the run was cut off"
    if row["purpose"] == Purpose.AUTH:
        return "not kept, as tokens are in it"
    if (row["bytes"] or 0) > MOST_BODY_BYTES:
        return f"not kept, as it is longer than {MOST_BODY_BYTES // 1024} kB"
    if to_ms(SystemClock().now()) - row["at"] > days * 86_400_000:
        return f"no longer kept (SYNCCTL_KEEP_BODIES_DAYS is {days})"
    return "not kept, as with all pages of a full read"


def _curl(app: App, row: sqlite3.Row, config: ConnectorConfig | None, request: str | None) -> str | None:
    """Lines for a shell that make the call again; None where that cannot be told, or would do harm."""
    if config is None or config.problems or row["purpose"] == Purpose.AUTH:
        return None
    path = row["path"]
    url = path if "://" in path else config.values.base_url + path
    repeat = config.cls.by_hand(config.values, path.partition("?")[2])
    lines = [f"# {note}" for note in _notes(app, row, config, request)] + list(repeat.lines)
    headers = [*repeat.headers, *(["Content-Type: application/json"] if row["method"] != "GET" else [])]
    words = ["curl", "-sS", *([] if row["method"] == "GET" else ["-X", row["method"]])]
    words += [word for header in dict.fromkeys(headers) for word in ("-H", _quoted(header))]
    words += ["--data-raw", shlex.quote(request)] if request is not None else []
    return "\n".join([*lines, " ".join([*words, shlex.quote(url)])])


def _notes(app: App, row: sqlite3.Row, config: ConnectorConfig, request: str | None) -> list[str]:
    """What to know before sending it again."""
    notes = []
    if config.cls.grant(config.values):
        notes.append(f'TOKEN is "access" of {config.name} in {app.config.state}.tokens')
    if row["method"] != "GET" and row["purpose"] not in (Purpose.RECENT, Purpose.OLDEST):
        notes.append("It may write once more what it wrote then: look there first")
    if row["method"] != "GET" and request is None:
        notes.append("What it sent is not kept")
    return notes


def _quoted(header: str) -> str:
    """A header for the shell, in which variables are put in."""
    if "$" not in header:
        return shlex.quote(header)
    return '"' + re.sub(r'(["`\\])', r"\\\1", header) + '"'


def _print(story: dict[str, Any]) -> None:
    run = story["run"]
    status = story["status"] or "no answer"
    say(f"call {story['call']} at {story['at']}: {story['method']} {story['path']}", indent=4)
    lines = [
        ("connector", f"{story['connector']}, for the purpose {story['purpose']}"),
        ("run", _run_words(run)),
        ("outcome", ", ".join(map(str, filter(None, [status, *_measures(story), story["error"]])))),
        ("changes", _changes_words(story)),
    ]
    for window in story["windows"]:
        position = f"number {window['position']:,} of {window['limit']:,}"
        lines.append((f"calls/{window_words(window['window'])}", position))
    for label, text in lines:
        say(f"  {label:14}{text}", indent=16)
    if story["request"] is not None:
        _print_body("Sent", story["request"])
    if story["response"] is not None:
        _print_body("Answered", story["response"])
    else:
        say(f"\nAnswer: {story['response_missing']}.")
    if story["curl"]:
        click.echo(f"\nAgain, by hand:\n{story['curl']}")


def _changes_words(story: dict[str, Any]) -> str:
    if story["carried_over"]:
        return "not known here"
    return f"{story['changes']:,}" if story["changes"] else "none"


def _run_words(run: dict[str, Any]) -> str:
    if run["started_at"] is None:
        return f"{run['run']}, of which this file knows nothing"
    return f"{run['run']} ({run['command']}), begun {run['started_at']}, {run_ended(run)}"


def _measures(story: dict[str, Any]) -> list[str]:
    measures = [f"{story['ms']:,} ms"] if story["ms"] is not None else []
    measures += [f"{story['bytes']:,} bytes"] if story["bytes"] else []
    return measures + ([f"request id {story['request_id']}"] if story["request_id"] else [])


def _print_body(title: str, body: str) -> None:
    """A body as indented JSON where it is JSON; no more of it than fits on a few screens."""
    with suppress(ValueError, RecursionError):
        body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    lines = body.splitlines()
    click.echo(f"\n{title}:")
    for line in lines[:_MOST_LINES]:
        click.echo(_harmless(line))
    if len(lines) > _MOST_LINES or any(len(line) > _MOST_WIDTH for line in lines):
        click.echo(f"… cut; all of its {len(body):,} characters with --json")


def _harmless(line: str) -> str:
    """A line without what would control the terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line[:_MOST_WIDTH])
