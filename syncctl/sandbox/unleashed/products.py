"""apidocs.unleashedsoftware.com/Products."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .. import wire
from ..messages import Response, json_response
from .answers import Fault, Refused, not_found
from .query import among, contains, equals, starts_with, when_true
from .records import column_text
from .upsert import Upserted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import Query, Row, Value
    from ..wire import JsonObject
    from .account import Account
    from .query import Filter, Params
    from .routing import Call, Router
    from .stock import Stock

TIERS = tuple(f"SellPriceTier{number}" for number in range(1, 11))
BRIEF = (
    "Guid",
    "ProductCode",
    "ProductDescription",
    "DefaultPurchasePrice",
    "DefaultSellPrice",
    "SellPriceTier1",
    "DefaultSupplierId",
)
ZERO = wire.four_places(0)


def blank_product() -> JsonObject:
    """A product with every field; unset numbers are null, costs are zero."""
    return {
        **dict.fromkeys(("Guid", "ProductCode", "ProductDescription", "Barcode", "PackSize")),
        **dict.fromkeys(("Width", "Height", "Depth", "Weight")),
        **dict.fromkeys(("MinStockAlertLevel", "MaxStockAlertLevel", "ReOrderPoint", "UnitOfMeasure")),
        "NeverDiminishing": False,
        "LastCost": ZERO,
        "DefaultPurchasePrice": None,
        "DefaultSellPrice": None,
        "CustomerSellPrice": None,
        "AverageLandPrice": ZERO,
        "Obsolete": False,
        "Notes": None,
        "Images": [],
        "ImageUrl": None,
        **{tier: {"Name": f"Sell Price Tier {tier[13:]}", "Value": None} for tier in TIERS},
        **dict.fromkeys(("XeroTaxCode", "XeroTaxRate", "TaxablePurchase", "TaxableSales")),
        **dict.fromkeys(("XeroSalesTaxCode", "XeroSalesTaxRate")),
        "IsComponent": False,
        "IsAssembledProduct": False,
        "CanAutoAssemble": False,
        "IsSellable": True,
        "IsPurchasable": True,
        **dict.fromkeys(("ProductGroup", "ProductBrand", "XeroSalesAccount", "XeroCostOfGoodsAccount")),
        **dict.fromkeys(("PurchaseAccount", "BinLocation", "Supplier", "AttributeSet", "InventoryDetails")),
        **dict.fromkeys(("AlternateUnitsOfMeasure", "SourceId", "SourceVariantParentId")),
        "IsSerialized": False,
        "IsBatchTracked": False,
        **dict.fromkeys(("CommerceCode", "CustomsDescription", "ICCCountryCode", "ICCCountryName")),
        **dict.fromkeys(("CreatedBy", "CreatedOn", "LastModifiedBy", "LastModifiedOn")),
    }


class Products(Upserted):
    """The products, and with them the names that stock rows show."""

    code_field = "ProductCode"
    filters: ClassVar[Mapping[str, Filter]] = {
        "product": contains("code", "name"),
        "ProductBarcode": equals("barcode"),
        "productCode": starts_with("sort"),
        "productDescription": starts_with("upper(name)"),
        "productGroup": equals("grp"),
        "productId": among("id"),
        "excludeAssembled": when_true("assembled = 0"),
        "excludeComponents": when_true("component = 0"),
    }
    decimals = frozenset(
        {"Width", "Height", "Depth", "Weight", "LastCost", "DefaultPurchasePrice", "DefaultSellPrice"}
        | {"AverageLandPrice", "MinStockAlertLevel", "MaxStockAlertLevel", "ReOrderPoint", "PackSize"}
    )

    def __init__(self, account: Account, stock: Stock) -> None:
        super().__init__(account, account.products)
        self._stock = stock

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        router.add_list("Products", self.many, self.one)
        router.add("POST", "/Products", self.upsert)
        router.add("POST", "/Products/{guid}", self.upsert)
        router.add("POST", "/Products/Obsolete/{guid}", self.retire)

    def defaults(self) -> JsonObject:
        """A blank product."""
        return blank_product()

    def columns(self, record: JsonObject) -> dict[str, Value]:
        """What the filters look at."""
        group = record.get("ProductGroup")
        return {
            "name": column_text(record.get("ProductDescription")),
            "barcode": column_text(record.get("Barcode")),
            "grp": column_text(group.get("GroupName")) if isinstance(group, dict) else "",
            "assembled": int(record.get("IsAssembledProduct") is True),
            "component": int(record.get("IsComponent") is True),
        }

    def shown(self, query: Query, params: Params) -> Query:
        """Obsolete ones only on request; whether a list of ids asks for them is unconfirmed."""
        by_id = params.get("productId") and params.get("includeObsolete") is None
        if by_id and self.account.switches["product_id_shows_obsolete"] == "yes":
            return query
        return super().shown(query, params)

    def text(self, row: Row, params: Params) -> str:
        """The whole product, or seven fields of it with `brief=true`."""
        if not params.flag("brief"):
            return super().text(row, params)
        record = wire.loads(row["body"])
        return wire.dumps({name: record.get(name) for name in BRIEF})

    def faults(self, posted: JsonObject, key: str) -> list[Fault]:
        """Code and description are required; a code taken by another product is refused."""
        missing = self.required(posted, ("ProductCode", "ProductDescription"))
        return missing or [*_too_long(posted), *self.duplicate(posted, key)]

    def normalised(self, posted: JsonObject) -> JsonObject:
        """Decimals with four places, inside the price tiers too."""
        record = super().normalised(posted)
        for tier in TIERS:
            value = record.get(tier)
            if isinstance(value, dict):
                record[tier] = {**self.defaults()[tier], **value, **_four_places(value.get("Value"))}
        return record

    def retire(self, call: Call) -> Response:
        """`POST /Products/Obsolete/{guid}`; that it answers with the product is unconfirmed."""
        row = self.table.get(call.key())
        if row is None:
            raise Refused(not_found())
        record = {**wire.loads(row["body"]), "Obsolete": True, "LastModifiedOn": self.account.now()}
        with self.account.store.transaction():
            self.save(record)
            self.table.count_write(call.key())
        return json_response(wire.dumps(record))

    def after_save(self, record: JsonObject) -> None:
        """Stock rows show the product's present code and name."""
        self._stock.refresh(str(record["Guid"]).lower())

    def remove(self, key: str) -> bool:
        """Remove a product and its stock."""
        self._stock.remove(key)
        return super().remove(key)


def _too_long(posted: JsonObject) -> list[Fault]:
    limits = {"ProductCode": 100, "ProductDescription": 500}
    return [
        Fault(name, f"{name} is longer than {longest} characters")
        for name, longest in limits.items()
        if len(str(posted[name])) > longest
    ]


def _four_places(value: object) -> JsonObject:
    number = wire.decimal(value)
    return {} if number is None else {"Value": wire.four_places(number)}
