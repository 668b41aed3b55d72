"""One product of the shop's own list, checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from syncctl.shop.fields import BadLineError, Check, code, currency, name, price, refuse_unknown, truth
from syncctl.shop.listing import Key, Listing

Field: TypeAlias = str | bool | Decimal | None

_CHECKS: dict[str, Check] = {
    "sku": code,
    "name": name,
    "barcode": code,
    "price": price,
    "price_includes_tax": truth,
    "currency": currency,
}


@dataclass(frozen=True, slots=True)
class ShopProduct:
    """A product of the list. `fields` has only the columns that its line tells; the others keep what is stored."""

    line: int
    sku: str
    fields: Mapping[str, Field]

    @property
    def keys(self) -> tuple[Key, ...]:
        """What it is found by."""
        return (("SKU", self.sku),)


def product(number: int, given: Mapping[str, object]) -> ShopProduct:
    """The product of a line. An empty value, or null, takes the stored one away. Raises `BadLineError`."""
    refuse_unknown(given, _CHECKS)
    found = {key: check(given[key], key) for key, check in _CHECKS.items() if key in given}
    sku = found.pop("sku", None)
    if sku is None:
        raise BadLineError("It has no SKU", "Give each product its own, or leave the line out")
    return ShopProduct(number, sku, found)


PRODUCTS = Listing(product, '{"sku": "A-1", "price": "12.50"}', tuple(_CHECKS), ("sku",))
