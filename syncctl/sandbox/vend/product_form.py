"""What the client may say of a product, and the record that becomes of it.

x-series-api.lightspeedhq.com/reference/createproduct and /updateproduct. Lists are replaced, not merged.
That a wrong form gets a 400 is the sandbox's own reading.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .amounts import amount, number, plain
from .answers import bad_request
from .customer_rules import is_text

if TYPE_CHECKING:
    from ..wire import JsonObject

PRICES = ("price_excluding_tax", "price_including_tax")
CODE_TYPES = ("CUSTOM", "EAN", "ISBN", "ITF", "JAN", "UPC")
_PLAIN = ("source_id", "source_variant_id", "handle", "supplier_code")
_COMMON = ("name", "description", "brand_id", "product_category_id", "tag_ids", "product_suppliers")
_DETAILS = ("source_id", "source_variant_id", "supplier_code", "weight", "taxes")
_CENT, _FIVE_PLACES = Decimal("0.01"), Decimal("0.00001")


def check(posted: JsonObject) -> None:
    """Refuse with 400 a wrong type, an unknown kind of code, or both prices at once."""
    for name in ("name", "sku", "handle", "description"):
        if posted.get(name) is not None and not is_text(posted[name]):
            raise bad_request(f"{name} must be a text")
    if all(posted.get(name) is not None for name in PRICES):
        raise bad_request(f"Only one of {' and '.join(PRICES)} can be set")
    for name in (*PRICES, "supply_price"):
        if posted.get(name) is not None and number(posted[name]) is None:
            raise bad_request(f"{name} must be a number")
    for code in objects(posted, "product_codes"):
        if not code.get("code") or str(code.get("type")).upper() not in CODE_TYPES:
            raise bad_request(f"A product code has a code and a type of: {', '.join(CODE_TYPES)}")
    for level in objects(posted, "inventory"):
        if level.get("outlet_id") is None or number(level.get("current_amount", 0)) is None:
            raise bad_request("inventory has an outlet_id and a current_amount that is a number")
    objects(posted, "product_suppliers")


def objects(posted: JsonObject, name: str) -> list[JsonObject]:
    """A list of objects; none where it is left out, anything else is a 400."""
    found = posted.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise bad_request(f"{name} must be a list of objects")
    return found


def codes_of(posted: JsonObject) -> list[str]:
    """SKU and codes as they are given, each once; the first one is the product's SKU."""
    listed = [str(each["code"]) for each in objects(posted, "product_codes")]
    return list(dict.fromkeys([*([posted["sku"]] if posted.get("sku") else []), *listed]))


def created(posted: JsonObject, codes: list[str], rate: Decimal) -> JsonObject:
    """What a posted product sets of a new record; `codes` are its codes, at least one."""
    active = posted.get("is_active") is not False
    return {
        **{name: posted[name] for name in (*_PLAIN, *_COMMON) if posted.get(name) is not None},
        "variant_name": posted["name"],
        "handle": posted.get("handle") or "".join(filter(str.isalnum, posted["name"].lower())),
        "family_id": str(uuid4()),
        "active": active,
        "is_active": active,
        "has_inventory": posted.get("track_inventory") is not False,
        "supply_price": None if posted.get("supply_price") is None else plain(amount(posted["supply_price"])),
        **_coded(posted, codes),
        **_priced(posted, rate),
    }


def common(given: JsonObject) -> JsonObject:
    """What `common` of an update sets in every member of the family."""
    changes = {name: given[name] for name in _COMMON if name in given}
    if "track_inventory" in given:
        changes["has_inventory"] = given["track_inventory"] is not False
    return changes | _cost(given)


def details(given: JsonObject, rate: Decimal) -> JsonObject:
    """What `details` of an update sets in the one product."""
    changes = {name: given[name] for name in _DETAILS if name in given}
    if "is_active" in given:
        changes.update(active=given["is_active"], is_active=given["is_active"])
    if codes := codes_of(given):
        changes |= _coded(given, codes)
    return changes | _priced(given, rate) | _cost(given)


def _cost(given: JsonObject) -> JsonObject:
    """An update has no supply price: the cost is that of the first supplier."""
    suppliers = objects(given, "product_suppliers")
    return {"product_suppliers": suppliers, "supply_price": suppliers[0].get("price")} if suppliers else {}


def _coded(given: JsonObject, codes: list[str]) -> JsonObject:
    types = {str(each["code"]): str(each["type"]).upper() for each in objects(given, "product_codes")}
    listed = [{"id": str(uuid4()), "type": types.get(code, "CUSTOM"), "code": code} for code in codes]
    return {"sku": codes[0], "product_codes": listed}


def _priced(given: JsonObject, rate: Decimal) -> JsonObject:
    """The other price follows by the default tax: without tax to five places, with tax to cents."""
    without, including = (number(given.get(name)) for name in PRICES)
    if without is not None:
        including = (without * (1 + rate)).quantize(_CENT)
    elif including is not None:
        without = (including / (1 + rate)).quantize(_FIVE_PLACES)
    else:
        return {}
    return {"price_excluding_tax": plain(without), "price_including_tax": plain(including)}


def level(given: JsonObject) -> JsonObject:
    """What one entry of `inventory` sets of a row."""
    changes: dict[str, Any] = {"current_inventory_level": plain(amount(given.get("current_amount", 0)))}
    return changes | {name: given[name] for name in ("reorder_point", "reorder_amount") if name in given}
