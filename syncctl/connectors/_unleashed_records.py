"""Unleashed's records, read: a product with its prices by tier, its stock, a customer.

Facts: apidocs.unleashedsoftware.com (Products, StockOnHand, Customers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from syncctl.connectors._fields import addresses, each, microsoft_date, text, usable_prices, usable_quantity
from syncctl.models import Customer, Kind, Problem, Product, Record, State, Stock

_TIERS = tuple((str(number), f"SellPriceTier{number}") for number in range(1, 11))


def read(kind: Kind, items: Iterable[Any], where: str, warehouse: str) -> Iterator[Record | Problem]:
    """What the items say, in their order; stock was asked for in this warehouse."""
    reads: dict[Kind, Callable[[Mapping[str, Any], str], Record | Problem]] = {
        Kind.PRODUCTS: _product,
        Kind.STOCK: partial(_stock, warehouse),
        Kind.CUSTOMERS: _customer,
    }
    return each(reads[kind], items, kind, where, "Unleashed")


def _product(item: Mapping[str, Any], where: str) -> Product | Problem:
    sku = text(item.get("ProductCode")).strip()
    remote_id = text(item.get("Guid")).strip().lower()
    if not remote_id:
        return Problem(f"product {sku or '?'} on {where}", "has no Guid", "Report it to Unleashed")
    remedy = "Correct it in Unleashed; the old price stays until then, if there is one"
    prices, problems = usable_prices(sku or remote_id, _offers(item), remedy)
    return Product(
        remote_id=remote_id,
        sku=sku,
        name=text(item.get("ProductDescription")),
        state=State.INACTIVE if item.get("Obsolete") is True else State.ACTIVE,
        prices=prices,
        version=microsoft_date(item.get("LastModifiedOn")),
        barcode=text(item.get("Barcode")) or None,
        problems=problems,
    )


def _offers(item: Mapping[str, Any]) -> dict[str, object]:
    offers = {"default": item.get("DefaultSellPrice")}
    for tier, key in _TIERS:
        offer = item.get(key)
        offers[tier] = offer.get("Value") if isinstance(offer, dict) else offer
    return offers


def _stock(warehouse: str, item: Mapping[str, Any], where: str) -> Stock | Problem:
    sku = text(item.get("ProductCode")).strip()
    remote_id = text(item.get("ProductGuid") or item.get("Guid")).strip().lower()
    if not remote_id:
        return Problem(f"stock of {sku or '?'} on {where}", "has no ProductGuid", "Report it to Unleashed")
    remedy = "Look at its stock in Unleashed; the old quantity stays until then, if there is one"
    available, problems = usable_quantity(sku or remote_id, item.get("AvailableQty"), remedy)
    return Stock(remote_id, warehouse, available, microsoft_date(item.get("LastModifiedOn")), problems)


def _customer(item: Mapping[str, Any], where: str) -> Customer | Problem:
    """A customer with the addresses of all its contacts; those that only get copies (EmailCC) are somebody else's."""
    code = text(item.get("CustomerCode")).strip()
    remote_id = text(item.get("Guid")).strip().lower()
    if not remote_id:
        return Problem(f"customer {code or '?'} on {where}", "has no Guid", "Report it to Unleashed")
    return Customer(
        remote_id=remote_id,
        codes=(code,),
        name=text(item.get("CustomerName")),
        emails=addresses(item.get("Email"), *(contact.get("EmailAddress") for contact in _contacts(item))),
        state=State.INACTIVE if item.get("Obsolete") is True else State.ACTIVE,
        version=microsoft_date(item.get("LastModifiedOn")),
    )


def _contacts(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    contacts = item.get("Contacts")
    yield from (contact for contact in (contacts if isinstance(contacts, list) else ()) if isinstance(contact, dict))
