"""`syncctl demo`."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click


@click.command("demo")
@click.option("--products", type=click.IntRange(100), default=1000, show_default=True, help="Size of the catalogue.")
@click.option("--keep", is_flag=True, help="Keep the folder with the state file, to look around in it.")
def command(*, products: int, keep: bool) -> int:
    """Run the main job on a local sandbox, and say what it costs.

    Needs no account and no network: a copy of the service is served on 127.0.0.1 while the real commands run
    against it, one after the other.

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
        return self._run("The first run reads everything, 200 products a call.", "sync-recent", "-v")

    def _changes(self) -> int:
        first, second, third = self._some(3, "active")
        self._upstream("products", [{"Guid": first, "DefaultSellPrice": 19.9}, {"Guid": second, "DefaultSellPrice": 5}])
        self._upstream(
            "products", [{"ProductCode": "NEW-MUG", "ProductDescription": "New mug", "DefaultSellPrice": 12}]
        )
        self._upstream("stock", [{"ProductGuid": third, "QtyOnHand": 77, "AllocatedQty": 0}])
        return self._run(
            "In the back office two prices and one stock level change, and a product is added.", "sync-recent", "-v"
        )

    def _quiet(self) -> int:
        return self._run("Nothing changed: a quiet run costs 2 calls, too.", "sync-recent", "-v")

    def _oldest(self) -> int:
        ghost, drift = self._some(2, "active", oldest=True)
        self._request("DELETE", f"records/unleashed/products?id={ghost}")
        self._upstream("products", [{"Guid": drift, "DefaultSellPrice": 99}], silent=True)
        return self._run(
            "One product is deleted there, another's price changes without moving its date: no feed tells of either.",
            "sync-oldest", "-v",
        )  # fmt: skip

    def _one_product(self) -> int:
        self._upstream("products", [{"ProductCode": "NEW-MUG", "DefaultSellPrice": 13.5}])
        code = self._run("Somebody mends a price and wants it in the shop now.", "sync-product", "NEW-MUG", "-v")
        return max(code, self._run("Where does that price come from?", "explain", "product", "NEW-MUG"))

    def _close(self) -> None:
        total = self._request("GET", "calls")["total"]
        with closing(sqlite3.connect(self.state)) as sql:
            (booked,) = sql.execute("SELECT count(*) FROM calls").fetchone()
            (shown,) = sql.execute("SELECT count(*) FROM catalogue").fetchone()
            rows = sql.execute("SELECT sku, price, currency, available FROM catalogue LIMIT 3").fetchall()
        click.secho("\n# What the shop's own programs read:", bold=True)
        click.secho(f'$ sqlite3 {self.state.name} "SELECT sku, price, currency, available FROM catalogue"', fg="cyan")
        for row in rows:
            click.echo("|".join("" if value is None else str(value) for value in row))
        click.echo(f"... {shown:,} products in all")
        click.echo(f"\n{total} calls reached the service, and {booked} are booked.")

    def _run(self, why: str, *args: str) -> int:
        from syncctl import cli

        click.secho(f"\n# {why}", bold=True)
        click.secho(f"$ syncctl {' '.join(args)}", fg="cyan")
        return cli.run([*args, "--env-file", str(self.state.parent / ".env")])

    def _some(self, number: int, state: str, *, oldest: bool = False) -> list[str]:
        """Products that have a price and stock; the ones looked at longest ago, where asked for."""
        order = "oldest_at, remote_id" if oldest else "remote_products.name"
        with closing(sqlite3.connect(self.state)) as sql:
            rows = sql.execute(
                "SELECT remote_id FROM remote_products JOIN looks USING (connector, remote_id)"
                " JOIN remote_stock USING (connector, remote_id)"
                f" WHERE state = ? AND available > 0 AND prices LIKE '%default%' ORDER BY {order} LIMIT ?",
                (state, number),
            )
            return [remote_id for (remote_id,) in rows]

    def _upstream(self, kind: str, records: list[dict[str, Any]], *, silent: bool = False) -> None:
        """Somebody changes records in the back office."""
        self._request("POST", f"records/unleashed/{kind}", {"records": records, "silent": silent})

    def _request(self, method: str, path: str, body: object = None) -> Any:
        import urllib.request

        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data, method=method)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
            return json.load(answer)
