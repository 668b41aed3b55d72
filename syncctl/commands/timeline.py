"""What the commands of `explain` share: the calls behind a value, and a record's changes in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from syncctl.commands.layout import request_words, say
from syncctl.models import Kind, from_ms, iso

if TYPE_CHECKING:
    import sqlite3

    from syncctl.state.database import Database

HOW = {
    "sku": "by SKU",
    "new": "it came into the shop from there",
    "code": "by account id",
    "email": "by e-mail address",
    "hand": "by hand",
}
_RULES = {
    "feed": "the feed of changes told it",
    "full": "a full read showed it",
    "oldest": "a look at the oldest products showed it",
    "manual": "sync-product asked for it",
    "entered": "syncctl sent what was entered for an order (_CONTACT=as-entered)",
    "sold": "it was read again after a sale",
    "code": "the account id decided",
    "email": "the e-mail address decided",
    "hand": "somebody decided by hand",
    "lost": "it is gone, or stands for nobody in particular",
    "moved": "it is archived, and another record fits",
    "drift": "drift: it had changed without the feed telling",
}


def call(database: Database, number: int) -> dict[str, Any]:
    """A call of the journal; all but its number is None where it is there no more."""
    from syncctl.state import history

    row = history.call(database, number)
    if row is None:
        return {"call": number, "at": None, "run": None, "command": None, "request": None}
    request = f"{row['method']} {row['path']}"
    return {
        "call": number,
        "at": iso(from_ms(row["at"])),
        "run": row["run"],
        "command": row["command"],
        "request": request,
    }


def run_ended(run: Mapping[str, Any]) -> str:
    """How a run ended."""
    if run["finished_at"] is not None:
        return f"exit code {run['exit_code']}"
    return "under way" if run["under_way"] else "cut off"


def is_under_way(row: sqlite3.Row) -> bool:
    """Whether a run, a row with its `pid`, is still at work; one that was killed has no end either."""
    from syncctl.state.runs import is_alive

    return row["finished_at"] is None and row["exit_code"] is None and bool(row["pid"]) and is_alive(row["pid"])


def last_seen(database: Database, at: int | None, number: int | None) -> dict[str, Any] | None:
    """The call that told of a record last, at that time; None where none did."""
    return call(database, number or 0) | {"at": iso(from_ms(at))} if at else None


def link(row: sqlite3.Row, number: str) -> str:
    """How a record is linked to the shop's; `number` names the column with the shop's number of it."""
    by = row["matched_by"]
    if row[number] is None:
        return "taken apart by hand" if by == "apart" else "not linked"
    return "linked; it came into the shop from here" if by == "new" else f"linked {HOW.get(by, by)}"


def changes(database: Database, row: sqlite3.Row) -> list[dict[str, Any]]:
    """The changes of a record in their order, each with its call."""
    from syncctl.state import history

    return [_change(each) for each in history.changes(database, row["connector"], row["remote_id"])]


def problems(database: Database, record: str) -> list[dict[str, Any]]:
    """What the last runs had to say against a record."""
    from syncctl.state import history

    return [each | {"at": iso(from_ms(each["at"]))} for each in history.problems(database, record)]


def created(database: Database, kind: Kind, keys: Iterable[str]) -> list[dict[str, Any]]:
    """What syncctl itself creates of this record, with each try; a service may not have told of it yet."""
    from syncctl.commands.queue_rows import as_json
    from syncctl.state.queue import Queue

    queue = Queue(database)
    rows = queue.made(kind, keys)
    return [as_json(row) | {"order": row.expected.get("order"), "attempts": queue.attempts(row)} for row in rows]


def _change(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "at": iso(from_ms(row["at"])),
        "field": row["field"],
        "before": row["before"],
        "after": row["after"],
        "rule": row["rule"],
        "run": row["run"],
        "command": row["command"],
        "call": row["call"],
        "request": f"{row['method']} {row['path']}" if row["method"] else None,
    }


def print_seen(label: str, seen: dict[str, Any] | None) -> None:
    """A line of the timeline about a look."""
    if seen is None:
        say(f"  {'never':20}  {label}")
        return
    say(f"  {seen['at'] or '?':20}  {label}{_by_call(seen)}", indent=24)


def print_changes(found: list[dict[str, Any]]) -> None:
    """Lines of the timeline, the newest first."""
    for change in reversed(found):
        _print_change(change)


def print_created(found: list[dict[str, Any]]) -> None:
    """What syncctl itself sent of it, each try on a line."""
    if found:
        say("\nCreated by syncctl, as an order needed it:")
    for row in found:
        order = f", for order {row['order'][:60]}" if row["order"] else ""
        what = f"{row['connector']} {row['remote_id'] or row['key']}{order}"
        for each in row["attempts"]:
            why = f": {each['message']}" if each["message"] else ""
            by = f" (call {each['call']}: {request_words(each['method'], each['path'])})" if each["method"] else ""
            say(f"  {each['at']:20}  {what}: {each['outcome']}, run {each['run']}{why}{by}", indent=24)


def print_problems(found: list[dict[str, Any]]) -> None:
    """What the last runs reported."""
    if found:
        say("\nReported, the last time each:")
    for problem in found:
        remedy = f" {problem['remedy'].rstrip('.')}." if problem["remedy"] else ""
        told = f"{problem['message'].rstrip('.')}.{remedy}"
        say(f"  {problem['at']:20}  run {problem['run']}, {problem['connector']}: {told}", indent=24)


def _print_change(change: dict[str, Any]) -> None:
    before, after = (value if value is not None else "none" for value in (change["before"], change["after"]))
    rule = _RULES.get(change["rule"], change["rule"])
    told = f"{change['field']}: {before[:60]} -> {after[:60]}; {rule}"
    say(f"  {change['at']:20}  {told}{_by_call(change)}", indent=24)


def _by_call(what: dict[str, Any]) -> str:
    """The call and run behind a line, on a line of its own: they are long."""
    if not what.get("request"):
        where = f"call {what['call']}" if what.get("call") else f"run {what.get('run')}, {what.get('command')}"
        return f" ({where})"
    request = request_words(*what["request"].split(" ", 1))
    return f"\n{'':24}call {what['call']}, run {what['run']} ({what['command']}): {request}"
