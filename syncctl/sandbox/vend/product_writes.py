"""Creating, changing and deleting products (x-series-api.lightspeedhq.com/reference/createproduct).

Variants need attributes that exist, and this retailer has none, so they are refused. What a SKU or a
name that is taken gets is unconfirmed by the vendor: switches `sku_taken` and `name_taken`. The
bodies of update and delete are not specified: here the product.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import wire
from .account import column_text
from .amounts import amount
from .answers import Refused, bad_request, not_found
from .cursor import single
from .product_form import check, codes_of, common, created, details, level, objects
from .routing import DATED, Call, Route, Router

if TYPE_CHECKING:
    from ..messages import Response
    from ..wire import JsonObject
    from .inventory import Inventory
    from .products import Products

NEEDED = ("products:write",)


class ProductWrites:
    """What the client does to products."""

    def __init__(self, products: Products, inventory: Inventory) -> None:
        self._account = products.account
        self._products = products
        self._inventory = inventory

    def routes(self, router: Router) -> None:
        """Say which paths these are; updating has another version before the dates."""
        router.add("POST", "/products", Route(self.create, NEEDED))
        router.add("PUT", "/products/{id}", Route(self.update, NEEDED, since=DATED[0]))
        router.add("DELETE", "/products/{id}", Route(self.delete, NEEDED))

    def create(self, call: Call) -> Response:
        """POST: 200 and an array of ids; a SKU that is left out comes from the sequence."""
        posted = call.posted()
        if not posted.get("name"):
            raise bad_request("name is required")
        check(posted)
        if objects(posted, "variants"):
            raise self._unknown("variants.attribute_id")
        with self._account.store.transaction():
            self._demand_free_name(posted["name"], set())
            codes = codes_of(posted) or [self._account.next_sku()]
            self._demand_free_codes(codes, but="")
            blank = {**self._products.defaults(), "id": str(uuid4())}
            product = self._products.write({**blank, **created(posted, codes, self._rate())}, is_new=True)
            self._restock(product["id"], posted)
        return single(wire.dumps([product["id"]]))

    def update(self, call: Call) -> Response:
        """PUT: `common` for the whole family, `details` for this product."""
        posted = call.posted()
        shared, own = ({} if posted.get(name) is None else posted[name] for name in ("common", "details"))
        for part in (shared, own):
            if not isinstance(part, dict):
                raise bad_request("common and details are objects")
            check(part)
        with self._account.store.transaction():
            self._live(call)
            self._change_family(call.key, common(shared))
            self._change(call.key, details(own, self._rate()))
            self._restock(call.key, own)
        return self._answer(call)

    def delete(self, call: Call) -> Response:
        """DELETE: 200, and a tombstone."""
        with self._account.store.transaction():
            self._products.write({**self._live(call), "deleted_at": self._account.now()})
        return self._answer(call)

    def _live(self, call: Call) -> JsonObject:
        record = self._account.live(self._products.table, call.key)
        if record is None:
            raise not_found("Product")
        return record

    def _answer(self, call: Call) -> Response:
        (row,) = self._products.table.all_where("id = ?", call.key)
        return single(self._products.text(row, call))

    def _change_family(self, key: str, changes: JsonObject) -> None:
        family = self._products.family(key)
        if "name" in changes:
            self._demand_free_name(changes["name"], {row["id"] for row in family})
        for row in family if changes else []:
            self._change(row["id"], changes)

    def _change(self, key: str, changes: JsonObject) -> None:
        if not changes:
            return
        self._demand_free_codes([each["code"] for each in changes.get("product_codes", [])], but=key)
        stored = self._account.live(self._products.table, key) or {}
        self._products.write({**stored, **changes})

    def _restock(self, product: str, posted: JsonObject) -> None:
        for given in objects(posted, "inventory"):
            if self._account.live(self._account.outlets, given["outlet_id"]) is None:
                raise self._unknown(f"outlet_id {given['outlet_id']}")
            self._inventory.restock(product, str(given["outlet_id"]).lower(), level(given))

    def _demand_free_codes(self, codes: list[str], *, but: str) -> None:
        mode = self._account.switches["sku_taken"]
        for code in codes if mode != "allowed" else []:
            if self._products.has_code(column_text(code), but=but):
                raise Refused(int(mode), f"sku {code} has already been taken")

    def _demand_free_name(self, name: str, family: set[str]) -> None:
        """A name is what groups a family, so that no two can share one (docs/products_variants)."""
        mode = self._account.switches["name_taken"]
        rows = self._products.table.all_where("name = ? AND +hidden = 0", column_text(name))
        if mode != "allowed" and any(row["id"] not in family for row in rows):
            raise Refused(int(mode), f"name {name} has already been taken")

    def _unknown(self, what: str) -> Refused:
        return Refused(int(self._account.switches["unknown_reference"]), f"{what} not found")

    def _rate(self) -> Decimal:
        taxes = (wire.loads(row["body"]) for row in self._account.taxes.all_where("hidden = 0"))
        rates = (tax.get("rates") or [] for tax in taxes if tax.get("is_default") is True)
        return sum((amount(rate.get("rate")) for rate in next(rates, [])), Decimal(0))
