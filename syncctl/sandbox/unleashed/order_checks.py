"""Whether a posted sales order is complete, and everything that it names exists.

apidocs.unleashedsoftware.com/SalesOrders lists what is required; the spelling of the fields in an
error is unconfirmed by the vendor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import wire
from .answers import Fault
from .lookups import TAXES, WAREHOUSES, find
from .totals import Arithmetic, amount, total_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import Row, Table
    from ..wire import JsonObject
    from .account import Account

REQUIRED = ("OrderStatus", "Customer", "Warehouse", "Tax", "SalesOrderLines")
NUMBERS = ("ExchangeRate", "TaxRate", "SubTotal", "TaxTotal", "Total")
LINE_NUMBERS = ("LineNumber", "OrderQuantity", "UnitPrice", "LineTotal", "LineTax")
STATUSES = ("Parked", "Placed", "Backordered", "Completed")
LENGTHS = {
    "OrderNumber": 20,
    "CustomerRef": 500,
    "SourceId": 500,
    "Comments": 2048,
    "CustomOrderStatus": 15,
    "DeliveryMethod": 50,
    "DeliveryPostCode": 50,
    "SalesOrderGroup": 50,
    **dict.fromkeys(("DeliveryName", "DeliveryStreetAddress", "DeliveryStreetAddress2"), 500),
    **dict.fromkeys(("DeliverySuburb", "DeliveryCity", "DeliveryRegion", "DeliveryCountry"), 500),
}
LINE_LENGTHS = {"Comments": 1024, "LineTaxCode": 50}


def named_row(table: Table, named: Any, code: str) -> Row | None:
    """The record that an object in a posted order names by Guid or by its code."""
    if not isinstance(named, dict):
        return None
    if named.get("Guid"):
        return table.get(str(named["Guid"]))
    return next(iter(table.all_where("sort = ?", str(named.get(code, "")).upper())), None)


def order_faults(account: Account, order: JsonObject, key: str) -> list[Fault]:
    """Everything wrong with a posted order; amounts are looked at only when all else is right."""
    missing = _missing(order)
    return (
        missing
        or [*_too_long(order), *_unknown(account, order), *_taken(account, order, key)]
        or total_faults(order, Arithmetic.of(account.switches))
    )


def _missing(order: JsonObject) -> list[Fault]:
    faults = [Fault(name, f"{name} is required") for name in REQUIRED if not order.get(name)]
    faults += _not_numbers(order, NUMBERS, "")
    lines = order.get("SalesOrderLines")
    for index, line in enumerate(lines if isinstance(lines, list) else []):
        faults += _line_missing(line, f"SalesOrderLines[{index}]")
    return faults


def _line_missing(line: Any, where: str) -> list[Fault]:
    if not isinstance(line, dict):
        return [Fault(where, "A line is an object")]
    faults = _not_numbers(line, LINE_NUMBERS, f"{where}.")
    return faults if line.get("Product") else [*faults, Fault(f"{where}.Product", "Product is required")]


def _not_numbers(record: JsonObject, names: tuple[str, ...], prefix: str) -> list[Fault]:
    return [
        Fault(f"{prefix}{name}", f"{name} is required and must be a number")
        for name in names
        if wire.decimal(record.get(name)) is None
    ]


def _too_long(order: JsonObject) -> list[Fault]:
    faults = _longer(order, LENGTHS, "")
    for index, line in enumerate(order["SalesOrderLines"]):
        faults += _longer(line, LINE_LENGTHS, f"SalesOrderLines[{index}].")
    return faults


def _longer(record: JsonObject, lengths: Mapping[str, int], prefix: str) -> list[Fault]:
    return [
        Fault(f"{prefix}{name}", f"{name} is longer than {longest} characters")
        for name, longest in lengths.items()
        if len(str(record.get(name) or "")) > longest
    ]


def _unknown(account: Account, order: JsonObject) -> list[Fault]:
    tax = find(TAXES, order["Tax"], "TaxCode")
    checks = {
        "OrderStatus": order["OrderStatus"] in STATUSES,
        "Customer": named_row(account.customers, order["Customer"], "CustomerCode") is not None,
        "Warehouse": find(WAREHOUSES, order["Warehouse"], "WarehouseCode") is not None,
        "Tax": tax is not None,
        # That the order's rate must be the rate of its tax code is the sandbox's reading.
        "TaxRate": tax is None or amount(tax, "TaxRate") == amount(order, "TaxRate"),
        **{
            f"SalesOrderLines[{index}].Product": is_charge(line) or _product(account, line) is not None
            for index, line in enumerate(order["SalesOrderLines"])
        },
    }
    return [Fault(name, f"{name.rpartition('.')[2]} is not valid") for name, right in checks.items() if not right]


def _product(account: Account, line: JsonObject) -> Row | None:
    return named_row(account.products, line["Product"], "ProductCode")


def is_charge(line: JsonObject) -> bool:
    """Whether a line is freight or a fee: it has a description and no product."""
    return line.get("LineType") == "Charge"


def _taken(account: Account, order: JsonObject, key: str) -> list[Fault]:
    """An order number of another order; that it is refused is unconfirmed by the vendor."""
    number = order.get("OrderNumber")
    if not number or not account.orders.all_where("code = ? AND id <> ?", str(number), key):
        return []
    return [Fault("OrderNumber", f"Order number '{number}' already exists")]
