"""`--dry-run` of the commands that read: the calls that they would make, from the connectors' cost tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncctl.commands.common import Common, number_of_calls, sentence, show_json, warn

if TYPE_CHECKING:
    from syncctl.plan import Wanted


def show_forecast(wanted: Wanted, common: Common, connector: str | None) -> int:
    """Prints the minimum and the expected number of calls for each connector; makes no call and writes nothing."""
    from syncctl.app import chosen
    from syncctl.config import load
    from syncctl.plan import forecast
    from syncctl.state.database import open_database

    config = load(common.env_file)
    warn(config.warnings)
    configs = chosen(config, connector)
    database = open_database(config.state, create=False) if config.state.exists() else None
    try:
        costs = [forecast(each, database, wanted) for each in configs if not each.problems]
    finally:
        if database:
            database.close()
    code = 78 if any(each.problems for each in configs) else 0
    for each in configs:
        for problem in each.problems:
            click.echo(sentence(each.name, "", problem, ""), err=True)
    if common.as_json:
        rows = [{"name": cost.name, "minimum": cost.minimum, "expected": cost.expected} for cost in costs]
        show_json(wanted.command, dry_run=True, exit_code=code, connectors=rows)
    else:
        for cost in costs:
            click.echo(f"{cost.name}: at least {number_of_calls(cost.minimum)}, {cost.words}; none was made")
    return code
