"""`syncctl links`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from syncctl.commands.layout import MOST_SHOWN, plural, say
from syncctl.commands.messages import show_json
from syncctl.commands.options import Common, Group, common_options, connector_option, limit_option
from syncctl.commands.sku import as_sku
from syncctl.commands.timeline import HOW, created
from syncctl.errors import RecordError
from syncctl.models import from_ms, iso, to_ms

if TYPE_CHECKING:
    from syncctl.app import App
    from syncctl.state.changelog import Look
    from syncctl.state.database import Database
    from syncctl.state.links import LinkTable

    Work = Callable[[Database, LinkTable, str, int, Look], tuple[str, int]]  # remote id, orders that are due by it

WORDS = ("customer", "product")
_KIND = click.argument("kind", type=click.Choice(WORDS))
_KEY = click.argument("key", callback=as_sku)
_CONNECTOR = connector_option("Of this connector; needed where there are several.")


@click.group("links", cls=Group)
def command() -> None:
    """Show which records belong together, and set links by hand. Makes no call."""


@command.command("list")
@click.argument("kind", type=click.Choice(WORDS), required=False)
@connector_option()
@click.option("--ambiguous", is_flag=True, help="Only what was not linked because there are several candidates.")
@limit_option
@common_options
def list_links(*, kind: str | None, connector: str | None, ambiguous: bool, limit: int | None, common: Common) -> int:
    """Show all links, then what was not linked because there are several candidates.

    \b
    Examples:
        syncctl links list customer
        syncctl links list --ambiguous
    """
    from syncctl.app import chosen
    from syncctl.state import links

    with _opened(common) as app:
        names = [each.name for each in chosen(app.config, connector)]
        tables = [links.TABLES[word] for word in ((kind,) if kind else WORDS)]
        most = limit if common.as_json else limit or MOST_SHOWN
        rows = [] if ambiguous else _links(app.database, tables, connector, most)
        doubts = [_doubt(t, each) for t in tables for name in names for each in links.doubts(app.database, t, name)]
    if common.as_json:
        show_json("links list", exit_code=0, links=rows[:most], ambiguous=doubts[:most])
        return 0
    _print_list(rows[:most], doubts[:most])
    if max(len(rows), len(doubts)) > (most or 0):  # to count a million takes longer than to show a hundred
        say("… and more; --limit shows them")
    if not rows and not doubts and common.talks:
        say("no link" if not ambiguous else "nothing waits for a choice")
    return 0


def _links(
    database: Database, tables: Sequence[LinkTable], connector: str | None, most: int | None
) -> list[dict[str, Any]]:
    """The links of several kinds, at most so many and one more."""
    from syncctl.state import links

    rows: list[dict[str, Any]] = []
    for table in tables:
        left = None if most is None else most + 1 - len(rows)
        rows += [_linked(table, row) for row in links.linked(database, table, connector, left)]
    return rows


@command.command("show")
@_KIND
@_KEY
@common_options
def show(*, kind: str, key: str, common: Common) -> int:
    """Show the links of one record: a product by its SKU, a customer by the shop's code or e-mail address.

    \b
    Examples:
        syncctl links show customer C-1042
        syncctl links show product MUG-BLUE
    """
    from syncctl.state import links

    with _opened(common) as app:
        table = links.TABLES[kind]
        numbers = links.numbers_of(app.database, table, key)
        made = created(app.database, table.kind, links.keys(table, key, numbers))
        of_shop = bool(numbers) or not made  # else only an order has told of it
        name, rows, doubts = _of_shop(app, table, key) if of_shop else (key, [], [])
    unread = _unlinked(made, rows)
    if common.as_json:
        show_json("links show", exit_code=0, links=rows, ambiguous=doubts, created=unread)
    else:
        _print_list(rows, doubts)
        _print_created(f"{kind} {name}", unread)
        if not rows and not doubts and not unread:
            say(f"{kind} {name} has no link, and no record fits it")
    return 0


def _of_shop(app: App, table: LinkTable, key: str) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """The name of a record of the shop, its links, and what is in doubt about it. Raises `RecordError`."""
    from syncctl.state import links

    number = links.number_of(app.database, table, key)
    name = links.name_of(app.database, table, number)
    rows = [_linked(table, row) for row in links.of(app.database, table, number)]
    found = [d for each in app.config.connectors for d in links.doubts(app.database, table, each.name, number)]
    return name, rows, [_doubt(table, doubt) for doubt in found if doubt.name == name]


def _unlinked(made: Sequence[dict[str, Any]], links: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What syncctl has created and no link leads to: no run has read it yet, or nobody in the shop's table is it."""
    linked = {(row["connector"], row["remote_id"]) for row in links}
    return [row for row in made if row["state"] == "done" and (row["connector"], row["remote_id"]) not in linked]


def _print_created(what: str, made: Sequence[dict[str, Any]]) -> None:
    for row in made:
        order = f" for order {row['order'][:60]}" if row["order"] else ""
        say(f"{what[:60]}: {row['connector']} {row['remote_id']}, created by syncctl{order}; not linked", indent=4)


@command.command("add")
@_KIND
@_KEY
@click.argument("remote_id", metavar="REMOTE-ID", callback=as_sku)
@_CONNECTOR
@common_options
def add(*, kind: str, key: str, remote_id: str, connector: str | None, common: Common) -> int:
    """Link a record of the shop to one of a back office, for good: no rule undoes it.

    Where the shop's record was linked to another one, that link is taken away.

    \b
    Example:
        syncctl links add customer C-1042 2b6c9a52-0c4d-5f0e-8f6e-5b7d0a1c0002 --connector unleashed
    """

    def work(database: Database, table: LinkTable, name: str, number: int, look: Look) -> tuple[str, int]:
        from syncctl.state import links

        return remote_id, links.add(database, table, (name, remote_id), number, look)

    return _by_hand(("links add", "is linked to"), (kind, key, connector), common, work)


@command.command("remove")
@_KIND
@_KEY
@_CONNECTOR
@common_options
def remove(*, kind: str, key: str, connector: str | None, common: Common) -> int:
    """Take a link away, for good: no rule links the back office's record again; links add does.

    \b
    Example:
        syncctl links remove customer C-1042 --connector unleashed
    """

    def work(database: Database, table: LinkTable, name: str, number: int, look: Look) -> tuple[str, int]:
        from syncctl.state import links

        return str(links.remove(database, table, name, number, look)["remote_id"]), 0

    return _by_hand(("links remove", "is no longer linked to"), (kind, key, connector), common, work)


def _by_hand(told: tuple[str, str], which: tuple[str, str, str | None], common: Common, work: Work) -> int:
    """Changes a link in a run of its own, so that `explain` can tell when it was."""
    from syncctl.state import links
    from syncctl.state.changelog import Look

    command, words = told
    kind, key, connector = which
    table = links.TABLES[kind]
    with _opened(common) as app:
        name = _one_connector(app, connector)
        number = links.number_of(app.database, table, key)
        now = to_ms(app.clock.now())
        look = Look(app.runs.begin(command, now), 0, now, "hand")
        try:
            remote_id, orders = work(app.database, table, name, number, look)
        except RecordError as error:
            app.runs.finish(look.run, now, error.exit_code, [])
            raise
        app.runs.finish(look.run, now, 0, [])
    if common.as_json:
        record = {"kind": kind, "key": key, "connector": name, "remote_id": remote_id}
        show_json(command, exit_code=0, run=look.run, **record, orders=orders)
    else:
        sent = f"; the next run sends {plural(orders, 'order')} held for it" if orders else ""
        say(f"{kind} {key} {words} {remote_id} in {name}{sent}", indent=4)
    return 0


@contextmanager
def _opened(common: Common) -> Iterator[App]:
    from syncctl.app import App

    with App.opened(common.env_file, create=False) as app:
        yield app


def _one_connector(app: App, name: str | None) -> str:
    from syncctl.app import chosen

    configs = chosen(app.config, name)
    if len(configs) > 1:
        known = ", ".join(each.name for each in configs)
        raise click.UsageError(f"Say --connector NAME, as there are several: {known}.")
    return configs[0].name


def _linked(table: LinkTable, row: Any) -> dict[str, Any]:
    """A link as `--json` shows it."""
    at = row["matched_at"]
    return {
        "kind": table.word,
        "key": row["name_in_shop"],
        **_record(row),
        "matched_by": row["matched_by"],
        "matched_at": iso(from_ms(at)) if at else None,
        "matched_during": row["matched_during"],
    }


def _record(row: Any) -> dict[str, Any]:
    names = ("connector", "remote_id", "remote_name", "name", "state")
    return {name: row[name] for name in names}


def _doubt(table: LinkTable, doubt: Any) -> dict[str, Any]:
    candidates = [_record(row) | {"linked_to": row["name_in_shop"]} for row in doubt.candidates]
    return {"kind": table.word, "key": doubt.name, "connector": doubt.connector, "candidates": candidates}


def _print_list(rows: Sequence[dict[str, Any]], doubts: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        state = "" if row["state"] == "active" else f", {row['state']}"
        how = HOW.get(row["matched_by"], row["matched_by"])
        when = f", {row['matched_at']}" if row["matched_at"] else ""  # its run may be forgotten
        say(f"{row['kind']} {row['key']}: {_named(row)}{state}; {how}{when}", indent=4)
    for doubt in doubts:
        is_linked = any(each["linked_to"] == doubt["key"] for each in doubt["candidates"])
        how = "linked in {}, where several fit it:" if is_linked else "not linked in {}, for there are candidates:"
        say(f"{doubt['kind']} {doubt['key']}: {how.format(doubt['connector'])}", indent=4)
        for each in doubt["candidates"]:
            taken = f"; linked to {each['linked_to']}" if each["linked_to"] else ""
            say(f"    {_named(each)}{taken}", indent=8)


def _named(record: dict[str, Any]) -> str:
    name = f" {record['name'][:60]!r}" if record["name"] else ""
    return f"{record['connector']} {record['remote_id']} ({record['remote_name'] or 'no number'}{name})"
