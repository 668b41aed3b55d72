"""`syncctl import`."""

from __future__ import annotations

from typing import BinaryIO

import click

from syncctl.commands.common import Common, common_options, show_json
from syncctl.models import Problem
from syncctl.shopproduct import ShopProduct
from syncctl.state.database import Database

_MOST_SHOWN = 20


@click.group("import")
def command() -> None:
    """Bring the shop's own list of products. Makes no call."""


@command.command("products")
@click.argument("file", type=click.File("rb"))
@click.option("--skip-bad", is_flag=True, help="Store the good lines although others are bad.")
@click.option("--dry-run", is_flag=True, help="Check the list, and store nothing.")
@common_options
def products(*, file: BinaryIO, skip_bad: bool, dry_run: bool, common: Common) -> int:
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
    from syncctl.shoplist import read
    from syncctl.state.shop import store

    items = list(read(file.name, file))
    with App.opened(common.env_file) as app:
        good = [item for item in items if isinstance(item, ShopProduct)]
        problems = [item for item in items if isinstance(item, Problem)]
        good, clashes = _apart(app.database, good)
        problems += clashes
        stored = bool(good) and not dry_run and (skip_bad or not problems)
        counts = store(app.database, good) if stored else None
    code = 65 if problems else 0
    _show_problems(problems)
    if problems and not stored and not dry_run:
        rest = "no line was good" if not good else "mend these lines, or store the others with --skip-bad"
        click.echo(f"Nothing was stored: {rest}", err=True)
    if common.as_json:
        numbers = (
            {"created": counts.created, "changed": counts.changed, "unchanged": counts.unchanged} if counts else {}
        )
        errors = [{"record": p.record, "message": p.message, "remedy": p.remedy} for p in problems]
        show_json("import products", exit_code=code, stored=stored, **numbers, errors=errors)
    elif common.talks and counts:
        click.echo(f"{counts.created:,} new, {counts.changed:,} changed, {counts.unchanged:,} unchanged")
    return code


def _apart(database: Database, good: list[ShopProduct]) -> tuple[list[ShopProduct], list[Problem]]:
    """Sets those aside whose SKU differs only in case from one that the shop has."""
    from syncctl.shoplist import clash
    from syncctl.state.shop import case_clashes

    clashes = case_clashes(database, [product.sku for product in good])
    problems = [clash(product, clashes[product.sku]) for product in good if product.sku in clashes]
    return [product for product in good if product.sku not in clashes], problems


def _show_problems(problems: list[Problem]) -> None:
    for problem in problems[:_MOST_SHOWN]:
        click.echo(f"{problem.record}: {problem.message.rstrip('.')}. {problem.remedy}".rstrip(), err=True)
    if len(problems) > _MOST_SHOWN:
        click.echo(f"... and {len(problems) - _MOST_SHOWN:,} more bad lines; --json lists them all", err=True)
