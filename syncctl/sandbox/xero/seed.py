"""The same invented homeware shop as in the other back offices, with ids, gaps and prices of its own."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from .. import wire
from ..assortment import code_and_name
from ..wire import Number
from .account import date
from .items import blank_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..store import Value
    from ..wire import JsonObject
    from .account import Account

DAY = 86_400_000
YEAR = 365 * DAY
BATCH = 2000
NAME_LENGTH = 50
MISSING = 0.04
"""The share of the shop's products that were never entered here."""


def _templates() -> dict[bool, str]:
    """The JSON of an item as a template for `%`, by whether the item is tracked."""
    shared: JsonObject = {
        "ItemID": Number('"%(guid)s"'),
        "Code": Number('"%(code)s"'),
        "Name": Number('"%(name)s"'),
        "Description": Number('"%(description)s"'),
        "UpdatedDateUTC": Number('"%(stamp)s"'),
        **blank_item(),
        "SalesDetails": Number("%(sales)s"),
        "IsSold": Number("%(sold)s"),
    }
    purchase = {"UnitPrice": Number("%(cost)s"), "TaxType": "INPUT2"}
    stock = {"TotalCostPool": Number("%(pool)s"), "QuantityOnHand": Number("%(quantity)d.0")}
    tracked = {"IsTrackedAsInventory": True, "InventoryAssetAccountCode": "630", **stock}
    return {
        False: wire.dumps({**shared, "PurchaseDetails": {**purchase, "AccountCode": "310"}}),
        True: wire.dumps({**shared, "PurchaseDetails": {**purchase, "COGSAccountCode": "310"}, **tracked}),
    }


def _sales(price: str | None, *, sold: bool) -> str:
    if not sold:
        return "{}"
    unit = f'"UnitPrice":{price},' if price else ""
    return f'{{{unit}"AccountCode":"200","TaxType":"OUTPUT2"}}'


def _places(ten_thousandths: int) -> str:
    return f"{ten_thousandths // 10_000}.{ten_thousandths % 10_000:04d}"


def _facts(number: int, random: Random, now: int) -> dict[str, Value]:
    code, name, group = code_and_name(number)
    cents = random.randrange(150, 25_000, 5)
    # One price in ten has four decimals, so that `unitdp=4` makes a difference.
    price = cents * 100 + (random.randrange(1, 100) if random.random() < 0.1 else 0)
    sold, priced = random.random() >= 0.02, random.random() >= 0.03
    quantity, modified = random.randrange(200), now - DAY - random.randrange(YEAR - DAY)
    return {
        "guid": str(UUID(int=random.getrandbits(128), version=4)),
        "code": code,
        "name": name[:NAME_LENGTH],
        "description": f"{name} ({group.lower()})",
        "sales": _sales(_places(price) if priced else None, sold=sold),
        "sold": "true" if sold else "false",
        "cost": _places(cents * 45),
        "quantity": quantity,
        "pool": f"{cents * 45 * quantity / 10_000:.2f}",
        "modified": modified,
        "stamp": wire.dumps(date(modified))[1:-1],
    }


def _rows(products: int, random: Random, now: int) -> Iterator[dict[str, Value]]:
    templates = _templates()
    for number in range(products):
        facts, tracked, entered = _facts(number, random, now), random.random() < 0.6, random.random() >= MISSING
        if entered:
            row = {"id": facts["guid"], "code": facts["code"], "sort": facts["code"], "modified": facts["modified"]}
            yield {**row, "body": templates[tracked] % facts}


def seed_items(account: Account, products: int, seed: int) -> None:
    """Fill the empty table of items; every stamp is at least one day old."""
    account.items.drop_indexes()
    random = Random(f"xero/{seed}")  # noqa: S311 - nothing secret comes of it
    batch: list[dict[str, Value]] = []
    for row in _rows(products, random, account.clock.milliseconds()):
        batch.append(row)
        if len(batch) == BATCH:
            account.items.insert_many(batch)
            batch = []
    account.items.insert_many(batch)
    account.items.create_indexes()
