"""`syncctl restore`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncctl.commands.layout import plural, say
from syncctl.commands.messages import Terminal, show_json
from syncctl.commands.options import Common, common_options
from syncctl.errors import ConfigError
from syncctl.models import from_ms, iso, to_ms

if TYPE_CHECKING:
    from syncctl.clock import Clock
    from syncctl.settings.config import Config
    from syncctl.state.backup import Backup
    from syncctl.state.restore import Restored, Since

_MOST_SHOWN = 20


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--wait-lock", type=click.FloatRange(0), default=0, metavar="SECONDS", help="Wait this long for a run.")
@common_options
def command(*, file: Path, wait_lock: float, common: Common) -> int:
    """Put the state back to a backup, and say what has happened since. Makes no call.

    What is there now stays beside it, as STATE.before-TIME. The budget goes on with the calls made since. Orders placed
    before now are looked for in the back office before they are posted, so that none arrives twice. Let the shop
    write nothing meanwhile: what it wrote after the backup is in the old file alone.

    \b
    Example:
        syncctl restore /var/backups/syncctl.db
    """
    from syncctl.clock import SystemClock
    from syncctl.settings.config import load
    from syncctl.state.backup import read_backup
    from syncctl.state.restore import ready_to_lock, restore

    config, clock = load(common.env_file), SystemClock()
    state = Path(config.state)
    if state.exists() and file.samefile(state):
        raise click.UsageError(f"{file} is the state file itself: name a backup.")
    backup = read_backup(file)
    _refuse_stranger(config, backup)
    with ready_to_lock(state), _nothing_runs(config, backup, wait_lock, clock), closing(Terminal(common)) as bar:
        at = to_ms(clock.now())  # only now, since the run that was waited for may have posted
        restored = restore(state, backup, config.state_group, at, bar.progress)
    if common.as_json:
        show_json("restore", exit_code=0, file=str(file), **_as_json(backup, restored))
    else:
        _print(config, backup, restored)
    return 0


def _refuse_stranger(config: Config, backup: Backup) -> None:
    """Raises `ConfigError` for the copy of another shop's state, or where a name stands for another account."""
    if backup.shop != config.shop:
        raise ConfigError(
            [f"SYNCCTL_SHOP: is {config.shop}, but {backup.file} belongs to {backup.shop or 'no shop'}"],
            "Name a backup of this shop",
        )
    for each in config.connectors:
        theirs = backup.accounts.get(each.name)
        if each.problems or theirs is None:
            continue
        ours = (each.kind, each.values.base_url, each.cls.account(each.values))
        if theirs != ours:
            raise ConfigError(
                [f"{each.name}: {backup.file} holds data of {' '.join(theirs)}, the settings say {' '.join(ours)}"],
                "Name a backup of these accounts, or correct the settings",
            )


@contextmanager
def _nothing_runs(config: Config, backup: Backup, wait: float, clock: Clock) -> Iterator[None]:
    """Holds the locks of all connectors. Raises `LockedError`."""
    from syncctl.state.locks import Holder, hold

    names = {each.name for each in config.connectors} | backup.accounts.keys()
    holder = Holder("syncctl restore", os.getpid(), 0, iso(clock.now()))
    with ExitStack() as locks:
        for name in sorted(names):
            locks.enter_context(hold(config.state, name, holder, wait=wait, clock=clock))
            locks.enter_context(hold(config.state, f"{name}-push", holder, wait=wait, clock=clock))
        yield


def _as_json(backup: Backup, restored: Restored) -> dict[str, Any]:
    since = restored.since
    posted = [{"connector": name, "number": number, "remote_id": there} for name, number, there in since.posted]
    told = {"known": since.known, "runs": since.runs, "calls": since.calls, "posted": posted}
    return {
        "backed_up_at": iso(from_ms(backup.backed_up_at)) if backup.backed_up_at else None,
        "run": backup.run,
        "kept": str(restored.kept) if restored.kept else None,
        "since": told | {"orders": list(since.orders)},
    }


def _print(config: Config, backup: Backup, restored: Restored) -> None:
    made = f" of {iso(from_ms(backup.backed_up_at))}" if backup.backed_up_at else ""
    say(f"{config.state} is as in {backup.file}{made}, after run {backup.run:,}.")
    if restored.kept:
        say(f"What was there is kept as {restored.kept}.")
    for line in _since(restored.since):
        say(line, indent=4)
    say("Orders placed before now are looked for in the back office before they are posted.")


def _since(since: Since) -> Iterator[str]:
    if not since.known:
        least = f": at least {_runs(since.runs)}" if since.runs else ""
        yield f"What has happened since then is not known{least}; nor does the budget count the calls of that time."
        return
    yield f"Since then: {_runs(since.runs)}, {plural(since.calls, 'call')}, which the budget counts."
    if since.posted:
        yield f"Posted since: {_listed([f'{number} ({name})' for name, number, _ in since.posted])}."
    if since.orders:
        yield f"Orders that the shop has written since, which only the kept file has: {_listed(since.orders)}."


def _runs(number: int) -> str:
    return f"{number:,} run{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN:,} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more
