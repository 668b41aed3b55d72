"""`syncctl explain`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from syncctl.commands.common import Common, common_options, show_json
from syncctl.commands.sku import as_sku
from syncctl.errors import RecordError
from syncctl.models import from_ms, iso
from syncctl.state.database import Database, open_database

if TYPE_CHECKING:
    import sqlite3

_MOST_PATH = 60
_RULES = {
    "feed": "the feed of changes told it",
    "full": "a full read showed it",
    "oldest": "a look at the oldest products showed it",
    "manual": "sync-product asked for it",
    "drift": "drift: it had changed without the feed telling",
}
_MATCHED = {"sku": "linked by SKU", "new": "linked; it came into the shop from here", None: "not linked"}


@click.group("explain")
def command() -> None:
    """Tell where a value came from: every change, and the call that brought it. Makes no call."""


@command.command("product")
@click.argument("sku", callback=as_sku)
@common_options
def product(*, sku: str, common: Common) -> int:
    """Tell the history of a product by the shop's SKU, or by the back office's.

    \b
    Example:
        syncctl explain product MUG-BLUE
    """
    from syncctl.config import load

    config = load(common.env_file)
    database = open_database(config.state, group=config.state_group, create=False)
    try:
        story = _story(database, sku)
    finally:
        database.close()
    if common.as_json:
        show_json("explain product", exit_code=0, **story)
    else:
        _print(story)
    return 0


def _story(database: Database, sku: str) -> dict[str, Any]:
    from syncctl.state import history

    shop = database.row("SELECT * FROM catalogue WHERE sku = ?", sku)
    remotes = history.records(database, sku)
    if shop is None and not remotes:
        raise RecordError(sku, f"Nobody has told of a product {sku}", f"Ask for it with syncctl sync-product {sku}")
    return {
        "sku": sku,
        "catalogue": dict(shop) if shop else None,
        "records": [_record(database, row) for row in remotes],
        "problems": [each | {"at": iso(from_ms(each["at"]))} for each in history.problems(database, sku)],
    }


def _record(database: Database, row: sqlite3.Row) -> dict[str, Any]:
    """One remote product: what it is now, and its timeline."""
    from syncctl.state import history

    return {
        "connector": row["connector"],
        "remote_id": row["remote_id"],
        "sku": row["sku"],
        "state": row["state"],
        "prices": json.loads(row["prices"]),
        "link": _MATCHED.get(row["matched_by"], row["matched_by"]),
        "first_seen": _call(database, row["first_call"]),
        "product_last_seen": _last_seen(database, row["product_at"], row["product_call"]),
        "stock_last_seen": _last_seen(database, row["stock_at"], row["stock_call"]),
        "changes": [_change(change) for change in history.changes(database, row["connector"], row["remote_id"])],
    }


def _call(database: Database, number: int) -> dict[str, Any]:
    from syncctl.state import history

    row = history.call(database, number)
    if row is None:
        return {"call": number}
    request = f"{row['method']} {row['path']}"
    return {
        "call": number,
        "at": iso(from_ms(row["at"])),
        "run": row["run"],
        "command": row["command"],
        "request": request,
    }


def _last_seen(database: Database, at: int | None, number: int | None) -> dict[str, Any] | None:
    return _call(database, number or 0) | {"at": iso(from_ms(at))} if at else None


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


def _print(story: dict[str, Any]) -> None:
    shop = story["catalogue"]
    click.echo(f"{story['sku']} in the shop: " + (_shop_line(shop) if shop else "not there"))
    for record in story["records"]:
        click.echo(f"\n{record['connector']}: {record['remote_id']}, {record['state']}, {record['link']}")
        if record["state"] != "gone":  # the change that says so tells when it was looked for last
            _print_seen("product seen last", record["product_last_seen"])
            _print_seen("stock seen last", record["stock_last_seen"])
        for change in reversed(record["changes"]):
            _print_change(change)
        _print_seen("first seen", record["first_seen"])
    if story["problems"]:
        click.echo("\nReported, the last time each:")
    for problem in story["problems"]:
        click.echo(f"  {problem['at']:20}  run {problem['run']}, {problem['connector']}: {problem['message']}")


def _shop_line(shop: dict[str, Any]) -> str:
    tax = {0: "without tax", 1: "with tax", None: ""}[shop["price_includes_tax"]]
    price = f"{shop['price']} {shop['currency'] or ''} {tax}" if shop["price"] else "no price"
    available = "stock unknown" if shop["available"] is None else f"{shop['available']} available"
    seen = f"as of {shop['as_of']}" if shop["as_of"] else "not looked at"
    return f"{shop['name'][:60]!r}, {' '.join(price.split())}, {available}, {shop['state'] or 'not linked'}, {seen}"


def _print_seen(label: str, seen: dict[str, Any] | None) -> None:
    if seen is None:
        click.echo(f"  {'never':20}  {label}")
        return
    click.echo(f"  {seen.get('at', '?'):20}  {label}{_by_call(seen)}")


def _print_change(change: dict[str, Any]) -> None:
    before, after = (value if value is not None else "none" for value in (change["before"], change["after"]))
    rule = _RULES.get(change["rule"], change["rule"])
    click.echo(f"  {change['at']:20}  {change['field']}: {before[:60]} -> {after[:60]}; {rule}{_by_call(change)}")


def _by_call(what: dict[str, Any]) -> str:
    """The call and run behind a line, on a line of its own: they are long."""
    if not what.get("request"):
        return f" (call {what['call']})" if what.get("call") else ""
    return f"\n{'':24}call {what['call']}, run {what['run']} ({what['command']}): {_cut(what['request'])}"


def _cut(request: str) -> str:
    """A request whose path is no longer than a line has room for."""
    method, _, path = request.partition(" ")
    return f"{method} {path if len(path) <= _MOST_PATH else path[: _MOST_PATH - 1] + '…'}"
