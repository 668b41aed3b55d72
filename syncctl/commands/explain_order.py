"""`syncctl explain order`."""

from __future__ import annotations

from contextlib import closing

import click

from syncctl.commands.messages import show_json
from syncctl.commands.options import Common, common_options
from syncctl.errors import RecordError


@click.command("order")
@click.argument("number")
@common_options
def order(*, number: str, common: Common) -> int:
    """Tell what became of an order of the shop: where it is posted, each try, and the call that made it.

    \b
    Example:
        syncctl explain order 1001
    """
    from syncctl.commands.queue import as_json, line, print_attempts
    from syncctl.config import load
    from syncctl.state.database import open_database
    from syncctl.state.queue import Queue

    config = load(common.env_file)
    with closing(open_database(config.state, group=config.state_group, create=False)) as database:
        shop = database.row("SELECT number, placed_at, status, currency, total FROM orders WHERE number = ?", number)
        queue = Queue(database)
        rows = [(row, queue.attempts(row)) for row in queue.of_order(number)]
    if shop is None and not rows:
        raise RecordError(number, f"Nobody has told of an order {number}", "Import it with syncctl import orders")
    if common.as_json:
        told = [as_json(row) | {"attempts": attempts} for row, attempts in rows]
        show_json("explain order", exit_code=0, number=number, shop=dict(shop) if shop else None, records=told)
        return 0
    where = f"{shop['status']}, {shop['total']} {shop['currency']}, placed {shop['placed_at']}" if shop else "not there"
    click.echo(f"{number} in the shop: {where}")
    for row, attempts in rows:
        click.echo(line(row))
        print_attempts(attempts)
    if not rows:
        click.echo("not queued: its status is not posted, or no run has come yet")
    return 0
