"""x-series-api.lightspeedhq.com/reference/listproducts: products, their families and their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import wire
from ..messages import Response
from .account import column_text
from .answers import not_found
from .cursor import asked, envelope, page, single
from .records import Records
from .routing import Call, Route, Router
from .tokens import COST

if TYPE_CHECKING:
    from ..store import Row, Value
    from ..wire import JsonObject
    from .account import Account
    from .inventory import Inventory

NEEDED = ("products:read",)
_LISTS = ("variant_options", "categories", "tag_ids", "images", "skuImages", "attributes", "product_codes")


def blank_product() -> JsonObject:
    """A product with every field that the schema always has, and the optional ones that are read."""
    return {
        **dict.fromkeys(("id", "source_id", "source_variant_id", "variant_parent_id", "family_id")),
        **dict.fromkeys(("name", "variant_name", "handle", "sku", "description")),
        **{name: [] for name in (*_LISTS, "product_suppliers", "customizations")},
        "active": True,
        "is_active": True,
        "has_inventory": True,
        "has_variants": False,
        "is_composite": False,
        "packaging": None,
        "price_excluding_tax": 0,
        "price_including_tax": None,
        **dict.fromkeys(("supply_price", "supplier_code", "brand_id")),
        **dict.fromkeys(("created_at", "updated_at", "deleted_at", "version")),
    }


class Products(Records):
    """The products; variants and their parents are products too."""

    code_field = "sku"

    def __init__(self, account: Account, inventory: Inventory) -> None:
        super().__init__(account, account.products)
        self._inventory = inventory

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        router.add("GET", "/products", Route(self.many, NEEDED))
        router.add("GET", "/products/{id}", Route(self.one, NEEDED))

    def many(self, call: Call) -> Response:
        """A page by version; `sku`, `name` and `family_name` make every other parameter ignored."""
        params = call.params
        if sku := params.get("sku"):
            rows = self._by_code(sku)
        elif name := params.get("name") or params.get("family_name"):
            rows = self.table.all_where("name = ? AND +hidden = 0", name)
        else:
            switches = self.account.switches
            rows = page(self.table, asked(call, switches), call, switches)
        return envelope([self.text(row, call) for row in rows], rows)

    def one(self, call: Call) -> Response:
        """One product; that a deleted one is a 404 is a third party's word (switch `deleted_product`)."""
        row = self.table.get(call.key)
        if row is None or (row["hidden"] and self.account.switches["deleted_product"] == "404"):
            raise not_found("Product")
        return single(self.text(row, call))

    def family(self, key: str) -> list[Row]:
        """A product with its variants, or with its parent and those; deleted ones left out."""
        row = self.table.get(key)
        root = row["parent"] or row["id"] if row else key
        return self.table.all_where("(id = ? OR parent = ?) AND +hidden = 0", root, root)

    def has_code(self, code: str, *, but: str) -> bool:
        """Whether a live product other than one has this code."""
        owners = {row["product"] for row in self.account.codes.all_where("code = ?", code)} - {but}
        return any(self.account.live(self.table, owner) for owner in owners)

    def _by_code(self, code: str) -> list[Row]:
        """By any of its codes; whether their case counts is unconfirmed by the vendor (`sku_case`)."""
        exact = self.account.switches["sku_case"] == "exact"
        codes = "SELECT product FROM vend_codes WHERE " + ("code = ?" if exact else "sort = lower(?)")
        # The plus sign keeps SQLite from reading all that is not hidden.
        return self.table.all_where(f"id IN ({codes}) AND +hidden = 0", code)

    def text(self, row: Row, call: Call) -> str:
        """The JSON text of a product as this request sees it."""
        without_pictures = row["pictured"] and call.params.get("include_images") == "false"
        # Which of the two names of `active` there is, is unconfirmed by the vendor.
        absent = {"active": "is_active", "is_active": "active"}.get(self.account.switches["active_fields"])
        if COST in call.scopes and not without_pictures and not absent:
            return str(row["body"])
        record = {name: value for name, value in wire.loads(row["body"]).items() if name != absent}
        if without_pictures:
            record.update(images=[], skuImages=[])
        return wire.dumps(record if COST in call.scopes else _without_cost(record))

    # Writing

    def defaults(self) -> JsonObject:
        """A blank product."""
        return {**blank_product(), "created_at": self.account.now()}

    def columns(self, record: JsonObject) -> dict[str, Value]:
        """Name of the family, parent, and whether there are pictures."""
        return {
            "name": column_text(record.get("name")),
            "parent": column_text(record.get("variant_parent_id")).lower(),
            "pictured": int(bool(record.get("images") or record.get("skuImages"))),
        }

    def after_save(self, record: JsonObject) -> None:
        """Keep the codes; the stock of a deleted product is deleted with it."""
        key = str(record["id"]).lower()
        self.account.codes.delete("product", key)
        self.account.codes.insert_many(code_rows(key, _codes(record)))
        self._inventory.hide(key, hidden=record.get("deleted_at") is not None)

    def remove(self, key: str) -> bool:
        """Remove a product, its codes and its stock."""
        self.account.codes.delete("product", key)
        self.account.inventory.delete("product", key)
        return super().remove(key)


def code_rows(product: str, codes: list[str]) -> list[dict[str, Value]]:
    """The rows by which a product is found; the id only has to be unique."""
    return [
        {"id": f"{product}#{number}", "product": product, "code": code, "sort": code.lower(), "body": ""}
        for number, code in enumerate(codes)
    ]


def _codes(record: JsonObject) -> list[str]:
    listed = record.get("product_codes")
    others = [each.get("code") for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    codes = [column_text(code) for code in (record.get("sku"), *others)]
    return list(dict.fromkeys(code for code in codes if code))


def _without_cost(record: JsonObject) -> JsonObject:
    """`products:read` excludes cost; that it then shows as null is the sandbox's own reading."""
    suppliers = record.get("product_suppliers")
    hidden: JsonObject = {"supply_price": None}
    if isinstance(suppliers, list):
        hidden["product_suppliers"] = [
            {**each, "price": None} if isinstance(each, dict) else each for each in suppliers
        ]
    return {**record, **hidden}
