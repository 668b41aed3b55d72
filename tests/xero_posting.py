"""What the tests of posting to Xero share: a shop that posts there, and a look at what has arrived."""

from __future__ import annotations

from collections import Counter
from typing import Any

from conftest import Shop
from posting import Json, order

SETTINGS = {
    "SYNCCTL_TIMEZONE": "Pacific/Auckland",
    "SYNCCTL_XERO_ROLES": "products,stock,customers,invoices",
    "SYNCCTL_XERO_LIMITS": "100000/minute",
    "SYNCCTL_XERO_CURRENCY": "NZD",
    "SYNCCTL_XERO_TAX": "0.15:OUTPUT2,0:NONE",
    "SYNCCTL_XERO_ACCOUNT": "200",
    "SYNCCTL_XERO_PAYMENTS": "card:090",
}


def records(shop: Shop, kind: str) -> list[Json]:
    found: list[Json] = shop.upstream.request("GET", f"records/xero/{kind}")["records"]
    return found


def invoices(shop: Shop) -> list[Json]:
    return [each for each in records(shop, "invoices") if each.get("InvoiceNumber", "").startswith("demo-")]


def arrived(shop: Shop) -> Counter[str]:
    return Counter(each["Reference"] for each in invoices(shop) if each["Status"] not in ("VOIDED", "DELETED"))


def payments(shop: Shop) -> Counter[str]:
    return Counter(each.get("Reference", "") for each in records(shop, "payments") if each.get("Reference"))


def paid(number: str, *lines: Json, **more: Any) -> Json:
    """An order that is paid by card."""
    made = order(number, *lines, **more)
    return made | {"payments": [{"method": "card", "amount": made["total"]}]}
