"""`syncctl post-invoices`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncctl.commands.common import Job, run_job
from syncctl.commands.options import Common, Running, common_options, running_options
from syncctl.models import Purpose

if TYPE_CHECKING:
    from syncctl.push.pushing import Wanted
    from syncctl.session import Session


@click.command("post-invoices")
@click.option(
    "--order",
    "numbers",
    metavar="NUMBER",
    multiple=True,
    help="Only this order, however old it is; may be given repeatedly.",
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many orders.")
@click.option("--yes-all", is_flag=True, help="Post also more than 50 at once, or orders older than 7 days.")
@running_options
@common_options
def command(*, numbers: tuple[str, ...], limit: int | None, yes_all: bool, common: Common, running: Running) -> int:
    """Post the shop's orders to the back office, each exactly once.

    First queues the orders that are new and asks for those of which nobody knows whether they arrived, then posts
    all that are due. Customers and products that are not there yet are created first. An order costs one call where
    they are known.

    \b
    Examples:
        syncctl post-invoices
        syncctl post-invoices --order 1001 --order 1002
        syncctl post-invoices --dry-run
    """
    from syncctl.push.pushing import Wanted

    return run_posting("post-invoices", Wanted(numbers, limit, yes_all), common, running)


def run_posting(name: str, wanted: Wanted, common: Common, running: Running) -> int:
    """What `post-invoices` and `retry-queue` share."""
    if running.dry_run:
        from syncctl.commands.forecast import show_posting_forecast

        return show_posting_forecast(name, wanted, common, running.connector)

    def work(session: Session) -> None:
        from syncctl.push.orders import post
        from syncctl.push.pushing import pushing

        post(pushing(session, wanted))

    return run_job(Job(name, Purpose.INVOICE, work, push=True), common, running)
