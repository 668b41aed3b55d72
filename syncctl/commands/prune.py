"""`syncctl prune`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from syncctl.commands.layout import say
from syncctl.commands.messages import Terminal, show_json
from syncctl.commands.options import Common, common_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncctl.state.pruning import Size


@click.command("prune")
@click.option("--dry-run", is_flag=True, help="Count what would be removed, and remove nothing.")
@click.option(
    "--vacuum", is_flag=True, help="Then give the free space back to the disk; nobody else can write meanwhile."
)
@common_options
def command(*, dry_run: bool, vacuum: bool, common: Common) -> int:
    """Forget what is old and explains nothing any more, as runs do once a day.

    How long what is kept: SYNCCTL_KEEP_BODIES_DAYS, _JOURNAL_DAYS (calls and runs) and _CHANGES_DAYS. Always kept are
    the last change of each value with its call and run, what orders that are not posted need, each try to post, and
    the last run of each kind. The file does not shrink by that: the space is used again.

    \b
    Examples:
        syncctl prune --dry-run
        syncctl prune --vacuum -v
    """
    if dry_run and vacuum:
        raise click.UsageError("--vacuum has nothing to do in a dry run.")
    from syncctl.clock import SystemClock
    from syncctl.models import to_ms
    from syncctl.settings.config import load
    from syncctl.state import pruning
    from syncctl.state.database import open_database

    config = load(common.env_file)
    with closing(open_database(config.state, group=config.state_group, create=False)) as database:
        rounds = pruning.Pruning(database, config.keep, to_ms(SystemClock().now()))
        before = pruning.size(database)
        with closing(Terminal(common)) as terminal:
            removed = rounds.count() if dry_run else rounds.sweep_all(terminal.progress)
        if vacuum:
            pruning.vacuum(database)
        after = pruning.size(database)
    if common.as_json:
        sizes = {"bytes_before": before.total, "bytes_after": after.total, "bytes_free": after.free}
        show_json("prune", exit_code=0, dry_run=dry_run, removed=removed, **sizes)
    elif common.talks or dry_run:
        _print(removed, (before, after), dry_run=dry_run)
    return 0


def _print(removed: Mapping[str, int], sizes: tuple[Size, Size], *, dry_run: bool) -> None:
    before, after = sizes
    counts = ", ".join(f"{count:,} {table}" for table, count in removed.items())
    say(f"{'would be removed' if dry_run else 'removed'}: {counts}")
    free = f", of which {_megabytes(after.free)} are free for what comes" if after.free else ""
    change = _megabytes(after.total) if dry_run else f"{_megabytes(before.total)} before, {_megabytes(after.total)} now"
    say(f"the state file: {change}{free}")


def _megabytes(number: int) -> str:
    return f"{number / 1e6:,.1f} MB"
