"""`syncctl explain`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from syncctl.commands import timeline
from syncctl.commands.explain_call import explain_call
from syncctl.commands.explain_customer import customer
from syncctl.commands.explain_order import order
from syncctl.commands.layout import say
from syncctl.commands.looking import opened, tell
from syncctl.commands.options import Common, Group, common_options
from syncctl.commands.sku import as_sku
from syncctl.errors import RecordError
from syncctl.models import Kind

if TYPE_CHECKING:
    import sqlite3

    from syncctl.state.database import Database


@click.group("explain", cls=Group)
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
    with opened(common) as (_, database):
        story = _story(database, sku)
    return tell("explain product", story, _print, common)


for each in (order, customer, explain_call):
    command.add_command(each)


def _story(database: Database, sku: str) -> dict[str, Any]:
    from syncctl.state import history
    from syncctl.state.promises import Promises

    shop = database.row("SELECT * FROM catalogue WHERE sku = ?", sku)
    remotes = history.records(database, sku)
    made = timeline.created(database, Kind.PRODUCTS, [sku])
    if shop is None and not remotes and not made:
        raise RecordError(
            sku,
            "Neither the shop nor a service has told of a product of this SKU",
            f"Ask for it with syncctl sync-product {sku}",
        )
    return {
        "sku": sku,
        "catalogue": dict(shop) if shop else None,
        "promised": Promises(database).of(sku),
        "owners": history.owners(database),
        "records": [_record(database, row) for row in remotes],
        "created": made,
        "problems": timeline.problems(database, sku),
    }


def _record(database: Database, row: sqlite3.Row) -> dict[str, Any]:
    """One remote product: what it is now, and its timeline."""
    return {
        "connector": row["connector"],
        "remote_id": row["remote_id"],
        "sku": row["sku"],
        "state": row["state"],
        "prices": json.loads(row["prices"]),
        "link": timeline.link(row, "product_id"),
        "first_seen": timeline.call(database, row["first_call"]),
        "product_last_seen": timeline.last_seen(database, row["product_at"], row["product_call"]),
        "stock_last_seen": timeline.last_seen(database, row["stock_at"], row["stock_call"]),
        "changes": timeline.changes(database, row),
    }


def _print(story: dict[str, Any]) -> None:
    shop = story["catalogue"]
    say(f"{story['sku']} in the shop: " + (_shop_line(shop) if shop else "not there"), indent=4)
    for number, quantity in story["promised"].items():
        say(f"  less {quantity} of order {number[:60]}, which is not in the stock owner's number yet", indent=4)
    owners = [f"{field} from {connector}" for field, connector in story["owners"].items()]
    say(f"  the shop takes its {', its '.join(owners)}" if owners else "  no connector gives prices or stock", indent=4)
    if not story["records"]:
        say("no service has told of it so far")
    for record in story["records"]:
        say(f"\n{record['connector']}: {record['remote_id']}, {record['state']}, {record['link']}", indent=4)
        if record["state"] != "gone":  # the change that says so tells when it was looked for last
            timeline.print_seen("product seen last", record["product_last_seen"])
            timeline.print_seen("stock seen last", record["stock_last_seen"])
        timeline.print_changes(record["changes"])
        timeline.print_seen("first seen", record["first_seen"])
    timeline.print_created(story["created"])
    timeline.print_problems(story["problems"])


def _shop_line(shop: dict[str, Any]) -> str:
    tax = {0: "without tax", 1: "with tax", None: ""}[shop["price_includes_tax"]]
    price = f"{shop['price']} {shop['currency'] or ''} {tax}" if shop["price"] else "no price"
    available = "stock unknown" if shop["available"] is None else f"{shop['available']} available"
    told = [f"{shop['name'][:60]!r}", " ".join(price.split()), available, shop["state"] or "not linked"]
    if shop["as_of"]:
        told.append(f"as of {shop['as_of']}")
    elif shop["state"] != "gone":  # which was looked for: the change below tells when
        told.append("not looked at")
    return ", ".join(told)
