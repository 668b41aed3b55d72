"""`syncctl demo`."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import click


@click.command("demo")
@click.option("--products", type=click.IntRange(100), default=1000, show_default=True, help="Size of the catalogue.")
@click.option("--keep", is_flag=True, help="Keep the folder with the state file, to look around in it.")
def command(*, products: int, keep: bool) -> int:
    """Run the main job on a local sandbox, and say what it costs.

    Needs no account and no network: copies of the three services are served on 127.0.0.1 while the real commands run
    against them, one after the other.

    \b
    Example:
        syncctl demo --keep
    """
    from syncctl.sandbox import Sandbox

    folder = Path(tempfile.mkdtemp(prefix="syncctl-demo-"))
    try:
        with Sandbox(port=0, products=products) as sandbox, _settings(sandbox.env(), folder):
            code = _Demo(sandbox.url, folder / "syncctl.db").play()
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if keep:
        click.echo(f"\nThe state file is {folder / 'syncctl.db'}; open it with sqlite3 or datasette.")
    return code


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


@contextmanager
def _settings(env: dict[str, str], folder: Path) -> Iterator[None]:
    """The sandbox's settings, in the place of any that this shell has; limits that do not slow the demo down."""
    before = {name: value for name, value in os.environ.items() if name.startswith("SYNCCTL_")}
    mine = env | {"SYNCCTL_STATE": str(folder / "syncctl.db"), "SYNCCTL_UNLEASHED_LIMITS": "6000/minute, 125000/month"}
    (folder / ".env").touch(mode=0o600)
    _replace(before, mine)
    try:
        yield
    finally:
        _replace(mine, before)


def _replace(old: dict[str, str], new: dict[str, str]) -> None:
    for name in old:
        os.environ.pop(name, None)
    os.environ.update(new)


@dataclass(slots=True)
class _Demo:
    """The story: each step says what happens, runs a command as a shell would, and shows the cost."""

    url: str
    state: Path

    def play(self) -> int:
        codes = [self._first_read(), self._changes(), self._quiet(), self._oldest(), self._one_product()]
        codes.append(self._run("What does syncctl know?", "status"))
        self._close()
        return max(codes)

    def _first_read(self) -> int:
        return self._run(
            "Three back offices sell the same goods. The first run reads all of them: in pages of 200 (Unleashed),"
            " by versions (Vend), in one call (Xero).",
            "sync-recent", "-v",
        )  # fmt: skip

    def _changes(self) -> int:
        for name, form in _FORMS.items():
            first, second, third = self._some(name, 3)
            prices = [{form.id_field: first, **json.loads(form.price % 19.9)}]
            prices.append({form.id_field: second, **json.loads(form.price % 5)})
            new = {form.code_field: "NEW-MUG", form.name_field: "New mug", **json.loads(form.price % 12)}
            self._upstream(name, "products", [*prices, new])
            self._upstream(name, form.stock_kind, [json.loads(form.stock % (third, 77))])
        return self._run(
            "In each of them two prices and one stock level change, and a product is added.", "sync-recent", "-v"
        )

    def _quiet(self) -> int:
        return self._run("Nothing changed: a quiet run costs 2 calls each, and Xero 1.", "sync-recent", "-v")

    def _oldest(self) -> int:
        for name, form in _FORMS.items():
            ghost, drift = self._some(name, 2, oldest=True)
            self._request("DELETE", f"records/{name}/products?id={ghost}")
            self._upstream(name, "products", [{form.id_field: drift, **json.loads(form.price % 99)}], silent=True)
        code = self._run(
            "In each a product is deleted, and another's price changes without moving its date: no feed tells of that.",
            "sync-oldest", "-v",
        )  # fmt: skip
        return max(code, self._round())

    def _round(self) -> int:
        return self._run(
            "Vend takes no lists of products: it is read again in rounds, a page a run. Here is the rest of the round.",
            "sync-oldest", "--connector", "vend", "--limit", "2000", "-v",
        )  # fmt: skip

    def _one_product(self) -> int:
        form = _FORMS["unleashed"]
        self._upstream("unleashed", "products", [{form.code_field: "NEW-MUG", **json.loads(form.price % 13.5)}])
        code = self._run("Somebody mends a price and wants it in the shop now.", "sync-product", "NEW-MUG", "-v")
        return max(code, self._run("Where does that price come from?", "explain", "product", "NEW-MUG"))

    def _close(self) -> None:
        calls = self._request("GET", "calls")["total"]
        with closing(sqlite3.connect(self.state)) as sql:
            (booked,) = sql.execute("SELECT count(*) FROM calls").fetchone()
            (shown,) = sql.execute("SELECT count(*) FROM catalogue").fetchone()
            rows = sql.execute("SELECT sku, price, currency, available FROM catalogue LIMIT 3").fetchall()
        click.secho("\n# What the shop's own programs read:", bold=True)
        click.secho(f'$ sqlite3 {self.state.name} "SELECT sku, price, currency, available FROM catalogue"', fg="cyan")
        for row in rows:
            click.echo("|".join("" if value is None else str(value) for value in row))
        click.echo(f"... {shown:,} products in all")
        click.echo(f"\n{calls} calls reached the services, and {booked} are booked.")

    def _run(self, why: str, *args: str) -> int:
        from syncctl import cli

        click.secho(f"\n# {why}", bold=True)
        click.secho(f"$ syncctl {' '.join(args)}", fg="cyan")
        return cli.run([*args, "--env-file", str(self.state.parent / ".env")])

    def _some(self, name: str, number: int, *, oldest: bool = False) -> list[str]:
        """Products that have a price and stock; the ones looked at longest ago, where asked for."""
        order = "oldest_at, looks.rowid" if oldest else "remote_products.name"
        with closing(sqlite3.connect(self.state)) as sql:
            rows = sql.execute(
                "SELECT remote_id FROM remote_products JOIN looks USING (connector, remote_id)"
                " JOIN remote_stock USING (connector, remote_id) WHERE connector = ? AND state = 'active'"
                f" AND available > 0 AND prices <> '{{}}' GROUP BY remote_id ORDER BY {order} LIMIT ?",
                (name, number),
            )
            return [remote_id for (remote_id,) in rows]

    def _upstream(self, name: str, kind: str, records: list[dict[str, Any]], *, silent: bool = False) -> None:
        """Somebody changes records in a back office."""
        self._request("POST", f"records/{name}/{kind}", {"records": records, "silent": silent})

    def _request(self, method: str, path: str, body: object = None) -> Any:
        import urllib.request

        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data, method=method)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
            return json.load(answer)
