"""`syncctl sync-oldest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncctl.commands.common import Job, run_job
from syncctl.commands.options import Common, Running, common_options, running_options
from syncctl.models import Purpose

if TYPE_CHECKING:
    from syncctl.session import Session


@click.command("sync-oldest")
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="How many products, at least.")
@click.option("--accept-loss", is_flag=True, help="Accept that many products are gone.")
@running_options
@common_options
def command(*, limit: int, accept_loss: bool, common: Common, running: Running) -> int:
    """Read the products again that were looked at longest ago.

    Catches what no change feed tells of: products deleted in the back office (ghosts) and values that changed
    without a trace (drift). What fits into the calls already paid is verified too: Unleashed takes 2 calls for 50
    products, Vend 2 for the next 200 of a round through all of them, Xero 1 for everything.

    \b
    Examples:
        syncctl sync-oldest
        syncctl sync-oldest --limit 500 -v
    """
    if running.dry_run:
        from syncctl.commands.forecast import show_forecast
        from syncctl.forecast import Wanted

        return show_forecast(Wanted("sync-oldest", products=limit), common, running.connector)

    def work(session: Session) -> None:
        from syncctl.pull.oldest import sync_oldest

        sync_oldest(session, limit)

    return run_job(Job("sync-oldest", Purpose.OLDEST, work, accept_loss=accept_loss), common, running)
