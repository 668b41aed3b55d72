"""`syncctl explain customer`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from syncctl.commands import timeline
from syncctl.commands.layout import say
from syncctl.commands.looking import opened, tell
from syncctl.commands.options import Common, common_options
from syncctl.commands.sku import as_sku
from syncctl.errors import RecordError
from syncctl.models import Kind

if TYPE_CHECKING:
    import sqlite3

    from syncctl.state.database import Database


@click.command("customer")
@click.argument("key", metavar="CODE-or-E-MAIL", callback=as_sku)
@common_options
def customer(*, key: str, common: Common) -> int:
    """Tell the history of a customer by its code or e-mail address, the shop's or a back office's.

    \b
    Examples:
        syncctl explain customer C-1042
        syncctl explain customer jo@example.com
    """
    with opened(common) as (_, database):
        story = _story(database, key)
    return tell("explain customer", story, _print, common)


def _story(database: Database, key: str) -> dict[str, Any]:
    from syncctl.state import remote_customers
    from syncctl.state.order_customer import keys_of_customers

    numbers = remote_customers.numbers(database, key)
    shop = [dict(row) for row in remote_customers.in_shop(database, numbers)]
    names = dict.fromkeys([*(name for row in shop for name in (row["code"], row["email"]) if name), key])
    remotes = remote_customers.records(database, names, numbers)
    records = [_record(database, row) for row in remotes]
    entered = dict.fromkeys([*names, *(name for each in records for name in (*each["codes"], *each["emails"]))])
    made = timeline.created(database, Kind.CUSTOMERS, keys_of_customers(numbers, entered))
    linked = {row["connector"]: row["matched_run"] or 0 for row in remotes if row["customer_id"] in numbers}
    if not numbers and not records and not made:
        raise RecordError(
            key, "Neither the shop nor a service has told of such a customer", "Read them with syncctl sync-customers"
        )
    return {
        "key": key,
        "shop": shop,
        "records": records,
        "created": made,
        "problems": [
            each for name in names for each in timeline.problems(database, name) if not _is_solved(each, linked)
        ],
    }


def _is_solved(problem: dict[str, Any], linked: Mapping[str, int]) -> bool:
    """Whether a link that it asks for was made in a later run."""
    asks = "syncctl links add" in problem["remedy"]
    return asks and linked.get(problem["connector"], 0) > problem["run"]


def _record(database: Database, row: sqlite3.Row) -> dict[str, Any]:
    """One remote customer: what it is now, and its timeline."""
    return {
        "connector": row["connector"],
        "remote_id": row["remote_id"],
        "codes": [code for code in json.loads(row["codes"]) if code],
        "name": row["name"],
        "emails": json.loads(row["emails"]),
        "state": row["state"],
        "link": timeline.link(row, "customer_id"),
        "linked_to": row["linked_to"],
        "first_seen": timeline.call(database, row["first_call"]),
        "last_seen": timeline.call(database, row["seen_call"]),
        "changes": timeline.changes(database, row),
    }


def _print(story: dict[str, Any]) -> None:
    for each in story["shop"]:
        parts = (each["code"] or "no code", each["email"] or "no e-mail address", each["name"] or each["company"])
        told = ", ".join(part for part in parts if part)
        say(f"{story['key']} in the shop: {told}, since {each['created_at']}", indent=4)
    if not story["shop"]:
        say(f"{story['key']} in the shop: not there")
    if not story["records"]:
        say("no service has told of a customer with this code or e-mail address", indent=4)
    for record in story["records"]:
        who = ", ".join([*record["codes"], *record["emails"], repr(record["name"][:60])])
        to = f" to {record['linked_to']}" if record["linked_to"] else ""
        say(f"\n{record['connector']}: {record['remote_id']}, {record['state']}, {record['link']}{to}", indent=4)
        say(f"  {who}", indent=4)
        timeline.print_seen("seen last", record["last_seen"])
        timeline.print_changes(record["changes"])
        timeline.print_seen("first seen", record["first_seen"])
    timeline.print_created(story["created"])
    timeline.print_problems(story["problems"])
