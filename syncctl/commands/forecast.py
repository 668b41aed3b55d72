"""`--dry-run` of the commands that read: the calls that they would make, from the connectors' cost tables."""

from __future__ import annotations

from collections.abc import Sequence

import click

from syncctl.commands.common import Common, show_json, warn


def show_forecast(  # noqa: PLR0913 - the options of three commands, all but one unset
    command: str,
    common: Common,
    connector: str | None,
    *,
    full: bool = False,
    products: int = 0,
    skus: Sequence[str] = (),
) -> int:
    """Prints the minimum and the expected number of calls for each connector; makes no call and writes nothing."""
    from syncctl.app import chosen
    from syncctl.config import load
    from syncctl.plan import Wanted, forecast
    from syncctl.state.database import open_database

    config = load(common.env_file)
    warn(config.warnings)
    database = open_database(config.state, create=False) if config.state.exists() else None
    try:
        wanted = Wanted(command, full, products, skus)
        costs = [forecast(each, database, wanted) for each in chosen(config, connector)]
    finally:
        if database:
            database.close()
    if common.as_json:
        rows = [{"name": cost.name, "minimum": cost.minimum, "expected": cost.expected} for cost in costs]
        show_json(command, dry_run=True, connectors=rows)
    else:
        for cost in costs:
            click.echo(f"{cost.name}: at least {cost.minimum:,} calls, {cost.words}; none was made")
    return 0
