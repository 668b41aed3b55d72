"""`syncctl sync-customers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncctl.commands.common import Job, run_job
from syncctl.commands.options import Common, Running, common_options, running_options
from syncctl.models import Purpose

if TYPE_CHECKING:
    from syncctl.session import Session


@click.command("sync-customers")
@click.option("--full", is_flag=True, help="Read everything; finds customers that were deleted there.")
@running_options
@common_options
def command(*, full: bool, common: Common, running: Running) -> int:
    """Read the customers that changed, and link them to the shop's.

    Links by account id, then by e-mail address, where there is exactly one candidate on both sides; reports several,
    and picks none. Never writes to a customer of a back office. Up to 200 changes cost 1 call, and so does a quiet run.

    \b
    Examples:
        syncctl sync-customers
        syncctl sync-customers --connector unleashed --full
    """
    if running.dry_run:
        from syncctl.commands.forecast import show_forecast
        from syncctl.forecast import Wanted

        return show_forecast(Wanted("sync-customers", full=full), common, running.connector)

    def work(session: Session) -> None:
        from syncctl.pull.customers import sync_customers

        sync_customers(session, full=full)

    return run_job(Job("sync-customers", Purpose.CUSTOMER, work), common, running)
