"""`--dry-run` of the commands that read: the calls that they would make, from the connectors' cost tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncctl.commands.layout import plural, say
from syncctl.commands.messages import sentence, show_json, warn
from syncctl.commands.options import Common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncctl.forecast import Cost, Wanted
    from syncctl.push.pushing import Wanted as Posting
    from syncctl.settings.config import ConnectorConfig


def show_forecast(wanted: Wanted, common: Common, connector: str | None) -> int:
    """Prints the minimum and the expected number of calls for each connector; makes no call and writes nothing."""
    from syncctl.app import chosen
    from syncctl.clock import SystemClock
    from syncctl.forecast import forecast
    from syncctl.settings.config import load
    from syncctl.state.database import has_content, open_database
    from syncctl.state.learnt import as_learnt

    config = load(common.env_file)
    warn(config.warnings)
    database = open_database(config.state, create=False) if has_content(config.state) else None
    try:
        configs = chosen(as_learnt(config, database) if database else config, connector)
        costs = [forecast(each, database, wanted, SystemClock()) for each in configs if not each.problems]
    finally:
        if database:
            database.close()
    return _show(wanted.command, common, configs, costs)


def show_posting_forecast(command: str, wanted: Posting, common: Common, connector: str | None) -> int:
    """The same for the commands that post."""
    from syncctl.clock import SystemClock
    from syncctl.models import to_ms
    from syncctl.push.forecast import posting_forecast
    from syncctl.settings.config import load
    from syncctl.settings.posting import posters, posting_terms
    from syncctl.state.database import open_database

    config = load(common.env_file)
    warn(config.warnings)
    configs, terms = posters(config, connector), posting_terms(config)
    database = open_database(config.state, create=False)
    try:
        now = to_ms(SystemClock().now())
        costs = [posting_forecast(each, database, terms, wanted, now) for each in configs if not each.problems]
    finally:
        database.close()
    return _show(command, common, configs, costs, bounded=True)


def _told(cost: Cost, *, bounded: bool) -> str:
    """The number of calls; `bounded`: what is expected is the most that it can be."""
    if not bounded or cost.expected is None:
        return f"at least {plural(cost.minimum, 'call')}"
    return plural(cost.minimum, "call") if cost.minimum == cost.expected else f"at most {plural(cost.expected, 'call')}"


def _show(
    command: str, common: Common, configs: Sequence[ConnectorConfig], costs: Sequence[Cost], *, bounded: bool = False
) -> int:
    """Prints what it would cost, and what is wrong with the settings; the exit code."""
    code = 78 if any(each.problems for each in configs) else 0
    for each in configs:
        for problem in each.problems:
            say(sentence(each.name, "", problem, ""), indent=4, err=True)
    if common.as_json:
        rows = [{"name": cost.name, "minimum": cost.minimum, "expected": cost.expected} for cost in costs]
        show_json(command, dry_run=True, exit_code=code, connectors=rows)
    else:
        for cost in costs:
            say(f"{cost.name}: {_told(cost, bounded=bounded)}, {cost.words}; none was made", indent=4)
    return code
