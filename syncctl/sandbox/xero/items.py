"""developer.xero.com/documentation/api/accounting/items."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from .. import wire
from .account import date
from .records import STAMP, Asked, Records

if TYPE_CHECKING:
    from ..wire import JsonObject

_CENT = Decimal("0.01")
_READ_ONLY = {"QuantityOnHand", "TotalCostPool"}
"""What stock movements change; the API itself cannot set them."""


def blank_item() -> JsonObject:
    """An item that is sold and bought but not tracked: then it has neither quantity nor cost pool."""
    return {
        "PurchaseDetails": {},
        "SalesDetails": {},
        "IsTrackedAsInventory": False,
        "IsSold": True,
        "IsPurchased": True,
    }


class Items(Records):
    """The price list: one answer holds it whole."""

    resource = "Items"
    envelope = "Items"
    id_field = "ItemID"

    def text(self, body: str, asked: Asked) -> str:
        """Unit prices with two decimals unless the query says `unitdp=4`."""
        if asked.param("unitdp") == "4" or '"UnitPrice"' not in body:
            return body
        return wire.dumps(_in_cents(wire.loads(body)))

    def blank(self) -> JsonObject:
        """A new item."""
        return {STAMP: date(self.account.clock.milliseconds()), **blank_item()}

    def moves_stamp(self, changes: JsonObject, stored: JsonObject | None) -> bool:
        """Whether a movement of stock alone moves the stamp is unconfirmed (switch `quantity_bumps`)."""
        if stored is None or self.account.switches["quantity_bumps"] == "yes":
            return True
        changed = {name for name, value in changes.items() if stored.get(name) != value}
        return not changed or not changed <= _READ_ONLY


def _in_cents(item: JsonObject) -> JsonObject:
    for name in ("PurchaseDetails", "SalesDetails"):
        details = item.get(name)
        price = wire.decimal(details.get("UnitPrice")) if isinstance(details, dict) else None
        if isinstance(details, dict) and price is not None:
            details["UnitPrice"] = wire.Number(price.quantize(_CENT, rounding=ROUND_HALF_UP))
    return item
