"""`syncctl plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncctl.clock import seconds_in
from syncctl.commands.layout import say
from syncctl.commands.messages import sentence, show_json, warn
from syncctl.commands.options import Common, common_options, gathered
from syncctl.errors import StateError
from syncctl.models import to_ms
from syncctl.plan.given import Given

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncctl.plan.planning import Plan
    from syncctl.settings.config import Config, ConnectorConfig


def _length(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """A length of time as people write it, in seconds."""
    try:
        return None if value is None else seconds_in(value)
    except ValueError:
        raise click.BadParameter(f"{value} is no length of time, as 90m, 2h or 1d.", ctx, param) from None


_COUNT = click.IntRange(0, 10_000_000)
_SIZES = (
    click.option(
        "--freshness", callback=_length, metavar="LENGTH", help="How soon a change has to show; else SYNCCTL_FRESHNESS."
    ),
    click.option("--products", type=click.IntRange(1, 10_000_000), metavar="N", help="Products of each service."),
    click.option("--orders-per-day", "orders", type=_COUNT, metavar="N", help="Orders that are posted a day."),
    click.option("--changes-per-day", "changes", type=_COUNT, metavar="N", help="What changes a day, in each."),
)


@click.command("plan")
@gathered(_SIZES, Given, "given")
@click.option("--crontab", is_flag=True, help="Print the schedule as a crontab.")
@click.option(
    "--systemd",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the schedule as systemd services and timers into a folder.",
)
@common_options
def command(*, given: Given, crontab: bool, folder: Path | None, common: Common) -> int:
    """Reckon the calls of a schedule that keeps the promise, and write it for cron or systemd.

    Chooses how often each command runs, so that a change shows in time and every limit holds, with the shares that are
    kept for more important calls. Sizes and rates are those of the state, unless they are told; limits are those of
    the settings, else those that the services told. Makes no call, and works before the first run with --products.

    \b
    Examples:
        syncctl plan
        syncctl plan --freshness 30m --products 5000 --orders-per-day 40
        syncctl plan --crontab > /etc/cron.d/syncctl
        syncctl plan --systemd /etc/systemd/system
    """
    if crontab and (common.as_json or folder):
        raise click.UsageError("--crontab prints a crontab and nothing else: say --json or --systemd another time.")
    config = _config(common)
    plan = _plan(config, given)
    written = _write(config, plan, folder) if folder else []
    code = _problems(config.connectors)
    if common.as_json:
        from syncctl.commands.plan_words import as_json

        show_json("plan", exit_code=code, shop=config.shop, **as_json(plan), written=written)
    elif crontab:
        click.echo(_crontab(config, plan), nl=False)
    elif folder:
        _tell_written(config, folder, written)
    else:
        from syncctl.commands.plan_words import told

        for line in told(config, plan):
            say(line)
    return code


def _config(common: Common) -> Config:
    from syncctl.settings.config import load

    config = load(common.env_file)
    warn(config.warnings)
    return config


def _plan(config: Config, given: Given) -> Plan:
    from syncctl.clock import SystemClock
    from syncctl.plan.planning import planned
    from syncctl.state.database import has_content, open_database
    from syncctl.state.learnt import as_learnt

    database = open_database(config.state, create=False) if has_content(config.state) else None
    try:
        learnt = as_learnt(config, database) if database else config
        plan = planned(learnt, database, given, to_ms(SystemClock().now()))
    finally:
        if database:
            database.close()
    if plan.unread:
        names = ", ".join(plan.unread)
        raise click.UsageError(f"Nothing of {names} has been read yet: say how many products there are (--products).")
    return plan


def _problems(configs: Sequence[ConnectorConfig]) -> int:
    """Tells what is wrong with the settings of connectors, which are left out; the exit code."""
    for each in configs:
        for problem in each.problems:
            say(sentence(each.name, "", problem, "It is left out of the plan"), err=True)
    return 78 if any(each.problems for each in configs) else 0


def _crontab(config: Config, plan: Plan) -> str:
    from syncctl.plan.crontab import crontab
    from syncctl.plan.place import place

    return crontab(plan, place(config))


def _write(config: Config, plan: Plan, folder: Path) -> list[str]:
    """The names of the units that were written."""
    from syncctl.plan.place import place
    from syncctl.plan.units import units, write

    made = units(plan, place(config))
    try:
        write(made, folder)
    except OSError as error:
        remedy = "Make the folder, or let the user who runs syncctl write there"
        raise StateError(f"{folder} cannot be written: {error.strerror or error}", remedy) from error
    return list(made)


def _tell_written(config: Config, folder: Path, written: Sequence[str]) -> None:
    from syncctl.plan.place import owner_of
    from syncctl.plan.units import strangers

    timers = " ".join(name for name in written if name.endswith(".timer"))
    click.echo(f"{len(written)} units are in {folder}. With them in /etc/systemd/system, as root:")
    click.echo(f"systemctl daemon-reload && systemctl enable --now {timers}")
    click.echo(f"Look at them with: systemctl list-timers 'syncctl-{config.shop}-*'")
    click.echo(f"They run as {owner_of(config.state)}, who owns the state; with another owner, write them anew.")
    if others := strangers(config.shop, folder, written):
        click.echo(f"These are not of this schedule, disable and delete them: {' '.join(others)}")
    say("systemd mails nothing: set SYNCCTL_SMTP_URL, or watch syncctl status --check")
