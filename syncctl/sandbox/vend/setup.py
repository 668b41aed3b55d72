"""The invented retailer: two outlets with a register each, and one of either that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from .tokens import DOMAIN_PREFIX

if TYPE_CHECKING:
    from ..wire import JsonObject

_GONE = "2026-02-01T08:00:00+00:00"


def fixed_id(number: int) -> str:
    """An id of the set-up, the same with every seed."""
    return str(UUID(f"0b5e7a00-1111-4000-8000-{number:012d}"))


MAIN, HARBOUR = fixed_id(1), fixed_id(2)
GST, NO_TAX = fixed_id(21), fixed_id(22)
ALL_CUSTOMERS, WALK_IN = fixed_id(51), fixed_id(60)
DISCOUNT, SHIPPING, FEE, ROUNDING = (fixed_id(number) for number in (90, 91, 92, 93))

RETAILER: JsonObject = {
    "id": fixed_id(0),
    "domain_prefix": DOMAIN_PREFIX,
    "name": "Demo Homeware Ltd",
    "country": "NZ",
    "currency": {"code": "NZD", "symbol": "$"},
    "timezone": "Pacific/Auckland",
    "tax_exclusive": False,
    "no_tax_group_id": NO_TAX,
    "discount_product_id": DISCOUNT,
    "sku_sequence": {"enabled": True},
    "account_status": "active",
}


def _outlet(number: int, name: str, deleted_at: str | None = None) -> JsonObject:
    return {
        "id": fixed_id(number),
        "name": name,
        "time_zone": "Pacific/Auckland",
        "currency": "NZD",
        "default_tax_id": GST,
        "display_prices": "inclusive",
        "deleted_at": deleted_at,
        "version": None,
    }


def _register(number: int, name: str, outlet: str, deleted_at: str | None = None) -> JsonObject:
    return {
        "id": fixed_id(number),
        "name": name,
        "outlet_id": outlet,
        "is_open": deleted_at is None,
        "invoice_prefix": f"{name[:1].upper()}-",
        "invoice_suffix": "",
        "invoice_sequence": 100,
        "register_open_time": None if deleted_at else "2026-11-22T20:00:00+00:00",
        "deleted_at": deleted_at,
        "version": None,
    }


def _tax(number: int, name: str, rate: float, *, default: bool) -> JsonObject:
    return {
        "id": fixed_id(number),
        "name": name,
        "is_default": default,
        "display_name": name,
        "rates": [{"id": fixed_id(number + 100), "name": name, "rate": rate}],
        "version": None,
    }


def _payment(number: int, name: str, kind: int) -> JsonObject:
    return {
        "id": fixed_id(number),
        "name": name,
        "type_id": kind,
        "disabled": False,
        "internal": False,
        "outlet_ids": [],
        "config": {},
        "deleted_at": None,
        "version": None,
    }


def _user(number: int, name: str, kind: str, deleted_at: str | None = None) -> JsonObject:
    return {
        "id": fixed_id(number),
        "username": f"{name.lower()}@example.test",
        "display_name": name,
        "account_type": kind,
        "enabled": deleted_at is None,
        "restricted_outlet_ids": [],
        "deleted_at": deleted_at,
        "version": None,
    }


def _charge(number: int, name: str) -> JsonObject:
    """A product that stands for what is no goods, so that a sale can have a line of it."""
    return {"id": fixed_id(number), "sku": name.upper(), "name": name, "handle": name.lower(), "has_inventory": False}


def _group(number: int, name: str) -> JsonObject:
    return {"id": fixed_id(number), "name": name, "group_id": None, "deleted_at": None, "version": None}


KINDS: dict[str, list[JsonObject]] = {
    "outlets": [_outlet(1, "Main Street"), _outlet(2, "Harbour"), _outlet(3, "Market Stall", _GONE)],
    "registers": [
        _register(11, "Till", MAIN),
        _register(12, "Quay", HARBOUR),
        _register(13, "Stall", fixed_id(3), _GONE),
    ],
    "taxes": [_tax(21, "GST", 0.15, default=True), _tax(22, "No Tax", 0.0, default=False)],
    "payment_types": [_payment(31, "Cash", 1), _payment(32, "Card", 5), _payment(33, "On Account", 9)],
    "users": [
        _user(41, "Robin", "admin"),
        _user(42, "Kim", "cashier"),
        _user(43, "Alex", "cashier", _GONE),
    ],
    "customer_groups": [_group(51, "All Customers"), _group(52, "Trade")],
}
"""The small collections as they are seeded."""

CHARGES = [_charge(91, "Shipping"), _charge(92, "Fee"), _charge(93, "Rounding")]
"""Products that a shop made for its orders' other lines; that of discounts comes with the store."""

REGISTERS = sum(not each["deleted_at"] for each in KINDS["registers"])  # by which the call limit is reckoned
