"""x-series-api.lightspeedhq.com/reference/listinventoryrecords: one row per product and outlet.

From 2026-04 on the list is read by POST and comes as a bare array, newest first unless told
otherwise; before that by GET, in an envelope, oldest first, and with another name for the level.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from .. import wire
from ..messages import Response, json_response
from ..service import Listed, Planting
from ..store import Query, Row
from .amounts import amount, plain
from .answers import not_found
from .cursor import asked, between, envelope, size_of, unversioned
from .inventory_body import DEFAULT_SIZE, LARGEST, Order, order_from
from .records import Records, as_listed
from .routing import LAST_WITH_GET_INVENTORY, SEMANTIC, Call, Route, Router
from .tokens import COST

if TYPE_CHECKING:
    from ..store import Value
    from ..wire import JsonObject
    from .account import Account

NEEDED = ("inventory:read",)
LEVEL = "current_inventory_level"
_OLD = ("id", "outlet_id", "product_id", "reorder_point", "reorder_amount", "version")


def blank_row() -> JsonObject:
    """An inventory row with every field."""
    return {
        **dict.fromkeys(("id", "product_id", "outlet_id")),
        LEVEL: 0,
        **dict.fromkeys(("reorder_point", "reorder_amount", "reorder_method", "reorder_target")),
        "quantity_to_procure": 0,
        "average_cost": None,
        "version": None,
    }


class Inventory(Records):
    """Stock; read-only to the client, changed by the control API."""

    code_field = "id"

    def __init__(self, account: Account) -> None:
        super().__init__(account, account.inventory)

    def routes(self, router: Router) -> None:
        """Say which paths these are; after the date versions that have them."""
        newer = {"since": "2026-04"}
        router.add("POST", "/inventory", Route(self.ordered, NEEDED, **newer))
        router.add("GET", "/inventory/{id}", Route(self.of_product, NEEDED, **newer))
        router.add("GET", "/inventory", Route(self.many, NEEDED, until=LAST_WITH_GET_INVENTORY))
        router.add("GET", "/products/{id}/inventory", Route(self.of_product_before, NEEDED, until=SEMANTIC))

    # Reading

    def ordered(self, call: Call) -> Response:
        """`POST /inventory`: a read with its parameters in the body, and a bare array back."""
        order = order_from(call.request.body, refuse_large=self.account.switches["inventory_size"] == "400")
        rows = self.table.walk(self._query(order), order.size)
        return self._array(rows, call)

    def _query(self, order: Order) -> Query:
        query = between(order.after, order.before, self.account.switches)
        if order.product is not None:
            query = _of_product(query, order.product, variants=order.variants)
        query = query if order.deleted else query.without_hidden()
        return query.ordered(query.order, descending=order.descending)

    def many(self, call: Call) -> Response:
        """`GET /inventory`, deprecated: an envelope with a cursor, ascending."""
        query = asked(call, self.account.switches).without_hidden()
        rows = self.table.walk(query, min(size_of(call, DEFAULT_SIZE), LARGEST))
        return envelope([_before_dates(wire.loads(row["body"])) for row in rows], rows)

    def of_product(self, call: Call) -> Response:
        """`GET /inventory/{product_id}`: ascending unless `order_direction` says otherwise."""
        params = call.params
        order = Order(
            after=params.whole("after") or 0,
            size=min(size_of(call, DEFAULT_SIZE), LARGEST),
            product=call.key,
            descending=params.get("order_direction") == "desc",
            variants=params.flag("variants"),
            deleted=params.flag("include_deleted"),
        )
        rows = self.table.walk(self._query(order), order.size)
        # What an unknown product gets is unconfirmed by the vendor (`inventory_unknown`).
        if not rows and self._is_unknown(call.key) and self.account.switches["inventory_unknown"] == "404":
            raise not_found("Product")
        return self._array(rows, call)

    def of_product_before(self, call: Call) -> Response:
        """`GET /products/{id}/inventory` of 2.0: also tells the amount again and the cost."""
        if self._is_unknown(call.key):
            raise not_found("Product")
        records = [wire.loads(row["body"]) for row in self.table.all_where("product = ? AND hidden = 0", call.key)]
        costs = [each.get("average_cost") if COST in call.scopes else None for each in records]
        return unversioned(
            [
                _before_dates(each, current_amount=each.get(LEVEL), average_cost=cost)
                for each, cost in zip(records, costs, strict=True)
            ]
        )

    def _is_unknown(self, product: str) -> bool:
        row = self.account.products.get(product)
        return row is None or bool(row["hidden"])

    def _array(self, rows: list[Row], call: Call) -> Response:
        return json_response(f"[{','.join(_text(row, call) for row in rows)}]")

    # Writing

    def defaults(self) -> JsonObject:
        """A row that never moved."""
        return blank_row()

    def columns(self, record: JsonObject) -> dict[str, Value]:
        """Product and outlet; a row has no deletion of its own."""
        product, outlet = str(record.get("product_id")).lower(), str(record.get("outlet_id")).lower()
        known = self.account.products.get(product)
        return {"product": product, "outlet": outlet, "hidden": int(bool(known and known["hidden"]))}

    def hide(self, product: str, *, hidden: bool) -> None:
        """Let the rows of a deleted product be seen with `include_deleted` only; their versions stay."""
        for row in self.table.all_where("product = ?", product):
            self.table.put({"id": row["id"], "body": row["body"], "hidden": int(hidden)})

    def move(self, product: str, outlet: str, by: Decimal) -> None:
        """Put so much of a product into an outlet, or take it out; levels may fall below zero."""
        self.restock(product, outlet, {LEVEL: plain(self._level(product, outlet) + by)})

    def _level(self, product: str, outlet: str) -> Decimal:
        row = self._row(product, outlet)
        return amount(wire.loads(row["body"]).get(LEVEL)) if row else Decimal(0)

    def _row(self, product: str, outlet: str) -> Row | None:
        return next(iter(self.table.all_where("product = ? AND outlet = ?", product, outlet)), None)

    def restock(self, product: str, outlet: str, changes: JsonObject) -> None:
        """Change what an outlet has of a product, in a row of its own if there is none yet."""
        row = self._row(product, outlet)
        key = str(uuid5(NAMESPACE_OID, f"{product}/{outlet}"))
        record = wire.loads(row["body"]) if row else {**blank_row(), "id": key}
        self.save(self.bumped({**record, "product_id": product, "outlet_id": outlet, **changes}))

    def found(self, column: str, value: str) -> list[Listed]:
        """The row with this id, or the rows of the product with this SKU."""
        if column == "id":
            return super().found(column, value)
        rows = self.table.all_where("product IN (SELECT id FROM vend_products WHERE code = ?)", value)
        return [as_listed(row) for row in rows]

    def plant(self, record: JsonObject, how: Planting) -> str:
        """Set what an outlet (the first one unless named) holds of a product, named by id or `sku`."""
        if record.get("id") is not None:
            return super().plant(record, how)
        product, outlet = self._product(record), str(record.get("outlet_id") or self.account.outlets.nth(0)["id"])
        row = self._row(product, outlet.lower())
        named = {"id": row["id"] if row else str(uuid4()), "product_id": product, "outlet_id": outlet}
        changes = {name: value for name, value in record.items() if name != "sku"}
        return super().plant({**named, **changes}, how)

    def bumped(self, record: JsonObject) -> JsonObject:
        """A new version; that the product gets one too is unconfirmed (`stock_bumps_product`)."""
        if record.get("product_id") and self.account.switches["stock_bumps_product"] == "yes":
            self._bump_product(str(record["product_id"]))
        return super().bumped(record)

    def _bump_product(self, key: str) -> None:
        row = self.account.products.get(key)
        if row is None:
            return
        version = self.account.next_version()
        record = {**wire.loads(row["body"]), "version": version, "updated_at": self.account.now()}
        self.account.products.put({"id": row["id"], "modified": version, "body": wire.dumps(record)})

    def _product(self, record: JsonObject) -> str:
        products, key, sku = self.account.products, record.get("product_id"), record.get("sku")
        row = products.get(str(key)) if key else next(iter(products.all_where("code = ?", str(sku))), None)
        if row is None:
            raise ValueError(f"There is no product {key or sku!r} to have stock.")
        return str(row["id"])


def _of_product(query: Query, product: str, *, variants: bool) -> Query:
    if not variants:
        return query.where("product = ?", product)
    return query.where("(product = ? OR product IN (SELECT id FROM vend_products WHERE parent = ?))", product, product)


def _text(row: Row, call: Call) -> str:
    """A row as the date versions show it; without its scope the cost is null, by the sandbox's own reading."""
    if COST in call.scopes:
        return str(row["body"])
    return wire.dumps({**wire.loads(row["body"]), "average_cost": None})


def _before_dates(record: JsonObject, **more: Any) -> str:
    old = {name: record.get(name) for name in _OLD}
    return wire.dumps({**old, "inventory_level": record.get(LEVEL), **more})
