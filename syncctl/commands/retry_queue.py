"""`syncctl retry-queue`."""

from __future__ import annotations

import click

from syncctl.commands.options import Common, Running, common_options, running_options


@click.command("retry-queue")
@click.option("--now", is_flag=True, help="Try also what is to be tried later.")
@running_options
@common_options
def command(*, now: bool, common: Common, running: Running) -> int:
    """Try again what could not be posted, and find out what is unknown.

    Queues no new orders. What has been refused is tried again after 1, 2, 4 … hours (SYNCCTL_RETRY) with the order
    and the settings as they are then, and is given up in the end.

    \b
    Examples:
        syncctl retry-queue
        syncctl retry-queue --now --connector unleashed
    """
    from syncctl.commands.post_invoices import run_posting
    from syncctl.push.pushing import Wanted

    return run_posting("retry-queue", Wanted(queue=False, now=now), common, running)
