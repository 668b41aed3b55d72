"""`syncctl queue`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from syncctl.clock import SystemClock
from syncctl.commands import altered
from syncctl.commands.flood import held_back, held_words
from syncctl.commands.layout import MOST_SHOWN, more, say
from syncctl.commands.looking import opened, refuse_unknown
from syncctl.commands.messages import show_json
from syncctl.commands.options import Common, Group, common_options, connector_option, gathered, limit_option
from syncctl.commands.queue_rows import as_json, line, print_attempts
from syncctl.commands.standing import with_reasons
from syncctl.errors import RecordError
from syncctl.models import Struct, iso, to_ms

if TYPE_CHECKING:
    from syncctl.settings.config import Config
    from syncctl.state.database import Database
    from syncctl.state.outbox import Row
    from syncctl.state.queue import Queue

_NOTHING = "nothing of that kind is in the queue"
_CONNECTOR = connector_option("Only of this connector.")
_CAUSE = click.option("--cause", metavar="CODE", help="Only with this cause.")
_ALL = click.option("--all", "everything", is_flag=True, help="All that the list shows.")
_IDS = click.argument("ids", metavar="[ID]...", type=int, nargs=-1)


@click.group("queue", cls=Group)
def command() -> None:
    """Show and manage what waits to be posted."""


class Listed(Struct):
    """Which rows are listed."""

    connector: str | None
    cause: str | None
    altered: bool
    skipped: bool
    limit: int | None


_listed = gathered(
    [
        _CONNECTOR,
        _CAUSE,
        click.option(
            "--changed",
            "altered",
            is_flag=True,
            help="Orders that the shop changed, cancelled or deleted after they were posted.",
        ),
        click.option("--skipped", is_flag=True, help="What is not posted: too old, or dropped."),
        limit_option,
    ],
    Listed,
    "listed",
)


@command.command("list")
@_listed
@common_options
def list_(*, listed: Listed, common: Common) -> int:
    """List what is not posted yet, why, and when it is tried next; and what is posted with another sum.

    \b
    Examples:
        syncctl queue list
        syncctl queue list --cause tax-unmapped
        syncctl queue list --changed
    """
    from syncctl.state.queue import Queue

    with opened(common) as (config, database):
        rows = with_reasons(database, _wanted(listed, config, database))
        others = [] if rows or not listed.cause else _wanted(listed.changed(cause=None), config, database)
        rows = rows if common.as_json else _called(database, rows)
        skipped = 0 if listed.skipped or listed.altered else Queue(database).skipped(listed.connector, listed.cause)
        held = list(_held(listed, config, database))
    if common.as_json:
        show_json("queue list", exit_code=0, rows=[as_json(row) for row in rows[: listed.limit]])
        return 0
    shown = rows[: listed.limit or MOST_SHOWN]
    for row in shown:
        say(altered.line(row) if listed.altered else line(row), indent=7)
    more(len(rows) - len(shown))
    for each in held:
        say(each, indent=4)
    if not rows and listed.cause:
        there = ", ".join(sorted({row.cause for row in others} - {""})) or "none"
        say(f"nothing has the cause {listed.cause}; the causes that there are: {there}", err=True)
    elif not rows and not held and common.talks:
        say(_NOTHING)
    if skipped and common.talks:
        say(f"{skipped:,} more {'is' if skipped == 1 else 'are'} skipped: see syncctl queue list --skipped")
    return 0


def _held(listed: Listed, config: Config, database: Database) -> Iterator[str]:
    """Of orders that are in no queue, since they wait for a person."""
    if listed.altered or listed.skipped or listed.cause:
        return
    for poster in config.connectors:
        if "invoices" in poster.roles and listed.connector in (None, poster.name):
            held = held_back(config, database, poster, SystemClock().now())
            if held:
                yield f"{poster.name}: {held_words(len(held))}."


def _called(database: Database, rows: Sequence[Row]) -> list[Row]:
    """The rows by the names that people know, in place of numbers of this state."""
    from syncctl.state.outbox import people

    return [row.changed(key=people(database, row)) for row in rows]


def _wanted(listed: Listed, config: Config, database: Database) -> list[Row]:
    from syncctl.state.queue import OPEN, Filter, Queue

    refuse_unknown(listed.connector, config, database)
    queue = Queue(database)
    if listed.altered:
        statuses = posted_statuses(config)
        return [altered.told(each, statuses) for each in queue.altered(listed.connector, statuses)]
    wanted = Filter(listed.connector, listed.cause, ("skipped",) if listed.skipped else OPEN)
    return [*queue.rows(wanted), *(() if listed.skipped else queue.differing(wanted))]


def posted_statuses(config: Config) -> list[str]:
    """Orders with these statuses are posted."""
    return [part.strip() for part in config.posting["POST_STATUSES"].split(",") if part.strip()]


@command.command("show")
@click.argument("number", metavar="ID", type=int)
@common_options
def show(*, number: int, common: Common) -> int:
    """Show one record of the queue: each try, what the service said, and what to do.

    \b
    Example:
        syncctl queue show 17
    """
    from syncctl.state.queue import Queue

    with opened(common) as (_, database):
        queue = Queue(database)
        (row,) = with_reasons(database, [_row(queue, number)])
        attempts = queue.attempts(row)
        (shown,) = _called(database, [row])
    if common.as_json:
        show_json("queue show", exit_code=0, **as_json(row), attempts=attempts)
        return 0
    say(line(shown), indent=7)
    print_attempts(attempts)
    return 0


@command.command("retry")
@_IDS
@_ALL
@_CAUSE
@_CONNECTOR
@common_options
def retry(*, ids: tuple[int, ...], everything: bool, cause: str | None, connector: str | None, common: Common) -> int:
    """Let records be tried with the next run, also those that were given up or skipped.

    An order takes the customer and products along that it waits for, and these the orders that are held for them.

    \b
    Examples:
        syncctl queue retry 17 18
        syncctl queue retry --all --cause tax-unmapped
    """
    chosen = _Chosen(ids, everything, cause, connector, tied=True)
    return _change("queue retry", chosen, common, lambda queue, row, at: queue.retry(row, at))


@command.command("drop")
@_IDS
@_ALL
@_CAUSE
@_CONNECTOR
@common_options
def drop(*, ids: tuple[int, ...], everything: bool, cause: str | None, connector: str | None, common: Common) -> int:
    """Never post these records. What is there already stays there.

    \b
    Example:
        syncctl queue drop 17
    """
    chosen = _Chosen(ids, everything, cause, connector)
    return _change("queue drop", chosen, common, lambda queue, row, at: queue.drop(row, at))


@command.command("settle")
@click.argument("number", metavar="ID", type=int)
@click.option("--remote-id", metavar="ID", help="It is there, under this id.")
@click.option("--not-created", is_flag=True, help="It is not there: it is sent again.")
@common_options
def settle(*, number: int, remote_id: str | None, not_created: bool, common: Common) -> int:
    """Say what became of a record of which nobody knows, or which somebody posted by hand.

    The id of an order is looked up in the service, with one call; where it cannot be asked now, you are told, and
    believed. With the id that an order is posted as, accept that its sum there is another one. What was said by hand
    can be said again, with another id or --not-created.

    \b
    Examples:
        syncctl queue settle 17 --remote-id 9a4e0c1b-6f7d-5d2a-b1c3-2e4f6a8b0003
        syncctl queue settle 17 --not-created
    """
    if bool(remote_id) == not_created:
        raise click.UsageError("Say either --remote-id ID or --not-created.")

    def change(queue: Queue, row: Row, at: int) -> None:
        if remote_id is None:
            queue.not_created(row, at)
        elif other := queue.other_of(row, remote_id):
            raise RecordError(row.key, f"{remote_id} is {other} there", "Look at the id again in the service")
        else:
            from syncctl.commands.settling import refuse_stranger

            refuse_stranger(common, row, remote_id)
            queue.settle(row, remote_id, at)

    def may_settle(queue: Queue, row: Row) -> bool:
        from syncctl.state.outbox import differs

        return row.state != "done" or queue.is_said_by_hand(row) or (differs(row) and row.remote_id == remote_id)

    return _change("queue settle", _Chosen((number,), False, None, None), common, change, may_settle)


def _is_open(queue: Queue, row: Row) -> bool:
    """Whether it is not posted."""
    return row.state != "done"


class _Chosen:
    """Which rows a person means."""

    def __init__(
        self, ids: Sequence[int], everything: bool, cause: str | None, connector: str | None, *, tied: bool = False
    ) -> None:
        if bool(ids) == everything:
            raise click.UsageError("Name records by their ID, or say --all.")
        self.ids = ids
        self.cause = cause
        self.connector = connector
        self.tied = tied

    def rows(self, queue: Queue) -> list[Row]:
        from syncctl.state.queue import Filter

        if self.ids:
            named = [_row(queue, number) for number in self.ids]
        else:
            named = queue.rows(Filter(self.connector, self.cause))
        tied = [other for row in named for other in queue.tied(row)] if self.tied else []
        return list({row.id: row for row in (*named, *tied)}.values())


def _change(
    name: str,
    chosen: _Chosen,
    common: Common,
    change: Callable[[Queue, Row, int], None],
    may_change: Callable[[Queue, Row], bool] = _is_open,
) -> int:
    """Changes rows while no run posts to their connectors."""
    from syncctl.state.queue import Queue

    clock = SystemClock()
    with opened(common) as (config, database), ExitStack() as locks:
        refuse_unknown(chosen.connector, config, database)
        queue = Queue(database)
        rows = chosen.rows(queue)
        for connector in dict.fromkeys(row.connector for row in rows):
            locks.enter_context(_locked(config, connector, name, clock))
        for row in rows:
            if not may_change(queue, row):
                raise RecordError(row.key, f"it is posted as {row.remote_id}", "What is posted is not changed here")
            change(queue, row, to_ms(clock.now()))
        changed = [_row(queue, row.id) for row in rows]
    if common.as_json:
        show_json(name, exit_code=0, rows=[as_json(row) for row in changed])
    elif common.talks:
        for row in changed:
            say(line(row), indent=7)
        if not changed:
            say(_NOTHING)
    return 0


def _locked(config: Config, connector: str, name: str, clock: Any) -> Any:
    from syncctl.state.locks import Holder, hold

    holder = Holder(f"syncctl {name}", os.getpid(), 0, iso(clock.now()))
    return hold(config.state, f"{connector}-push", holder, clock=clock)


def _row(queue: Queue, number: int) -> Row:
    row = queue.get(number)
    if row is None:
        raise RecordError(str(number), "nothing in the queue has this ID", "See syncctl queue list")
    return row
