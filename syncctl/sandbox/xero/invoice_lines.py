"""The lines of an invoice, and what they add up to.

developer.xero.com/documentation/guides/how-to-guides/rounding-in-xero: the unit price is rounded
first, then the line, then the tax of the line; the invoice is the sum of its rounded lines. Half a
cent goes up by an old answer of the vendor's (switch `rounding`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from .. import wire
from ..wire import Number
from .ledger import Ledger, amount
from .shapes import Shape, guid, listed, number, text
from .writing import Complaint

if TYPE_CHECKING:
    from ..wire import JsonObject

CENT = Decimal("0.01")
_QUANTITY = Decimal("0.0001")
_LARGEST = Decimal("9999999999.99")
NO_ACCOUNT = "Account code must be specified"
_LONGEST = 4000
_TRACKING: Shape = dict.fromkeys(("Name", "Option"), text)
LINE: Shape = {
    "LineItemID": guid,
    **dict.fromkeys(("Description", "ItemCode", "AccountCode", "TaxType"), text),
    **dict.fromkeys(("Quantity", "UnitAmount", "TaxAmount", "LineAmount", "DiscountRate", "DiscountAmount"), number),
    "Tracking": listed(_TRACKING),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What the lines of one document have in common; `warnings` collects what does not stop it."""

    ledger: Ledger
    types: str
    is_sale: bool
    is_approved: bool
    price_places: int
    warnings: list[str] = field(default_factory=list)

    def rounded(self, value: Decimal, step: Decimal = CENT) -> Decimal:
        """An amount with as many places as `step` has."""
        even = self.ledger.account.switches["rounding"] == "half_even"
        return value.quantize(step, rounding=ROUND_HALF_EVEN if even else ROUND_HALF_UP)

    def price(self, value: Decimal) -> Decimal:
        """A unit price with two decimals, or with four when the query asked for them."""
        return self.rounded(value, Decimal(1).scaleb(-self.price_places))


def made_lines(given: list[JsonObject], before: list[JsonObject], setting: Setting) -> list[JsonObject]:
    """The lines a document gets; one with the id of an earlier line changes that, the other earlier ones go."""
    known = {line.get("LineItemID"): line for line in before}
    return [_line(each, known.get(each.get("LineItemID")), setting) for each in given]


def _line(given: JsonObject, before: JsonObject | None, setting: Setting) -> JsonObject:
    kept = {name: value for name, value in (before or {}).items() if name not in {"TaxAmount", "LineAmount"}}
    line = _with_item({**kept, **given}, setting)
    line = _with_account(line, setting)
    if len(line.get("Description", "")) > _LONGEST:
        raise Complaint(f"The Description field must be {_LONGEST} characters or less.")
    line |= _amounts(line, setting)
    line["TaxAmount"] = Number(f"{_tax(line, setting):.2f}")
    return {
        **line,
        "LineItemID": str(before["LineItemID"]) if before else setting.ledger.account.new_id(),
        "Tracking": line.get("Tracking", []),
    }


def _with_item(line: JsonObject, setting: Setting) -> JsonObject:
    """An item brings its text, price, account and tax type, unless the line has its own."""
    code = line.get("ItemCode")
    if not code:
        return line
    item = setting.ledger.item_of(code)
    if item is None:
        raise Complaint(f"Item code '{code}' is not valid.")
    found = item.get("SalesDetails" if setting.is_sale else "PurchaseDetails")
    details = found if isinstance(found, dict) else {}
    brought = {name: details.get(name) for name in ("AccountCode", "TaxType")}
    brought |= {"Description": item.get("Description"), "UnitAmount": details.get("UnitPrice")}
    return {**{name: value for name, value in brought.items() if value is not None}, **line}


def _with_account(line: JsonObject, setting: Setting) -> JsonObject:
    """The line with its tax type: its own, or the one of its account."""
    code = line.get("AccountCode")
    account = setting.ledger.account_of(code) if code else None
    if code and not setting.ledger.is_usable(account):
        return _without_account(line, setting)
    if not code and setting.is_approved:
        raise Complaint(NO_ACCOUNT)
    tax = "NONE" if setting.types == "NoTax" else line.get("TaxType") or (account or {}).get("TaxType")
    if tax is None:
        return line
    rate = setting.ledger.rate_of(tax)
    if rate is None:
        raise Complaint(f"The TaxType code {tax} does not exist or cannot be used for this type of transaction.")
    if account and not setting.ledger.applies(rate, account):
        raise Complaint(f"The TaxType code '{tax}' cannot be used with account code '{code}'.")
    return {**line, "TaxType": tax}


def _without_account(line: JsonObject, setting: Setting) -> JsonObject:
    """A wrong account is refused, or taken off with a warning: both have been seen (switch `unknown_account`)."""
    code = line["AccountCode"]
    if setting.ledger.account.switches["unknown_account"] == "refuse":
        raise Complaint(f"Account code '{code}' is not a valid code for this document.")
    setting.warnings.append(f"Account code '{code}' has been removed as it does not match a recognised account.")
    return {name: value for name, value in line.items() if name != "AccountCode"}


def _amounts(line: JsonObject, setting: Setting) -> JsonObject:
    """Quantity, unit price and line amount; of the three any one may be left out."""
    quantity, unit, total = (wire.decimal(line.get(name)) for name in ("Quantity", "UnitAmount", "LineAmount"))
    if setting.is_approved and unit is None and total is None:
        raise Complaint("A line must have an amount.")
    if total is not None and unit is None:
        quantity = quantity or Decimal(1)
        unit = total / quantity
    elif total is not None and quantity is None and unit:
        quantity = total / unit
    quantity = setting.rounded(Decimal(1) if quantity is None else quantity, _QUANTITY)
    price = setting.price(unit or Decimal(0))
    expected = setting.rounded(_discounted(line, quantity * price))
    derived = wire.decimal(line.get("Quantity")) is None or wire.decimal(line.get("UnitAmount")) is None
    if total is not None and not derived and total != expected:
        raise Complaint(f"The line total {total:.2f} does not match the expected line total {expected:.2f}")
    counted = setting.rounded(total) if total is not None and derived else expected
    if abs(counted) > _LARGEST:
        raise Complaint("The line amount is too large.")
    return {
        "Quantity": Number(f"{quantity:.4f}"),
        "UnitAmount": Number(f"{price:f}"),
        "LineAmount": Number(f"{counted:.2f}"),
    }


def _discounted(line: JsonObject, gross: Decimal) -> Decimal:
    if line.get("DiscountRate") is not None:
        return gross * (1 - amount(line, "DiscountRate") / 100)
    return gross - amount(line, "DiscountAmount")


def _tax(line: JsonObject, setting: Setting) -> Decimal:
    """The tax of a line; the client may override what comes of the rate."""
    if setting.types == "NoTax":
        return Decimal(0)
    if line.get("TaxAmount") is not None:
        return setting.rounded(amount(line, "TaxAmount"))
    rate = setting.ledger.rate_of(line.get("TaxType", "")) or {}
    share, total = amount(rate, "EffectiveRate") / 100, amount(line, "LineAmount")
    return setting.rounded(total * share / (1 + share) if setting.types == "Inclusive" else total * share)


def totals(lines: list[JsonObject], given: JsonObject, setting: Setting) -> dict[str, Decimal]:
    """`SubTotal`, `TotalTax` and `Total`, with the rounding that an approved document may ask for.

    A rounding of at most ten cents is honoured when all three totals came along and agree with it;
    whether a wrong `Total` alone matters is unconfirmed by the vendor (switch `wrong_total`).
    """
    tax = sum((amount(line, "TaxAmount") for line in lines), Decimal(0))
    sub = sum((amount(line, "LineAmount") for line in lines), Decimal(0))
    sub -= tax if setting.types == "Inclusive" else 0
    found = {"SubTotal": sub, "TotalTax": tax, "Total": sub + tax}
    rounding = amount(given, "RoundingAmount")
    claimed = {name: wire.decimal(given.get(name)) for name in found}
    if (
        setting.is_approved
        and 0 < abs(rounding) <= Decimal("0.10")
        and claimed == found | {"Total": sub + tax + rounding}
    ):
        return found | {"Total": sub + tax + rounding}
    wrong = claimed["Total"] is not None and claimed["Total"] != found["Total"]
    if wrong and setting.ledger.account.switches["wrong_total"] == "refuse":
        raise Complaint("The document total does not equal the sum of the lines.")
    return found
