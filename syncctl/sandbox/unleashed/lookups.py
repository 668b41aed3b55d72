"""The small lists of an account: warehouses, taxes, currencies, payment terms, company.

apidocs.unleashedsoftware.com names the endpoints. Payment terms and companies were seen without
pagination; that warehouses, taxes and currencies have one is the sandbox's choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import wire
from ..messages import Response, json_response
from ..wire import Number
from .answers import not_found
from .listing import Listing, page_response, unpaged_response

if TYPE_CHECKING:
    from ..switches import Switches
    from ..wire import JsonObject
    from .routing import Call, Endpoint, Router

_CHANGED = "/Date(1704067200000)/"
NO_TAX = "00000000-0000-0000-0000-000000000000"
CURRENCY = "NZD"


def _id(number: int) -> str:
    return f"0e5f0000-0000-4000-8000-{number:012d}"


def _warehouse(number: int, code: str, name: str, *, default: bool = False) -> JsonObject:
    address = ("StreetNo", "AddressLine1", "AddressLine2", "Suburb", "City", "Region", "Country", "PostCode")
    contact = ("PhoneNumber", "FaxNumber", "MobileNumber", "DDINumber", "ContactName")
    return {
        "WarehouseCode": code,
        "WarehouseName": name,
        "IsDefault": default,
        **dict.fromkeys((*address, *contact)),
        "Obsolete": False,
        "Guid": _id(number),
        "LastModifiedOn": _CHANGED,
    }


def _tax(guid: str, code: str, description: str, rate: str) -> JsonObject:
    return {
        "TaxCode": code,
        "Description": description,
        "TaxRate": Number(rate),
        "CanApplyToExpenses": True,
        "CanApplyToRevenue": True,
        "Obsolete": False,
        "Guid": guid,
        "LastModifiedOn": _CHANGED,
    }


def _currency(number: int, code: str, description: str, rate: str) -> JsonObject:
    return {
        "CurrencyCode": code,
        "Description": description,
        "DefaultBuyRate": Number(rate),
        "DefaultSellRate": Number(rate),
        "Guid": _id(number),
        "LastModifiedOn": _CHANGED,
    }


def _term(number: int, kind: str, days: int, description: str) -> JsonObject:
    return {
        "Guid": _id(number),
        "Type": kind,
        "Days": days,
        "Obsolete": False,
        "PaymentTermDescription": description,
    }


WAREHOUSES = [
    _warehouse(1, "MAIN", "Main Warehouse", default=True),
    _warehouse(2, "SHOP", "Shop Floor"),
    _warehouse(3, "RETURNS", "Returns"),
]
TAXES = [
    _tax(_id(11), "G.S.T.", "GST", "0.1500"),
    _tax(_id(12), "ZERO", "Zero rated", "0.0000"),
    _tax(NO_TAX, "NONE", "No tax", "0.0000"),
]
CURRENCIES = [
    _currency(21, CURRENCY, "New Zealand Dollar", "1.0000"),
    _currency(22, "AUD", "Australian Dollar", "0.9200"),
]
PAYMENT_TERMS = [
    _term(31, "DaysOfTheMonthFollowing", 20, "20th Month following"),
    _term(32, "DaysAfterInvoice", 7, "7 Days"),
]
COMPANIES: list[JsonObject] = [
    {
        "CompanyName": "Demo Homeware Ltd",
        "BaseCurrencyCode": CURRENCY,
        "GSTVATNumber": None,
        "Guid": _id(41),
        "LastModifiedOn": _CHANGED,
    }
]


def find(items: list[JsonObject], named: Any, code: str) -> JsonObject | None:
    """The item that an object in a posted record names by Guid or by its code."""
    if not isinstance(named, dict):
        return None
    guid, text = str(named.get("Guid", "")).lower(), named.get(code)
    return next((item for item in items if item["Guid"] == guid or (text and item[code] == text)), None)


def warehouse(code: object) -> JsonObject | None:
    """The warehouse with a code, or None; codes compare without regard to case."""
    return next((each for each in WAREHOUSES if each["WarehouseCode"] == str(code).upper()), None)


class Lookups:
    """The small lists, which nobody changes."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        for name, items in {"Warehouses": WAREHOUSES, "Taxes": TAXES, "Currencies": CURRENCIES}.items():
            router.add_list(name, self._paged(items), _one(items))
        for name, items in {"PaymentTerms": PAYMENT_TERMS, "Companies": COMPANIES}.items():
            router.add_list(name, _whole(items), _one(items))

    def _paged(self, items: list[JsonObject]) -> Endpoint:
        texts = [wire.dumps(item) for item in items]
        listing = Listing(len(texts), lambda offset, limit: texts[offset : offset + limit])
        return lambda call: page_response(listing, call, self._switches)


def _whole(items: list[JsonObject]) -> Endpoint:
    texts = [wire.dumps(item) for item in items]
    return lambda _: unpaged_response(texts)


def _one(items: list[JsonObject]) -> Endpoint:
    def answer(call: Call) -> Response:
        item = find(items, {"Guid": call.key()}, "Guid")
        return json_response(wire.dumps(item)) if item else not_found()

    return answer
