"""apidocs.unleashedsoftware.com/Invoices and /SalesShipments: what completing an order leaves behind.

Both are read-only here. An invoice cannot be created through the vendor's API at all; shipments can,
which the sandbox does not copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import NAMESPACE_OID, uuid5

from .. import wire
from .account import USER
from .query import among, equals, not_after, not_before, starts_with
from .records import Records, column_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import Query, Value
    from ..wire import JsonObject
    from .account import Account
    from .query import Filter, Params
    from .routing import Router

DELETED = "Deleted"


class Papers(Records):
    """Documents with a number, a status, a date and a customer, latest change first."""

    number_filters: ClassVar[Mapping[str, str]] = {}
    """Filters that override all others, and the columns they look at."""
    status_filters: ClassVar[tuple[str, ...]] = ()
    status_field: ClassVar[str]
    date_field: ClassVar[str]

    def start(self) -> Query:
        """Latest change first."""
        return super().start().ordered("modified", descending=True)

    def query(self, params: Params) -> Query:
        """A number asked for overrides everything else; that it finds deleted ones is unconfirmed."""
        for name, column in self.number_filters.items():
            value = params.get(name)
            if value is not None:
                return self.without_lagging(equals(column)(self.start(), value))
        return super().query(params)

    def shown(self, query: Query, params: Params) -> Query:
        """Deleted ones are left out unless a status is asked for."""
        return query if any(map(params.get, self.status_filters)) else query.without_hidden()

    def is_hidden(self, record: JsonObject) -> bool:
        """Whether it is deleted: a status, the record stays."""
        return record.get(self.status_field) == DELETED

    def columns(self, record: JsonObject) -> dict[str, Value]:
        """What the filters look at."""
        customer, place = record.get("Customer"), record.get("Warehouse")
        return {
            "customer": column_text(customer.get("CustomerCode")).upper() if isinstance(customer, dict) else "",
            "status": column_text(record.get(self.status_field)).lower(),
            "warehouse": column_text(place.get("WarehouseCode")) if isinstance(place, dict) else "",
            "dated": wire.milliseconds(record.get(self.date_field)) or 0,
            "order_number": column_text(record.get("OrderNumber")),
        }


class Invoices(Papers):
    """Sales invoices; the endpoint is /Invoices."""

    code_field = "InvoiceNumber"
    status_field = "InvoiceStatus"
    date_field = "InvoiceDate"
    number_filters: ClassVar[Mapping[str, str]] = {"invoiceNumber": "code"}
    status_filters = ("invoiceStatus",)
    filters: ClassVar[Mapping[str, Filter]] = {
        "customerCode": starts_with("customer"),
        "startDate": not_before("dated"),
        "endDate": not_after("dated"),
        "invoiceStatus": among("status"),
        "orderNumber": equals("order_number"),
    }

    def __init__(self, account: Account) -> None:
        super().__init__(account, account.invoices)

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        router.add_list("Invoices", self.many, self.one)

    def defaults(self) -> JsonObject:
        """A blank invoice."""
        names = ("Guid", "OrderNumber", "InvoiceNumber", "InvoiceDate", "DueDate", "InvoiceStatus")
        return {**dict.fromkeys((*names, "Customer", "CustomerRef", "Comments")), "InvoiceLines": []}

    def invoice(self, order: JsonObject) -> None:
        """Make the invoice of a completed order."""
        copied = ("OrderNumber", "Customer", "CustomerRef", "Comments", "Currency", "ExchangeRate", "Tax")
        amounts = ("TaxRate", "SubTotal", "TaxTotal", "Total", "BCSubTotal", "BCTaxTotal", "BCTotal")
        self.save(
            {
                **self.defaults(),
                **{name: order.get(name) for name in (*copied, *amounts)},
                **_stamped(self.account, f"{order['Guid']}/invoice"),
                "InvoiceNumber": self.account.next_number("SI"),
                "InvoiceDate": self.account.now(),
                "DueDate": order.get("PaymentDueDate"),
                "InvoiceStatus": "Completed",
                "InvoiceLines": [_invoice_line(line) for line in order["SalesOrderLines"]],
            }
        )


class Shipments(Papers):
    """Sales shipments."""

    code_field = "ShipmentNumber"
    status_field = "ShipmentStatus"
    date_field = "DispatchDate"
    number_filters: ClassVar[Mapping[str, str]] = {"orderNumber": "order_number"}
    status_filters = ("shipmentStatus",)
    filters: ClassVar[Mapping[str, Filter]] = {
        "shipmentStatus": among("status"),
        "startDate": not_before("dated"),
        "endDate": not_after("dated"),
        "warehouseCode": equals("warehouse"),
    }

    def __init__(self, account: Account) -> None:
        super().__init__(account, account.shipments)

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        router.add_list("SalesShipments", self.many, self.one)

    def defaults(self) -> JsonObject:
        """A blank shipment."""
        names = ("Guid", "ShipmentNumber", "OrderNumber", "ShipmentStatus", "DispatchDate", "Warehouse")
        return {**dict.fromkeys((*names, "Customer", "TrackingNumber")), "SalesShipmentLines": []}

    def ship(self, order: JsonObject) -> None:
        """Make the shipment of a completed order."""
        lines = [
            {"LineNumber": line["LineNumber"], "Product": line["Product"], "ShipmentQty": line["OrderQuantity"]}
            for line in order["SalesOrderLines"]
        ]
        self.save(
            {
                **self.defaults(),
                **{name: order[name] for name in ("OrderNumber", "Warehouse", "Customer")},
                **_stamped(self.account, f"{order['Guid']}/shipment"),
                "ShipmentNumber": self.account.next_number("SS"),
                "ShipmentStatus": "Dispatched",
                "DispatchDate": self.account.now(),
                "SalesShipmentLines": lines,
            }
        )


def _invoice_line(line: JsonObject) -> JsonObject:
    same = ("LineNumber", "LineType", "Product", "UnitPrice", "DiscountRate", "LineTotal", "TaxRate", "LineTax")
    quantities = {"OrderQuantity": line["OrderQuantity"], "InvoiceQuantity": line["OrderQuantity"]}
    return {**{name: line[name] for name in same}, **quantities, "Guid": _derived(f"{line['Guid']}/invoice")}


def _derived(name: str) -> str:
    # Not random, so that the same seed gives the same papers.
    return str(uuid5(NAMESPACE_OID, name))


def _stamped(account: Account, name: str) -> JsonObject:
    now = account.now()
    by = {"CreatedBy": USER, "CreatedOn": now, "LastModifiedBy": USER, "LastModifiedOn": now}
    return {"Guid": _derived(name), **by}
