"""`syncctl import`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from syncctl.commands.layout import ended, plural, say
from syncctl.commands.messages import Terminal, show_json
from syncctl.commands.options import Common, Group, common_options, gathered
from syncctl.models import Problem, Struct

if TYPE_CHECKING:
    from syncctl.app import App
    from syncctl.state.shop import Counts

_MOST_SHOWN = 20


class Source(Struct):
    """The list, and what to do with it."""

    file: BinaryIO
    skip_bad: bool
    dry_run: bool


class Target(Struct):
    """How to check a list's lines, and against what is stored, and how to store them."""

    listing: Any
    conflicts: Callable[..., dict[int, Problem]]
    store: Callable[..., Counts]


list_options = gathered(
    [
        click.argument("file", type=click.File("rb")),
        click.option("--skip-bad", is_flag=True, help="Store the good lines although others are bad."),
        click.option("--dry-run", is_flag=True, help="Check the list, and store nothing."),
    ],
    Source,
    "source",
)


@click.group("import", cls=Group)
def command() -> None:
    """Bring the shop's own products, customers and orders. Makes no call."""


@command.command("products")
@list_options
@common_options
def products(*, source: Source, common: Common) -> int:
    """Bring products from FILE, or from stdin with -, as JSON Lines or CSV.

    Columns: sku (required), name, barcode, price, price_includes_tax, currency. A product that is there already gets
    the fields that its line has; no product is deleted. Every bad line is reported by its number; the good ones are
    stored only if there is none, or with --skip-bad.

    \b
    Examples:
        syncctl import products list.csv
        shop-export | syncctl import products - --skip-bad
    """
    from syncctl.app import App
    from syncctl.shop.product import PRODUCTS
    from syncctl.state import shop

    with App.opened(common.env_file) as app:
        return _bring("products", app, source, Target(PRODUCTS, shop.conflicts, shop.store), common)


@command.command("customers")
@list_options
@common_options
def customers(*, source: Source, common: Common) -> int:
    """Bring customers from FILE, or from stdin with -, as JSON Lines or CSV.

    Columns: code (the account number) or email, at least one of them; name, company, phone; and of each address,
    billing_ and shipping_ before address1, address2, suburb, city, region, postcode, country, name, phone. In JSON
    Lines an address is an object, {"billing": {"city": "Wellington"}}. A customer that is there already, by its code or
    else by its e-mail, gets the fields that its line has; no customer is deleted. Bad lines are treated as with
    products.

    \b
    Examples:
        syncctl import customers list.csv
        shop-export | syncctl import customers - --dry-run
    """
    from syncctl.app import App
    from syncctl.shop.customer import CUSTOMERS
    from syncctl.state import customers as table

    with App.opened(common.env_file) as app:
        return _bring("customers", app, source, Target(CUSTOMERS, table.conflicts, table.store), common)


@command.command("orders")
@list_options
@click.option("--posted", is_flag=True, help="Each line tells where it was posted before.")
@common_options
def orders(*, source: Source, posted: bool, common: Common) -> int:
    """Bring orders from FILE, or from stdin with -, as JSON Lines.

    An order whose lines do not add up to its total is refused with the difference. One that is there already, by its
    number, is replaced if it differs; no order is deleted. Bad lines are treated as with products. The README shows the
    keys. With --posted each line also has the ids that an older integration has given the order, by connector, as
    "posted": {"xero": "0af1..."}.

    \b
    Examples:
        syncctl import orders orders.jsonl
        shop-export | syncctl import orders - --skip-bad
        syncctl import orders --posted history.jsonl
    """
    from syncctl.app import App
    from syncctl.shop.order_check import orders as listing
    from syncctl.state import orders as table

    with App.opened(common.env_file) as app:
        connectors = [connector.name for connector in app.config.connectors] if posted else None
        return _bring("orders", app, source, Target(listing(connectors), table.conflicts, table.store), common)


def _bring(what: str, app: App, source: Source, target: Target, common: Common) -> int:
    """Reads, checks and stores a list, and tells what became of it; the exit code."""
    from syncctl.shop.listing import read

    items = list(read(source.file.name, source.file, target.listing))
    good = [item for item in items if not isinstance(item, Problem)]
    conflicts = target.conflicts(app.database, good)
    good = [item for item in good if item.line not in conflicts]
    problems = [item for item in items if isinstance(item, Problem)] + list(conflicts.values())
    if not items:  # as of an hourly export with nothing new
        Terminal(common).note(f"There is nothing in the list, so no {what} came.")
    storable = bool(good) and (source.skip_bad or not problems)
    counts = target.store(app.database, good) if storable and not source.dry_run else None
    _show_problems(problems)
    if problems and not storable:
        rest = "no line was good" if not good else "mend these lines, or store the others with --skip-bad"
        say(f"Nothing {'would be' if source.dry_run else 'was'} stored: {rest}.", indent=4, err=True)
    elif source.dry_run and not common.as_json:
        say(f"{plural(len(good), 'line')} would be stored; nothing was, as this is a dry run")
    _show_counts(f"import {what}", counts, problems, common)
    return 65 if problems else 0


def _show_counts(command: str, counts: Counts | None, problems: list[Problem], common: Common) -> None:
    if common.as_json:
        names = ("created", "changed", "unchanged")
        numbers = {name: getattr(counts, name) if counts else 0 for name in names}
        errors = [problem.as_dict() for problem in problems]
        show_json(command, exit_code=65 if problems else 0, stored=counts is not None, **numbers, errors=errors)
    elif common.talks and counts:
        say(f"{counts.created:,} new, {counts.changed:,} changed, {counts.unchanged:,} unchanged")


def _show_problems(problems: list[Problem]) -> None:
    for problem in problems[:_MOST_SHOWN]:
        remedy = f" {ended(problem.remedy)}" if problem.remedy else ""
        say(f"{problem.record}: {ended(problem.message)}{remedy}", indent=4, err=True)
    if len(problems) > _MOST_SHOWN:
        say(f"… and {plural(len(problems) - _MOST_SHOWN, 'more bad line')}; --json lists them all", err=True)
