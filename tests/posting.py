"""What the tests of posting share: a shop whose orders go to the sandbox, and a look at what has arrived there."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from conftest import Result, Shop

from syncctl.app import App, Terms
from syncctl.models import Purpose
from syncctl.run import Run
from syncctl.session import Session
from syncctl.tally import Tally

Json = dict[str, Any]
SETTINGS = {
    "SYNCCTL_TIMEZONE": "Pacific/Auckland",
    "SYNCCTL_UNLEASHED_ROLES": "products,stock,customers,invoices",
    "SYNCCTL_UNLEASHED_CURRENCY": "NZD",
    "SYNCCTL_UNLEASHED_WAREHOUSE": "MAIN",
    "SYNCCTL_UNLEASHED_TAX": "0.15:G.S.T.,0:NONE",
}
_COLUMNS = (
    "number",
    "placed_at",
    "currency",
    "exchange_rate",
    "status",
    "prices_include_tax",
    "customer_id",
    "total",
    "note",
)


def moment(**ago: float) -> str:
    """A time so long ago, as the tables have it."""
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def line(sku: str = "MUG", price: str = "10.00", quantity: str = "1", rate: str | None = "0.15", **more: str) -> Json:
    return {"kind": "product", "sku": sku, "unit_price": price, "quantity": quantity, "tax_rate": rate} | more


def order(number: str, *lines: Json, **more: Any) -> Json:
    """An order of today; a mug of 10.00 where no lines are told, without tax in its prices."""
    customer = {"email": f"{number}@shop.test", "name": "Jo Example"}
    plain = {"number": number, "placed_at": moment(), "currency": "NZD", "status": "paid", "total": "11.50"}
    return plain | {"customer": customer, "lines": lines or (line(),)} | more


def place(shop: Shop, *orders: Json, checked: bool = True) -> None:
    """Writes orders into the shop's tables, as its own program would; not `checked`, the tables take anything."""
    with contextlib.closing(sqlite3.connect(shop.state)) as sql, sql:
        sql.execute(f"PRAGMA ignore_check_constraints = {not checked}")
        for each in orders:
            told = {name: each[name] for name in _COLUMNS if name in each} | {"customer": json.dumps(each["customer"])}
            names, marks = ", ".join(told), ", ".join("?" * len(told))
            added = sql.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", list(told.values()))
            for table, rows in (("order_lines", each["lines"]), ("order_payments", _payments(shop, each))):
                for position, row in enumerate(rows, 1):
                    values = [added.lastrowid, position, *row.values()]
                    columns = ", ".join(("order_id", "position", *row))
                    sql.execute(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(values))})", values)


def _payments(shop: Shop, placed: Json) -> Sequence[Json]:
    """Those of the order; one that tells of none is paid in full where the service takes nothing else: in Vend."""
    in_full = [{"method": "card", "amount": placed["total"]}]
    closed = "SYNCCTL_VEND_PAYMENTS" in shop.env | shop.extra
    found: Sequence[Json] = placed.get("payments", in_full if closed else ())
    return found


def customer(shop: Shop, **values: str) -> int:
    """A customer of the shop; its id."""
    with contextlib.closing(sqlite3.connect(shop.state)) as sql, sql:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        return sql.execute(f"INSERT INTO customers ({names}) VALUES ({marks})", list(values.values())).lastrowid or 0


def ready(shop: Shop, **settings: str) -> None:
    """The shop has read everything and posts to Unleashed."""
    shop.extra |= SETTINGS | settings
    shop.ok("sync-recent")
    shop.ok("sync-customers")


def records(shop: Shop, kind: str) -> list[Json]:
    """What stands in the service."""
    found: list[Json] = shop.upstream.request("GET", f"records/unleashed/{kind}")["records"]
    return found


def arrived(shop: Shop) -> Counter[str]:
    """How many sales orders stand in the service for each number."""
    return Counter(record["CustomerRef"] for record in sales(shop))


def sales(shop: Shop) -> list[Json]:
    """The sales orders of this shop: the sandbox has others, too."""
    ours = f"{shop.env['SYNCCTL_SHOP']}-"
    return [record for record in records(shop, "sales_orders") if (record["SourceId"] or "").startswith(ours)]


def once(numbers: Iterable[str]) -> Counter[str]:
    return Counter(dict.fromkeys(numbers, 1))


def post(shop: Shop, *args: str, **settings: str) -> Json:
    """Runs `post-invoices`; the connector's part of its JSON."""
    return shop.run("post-invoices", "--json", *args, **settings).only()


def states(shop: Shop) -> Counter[str]:
    return Counter(state for (state,) in shop.rows("SELECT state FROM outbox WHERE kind = 'orders'"))


def only_error(result: Result) -> Json:
    (error,) = result.only()["errors"]
    found: Json = error
    return found


@contextlib.contextmanager
def session_of(shop: Shop) -> Iterator[Session]:
    """A session as a command has it, without the command."""
    env = shop.env | shop.extra | {"SYNCCTL_STATE": str(shop.state)}
    (shop.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
    with App.opened(shop.folder / ".env") as app:
        run = Run(app.runs.begin("sync-product", 0), Purpose.MANUAL, app.clock)
        (config,) = app.config.connectors
        with app.session(run, config, Tally(config.name), Terms("sync-product", lock=False)) as session:
            yield session
