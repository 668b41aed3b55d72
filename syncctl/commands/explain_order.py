"""`syncctl explain order`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncctl.commands.layout import say
from syncctl.commands.looking import opened
from syncctl.commands.messages import show_json
from syncctl.commands.options import Common, common_options
from syncctl.errors import RecordError

if TYPE_CHECKING:
    from syncctl.config import Config
    from syncctl.state.database import Database


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
    from syncctl.commands import altered
    from syncctl.commands.queue import as_json, line, posted_statuses, print_attempts
    from syncctl.state.queue import Queue

    with opened(common) as (config, database):
        shop = database.row("SELECT number, placed_at, status, currency, total FROM orders WHERE number = ?", number)
        queue = Queue(database)
        own = queue.of_order(number)
        rows = [(row, queue.attempts(row)) for row in (*own, *(queue.made_for(number) if own else ()))]
        statuses = posted_statuses(config)
        since = {each.row.id: altered.told(each, statuses) for each in queue.altered_order(number, statuses)}
        why = _why_not(config, database, number, shop["status"]) if shop and not rows else ""
    if shop is None and not rows:
        raise RecordError(number, "The shop has no order of this number", "Import it with syncctl import orders")
    if common.as_json:
        told = [as_json(since.get(row.id, row)) | {"attempts": attempts} for row, attempts in rows]
        show_json("explain order", exit_code=0, number=number, shop=dict(shop) if shop else None, records=told)
        return 0
    where = f"{shop['status']}, {shop['total']} {shop['currency']}, placed {shop['placed_at']}" if shop else "not there"
    say(f"{number} in the shop: {where}", indent=4)
    for row, attempts in rows:
        say(line(row), indent=7)
        print_attempts(attempts)
        if row.id in since:
            say(f"       {altered.sentence(since[row.id])}", indent=9)
    if shop and not rows:
        say(f"not queued: {why}", indent=4)
    return 0


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
    from syncctl.models import to_ms
    from syncctl.posting_terms import posters, posting_problems, posting_terms
    from syncctl.push.forecast import Forecaster, flood_words
    from syncctl.push.pushing import Wanted

    if problem := next(posting_problems(config), ""):
        return f"no order is, as {problem}"
    terms, now = posting_terms(config), to_ms(SystemClock().now())
    for each in posters(config):
        held = Forecaster(each, database, Wanted(), now).flood(terms)
        if number in held:
            return f"{flood_words(len(held))}. Look at them, then run syncctl post-invoices --yes-all"
    return ""
