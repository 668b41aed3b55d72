"""What posting costs in calls, for each service, against the sandbox with its limits raised.

    python benchmarks/post_invoices.py [--orders 200] [--customers 60] [--products 10] [--singles 20] [--folder DIR]

A shop that has read everything posts orders of three lines, of which some are of new customers and some name new
SKUs: all in one run, then the same mixture with one order a run. Each order is paid. Prints the calls per order
next to the target; exit code 1 where an order is not there once, or a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import requests

from syncctl.sandbox import PostingSandbox, Sandbox

Json = dict[str, Any]
SYNCCTL = [sys.executable, "-m", "syncctl"]
KNOWN = ("KNOWN-1", "KNOWN-2", "KNOWN-3")  # products of which no stock is kept: none of them ever runs out
REGULARS = 40  # customers whom the service knows before
_RECORDS = {"unleashed": "sales_orders", "vend": "sales", "xero": "invoices"}
_REFERENCES = {"unleashed": "SourceId", "vend": "invoice_number", "xero": "InvoiceNumber"}


class Mixture(NamedTuple):
    """So many orders, with so many new customers and new SKUs among them; the most calls per order."""

    orders: int
    customers: int
    products: int


class Case(NamedTuple):
    """A service as it is set up, and the most calls per order where all are posted in one run."""

    service: str
    settings: Mapping[str, str]
    target: float

    @property
    def title(self) -> str:
        """The service, with the settings that matter."""
        return " ".join((self.service, *(f"{name}={value}" for name, value in self.settings.items())))


CASES = (
    Case("vend", {}, 1.5),
    Case("unleashed", {"STATUS": "Placed"}, 1.5),
    Case("xero", {"CONTACT": "as-entered"}, 0.15),
    Case("xero", {"CONTACT": "link-only"}, 0.15),
)


class Shop:
    """A shop's machine: a state file, settings, and the real commands."""

    def __init__(self, folder: Path, sandbox: Sandbox, case: Case) -> None:
        self.folder = folder
        self.case = case
        self.control = f"{sandbox.url}/_sandbox"
        name, limits = case.service.upper(), "1000000/5 minutes" if case.service == "vend" else "1000000/minute"
        settings = {f"SYNCCTL_{name}_{key}": value for key, value in {"LIMITS": limits, **case.settings}.items()}
        own = {"SYNCCTL_STATE": str(folder / "syncctl.db"), "SYNCCTL_READ_SOLD": "no"}
        self.env = clean() | sandbox.env() | settings | own
        self.placed: list[str] = []

    def run(self, *args: str, text: str = "") -> Json:
        """A command; the connector's part of its JSON. Raises `SystemExit` where it fails."""
        command = [*SYNCCTL, *args, "--json"]
        done = subprocess.run(
            command, env=self.env, cwd=self.folder, input=text, text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-600:]}")
        told: Json = json.loads(done.stdout)
        found: Json = (told.get("connectors") or [told])[0]
        return found

    def read(self) -> None:
        """Reads what changed."""
        for command in ("sync-recent", "sync-customers"):
            self.run(command)

    def post(self, orders: list[Json]) -> int:
        """Imports and posts orders; the calls that this took; nothing is read again afterwards."""
        self.placed += [order["number"] for order in orders]
        self.run("import", "orders", "-", text="\n".join(map(json.dumps, orders)))
        result = self.run("post-invoices", "--yes-all")
        if result["posted"] != len(orders):
            raise SystemExit(f"{self.case.title}: {result['posted']} of {len(orders)} orders were posted")
        return int(result["calls"])

    def is_there_once(self) -> bool:
        """Whether each order stands in the service once."""
        path = f"records/{self.case.service}/{_RECORDS[self.case.service]}?limit=100000"
        found = requests.get(f"{self.control}/{path}", timeout=60).json()["records"]
        there = Counter(str(each.get(_REFERENCES[self.case.service])) for each in found)
        return all(there[f"demo-{number}"] == 1 for number in self.placed)


def clean() -> dict[str, str]:
    """The environment of this process, without what would change what is measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SYNCCTL_", "XDG_"))}


@contextmanager
def ready(case: Case, folder: Path) -> Iterator[Shop]:
    """A shop that has read everything, and some of whose customers have bought before."""
    with PostingSandbox(port=0, products=200, services=(case.service,)) as sandbox:
        raised = dict.fromkeys(requests.get(f"{sandbox.url}/_sandbox/limits", timeout=60).json()[case.service])
        requests.post(f"{sandbox.url}/_sandbox/limits", json={case.service: raised}, timeout=60).raise_for_status()
        folder.mkdir()
        (folder / ".env").touch(mode=0o600)
        shop = Shop(folder, sandbox, case)
        shop.read()
        shop.post([order(f"before-{number}", f"regular{number}", KNOWN) for number in range(REGULARS)])
        shop.read()
        yield shop


def mixture(name: str, wanted: Mixture) -> list[Json]:
    """Orders of three lines; the new customers buy first, and the new SKUs come in turn."""
    people = [f"{name}{number}" for number in range(wanted.customers)]
    regulars = [f"regular{number}" for number in range(REGULARS)]
    made = []
    for number in range(wanted.orders):
        who = people[number] if number < len(people) else regulars[number % REGULARS]
        third = f"NEW-{name}-{number % wanted.products}" if wanted.products else KNOWN[2]
        made.append(order(f"{name}-{number}", who, (*KNOWN[:2], third)))
    return made


def order(number: str, who: str, skus: tuple[str, ...]) -> Json:
    """An order of a customer with a code, paid by card."""
    placed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [{"sku": sku, "quantity": "1", "unit_price": "10.00", "tax_rate": "0.15"} for sku in skus]
    customer = {"code": who, "name": f"Ann {who}", "email": f"{who}@shop.test", "phone": "021 555 000"}
    payments = [{"method": "card", "amount": "34.50"}]
    return {
        "number": number, "placed_at": placed, "currency": "NZD", "status": "paid", "customer": customer,
        "lines": lines, "payments": payments, "total": "34.50",
    }  # fmt: skip


def measured(case: Case, whole: Mixture, single: Mixture, folder: Path) -> bool:
    """Prints a row; false where it is not as it should be."""
    with ready(case, folder) as shop:
        at_once = shop.post(mixture("all", whole)) / whole.orders
        one_by_one = sum(shop.post([each]) for each in mixture("one", single)) / single.orders
        fine = shop.is_there_once()
    verdict = "met" if at_once <= case.target else "MISSED"
    verdict = verdict if fine else "AN ORDER IS NOT THERE ONCE"
    print(f"{case.title:24}{at_once:13.3f}{case.target:9.2f}{one_by_one:15.2f}  {verdict}", flush=True)
    return verdict == "met"


def main() -> int:
    """Runs all of it in a folder that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--customers", type=int, default=60, help="new customers among them")
    parser.add_argument("--products", type=int, default=10, help="new SKUs among them")
    parser.add_argument("--singles", type=int, default=20, help="orders that are posted one a run, mixed alike")
    parser.add_argument("--folder", type=Path, help="where to put the state files (default: the temporary folder)")
    told = parser.parse_args()
    whole = Mixture(told.orders, told.customers, told.products)
    share = told.singles / told.orders
    single = Mixture(told.singles, round(told.customers * share), round(told.products * share))
    print(f"{'calls per order':24}{'in one run':>13}{'target':>9}{'one a run':>15}")
    with tempfile.TemporaryDirectory(dir=told.folder) as name:
        results = [measured(case, whole, single, Path(name, str(number))) for number, case in enumerate(CASES)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
