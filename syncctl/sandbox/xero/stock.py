"""What approved invoices do to the quantities of tracked items.

developer.xero.com/documentation/api/accounting/items: quantities are read-only, sales lower them and
bills raise them; the cost pool follows at the average cost.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from .invoice_form import AUTHORISED, PAID
from .items import Items
from .ledger import Ledger, amount

if TYPE_CHECKING:
    from ..wire import JsonObject
    from .account import Account

Effect = dict[str, Decimal]
"""By item code: what a document takes from stock."""


class Stock:
    """Moves quantities as documents come into force and go out of it."""

    def __init__(self, account: Account) -> None:
        self._items = Items(account)
        self._ledger = Ledger(account)

    def effect(self, before: JsonObject | None, after: JsonObject) -> Effect:
        """What a change of a document takes from stock, tracked items only."""
        was, will = _taken(before), _taken(after)
        moves = {code: will.get(code, Decimal(0)) - was.get(code, Decimal(0)) for code in was | will}
        return {code: taken for code, taken in moves.items() if taken and self._tracked(code)}

    def shortages(self, effect: Effect) -> list[str]:
        """A message for every item of which there is not enough; its wording is the copy's own."""
        return [
            f"There is not enough stock of item '{code}'."
            for code, taken in effect.items()
            if taken > 0 and taken > amount(self._tracked(code) or {}, "QuantityOnHand")
        ]

    def move(self, effect: Effect) -> None:
        """Take from stock, or give back."""
        for code, taken in effect.items():
            if item := self._tracked(code):
                self._items.move(item, -taken)

    def _tracked(self, code: str) -> JsonObject | None:
        item = self._ledger.item_of(code)
        return item if item and item.get("IsTrackedAsInventory") is True else None


def _taken(invoice: JsonObject | None) -> Effect:
    taken: Effect = defaultdict(Decimal)
    if invoice is None or invoice["Status"] not in {AUTHORISED, PAID}:
        return taken
    sign = 1 if invoice["Type"] == "ACCREC" else -1
    for line in invoice["LineItems"]:
        if line.get("ItemCode"):
            taken[line["ItemCode"]] += sign * amount(line, "Quantity")
    return taken
