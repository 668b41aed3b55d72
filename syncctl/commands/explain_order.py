"""`syncctl explain order`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from syncctl.commands.layout import say
from syncctl.commands.looking import opened
from syncctl.commands.messages import show_json
from syncctl.commands.options import Common, common_options
from syncctl.commands.standing import with_reasons, with_stops
from syncctl.commands.timeline import HOW
from syncctl.errors import RecordError
from syncctl.models import Kind, Struct

if TYPE_CHECKING:
    import sqlite3

    from syncctl.settings.config import Config
    from syncctl.state.database import Database
    from syncctl.state.outbox import Row


@click.command("order")
@click.argument("number")
@common_options
def order(*, number: str, common: Common) -> int:
    """Tell what became of an order of the shop: where it is posted, each try, and the call that made it.

    The customer and the products that syncctl creates for it come last.

    \b
    Example:
        syncctl explain order 1001
    """
    with opened(common) as (config, database):
        story = _gathered(config, database, number)
    if story.shop is None and not story.rows:
        raise RecordError(number, "The shop has no order of this number", "Import it with syncctl import orders")
    if common.as_json:
        show_json("explain order", exit_code=0, **_as_json(number, story))
    else:
        _print(number, story)
    return 0


class _Story(Struct):
    """What is known of an order; `since`: what the shop changed after it was posted, by the row."""

    shop: sqlite3.Row | None
    rows: list[tuple[Row, list[dict[str, Any]]]]
    customers: dict[int, dict[str, Any]]
    since: dict[int, Row]
    why: str  # it is not queued


def _gathered(config: Config, database: Database, number: str) -> _Story:
    from syncctl.commands import altered
    from syncctl.commands.queue import posted_statuses
    from syncctl.state.queue import Queue

    shop = database.row("SELECT number, placed_at, status, currency, total FROM orders WHERE number = ?", number)
    queue, statuses = Queue(database), posted_statuses(config)
    own = with_reasons(database, queue.of_order(number))
    made = queue.made_for(number) if own else []
    return _Story(
        shop=shop,
        rows=[
            *((row, with_stops(database, row, queue.attempts(row))) for row in own),
            *((row, queue.attempts(row)) for row in made),
        ],
        customers={row.id: found for row in own if (found := _customer(database, row, made))},
        since={each.row.id: altered.told(each, statuses) for each in queue.altered_order(number, statuses)},
        why=_why_not(config, database, number, shop["status"]) if shop and not own else "",
    )


def _as_json(number: str, story: _Story) -> dict[str, Any]:
    from syncctl.commands.queue_rows import as_json

    return {
        "number": number,
        "shop": dict(story.shop) if story.shop else None,
        "records": [as_json(story.since.get(row.id, row)) | {"attempts": tried} for row, tried in story.rows],
        "customers": list(story.customers.values()),
    }


def _print(number: str, story: _Story) -> None:
    from syncctl.commands import altered
    from syncctl.commands.queue_rows import line, print_attempts

    shop = story.shop
    where = f"{shop['status']}, {shop['total']} {shop['currency']}, placed {shop['placed_at']}" if shop else "not there"
    say(f"{number} in the shop: {where}", indent=4)
    for row, tried in story.rows:
        say(line(row), indent=7)
        print_attempts(tried)
        if row.id in story.customers:
            _print_customer(story.customers[row.id])
        if row.id in story.since:
            say(f"       {altered.sentence(story.since[row.id])}", indent=9)
    if story.why:
        say(f"not queued: {story.why}", indent=4)


def _customer(database: Database, row: Row, made: Sequence[Row]) -> dict[str, Any] | None:
    """Whom an order was sent for, and how that was decided; None where it was not sent yet, or for nobody."""
    from syncctl.state import remote_customers

    remote_id = row.expected.get("customer")
    if row.kind is not Kind.ORDERS or not remote_id:
        return None
    record = remote_customers.record(database, row.connector, remote_id)
    linked = record is not None and record["customer_id"] is not None
    ours = next((each for each in made if (each.connector, each.remote_id) == (row.connector, remote_id)), None)
    codes = [code for code in json.loads(record["codes"]) if code] if record else []
    return {
        "connector": row.connector,
        "remote_id": remote_id,
        "code": codes[0] if codes else ours.reference if ours else None,
        "how": _how(record if linked else None, ours, row.key),
        "run": record["matched_run"] if record and linked else None,
    }


def _how(link: sqlite3.Row | None, ours: Row | None, number: str) -> str:
    """The rule that found a customer."""
    if link is not None and ours is None:
        return f"linked to {link['linked_to']} {HOW.get(link['matched_by'], link['matched_by'])}"
    if ours is None:
        return "found by the code or e-mail address of the order"
    first = ours.expected.get("order", number)
    return "created by syncctl for it" if first == number else f"created by syncctl for order {first}"


def _print_customer(customer: dict[str, Any]) -> None:
    run = f" (run {customer['run']})" if customer["run"] else ""
    code = f"{customer['code']}, " if customer["code"] else ""
    say(f"       its customer there: {code}{customer['remote_id']}, {customer['how']}{run}", indent=9)


def _why_not(config: Config, database: Database, number: str, status: str) -> str:
    """Why no run has queued an order of this status."""
    from syncctl.commands.queue import posted_statuses

    if not any("invoices" in each.roles for each in config.connectors):
        return "no connector has the role invoices (SYNCCTL_NAME_ROLES)"
    if status not in posted_statuses(config):
        told = config.posting["POST_STATUSES"]
        return f"orders with the status {status} are not posted (SYNCCTL_POST_STATUSES={told})"
    return _flood(config, database, number) or "the next syncctl post-invoices looks at it"


def _flood(config: Config, database: Database, number: str) -> str:
    """What a person has to say before it is posted; "" where nothing is asked."""
    from syncctl.clock import SystemClock
    from syncctl.commands.flood import held_back, held_words
    from syncctl.settings.posting import posters, posting_problems

    if problem := next(posting_problems(config), ""):
        return f"no order is, as {problem}"
    for each in posters(config):
        held = held_back(config, database, each, SystemClock().now())
        if number in held:
            alone = f"to post this one alone, run syncctl post-invoices --order {shlex.quote(number)}"
            return f"{held_words(len(held))}; {_oldest(database, held)}; {alone}"
    return ""


def _oldest(database: Database, numbers: Sequence[str]) -> str:
    """The order that may be too old to be posted unasked, and holds the others with it."""
    sql = "SELECT number, placed_at FROM orders WHERE number IN (SELECT value FROM json_each(?)) ORDER BY placed_at"
    row = database.row(f"{sql} LIMIT 1", json.dumps(numbers))
    return f"the oldest is {row['number']} of {row['placed_at']}" if row else ""
