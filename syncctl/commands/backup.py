"""`syncctl backup`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from syncctl.commands.layout import say
from syncctl.commands.messages import Terminal, show_json
from syncctl.commands.options import Common, common_options
from syncctl.models import to_ms


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@common_options
def command(*, file: Path, force: bool, common: Common) -> int:
    """Copy the state to FILE while syncctl and the shop go on, and check the copy.

    FILE is one SQLite file, for its owner alone (0600), and takes its name only when it is whole. It holds neither the
    settings nor any token: keep the .env as well. syncctl restore brings it back.

    \b
    Examples:
        syncctl backup /var/backups/syncctl.db --force
        syncctl backup "/var/backups/syncctl-$(date +%F).db"
    """
    from syncctl.clock import SystemClock
    from syncctl.settings.config import load
    from syncctl.state.backup import back_up
    from syncctl.state.database import open_database

    config = load(common.env_file)
    if file.exists() and Path(config.state).exists() and file.samefile(config.state):
        raise click.UsageError(f"{file} is the state file itself: name another one.")
    if file.exists() and not force:
        raise click.UsageError(f"{file} is there already: name another one, or pass --force.")
    opened = open_database(config.state, group=config.state_group, create=False)
    with closing(opened) as database, closing(Terminal(common)) as terminal:
        made = back_up(database.connection, file, to_ms(SystemClock().now()), terminal.progress)
    if common.as_json:
        told = {"file": str(file), "bytes": made.bytes, "run": made.run, "products": made.products}
        show_json("backup", exit_code=0, **told, orders=made.orders)
    elif common.talks:
        what = f"{made.products:,} products, {made.orders:,} orders, everything up to run {made.run:,}"
        say(f"{file}: {made.bytes / 1e6:,.1f} MB, checked: {what}. Neither settings nor tokens are in it.")
    return 0
