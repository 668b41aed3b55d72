"""The full sales order that the service makes of a posted one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .. import wire
from .account import USER
from .lookups import CURRENCIES, CURRENCY, TAXES, WAREHOUSES, find
from .order_checks import is_charge, named_row

if TYPE_CHECKING:
    from ..wire import JsonObject
    from .account import Account

DELIVERY = ("Name", "Instruction", "StreetAddress", "StreetAddress2", "Suburb", "City", "Region", "Country")
AMOUNTS = ("ExchangeRate", "DiscountRate", "TaxRate", "SubTotal", "TaxTotal", "Total")
LINE_AMOUNTS = ("OrderQuantity", "UnitPrice", "DiscountRate", "LineTotal", "TaxRate", "LineTax")
DATES = ("OrderDate", "RequiredDate", "CompletedDate", "PaymentDueDate", "ReceivedDate")
ZERO = wire.four_places(0)


def blank_order() -> JsonObject:
    """A sales order with every field."""
    return {
        **dict.fromkeys(("SalesOrderLines", "OrderNumber", *DATES, "OrderStatus", "CustomOrderStatus")),
        **dict.fromkeys(("Customer", "CustomerRef", "Comments", "Warehouse")),
        **dict.fromkeys(f"Delivery{part}" for part in (*DELIVERY, "PostCode", "Method", "Contact")),
        **dict.fromkeys(("Currency", "Tax", "XeroTaxCode", "SalesOrderGroup", "SalesAccount", "SalesPerson")),
        **dict.fromkeys(AMOUNTS, ZERO),
        **dict.fromkeys(("TotalVolume", "TotalWeight", "BCSubTotal", "BCTaxTotal", "BCTotal"), ZERO),
        "AllocateProduct": True,
        "SendAccountingJournalOnly": False,
        **dict.fromkeys(("SourceId", "CreatedBy", "CreatedOn", "LastModifiedBy", "LastModifiedOn", "Guid")),
    }


def blank_line() -> JsonObject:
    """A line of a sales order with every field."""
    return {
        **dict.fromkeys(("LineNumber", "LineType", "Product", "DueDate")),
        **dict.fromkeys(LINE_AMOUNTS, ZERO),
        **dict.fromkeys(("Volume", "Weight", "Comments", "AverageLandedPriceAtTimeOfSale", "UnitCost")),
        **dict.fromkeys(("LineTaxCode", "XeroTaxCode", "XeroSalesAccount", "CostOfGoodsAccount")),
        **dict.fromkeys(("BCUnitPrice", "BCLineTotal", "BCLineTax"), ZERO),
        **dict.fromkeys(("Assembly", "SerialNumbers", "BatchNumbers", "Guid", "LastModifiedOn")),
    }


class OrderForm:
    """Fills in what the client left to the service; the posted order was checked before."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def filled(self, posted: JsonObject, key: str, before: JsonObject | None) -> JsonObject:
        """The order as it is stored; number and creation stay those of an order that it replaces."""
        now, origin = self._account.now(), before or {}
        dates = {name: _date(posted[name]) for name in DATES if posted.get(name)}
        order = {**blank_order(), **posted, **_amounts(posted, AMOUNTS), **self._named(posted)}
        order |= {"OrderDate": now, **dates, "Guid": key}
        order |= {"BCSubTotal": order["SubTotal"], "BCTaxTotal": order["TaxTotal"], "BCTotal": order["Total"]}
        order["OrderNumber"] = posted.get("OrderNumber") or origin.get("OrderNumber") or self._account.next_number("SO")
        order["SalesOrderLines"] = [self._line(line, order) for line in posted["SalesOrderLines"]]
        order |= {"CreatedBy": USER, "CreatedOn": origin.get("CreatedOn", now)}
        return order | {"LastModifiedBy": USER, "LastModifiedOn": now}

    def _named(self, posted: JsonObject) -> JsonObject:
        customer = self._record(self._account.customers, posted["Customer"], "CustomerCode")
        currency = customer.get("Currency") or find(CURRENCIES, {"CurrencyCode": CURRENCY}, "CurrencyCode") or {}
        return {
            "Customer": {
                "CustomerCode": customer.get("CustomerCode"),
                "CustomerName": customer.get("CustomerName"),
                "CurrencyId": currency.get("Guid"),
                "Guid": customer.get("Guid"),
                "LastModifiedOn": customer.get("LastModifiedOn"),
            },
            "Currency": currency,
            "Warehouse": find(WAREHOUSES, posted["Warehouse"], "WarehouseCode"),
            "Tax": find(TAXES, posted["Tax"], "TaxCode"),
        }

    def _record(self, table: Any, named: Any, code: str) -> JsonObject:
        row = named_row(table, named, code)
        return wire.loads(row["body"]) if row else {}

    def _line(self, posted: JsonObject, order: JsonObject) -> JsonObject:
        line = {**blank_line(), "TaxRate": order["TaxRate"], "LineTaxCode": order["Tax"]["TaxCode"]}
        line |= {**posted, **_amounts(posted, LINE_AMOUNTS)}
        line |= {"BCUnitPrice": line["UnitPrice"], "BCLineTotal": line["LineTotal"], "BCLineTax": line["LineTax"]}
        if not is_charge(posted):
            product = self._record(self._account.products, posted["Product"], "ProductCode")
            line["Product"] = {n: product.get(n) for n in ("Guid", "ProductCode", "ProductDescription")}
        return line | {"Guid": posted.get("Guid") or str(uuid4()), "LastModifiedOn": self._account.now()}


def _amounts(posted: JsonObject, names: tuple[str, ...]) -> JsonObject:
    numbers = {name: wire.decimal(posted.get(name)) for name in names}
    return {name: wire.four_places(number) for name, number in numbers.items() if number is not None}


def _date(value: Any) -> Any:
    moment = wire.milliseconds(value)
    return value if moment is None else wire.date(moment)
