"""The first part of the demo: products, prices and stock come from the back offices into the shop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

import click

from syncctl.commands.demo.stage import Stage


class _Form(NamedTuple):
    """How somebody in a back office writes down a product: a record is `{id_field: …, **price(…)}`."""

    id_field: str
    code_field: str
    name_field: str
    price: str  # the fields of a price of %s, as JSON
    stock_kind: str
    stock: str  # the fields of a stock record: of product %s, %s pieces


_MAIN_OUTLET = "0b5e7a00-1111-4000-8000-000000000001"
_FORMS: Mapping[str, _Form] = {
    "unleashed": _Form(
        "Guid", "ProductCode", "ProductDescription", '{"DefaultSellPrice": %s}',
        "stock", '{"ProductGuid": "%s", "QtyOnHand": %s, "AllocatedQty": 0}',
    ),
    "xero": _Form(
        "ItemID", "Code", "Name", '{"SalesDetails": {"UnitPrice": %s}}',
        "products", '{"ItemID": "%s", "QuantityOnHand": %s}',
    ),
    "vend": _Form(
        "id", "sku", "name", '{"price_including_tax": %s}',
        "stock", f'{{"product_id": "%s", "outlet_id": "{_MAIN_OUTLET}", "current_inventory_level": %s}}',
    ),
}  # fmt: skip


def pull_products(stage: Stage) -> None:
    """Reads everything once, then what changed in several ways."""
    stage.part("1. Products, prices and stock come into the shop")
    _first_read(stage)
    _changes(stage)
    _quiet_run(stage)
    _oldest(stage)
    _one_product(stage)
    _catalogue(stage)


def _first_read(stage: Stage) -> None:
    stage.say(
        "Three back offices sell the same goods. The first run reads all of them: in pages of 200 (Unleashed),"
        " by versions (Vend), in one call (Xero). A few of them are not in Xero; Vend has three more, which stand for"
        " shipping, fees and rounding."
    )
    stage.run("sync-recent", "-v")


def _changes(stage: Stage) -> None:
    for name, form in _FORMS.items():
        first, second, third = _some(stage, name, 3)
        prices = [{form.id_field: first, **json.loads(form.price % 19.9)}]
        prices.append({form.id_field: second, **json.loads(form.price % 5)})
        new = {form.code_field: "NEW-MUG", form.name_field: "New mug", **json.loads(form.price % 12)}
        stage.change(name, "products", [*prices, new])
        stage.change(name, form.stock_kind, [json.loads(form.stock % (third, 77))])
    stage.say("In each of them two prices and one stock level change, and a product is added.")
    stage.run("sync-recent", "-v")


def _quiet_run(stage: Stage) -> None:
    stage.say("Nothing changed: a quiet run costs 2 calls each, and Xero 1.")
    stage.run("sync-recent", "-v")


def _oldest(stage: Stage) -> None:
    for name, form in _FORMS.items():
        ghost, drift = _some(stage, name, 2, oldest=True)
        stage.request("DELETE", f"records/{name}/products?id={ghost}")
        stage.change(name, "products", [{form.id_field: drift, **json.loads(form.price % 99)}], silent=True)
    stage.say(
        "In each a product is deleted, and another's price changes without moving its date: no feed tells of that."
    )
    stage.run("sync-oldest", "-v")
    stage.say(
        "Vend takes no lists of products: it is read again in rounds, a page a run. Here is the rest of the round."
    )
    ((number,),) = stage.rows("SELECT count(*) FROM remote_products WHERE connector = 'vend'")
    stage.run("sync-oldest", "--connector", "vend", "--limit", str(number), "-v")


def _one_product(stage: Stage) -> None:
    form = _FORMS["unleashed"]
    stage.change("unleashed", "products", [{form.code_field: "NEW-MUG", **json.loads(form.price % 13.5)}])
    stage.say("Somebody mends a price and wants it in the shop now.")
    stage.run("sync-product", "NEW-MUG", "-v")
    stage.say("Where does that price come from?")
    stage.run("explain", "product", "NEW-MUG")


def _catalogue(stage: Stage) -> None:
    shown = "SELECT sku, price, currency, available FROM catalogue"
    stage.say("What the shop's own programs read:")
    click.secho(f'$ sqlite3 {stage.state.name} "{shown}"', fg="cyan")
    for row in stage.rows(f"{shown} LIMIT 3"):
        click.echo("|".join("" if value is None else str(value) for value in row))
    ((number,),) = stage.rows("SELECT count(*) FROM catalogue")
    click.echo(f"... {number:,} products in all")


def _some(stage: Stage, name: str, number: int, *, oldest: bool = False) -> list[str]:
    """Products that have a price and stock; the ones looked at longest ago, where asked for."""
    order = "oldest_at, record" if oldest else "remote_products.name"
    rows = stage.rows(
        "SELECT looks.remote_id FROM remote_products JOIN looks USING (record) JOIN remote_stock USING (record)"
        " WHERE looks.connector = ? AND state = 'active'"
        f" AND available > 0 AND prices <> '{{}}' GROUP BY record ORDER BY {order} LIMIT ?",
        name,
        number,
    )
    return [remote_id for (remote_id,) in rows]
