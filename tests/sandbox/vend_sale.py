"""A sale as a client sends it to Vend's copy, and ways to send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from .vend_client import Json, VendClient


def new_order(vend: VendClient) -> Json:
    """A valid closed sale of two mugs at 10.00 and 1.50 tax each, paid in full."""
    product = vend.plant("products", {"sku": "QMUG", "price_excluding_tax": 20, "supply_price": 4.2})[0]
    vend.plant("stock", {"sku": "QMUG", "current_inventory_level": 10})
    register = {"register_id": vend.data("/registers")[0]["id"]}
    line = {
        "product": {"id": product},
        "quantity": 2,
        "pricing": {"price": "10.00", "discount": 0},
        "tax": {"id": vend.data("/taxes")[0]["id"], "amount": 1.5},
        "_metadata": {"sequence": 0, "is_price_override": True},
    }
    config = vend.data("/payment_types")[1]["id"]
    return {
        "id": str(uuid4()),
        "state": "closed",
        "attributes": [],
        "source": {"author_id": vend.data("/users")[0]["id"], "id": "SHOP-1", "type": "shop", **register},
        "date": "2026-11-23T18:00:00+13:00",
        "customer_id": vend.data("/customers")[3]["id"],
        "note": "web order",
        "invoice_number": "WEB-1",
        "line_items": [line],
        "payments": [{"type": {"config_id": config}, "amount": 23, "source": register}],
    }


def stored(vend: VendClient, order: Json) -> Any:
    return vend.data(f"/sales/{order['id']}")


def posted(vend: VendClient, order: Json, **changes: object) -> int:
    return vend.send("POST", "/sales", order | changes).status_code


def put(vend: VendClient, order: Json, **changes: object) -> int:
    return vend.send("PUT", f"/sales/{order['id']}", order | changes).status_code


def with_line(order: Json, **changes: object) -> Json:
    return order | {"line_items": [order["line_items"][0] | changes]}
