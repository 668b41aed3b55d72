"""The services that orders are posted to, one like the other: a shop that posts there, and a look at what arrived."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import posting
import vendposting
import xero_posting
from conftest import Result, Shop, Upstream
from posting import Json
from seeded import seeded


class Form(NamedTuple):
    """How a service writes down what is posted."""

    settings: dict[str, str]
    kind: str
    id: str
    reference: Callable[[Json], str]
    total: Callable[[Json], object]
    lines: str
    code: str  # of a customer
    sku: str  # of a product


FORMS = {
    "unleashed": Form(
        posting.SETTINGS | {"SYNCCTL_UNLEASHED_LIMITS": "100000/minute"},
        "sales_orders",
        "Guid",
        lambda record: record["SourceId"] or "",
        lambda record: record["Total"],
        "SalesOrderLines",
        "CustomerCode",
        "ProductCode",
    ),
    "vend": Form(
        vendposting.SETTINGS,
        "sales",
        "id",
        lambda record: record["source"]["id"] or "",
        lambda record: record["totals"]["price_incl_tax"],
        "line_items",
        "customer_code",
        "sku",
    ),
    "xero": Form(
        xero_posting.SETTINGS,
        "invoices",
        "InvoiceID",
        lambda record: record.get("InvoiceNumber") or "",
        lambda record: record["Total"],
        "LineItems",
        "ContactNumber",
        "Code",
    ),
}


@dataclass(frozen=True)
class Office:
    """A service, and a shop that has read everything and posts to it."""

    name: str
    shop: Shop

    @property
    def form(self) -> Form:
        return FORMS[self.name]

    @property
    def upstream(self) -> Upstream:
        return self.shop.upstream

    def settings(self, **values: str) -> dict[str, str]:
        """Settings of this service as environment variables."""
        return {f"SYNCCTL_{self.name.upper()}_{name}": value for name, value in values.items()}

    def read(self) -> None:
        """Reads what changed."""
        self.shop.ok("sync-recent")
        self.shop.ok("sync-customers")

    def run(self, *args: str, **values: str) -> Result:
        """`post-invoices`, with settings of this service."""
        return self.shop.run("post-invoices", "--json", *args, **self.settings(**values))

    def records(self, kind: str) -> list[Json]:
        found: list[Json] = self.upstream.request("GET", f"records/{self.name}/{kind}?limit=9999")["records"]
        return found

    def posted(self, shop: str = "demo") -> dict[str, list[Json]]:
        """What stands there under references of the shop, by order number."""
        found: dict[str, list[Json]] = {}
        for record in self.records(self.form.kind):
            start, _, number = self.form.reference(record).partition(f"{shop}-")
            if number and not start:
                found.setdefault(number, []).append(record)
        return found

    def arrived(self, shop: str = "demo") -> Counter[str]:
        """How many records stand there for each number."""
        return Counter({number: len(records) for number, records in self.posted(shop).items()})

    def total(self, record: Json) -> Decimal:
        return Decimal(str(self.form.total(record))).quantize(Decimal("0.01"))

    def writes(self) -> dict[str, dict[str, int]]:
        """How often each record was written."""
        kinds = ("customers", "products", self.form.kind)
        return {
            kind: self.upstream.request("GET", f"records/{self.name}/{kind}?limit=9999")["writes"] for kind in kinds
        }

    def change(self, number: str, **values: object) -> None:
        """Somebody changes by hand what was posted."""
        (record,) = self.posted()[number]
        self.upstream.put(self.form.kind, {self.form.id: record[self.form.id], **values})


@contextmanager
def opened(name: str, folder: Path) -> Iterator[Office]:
    """An office with its sandbox, whose limits are raised."""
    with seeded(name, products=6) as sandbox:
        (folder / ".env").touch(mode=0o600)
        upstream = Upstream(sandbox.url, name)
        limits = dict.fromkeys(upstream.request("GET", "limits")[name])
        upstream.request("POST", "limits", {name: limits})
        office = Office(name, Shop(folder, sandbox.env() | FORMS[name].settings, upstream))
        office.read()
        yield office


def lose_state(shop: Shop, *, locks: bool = True) -> None:
    """Somebody deletes the state file; its lock files too, or not."""
    for file in shop.folder.glob("syncctl.db*"):
        if locks or not file.name.endswith(".lock"):
            file.unlink()


def back_up(shop: Shop, copy: str = "copy.db") -> None:
    with (
        contextlib.closing(sqlite3.connect(shop.state)) as source,
        contextlib.closing(sqlite3.connect(shop.folder / copy)) as target,
    ):
        source.backup(target)
