"""`syncctl sync-product`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncctl.commands.common import Job, run_job
from syncctl.commands.layout import say
from syncctl.commands.options import Common, Running, common_options, running_options
from syncctl.commands.sku import as_skus
from syncctl.models import Purpose

if TYPE_CHECKING:
    from syncctl.session import Session


@click.command("sync-product")
@click.argument("skus", metavar="SKU...", nargs=-1, required=True, callback=as_skus)
@click.option("--accept-loss", is_flag=True, help="Accept that many products are gone.")
@running_options
@common_options
def command(*, skus: tuple[str, ...], accept_loss: bool, common: Common, running: Running) -> int:
    """Read single products now, by SKU, and show what changed.

    Products that syncctl knows go in lists where the service takes lists: 2 calls for up to 50. An SKU that it does not
    know, or that several products have, costs at most 2. Takes no lock, so it never waits for a long read.

    \b
    Examples:
        syncctl sync-product MUG-BLUE
        syncctl sync-product MUG-BLUE MUG-RED --connector unleashed
    """
    wanted = tuple(dict.fromkeys(sku for sku in skus if sku))
    if not wanted:
        raise click.UsageError("No SKU is given.")
    if running.dry_run:
        from syncctl.commands.forecast import show_forecast
        from syncctl.forecast import Wanted

        return show_forecast(Wanted("sync-product", skus=wanted), common, running.connector)

    def work(session: Session) -> None:
        from syncctl.pull.refresh import sync_product

        before = {sku: (session.history.last_call(sku), session.history.values(sku)) for sku in wanted}
        try:
            sync_product(session, wanted)
        finally:
            if common.talks and not common.as_json:
                _show(session, before)

    job = Job("sync-product", Purpose.MANUAL, work, lock=False, accept_loss=accept_loss)
    return run_job(job, common, running)


def _show(session: Session, before: dict[str, tuple[int, dict[str, str | None]]]) -> None:
    """The values of each product that was read, and what they were where that differs; of twins none is the one."""
    for sku, (call, old) in before.items():
        if len(session.gaps.by_sku(sku)) > 1 and not session.gaps.linked(sku):
            continue
        new = session.history.values(sku)
        if session.history.last_call(sku) > call:
            say(f"{session.name}: {sku}: " + ", ".join(_value(name, old, new) for name in new), indent=4)


def _value(name: str, old: dict[str, str | None], new: dict[str, str | None]) -> str:
    after = new[name] if new[name] is not None else "none"
    if not old or old.get(name) == new[name]:
        return f"{name} {after}"
    return f"{name} {old.get(name) if old.get(name) is not None else 'none'} -> {after}"
