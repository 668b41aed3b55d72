"""apidocs.unleashedsoftware.com/SalesOrders."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from .. import wire
from ..messages import Response, json_response
from .answers import Fault, Refused, invalid, not_found, refusal
from .order_checks import is_charge, order_faults
from .order_form import OrderForm, blank_order
from .papers import DELETED, Invoices, Papers, Shipments
from .query import among, equals, not_after, not_before, starts_with
from .records import column_text
from .stock import DEFAULT_WAREHOUSE
from .totals import amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import Query, Row, Value
    from ..wire import JsonObject
    from .account import Account
    from .query import Filter, Params
    from .routing import Call, Router
    from .stock import Stock

COMPLETED = "Completed"
PARKED = "Parked"
Effect = dict[tuple[str, str], tuple[Decimal, Decimal]]
"""By product and warehouse: what an order takes from stock on hand, and what it allocates."""


class Orders(Papers):
    """Sales orders, and what they do to stock."""

    code_field = "OrderNumber"
    status_field = "OrderStatus"
    date_field = "OrderDate"
    number_filters: ClassVar[Mapping[str, str]] = {"orderNumber": "code", "sourceId": "source"}
    status_filters = ("orderStatus", "customOrderStatus")
    filters: ClassVar[Mapping[str, Filter]] = {
        "completedAfter": not_before("completed"),
        "completedBefore": lambda query, value: not_after("completed")(query.where("completed > 0"), value),
        "customerCode": starts_with("customer"),
        "customerId": among("buyer"),
        "customOrderStatus": among("custom"),
        "startDate": not_before("dated"),
        "endDate": not_after("dated"),
        "orderStatus": among("status"),
        "warehouseCode": equals("warehouse"),
    }

    def __init__(self, account: Account, stock: Stock, invoices: Invoices, shipments: Shipments) -> None:
        super().__init__(account, account.orders)
        self._stock = stock
        self._invoices = invoices
        self._shipments = shipments
        self._form = OrderForm(account)

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        router.add_list("SalesOrders", self.many, self.one)
        router.add("POST", "/SalesOrders", self.create)
        router.add("POST", "/SalesOrders/{guid}", self.create)
        router.add("PUT", "/SalesOrders/{guid}", self.update)
        router.add("DELETE", "/SalesOrders/{guid}", self.delete)
        router.add("DELETE", "/SalesOrders/Lines/{guid}", self.delete_line)
        router.add("POST", "/SalesOrders/{guid}/Complete", self.complete)

    def defaults(self) -> JsonObject:
        """A blank order."""
        return {**blank_order(), "SalesOrderLines": []}

    def columns(self, record: JsonObject) -> dict[str, Value]:
        """What the filters look at."""
        customer = record.get("Customer")
        columns = super().columns(record)
        del columns["order_number"]  # an order's own number is its code
        return columns | {
            "source": column_text(record.get("SourceId")),
            "custom": column_text(record.get("CustomOrderStatus")).lower(),
            "buyer": column_text(customer.get("Guid")).lower() if isinstance(customer, dict) else "",
            "completed": wire.milliseconds(record.get("CompletedDate")) or 0,
        }

    def query(self, params: Params) -> Query:
        """A custom status overrides the status."""
        return super().query(params.without("orderStatus") if params.get("customOrderStatus") else params)

    # Writing; what PUT, DELETE and Complete answer is unconfirmed: here 200 and the order.

    def create(self, call: Call) -> Response:
        """POST. What a second POST under the same Guid does is unconfirmed (switch `repost`)."""
        posted = call.posted()
        key = call.key() or str(posted.get("Guid") or uuid4()).lower()
        with self.account.store.transaction():
            before = self._existing(key)
            if before is not None and self.account.switches["repost"] == "reject-400":
                raise Refused(invalid([Fault("Guid", f"Sales order '{key}' already exists")]))
            order = self._replace(posted, key, before)
        if self.account.switches["partial_save_500"] == "yes":
            return refusal(500, "An error has occurred.")
        return json_response(wire.dumps(order), 201)

    def update(self, call: Call) -> Response:
        """PUT: the whole order anew."""
        posted = call.posted()
        with self.account.store.transaction():
            order = self._replace(posted, call.key(), self._open(call.key()))
        return json_response(wire.dumps(order))

    def delete(self, call: Call) -> Response:
        """DELETE: a status, the order stays."""
        with self.account.store.transaction():
            before = self._open(call.key())
            order = self._change(before, {"OrderStatus": DELETED})
        return json_response(wire.dumps(order))

    def delete_line(self, call: Call) -> Response:
        """Take one line out and add the rest up again."""
        with self.account.store.transaction():
            row = self._row_with_line(call.key())
            before = self._open(row["id"])
            lines = [line for line in before["SalesOrderLines"] if str(line["Guid"]).lower() != call.key()]
            order = self._change(before, {**_sums(lines), "SalesOrderLines": lines})
        return json_response(wire.dumps(order))

    def complete(self, call: Call) -> Response:
        """Ship and invoice an order; that a second time gets a 400 is unconfirmed by the vendor."""
        done = {"OrderStatus": COMPLETED, "CompletedDate": self.account.now()}
        with self.account.store.transaction():
            order = self._change(self._open(call.key()), done)
        return json_response(wire.dumps(order))

    def _replace(self, posted: JsonObject, key: str, before: JsonObject | None) -> JsonObject:
        if faults := order_faults(self.account, posted, key):
            raise Refused(invalid(faults))
        order = self.place(self._form.filled(posted, key, before), before)
        self.table.count_write(key)
        return order

    def place(self, order: JsonObject, before: JsonObject | None = None) -> JsonObject:
        """Store a new order, or one that replaces another."""
        if order["OrderStatus"] == COMPLETED and not order["CompletedDate"]:
            order = {**order, "CompletedDate": self.account.now()}
        return self._put(order, before)

    def _change(self, before: JsonObject, changes: JsonObject) -> JsonObject:
        self.table.count_write(str(before["Guid"]).lower())
        return self._put({**before, **changes, "LastModifiedOn": self.account.now()}, before)

    def _put(self, order: JsonObject, before: JsonObject | None) -> JsonObject:
        """Store an order with its consequences: stock, and on completion invoice and shipment."""
        self.save(order, **({} if before else {"visible_from": self.account.shown_from()}))
        self._move_stock(_effect(before), _effect(order))
        if order["OrderStatus"] == COMPLETED and (before is None or before["OrderStatus"] != COMPLETED):
            self._invoices.invoice(order)
            self._shipments.ship(order)
        return order

    def _move_stock(self, before: Effect, after: Effect) -> None:
        for place in sorted(before.keys() | after.keys()):
            was, will = before.get(place, (Decimal(0),) * 2), after.get(place, (Decimal(0),) * 2)
            taken, allocated = will[0] - was[0], will[1] - was[1]
            if taken or allocated:
                self._stock.move(*place, on_hand=-taken, allocated=allocated)

    def _existing(self, key: str) -> JsonObject | None:
        row = self.table.get(key)
        return wire.loads(row["body"]) if row else None

    def _open(self, key: str) -> JsonObject:
        """The order with this id, if it can still be changed."""
        order = self._existing(key)
        if order is None:
            raise Refused(not_found())
        if order["OrderStatus"] in {COMPLETED, DELETED}:
            fault = Fault("OrderStatus", f"A sales order that is {order['OrderStatus']} cannot be changed")
            raise Refused(invalid([fault]))
        return order

    def _row_with_line(self, line: str) -> Row:
        rows = self.table.all_where("instr(lower(body), ?)", f'"guid":"{line}"')
        if not rows:
            raise Refused(not_found())
        return rows[0]


def _effect(order: JsonObject | None) -> Effect:
    """What an order does to stock; that a parked one allocates nothing is the sandbox's reading."""
    effect: Effect = defaultdict(lambda: (Decimal(0), Decimal(0)))
    if order is None or order["OrderStatus"] in {PARKED, DELETED}:
        return effect
    warehouse = (order.get("Warehouse") or {}).get("WarehouseCode") or DEFAULT_WAREHOUSE
    for line in order["SalesOrderLines"]:
        product = (line.get("Product") or {}).get("Guid")
        if is_charge(line) or product is None:
            continue
        taken, allocated = effect[product.lower(), warehouse]
        quantity, done = amount(line, "OrderQuantity"), order["OrderStatus"] == COMPLETED
        effect[product.lower(), warehouse] = (taken + quantity, allocated) if done else (taken, allocated + quantity)
    return dict(effect)


def _sums(lines: list[JsonObject]) -> JsonObject:
    subtotal = sum((amount(line, "LineTotal") for line in lines), Decimal(0))
    tax = sum((amount(line, "LineTax") for line in lines), Decimal(0))
    sums = {"SubTotal": subtotal, "TaxTotal": tax, "Total": subtotal + tax}
    return {f"{prefix}{name}": wire.four_places(value) for prefix in ("", "BC") for name, value in sums.items()}
