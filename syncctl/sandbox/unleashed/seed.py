"""An invented homeware shop: the same seed gives the same records, but for their times.

A million products must be there in reasonable time, so their JSON is filled into text templates
instead of being written field by field.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from .. import wire
from ..assortment import code_and_name
from ..people import people
from ..wire import Number
from .account import USER
from .lookups import WAREHOUSES
from .products import blank_product
from .seed_trade import seed_trade
from .stock_rows import blank_row

if TYPE_CHECKING:
    from ..store import Value
    from ..wire import JsonObject
    from .account import Account

DAY = 86_400_000
YEAR = 365 * DAY
BATCH = 2000

PLACES = tuple(each["WarehouseCode"] for each in WAREHOUSES[:2])


def _template(record: JsonObject, filled: dict[str, str]) -> str:
    """The JSON of a record as a template for `%`; names like `"date"` stand in quotes, others bare."""
    return wire.dumps({**record, **{name: Number(holder) for name, holder in filled.items()}})


def _product_template() -> str:
    tier = '{"Name":"Sell Price Tier %d","Value":%%(tier%d)s}'
    return _template(
        blank_product(),
        {
            "Guid": '"%(guid)s"',
            "ProductCode": '"%(code)s"',
            "ProductDescription": '"%(name)s"',
            "Barcode": '"%(barcode)s"',
            "UnitOfMeasure": f'{{"Guid":"{UUID(int=51)}","Name":"EA"}}',
            "LastCost": "%(cost)s",
            "AverageLandPrice": "%(cost)s",
            "DefaultPurchasePrice": "%(cost)s",
            "DefaultSellPrice": "%(price)s",
            **{f"SellPriceTier{number}": tier % (number, number) for number in (1, 2, 3)},
            "Obsolete": "%(obsolete)s",
            "ProductGroup": '{"GroupName":"%(group)s"}',
            "CreatedBy": f'"{USER}"',
            "CreatedOn": '"\\/Date(%(created)d)\\/"',
            "LastModifiedBy": f'"{USER}"',
            "LastModifiedOn": '"\\/Date(%(modified)d)\\/"',
        },
    )


def _stock_template() -> str:
    return _template(
        blank_row(),
        {
            "ProductCode": '"%(code)s"',
            "ProductDescription": '"%(name)s"',
            "ProductGuid": '"%(guid)s"',
            "ProductGroupName": '"%(group)s"',
            "AvailableQty": "%(available)d.0000",
            "TotalCost": "%(total)s",
            "OnPurchase": "0.0000",
            "AllocatedQty": "%(allocated)d.0000",
            "QtyOnHand": "%(on_hand)d.0000",
            "AvgCost": "%(cost)s",
            "Guid": '"%(guid)s"',
            "LastModifiedOn": '"\\/Date(%(modified)d)\\/"',
        },
    )


LEVEL = (
    '{"OnPurchase":0.0000,"AllocatedQty":%d.0000,"QtyOnHand":%d.0000,"AvgCost":%s,'
    '"DaysSinceLastSale":null,"LastModifiedOn":"\\/Date(%d)\\/"}'
)


@dataclass(frozen=True, slots=True)
class Item:
    """What the seed decides about one product: the facts of its JSON, and its stock by warehouse."""

    facts: dict[str, str | int]
    levels: tuple[tuple[str, int, int], ...]


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}00"


def _item(number: int, random: Random, now: int) -> Item:
    code, name, group = code_and_name(number)
    cents = random.randrange(150, 25_000, 5)
    priced, tiers = random.random() >= 0.02, random.randrange(4)
    modified = now - DAY - random.randrange(YEAR - DAY)
    facts: dict[str, str | int] = {
        "guid": str(UUID(int=random.getrandbits(128), version=4)),
        "code": code,
        "name": name,
        "group": group,
        "barcode": f"94{number:011d}",
        "cost": _money(cents * 2 // 5),
        "cents": cents * 2 // 5,
        "price": _money(cents) if priced else "null",
        **{f"tier{n}": _money(cents * (20 - n) // 20) if n <= tiers else "null" for n in (1, 2, 3)},
        "obsolete": "true" if random.random() < 0.03 else "false",
        "created": modified - random.randrange(YEAR),
        "modified": modified,
    }
    return Item(facts, _levels(random))


def _levels(random: Random) -> tuple[tuple[str, int, int], ...]:
    if random.random() < 0.05:
        return ()
    both = random.random() < 0.4
    return tuple((place, random.randrange(0, 200), random.randrange(0, 8)) for place in PLACES[: 2 if both else 1])


class _Batch:
    """Rows of the three tables that products fill, kept until there are enough to store."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._product_text, self._stock_text = _product_template(), _stock_template()
        self._products: list[dict[str, Value]] = []
        self._stock: list[dict[str, Value]] = []
        self._levels: list[dict[str, Value]] = []

    def add(self, item: Item) -> None:
        """Take one product and its stock."""
        facts = item.facts
        shared: dict[str, Value] = {
            "id": facts["guid"],
            "code": facts["code"],
            "sort": facts["code"],
            "modified": facts["modified"],
        }
        product: dict[str, Value] = {
            "name": facts["name"],
            "barcode": facts["barcode"],
            "grp": facts["group"],
            "hidden": int(facts["obsolete"] == "true"),
            "created": facts["created"],
            "body": self._product_text % facts,
        }
        self._products.append(shared | product)
        if item.levels:
            self._add_stock(item, shared)

    def _add_stock(self, item: Item, shared: dict[str, Value]) -> None:
        on_hand, allocated = sum(each[1] for each in item.levels), sum(each[2] for each in item.levels)
        cents = int(item.facts["cents"])
        figures = {"on_hand": on_hand, "allocated": allocated, "available": on_hand - allocated}
        body = self._stock_text % {**item.facts, **figures, "total": _money(cents * on_hand)}
        self._stock.append(shared | {"body": body})
        for place, quantity, reserved in item.levels:
            level: dict[str, Value] = {
                "id": f"{shared['id']}@{place.lower()}",
                "product": shared["id"],
                "warehouse": place,
                "body": LEVEL % (reserved, quantity, item.facts["cost"], item.facts["modified"]),
            }
            self._levels.append(shared | level)

    def store(self) -> None:
        """Write what was taken and begin anew."""
        self._account.products.insert_many(self._products)
        self._account.stock.insert_many(self._stock)
        self._account.levels.insert_many(self._levels)
        self._products, self._stock, self._levels = [], [], []


def seed_account(account: Account, products: int, seed: int) -> None:
    """Fill an empty account; every stamp is at least one day old."""
    for table in account.tables:
        table.drop_indexes()
    random, now, batch = Random(seed), account.clock.milliseconds(), _Batch(account)  # noqa: S311
    for number in range(products):
        batch.add(_item(number, random, now))
        if (number + 1) % BATCH == 0:
            batch.store()
    batch.store()
    for table in account.tables:
        table.create_indexes()
    seed_trade(account, products, people(50 + products // 1000, seed), random)
