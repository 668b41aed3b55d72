"""A row of StockOnHand: of one warehouse, or the sum of all (apidocs.unleashedsoftware.com/StockOnHand)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .. import wire
from .lookups import warehouse

if TYPE_CHECKING:
    from ..wire import JsonObject

ZERO = wire.four_places(0)
SUMMED = ("OnPurchase", "AllocatedQty", "QtyOnHand")
"""The figures that add up over warehouses."""


def blank_row() -> JsonObject:
    """A stock row with every field, warehouse fields empty as in a sum."""
    names = ("ProductCode", "ProductDescription", "ProductGuid", "ProductSourceId", "ProductGroupName")
    return {
        **dict.fromkeys((*names, "WarehouseId", "Warehouse", "WarehouseCode", "DaysSinceLastSale")),
        **dict.fromkeys(("OnPurchase", "AllocatedQty", "AvailableQty", "QtyOnHand"), ZERO),
        **dict.fromkeys(("AvgCost", "TotalCost"), ZERO),
        **dict.fromkeys(("Guid", "LastModifiedOn")),
    }


def total(levels: list[JsonObject]) -> JsonObject:
    """The levels of a product as one; a figure that is no number shows as it is."""
    facts: JsonObject = {}
    for level in levels:
        facts.update(level)
    for name in SUMMED:
        facts[name] = _sum([level.get(name) for level in levels])
    facts["AvgCost"] = _average(levels)
    stamps = {wire.milliseconds(level.get("LastModifiedOn")): level.get("LastModifiedOn") for level in levels}
    facts["LastModifiedOn"] = stamps[max(stamps, key=lambda stamp: stamp or 0)]
    return facts


def _sum(values: list[object]) -> object:
    numbers = [wire.decimal(value) for value in values]
    broken = [value for value, number in zip(values, numbers, strict=True) if number is None]
    return broken[0] if broken else wire.four_places(sum(filter(None, numbers), Decimal(0)))


def _average(levels: list[JsonObject]) -> object:
    pairs = [(wire.decimal(level.get("QtyOnHand")), wire.decimal(level.get("AvgCost"))) for level in levels]
    known = [(quantity, cost) for quantity, cost in pairs if quantity is not None and cost is not None]
    quantities = sum((quantity for quantity, _ in known), Decimal(0))
    if len(levels) == 1 or not quantities:
        return levels[0].get("AvgCost")
    return wire.four_places(sum((quantity * cost for quantity, cost in known), Decimal(0)) / quantities)


def completed(facts: JsonObject) -> JsonObject:
    """The facts of a level or sum with the figures that follow from them, unless they were planted."""
    on_hand, allocated = wire.decimal(facts["QtyOnHand"]), wire.decimal(facts["AllocatedQty"])
    cost = wire.decimal(facts["AvgCost"])
    return {
        "AvailableQty": _difference(on_hand, allocated) or facts["QtyOnHand"],
        "TotalCost": None if on_hand is None or cost is None else wire.four_places(on_hand * cost),
        **facts,
    }


def _difference(on_hand: Decimal | None, allocated: Decimal | None) -> wire.Number | None:
    return None if on_hand is None or allocated is None else wire.four_places(on_hand - allocated)


def names_of(place: str) -> JsonObject:
    """The warehouse fields of a row."""
    known = warehouse(place) or {}
    return {
        "WarehouseId": known.get("Guid"),
        "Warehouse": known.get("WarehouseName"),
        "WarehouseCode": known.get("WarehouseCode"),
    }
