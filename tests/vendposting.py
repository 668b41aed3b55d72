"""A shop that posts to Vend's sandbox, and a look at what has arrived there."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from conftest import Shop
from posting import line
from vendbench import VendTest

Json = dict[str, Any]
_ID = "0b5e7a00-1111-4000-8000-0000000000"
REGISTER, QUAY, USER, GST, NO_TAX, CASH, CARD = (f"{_ID}{end}" for end in (11, 12, 41, 21, 22, 31, 32))
SHIPPING, ROUNDING = (f"{_ID}{end}" for end in ("a1", "a2"))
DISCOUNT = f"{_ID}90"  # the store's own
NOBODY = f"{_ID}ff"
SETTINGS = {
    "SYNCCTL_TIMEZONE": "Pacific/Auckland",
    "SYNCCTL_VEND_ROLES": "products,stock,customers,invoices",
    "SYNCCTL_VEND_CURRENCY": "NZD",
    "SYNCCTL_VEND_REGISTER": REGISTER,
    "SYNCCTL_VEND_USER": USER,
    "SYNCCTL_VEND_TAX": f"0.15:{GST},0:{NO_TAX}",
    "SYNCCTL_VEND_PAYMENTS": f"card:{CARD},cash:{CASH}",
    "SYNCCTL_VEND_SHIPPING": SHIPPING,
    "SYNCCTL_VEND_DISCOUNT": DISCOUNT,
    "SYNCCTL_VEND_LIMITS": "100000/5 minutes",
}


@pytest.mark.products(6)
class VendPosting(VendTest):
    """The fixtures of a test class whose shop has read everything and posts."""

    @pytest.fixture(autouse=True)
    def posting(self, shop: Shop) -> None:
        ready(shop)


def ready(shop: Shop) -> None:
    """The store has products for shipping and rounding, and the shop has read everything."""
    shop.upstream.request("POST", "limits", {"vend": {"five_minutes": 100_000}})
    products = [{"id": each, "sku": sku, "name": sku} for each, sku in ((SHIPPING, "POSTAGE"), (ROUNDING, "ROUNDING"))]
    shop.upstream.put("products", *products)
    shop.extra |= SETTINGS
    shop.ok("sync-recent")
    shop.ok("sync-customers")


def paid(shop: Shop, *numbers: str, method: str = "card", amount: str | None = None) -> None:
    """These orders are paid in full, or so much of each."""
    for number in numbers:
        shop.write(
            "INSERT OR REPLACE INTO order_payments (order_id, position, method, amount)"
            " SELECT id, 1, ?, coalesce(?, total) FROM orders WHERE number = ?",
            method, amount, number,
        )  # fmt: skip


def there(shop: Shop, kind: str) -> list[Json]:
    found: list[Json] = shop.upstream.request("GET", f"records/vend/{kind}?limit=1000")["records"]
    return found


def writes(shop: Shop, kind: str) -> dict[str, int]:
    """How often each record was written."""
    found: dict[str, int] = shop.upstream.request("GET", f"records/vend/{kind}?limit=1000")["writes"]
    return found


def sales(shop: Shop) -> list[Json]:
    """The sales of this shop: the sandbox has others, too."""
    return [sale for sale in there(shop, "sales") if sale["source"]["type"] == "syncctl"]


def arrived(shop: Shop) -> Counter[str]:
    """How many sales stand in the service for each number."""
    start = f"{shop.env['SYNCCTL_SHOP']}-"
    return Counter(sale["invoice_number"].removeprefix(start) for sale in sales(shop))


def charge(kind: str, price: str, rate: str | None = "0.15") -> Json:
    """A line that is no product."""
    return {**line(price=price, rate=rate), "kind": kind, "sku": None}
