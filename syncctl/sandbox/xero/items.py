"""developer.xero.com/documentation/api/accounting/items."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, ClassVar

from .. import wire
from ..messages import Response
from ..wire import Number
from .account import date
from .answers import Refused, not_found
from .asked import Asked
from .contact_rules import too_long
from .ledger import Ledger, amount
from .records import STAMP
from .shapes import Shape, flag, guid, nested, number, text
from .writing import Complaint, Outcome, Written, complain

if TYPE_CHECKING:
    from ..wire import JsonObject
    from .account import Account

_CENT = Decimal("0.01")
_READ_ONLY = {"QuantityOnHand", "TotalCostPool"}
"""What stock movements change; the API itself cannot set them."""
_DETAILS = {"SalesDetails": "IsSold", "PurchaseDetails": "IsPurchased"}
_LENGTHS = {"Code": 30, "Name": 50, "Description": 4000, "PurchaseDescription": 4000}
_PRICE: Shape = {
    "UnitPrice": number,
    **dict.fromkeys(("AccountCode", "COGSAccountCode", "TaxType"), text),
}


def blank_item() -> JsonObject:
    """An item that is sold and bought but not tracked: then it has neither quantity nor cost pool."""
    return {
        "PurchaseDetails": {},
        "SalesDetails": {},
        "IsTrackedAsInventory": False,
        "IsSold": True,
        "IsPurchased": True,
    }


class Items(Written):
    """The price list: one answer holds it whole."""

    resource = "Items"
    envelope = "Items"
    id_field = "ItemID"
    shape: ClassVar[Shape] = {
        "ItemID": guid,
        **dict.fromkeys(("Code", "Name", "Description", "PurchaseDescription", "InventoryAssetAccountCode"), text),
        **dict.fromkeys(("IsSold", "IsPurchased"), flag),
        **dict.fromkeys(_DETAILS, nested(_PRICE)),
    }

    def __init__(self, account: Account) -> None:
        super().__init__(account, account.items)
        self._ledger = Ledger(account)

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

    def move(self, item: JsonObject, change: Decimal) -> None:
        """Add to the quantity on hand, at the average cost."""
        on_hand, pool = amount(item, "QuantityOnHand"), amount(item, "TotalCostPool")
        cost = pool / on_hand if on_hand else amount(item.get("PurchaseDetails") or {}, "UnitPrice")
        moved = {
            "QuantityOnHand": Number(f"{on_hand + change:.4f}"),
            "TotalCostPool": Number(f"{pool + change * cost:.2f}"),
        }
        record = {**item, **moved}
        self.save(self.stamped(record) if self.moves_stamp(moved, item) else record)

    # Writing

    def write(self, asked: Asked) -> Response:
        """An item can be deleted as well: 204, and it is gone from the list without a trace."""
        if asked.method != "DELETE" or asked.key is None:
            return super().write(asked)
        with self.account.store.transaction():
            return Response(204) if self.remove(self.row_of(asked.key)["id"]) else not_found()

    def written(self, given: JsonObject, asked: Asked) -> Outcome:
        """`PUT` creates; `POST` creates, or changes the item with the same id or code."""
        before = self._before(given, asked)
        complain(too_long(given, _LENGTHS))
        key = str(before["ItemID"]) if before else self.account.new_id()
        record = self._filled(given, before, asked)
        if not record.get("Code"):
            raise Complaint("Price List Item Code must be specified")
        self._check_code(record["Code"], key)
        self._check_accounts(record)
        record = self.stamped({**record, "ItemID": key})
        self.save(record)
        return Outcome(record)

    def _before(self, given: JsonObject, asked: Asked) -> JsonObject | None:
        if asked.method == "PUT":
            return None
        if "ItemID" in given:
            row = self.table.get(given["ItemID"])
            if row is None:
                raise Refused(not_found())
            found: JsonObject = wire.loads(row["body"])
            return found
        return self._ledger.item_of(given["Code"]) if given.get("Code") else None

    def _filled(self, given: JsonObject, before: JsonObject | None, asked: Asked) -> JsonObject:
        """Whether what is left out stays is unconfirmed for items (switch `item_update`).

        developer.xero.com: an item is tracked when it has an inventory account and one for the cost
        of goods sold; what is not sold, or not purchased, has no such details.
        """
        stays = before is not None and self.account.switches["item_update"] == "partial"
        kept = before if before is not None and stays else _stock_of(before)
        record = wire.merge({**blank_item(), **kept}, given)
        if asked.param("unitdp") != "4":
            record = _in_cents(record)
        record |= {name: {} for name, flag_name in _DETAILS.items() if record[flag_name] is False}
        tracked = record.get("InventoryAssetAccountCode") and record["PurchaseDetails"].get("COGSAccountCode")
        empty = {"QuantityOnHand": Number("0.0000"), "TotalCostPool": Number("0.00")}
        return {**(empty if tracked else {}), **record, "IsTrackedAsInventory": bool(tracked)}

    def _check_code(self, code: str, key: str) -> None:
        if self.table.all_where("code = ? AND id <> ?", code, key):
            raise Complaint(f"Price List Item with Code '{code}' already exists")

    def _check_accounts(self, record: JsonObject) -> None:
        for details in (record["SalesDetails"], record["PurchaseDetails"]):
            for name in ("AccountCode", "COGSAccountCode"):
                code = details.get(name)
                if code and not self._ledger.is_usable(self._ledger.account_of(code)):
                    raise Complaint("Account must be valid.")
            if details.get("TaxType") and self._ledger.rate_of(details["TaxType"]) is None:
                raise Complaint("Tax rate must be valid.")


def _stock_of(item: JsonObject | None) -> JsonObject:
    return {name: value for name, value in (item or {}).items() if name in _READ_ONLY}


def _in_cents(item: JsonObject) -> JsonObject:
    for name in _DETAILS:
        details = item.get(name)
        price = wire.decimal(details.get("UnitPrice")) if isinstance(details, dict) else None
        if isinstance(details, dict) and price is not None:
            details["UnitPrice"] = wire.Number(price.quantize(_CENT, rounding=ROUND_HALF_UP))
    return item
