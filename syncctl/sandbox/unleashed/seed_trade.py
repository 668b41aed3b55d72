"""The invented shop's customers, and orders that went through the same code as the client's do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from ..clock import Clock
from ..wire import Number, date
from .customers import Customers
from .lookups import CURRENCY, TAXES
from .order_form import OrderForm
from .orders import Orders
from .papers import Invoices, Shipments
from .stock import DEFAULT_WAREHOUSE, Stock

if TYPE_CHECKING:
    from random import Random

    from ..people import Person
    from ..wire import JsonObject
    from .account import Account

DAY = 86_400
ORDERS = 20
STATUSES = ("Completed", "Completed", "Placed", "Parked")


def seed_trade(account: Account, products: int, known: list[Person], random: Random) -> None:
    """The known people as customers, and a few orders when there is anything to order."""
    customers = [_customer(number, person, random) for number, person in enumerate(known, 1)]
    shelf = Customers(account)
    for posted in customers:
        past = _past(account, random.randrange(1, 365) + random.random())
        record = shelf.written(posted, posted["Guid"], None)
        stamp = date(past.clock.milliseconds())
        shelf.save({**record, "CreatedOn": stamp, "LastModifiedOn": stamp})
    for _ in range(ORDERS if products else 0):
        _order(_past(account, 1 + random.random() * 60), random.choice(customers), random)


def _past(account: Account, days: float) -> Account:
    """The account as it was so many days ago, as far as stamps are concerned."""
    return replace(account, clock=Clock(account.clock.offset - days * DAY))


def _guid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def _customer(number: int, person: Person, random: Random) -> JsonObject:
    address = {
        "AddressType": "Shipping",
        "AddressName": "Home",
        "StreetAddress": f"{random.randrange(1, 200)} Test St",
        "City": person.town,
        "Country": "New Zealand",
        "PostalCode": f"{random.randrange(600, 9900):04d}",
        "IsDefault": True,
    }
    return {
        "Guid": _guid(random),
        "CustomerCode": f"CUST-{number:04d}",
        "CustomerName": f"{person.first} {person.last}",
        "ContactFirstName": person.first,
        "ContactLastName": person.last,
        "Email": person.email,
        "Currency": {"CurrencyCode": CURRENCY},
        "Obsolete": random.random() < 0.04,
        "Addresses": [address],
    }


def _order(past: Account, customer: JsonObject, random: Random) -> None:
    product = past.products.nth(random.randrange(past.products.size()))
    cents, quantity = random.randrange(100, 10_000, 20), random.randrange(1, 6)
    total, tax = cents * quantity, cents * quantity * 15 // 100
    line = {
        "Guid": _guid(random),
        "LineNumber": Number(1),
        "Product": {"Guid": product["id"]},
        "OrderQuantity": Number(quantity),
        "UnitPrice": _money(cents),
        "LineTotal": _money(total),
        "LineTax": _money(tax),
    }
    posted = {
        "OrderStatus": random.choice(STATUSES),
        "Customer": {"Guid": customer["Guid"]},
        "Warehouse": {"WarehouseCode": DEFAULT_WAREHOUSE},
        "ExchangeRate": Number(1),
        "Tax": {"TaxCode": TAXES[0]["TaxCode"]},
        "TaxRate": TAXES[0]["TaxRate"],
        "SubTotal": _money(total),
        "TaxTotal": _money(tax),
        "Total": _money(total + tax),
        "SalesOrderLines": [line],
    }
    orders = Orders(past, Stock(past), Invoices(past), Shipments(past))
    orders.place(OrderForm(past).filled(posted, _guid(random), None))


def _money(cents: int) -> Number:
    return Number(f"{cents // 100}.{cents % 100:02d}")
