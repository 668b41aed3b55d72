"""The invented homeware shop as X-Series has it: the same seed gives the same records, but for their times.

Many products must be there in reasonable time, so their JSON is filled into text templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING

from .. import wire
from ..wire import Number
from .account import FIRST_VERSION, stamp
from .families import OPTIONS, Place, places
from .inventory import LEVEL, blank_row
from .products import blank_product, code_rows
from .setup import HARBOUR, MAIN

if TYPE_CHECKING:
    from ..store import Value
    from ..wire import JsonObject
    from .account import Account

YEAR = 365 * 86_400
BATCH = 2000
_TAX = 1.15


@dataclass(frozen=True, slots=True)
class Levels:
    """What the outlets hold of a product."""

    average_cost: str
    outlets: tuple[tuple[str, str], ...]


def _template(record: JsonObject, filled: dict[str, str]) -> str:
    """The JSON of a record as a template for `%`."""
    return wire.dumps({**record, **{name: Number(holder) for name, holder in filled.items()}})


def _product_template() -> str:
    texts = ("id", "name", "variant_name", "handle", "sku")
    tokens = ("variant_parent_id", "family_id", "variant_options", "active", "has_inventory", "has_variants")
    prices = ("price_excluding_tax", "price_including_tax", "supply_price")
    code = '{"id":"%%(%s)s","type":"%s","code":"%%(%s)s"}'
    codes = ",".join((code % ("sku_id", "CUSTOM", "sku"), code % ("ean_id", "EAN", "ean")))
    return _template(
        blank_product(),
        {
            **{name: f'"%({name})s"' for name in texts},
            **{name: f"%({name})s" for name in (*tokens, *prices, "images", "deleted_at", "version")},
            "is_active": "%(active)s",
            "product_codes": f"[{codes}]",
            **{name: f'"%({name})s"' for name in ("created_at", "updated_at")},
        },
    )


def _stock_template() -> str:
    texts, tokens = ("id", "product_id", "outlet_id"), (LEVEL, "average_cost", "version")
    return _template(
        blank_row(), {**{name: f'"%({name})s"' for name in texts}, **{name: f"%({name})s" for name in tokens}}
    )


class _Batch:
    """Rows of the three tables that products fill, kept until there are enough to store."""

    def __init__(self, account: Account, seed: int) -> None:
        self._account = account
        self._seed = seed
        self._product_text, self._stock_text = _product_template(), _stock_template()
        self._products: list[dict[str, Value]] = []
        self._codes: list[dict[str, Value]] = []
        self._stock: list[dict[str, Value]] = []

    def id_of(self, key: str) -> str:
        """The id that goes with a key; it is needed before the record itself is made."""
        # Written by hand, as there are eight of them to a product and UUID() takes its time.
        text = blake2b(f"{self._seed} {key}".encode(), digest_size=16).hexdigest()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"

    def add(self, place: Place, facts: dict[str, str | int]) -> None:
        """Take one product."""
        key = self.id_of(place.key)
        row: dict[str, Value] = {
            "id": key,
            "code": place.sku,
            "sort": place.sku.lower(),
            "hidden": int(facts["deleted_at"] != "null"),
            "modified": facts["version"],
            "name": place.name,
            "parent": self.id_of(place.parent) if place.parent else "",
            "pictured": int(facts["images"] != "[]"),
            "body": self._product_text % (facts | self._names(place)),
        }
        self._products.append(row)
        self._codes.extend(code_rows(key, [place.sku, str(facts["ean"])]))

    def _names(self, place: Place) -> dict[str, str]:
        options = [{"name": name, "value": value.capitalize()} for name, value in zip(OPTIONS, place.options)]  # noqa: B905
        return {
            "id": self.id_of(place.key),
            "sku_id": self.id_of(f"sku {place.key}"),
            "ean_id": self.id_of(f"ean {place.key}"),
            "name": place.name,
            "variant_name": place.variant_name,
            "handle": place.name.lower().replace(" ", "").replace(",", ""),
            "sku": place.sku,
            "variant_parent_id": f'"{self.id_of(place.parent)}"' if place.parent else "null",
            "family_id": f'"{self.id_of("family " + (place.family or place.key))}"',
            "variant_options": wire.dumps(options),
            "has_variants": wire.dumps(place.has_variants),
        }

    def add_stock(self, key: str, levels: Levels, version: int) -> int:
        """Take what the outlets hold of a product; returns the last version used."""
        product = self.id_of(key)
        for outlet, level in levels.outlets:
            version += 1
            row = self.id_of(f"{key} in {outlet}")
            filled = {"id": row, "product_id": product, "outlet_id": outlet, LEVEL: level, "version": version}
            body = self._stock_text % {**filled, "average_cost": levels.average_cost}
            ids = {"id": row, "code": row, "sort": row, "product": product, "outlet": outlet}
            self._stock.append({**ids, "modified": version, "body": body})
        return version

    def store(self) -> None:
        """Write what was taken and begin anew."""
        self._account.products.insert_many(self._products)
        self._account.codes.insert_many(self._codes)
        self._account.inventory.insert_many(self._stock)
        self._products, self._codes, self._stock = [], [], []


def _facts(place: Place, random: Random) -> dict[str, str | int]:
    """What the seed decides about one record, but for its place among the others."""
    cents = random.randrange(150, 25_000, 5)
    priced, costed = place.sold and random.random() >= 0.02, random.random() >= 0.1
    active = place.sold and random.random() >= 0.03
    return {
        "ean": f"95{random.randrange(10**11):011d}",
        "price_including_tax": f"{cents / 100:.2f}" if priced else "null",
        "price_excluding_tax": repr(round(cents / 100 / _TAX, 5)) if priced else "0",
        "supply_price": f"{cents * 2 / 500:.2f}" if costed else "null",
        "active": wire.dumps(active),
        "has_inventory": wire.dumps(place.sold),
        "images": '[{"url":"https://images.example.test/1.jpg"}]' if random.random() < 0.03 else "[]",
        "deleted_at": "null",
    }


def _levels(random: Random, supply_price: str) -> Levels:
    """Some products have no row, some in one outlet only; some levels are below zero."""
    if random.random() < 0.05:
        return Levels(supply_price, ())
    outlets = (MAIN, HARBOUR) if random.random() < 0.7 else (MAIN,)
    return Levels(supply_price, tuple((outlet, _level(random)) for outlet in outlets))


def _level(random: Random) -> str:
    if random.random() < 0.04:
        return str(-random.randrange(1, 6))
    return f"{random.randrange(0, 90)}.5" if random.random() < 0.02 else str(random.randrange(0, 150))


def seed_products(account: Account, products: int, seed: int) -> None:
    """Fill an empty catalogue in an order of versions that is not the order of SKUs.

    Every stamp is at least one day old.
    """
    for table in (account.products, account.codes, account.inventory):
        table.drop_indexes()
    random, batch, now = Random(f"vend {seed}"), _Batch(account, seed), account.clock.now()  # noqa: S311
    entries = [*places(products), *_gone(products)]
    random.shuffle(entries)
    version = FIRST_VERSION
    for number, place in enumerate(entries):
        version += random.randrange(1, 6)
        changed = now - YEAR + (YEAR - 86_400) * number / len(entries)
        facts = _facts(place, random) | {"version": version} | _times(place, changed, random)
        batch.add(place, facts)
        if place.sold:
            version = batch.add_stock(place.key, _levels(random, str(facts["supply_price"])), version)
        if (number + 1) % BATCH == 0:
            batch.store()
    batch.store()
    account.reach(version)
    for table in (account.products, account.codes, account.inventory):
        table.create_indexes()


def _gone(products: int) -> list[Place]:
    """Products deleted before anybody synced: tombstones of things that are nowhere else."""
    numbers = range(1, products // 50 + 1)
    return [Place(f"GONE-{n}", f"GONE-{n}", f"Discontinued {n}", f"Discontinued {n}", sold=False) for n in numbers]


def _times(place: Place, changed: float, random: Random) -> dict[str, str | int]:
    updated = _stamp(changed)
    deleted = f'"{updated}"' if place.sku.startswith("GONE-") else "null"
    return {"created_at": _stamp(changed - random.randrange(YEAR)), "updated_at": updated, "deleted_at": deleted}


def _stamp(moment: float) -> str:
    return stamp(datetime.fromtimestamp(moment, UTC))
