"""apidocs.unleashedsoftware.com/StockOnHand.

Kept per product and warehouse (`levels`); what the list shows without a warehouse is the sum, kept
ready-made next to it. A product that never moved has no level and no sum.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from .. import wire
from ..messages import Response, json_response
from ..service import Listed, Planting
from ..store import Query, Row, Value
from .answers import Refused, not_found
from .listing import Listing, page_response, unpaged_response
from .lookups import WAREHOUSES, warehouse
from .query import DAY, Params, among
from .records import Records
from .stock_rows import SUMMED, ZERO, blank_row, completed, names_of, total

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..wire import JsonObject
    from .account import Account
    from .query import Filter
    from .routing import Call, Router

DEFAULT_WAREHOUSE = next(each["WarehouseCode"] for each in WAREHOUSES if each["IsDefault"])
_NAMING = frozenset({"Guid", "ProductGuid", "WarehouseCode"})


class Stock(Records):
    """Stock on hand; read-only to the client, moved by sales orders and by the control API."""

    code_field = "ProductCode"
    # `productCode` is not in the vendor's table of filters: it is ignored, like any unknown name.
    filters: ClassVar[Mapping[str, Filter]] = {"productId": among("id")}
    level_filters: ClassVar[Mapping[str, Filter]] = {"productId": among("product")}

    def __init__(self, account: Account) -> None:
        super().__init__(account, account.stock)

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        router.add_list("StockOnHand", self.many, self.one)
        router.add("GET", "/StockOnHand/{guid}/AllWarehouses", self.all_warehouses)

    def defaults(self) -> JsonObject:
        """What a level holds before anything moved."""
        figures = dict.fromkeys((*SUMMED, "AvgCost"), ZERO)
        return {**figures, "DaysSinceLastSale": None, "LastModifiedOn": self.account.now()}

    def columns(self, record: JsonObject) -> dict[str, Value]:
        """Nothing beyond what every kind has."""
        return {}

    # Reading

    def many(self, call: Call) -> Response:
        """The sums, or with `warehouseCode` or `warehouseName` the levels of that warehouse."""
        place = _place(call.params)
        if place is None:
            return super().many(call)
        levels = self.account.levels
        query = call.params.filtered(Query().where("warehouse = ?", place), self.level_filters)
        query = self.since(query, call.params)
        listing = Listing(
            levels.count(query),
            lambda offset, limit: [self._level_text(row) for row in levels.slice(query, offset, limit)],
        )
        return page_response(listing, call, self.account.switches)

    def shown(self, query: Query, params: Params) -> Query:
        """Stock is never hidden; that obsolete products keep theirs is unconfirmed by the vendor."""
        return query

    def since_moment(self, value: str) -> int:
        """Whether the time of day counts on this list is unconfirmed by the vendor (`soh_time`)."""
        since = super().since_moment(value)
        return since - since % DAY if self.account.switches["soh_time"] == "day_only" else since

    def one(self, call: Call) -> Response:
        """The sum of one product, or its level in the warehouse that the query names."""
        place = _place(call.params)
        if place is None:
            row = self.table.get(call.key())
            return json_response(row["body"]) if row else self._never_moved(call.key())
        level = self.account.levels.get(_level_id(call.key(), place))
        return json_response(self._level_text(level)) if level else self._never_moved(call.key())

    def _never_moved(self, key: str) -> Response:
        """The answer for a product without stock row is unconfirmed by the vendor (`stock_404`)."""
        product, mode = self.account.products.get(key), self.account.switches["stock_404"]
        if product is None or mode == "404":
            return not_found()
        if mode == "empty":
            return json_response("{}")
        return json_response(wire.dumps(self._row(product, self.defaults())))

    def all_warehouses(self, call: Call) -> Response:
        """One row per warehouse; its exact fields are unconfirmed by the vendor."""
        if self.account.products.get(call.key()) is None:
            raise Refused(not_found())
        levels = self.account.levels.all_where("product = ?", call.key())
        return unpaged_response([self._level_text(level) for level in levels])

    def _level_text(self, level: Row) -> str:
        row = self.table.get(level["product"])
        total: JsonObject = wire.loads(row["body"]) if row else {}
        return wire.dumps({**total, **names_of(level["warehouse"]), **completed(wire.loads(level["body"]))})

    # Moving

    def move(self, product: str, place: str, *, on_hand: Decimal, allocated: Decimal) -> None:
        """Add to what is on hand and allocated; that allocating alone bumps the stamp is unconfirmed."""
        facts = self._facts(product, place)
        for name, change in (("QtyOnHand", on_hand), ("AllocatedQty", allocated)):
            before = wire.decimal(facts[name]) or Decimal(0)
            facts[name] = wire.four_places(before + change)
        if on_hand or self._allocation_bumps():
            facts["LastModifiedOn"] = self.account.now()
        self.set_level(product, place, facts)

    def _allocation_bumps(self) -> bool:
        return self.account.switches["allocation_bumps"] == "yes"

    def _facts(self, product: str, place: str) -> JsonObject:
        level = self.account.levels.get(_level_id(product, place))
        return wire.loads(level["body"]) if level else self.defaults()

    def set_level(self, product: str, place: str, facts: JsonObject) -> None:
        """Store what one warehouse holds of a product, and the new sum."""
        modified = wire.milliseconds(facts.get("LastModifiedOn"))
        level: dict[str, Value] = {
            "id": _level_id(product, place),
            "product": product,
            "warehouse": place,
            "modified": self.account.clock.milliseconds() if modified is None else modified,
            "body": wire.dumps(facts),
        }
        self.account.levels.put(level)
        self.refresh(product)

    def refresh(self, product: str) -> None:
        """Make the sum anew from the levels, under the product's present names."""
        levels = self.account.levels.all_where("product = ?", product)
        known = self.account.products.get(product)
        if not levels or known is None:
            return
        row = self._row(known, total([wire.loads(level["body"]) for level in levels]))
        self.save({**row, "Guid": product})
        names: dict[str, Value] = {"code": known["code"], "sort": known["sort"], "product": product}
        for level in levels:
            self.account.levels.put({"id": level["id"], "body": level["body"], **names})

    def _row(self, product: Row, facts: JsonObject) -> JsonObject:
        record = wire.loads(product["body"])
        group = record.get("ProductGroup")
        return {
            **blank_row(),
            "ProductCode": record.get("ProductCode"),
            "ProductDescription": record.get("ProductDescription"),
            "ProductGuid": record.get("Guid"),
            "ProductSourceId": record.get("SourceId"),
            "ProductGroupName": group.get("GroupName") if isinstance(group, dict) else None,
            **completed(facts),
            "Guid": record.get("Guid"),
        }

    # The control API

    def found(self, column: str, value: str) -> list[Listed]:
        """The sum of one product by id or code; `id=<guid>@<warehouse>` gives one level."""
        if column == "id" and "@" in value:
            level = self.account.levels.get(value)
            return [Listed(level["id"], self._level_text(level), 0)] if level else []
        return super().found(column, value)

    def plant(self, record: JsonObject, how: Planting) -> str:
        """Change what a warehouse (the default one unless named) holds of a product."""
        product = self._product(record)
        place = warehouse(record.get("WarehouseCode") or DEFAULT_WAREHOUSE)
        if place is None:
            raise ValueError(f"There is no warehouse {record['WarehouseCode']!r}.")
        changes = {name: value for name, value in record.items() if name not in _NAMING}
        if changes.get("ProductCode") == product["code"]:
            del changes["ProductCode"]
        facts = {**self._facts(product["id"], place["WarehouseCode"]), **changes}
        allocation_only = set(changes) == {"AllocatedQty"} and not self._allocation_bumps()
        if not (how.silent or allocation_only):
            facts["LastModifiedOn"] = self.account.now()
        self.set_level(product["id"], place["WarehouseCode"], facts)
        return str(product["id"])

    def _product(self, record: JsonObject) -> Row:
        guid = record.get("ProductGuid") or record.get("Guid")
        products = self.account.products
        found = (
            products.get(str(guid))
            if guid
            else next(iter(products.all_where("code = ?", str(record.get("ProductCode")))), None)
        )
        if found is None:
            raise ValueError(f"There is no product {guid or record.get('ProductCode')!r} to have stock.")
        return found

    def remove(self, key: str) -> bool:
        """Remove the stock of a product in all warehouses, as if it had never moved."""
        self.account.levels.delete("product", key)
        return super().remove(key)


def _level_id(product: str, place: str) -> str:
    return f"{product}@{place.lower()}"


def _place(params: Params) -> str | None:
    """The code of the warehouse that a query names; one that does not exist finds nothing."""
    if code := params.get("warehouseCode"):
        return code.upper()
    name = params.get("warehouseName")
    if name is None:
        return None
    return next((w["WarehouseCode"] for w in WAREHOUSES if w["WarehouseName"].lower() == name.lower()), "?")
