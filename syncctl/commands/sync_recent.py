"""`syncctl sync-recent`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncctl.commands.common import Job, run_job
from syncctl.commands.options import Common, Running, common_options, running_options
from syncctl.models import Purpose

if TYPE_CHECKING:
    from syncctl.session import Session


@click.command("sync-recent")
@click.option("--full", is_flag=True, help="Read everything; finds what the service never announced.")
@click.option("--accept-loss", is_flag=True, help="Accept that many products are gone, or that all stock is zero.")
@running_options
@common_options
def command(*, full: bool, accept_loss: bool, common: Common, running: Running) -> int:
    """Pull the products and stock that changed since the last run.

    Up to 200 changes of each kind cost 2 calls, and so does a quiet run; Xero tells all in 1. The first run reads
    everything; it may be interrupted and goes on where it stopped.

    \b
    Examples:
        syncctl sync-recent
        syncctl sync-recent --full --max-seconds 3000
        syncctl sync-recent --dry-run
    """
    if running.dry_run:
        from syncctl.commands.forecast import show_forecast
        from syncctl.forecast import Wanted

        return show_forecast(Wanted("sync-recent", full=full), common, running.connector)

    def work(session: Session) -> None:
        from syncctl.pull.feed import sync_recent

        sync_recent(session, full=full)

    return run_job(Job("sync-recent", Purpose.RECENT, work, accept_loss=accept_loss), common, running)
