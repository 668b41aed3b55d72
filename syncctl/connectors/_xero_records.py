"""Contacts and items of Xero as they are created, and what a posted order changes of a contact."""

from __future__ import annotations

from decimal import ROUND_HALF_UP
from typing import TYPE_CHECKING, Any

from syncctl.connectors._posting import HeldError, tax_code
from syncctl.connectors._xero_sale import FINE
from syncctl.connectors._xero_words import addresses, email, person, phones, plain
from syncctl.models_push import NewCustomer, NewProduct, Sale

if TYPE_CHECKING:
    from syncctl.connectors.declared import Values
    from syncctl.models_push import Outgoing
    from syncctl.shop.customer import Customer

Json = dict[str, Any]
_MOST_NAME = 255
_MOST_NUMBER = 50
_MOST_CODE = 30


def contact_body(row: Outgoing) -> Json:
    """An element of PUT /Contacts, with the data as entered. Raises `HeldError`."""
    new = row.record
    assert isinstance(new, NewCustomer)  # noqa: S101 - for the type checker
    if len(row.reference) > _MOST_NUMBER:
        message = f"its code {row.reference[:60]} is longer than the {_MOST_NUMBER} characters of a contact number"
        raise HeldError("code-too-long", message, "Give it a shorter code in the shop, or link it by hand")
    names = (plain(name, _MOST_NAME) for name in (new.company, new.name, new.email, row.reference))
    body = {
        "ContactNumber": row.reference,
        "Name": next(filter(None, names)),
        **person(new.name),
        "EmailAddress": email(new.email),
        "Phones": phones(new.phone),
        "Addresses": addresses(new.billing, new.shipping),
    }
    return {name: value for name, value in body.items() if value}


def suffixed(body: Json) -> Json:
    """The contact under a name that nobody else has."""
    suffix = f" ({body['ContactNumber']})"
    return {**body, "Name": body["Name"][: _MOST_NAME - len(suffix)].rstrip() + suffix}


def left_out(entered: NewCustomer | Customer, body: Json) -> list[str]:
    """What a customer has entered and was not sent, for a person to know."""
    told = []
    if entered.email and "EmailAddress" not in body:
        told.append(f"the e-mail address {entered.email[:100]}, which Xero does not take")
    if entered.phone and "Phones" not in body:
        told.append(f"the phone number {entered.phone[:100]}, which is too long for Xero")
    return told


def item_body(values: Values, row: Outgoing) -> Json:
    """An element of PUT /Items; the price is the shop's own. Raises `HeldError`."""
    new = row.record
    assert isinstance(new, NewProduct)  # noqa: S101 - for the type checker
    if len(new.sku) > _MOST_CODE:
        message = f"the SKU {new.sku[:60]} is longer than the {_MOST_CODE} characters of an item code"
        raise HeldError("code-too-long", message, "Give the product a shorter SKU")
    name = plain(new.name, 4000) or new.sku
    details: Json = {"AccountCode": values.get("ACCOUNT")}
    if new.price is not None:
        details["UnitPrice"] = new.price.quantize(FINE, ROUND_HALF_UP)
    if new.tax_rate is not None:
        details["TaxType"] = tax_code(values, new.tax_rate, f"product {new.sku}")
    return {
        "Code": new.sku,
        "Name": name[:50],
        "Description": name,
        "IsSold": True,
        "SalesDetails": {name: value for name, value in details.items() if value != ""},
    }


def tells_news(sale: Sale) -> bool:
    """Whether an order changes its contact: a customer's newest one does."""
    return sale.newest and bool(entered_body(sale))


def entered_body(sale: Sale) -> Json:
    """What the customer entered for an order: never the contact's name, numbers or persons; what is empty stays.

    First and last name are sent together or not at all: the first name alone would stand beside the last name of
    whoever was there before, and that Xero clears a name which is sent as "" is not documented.
    """
    entered = sale.order.customer
    names = person(entered.name)
    body = {
        **(names if "LastName" in names else {}),
        "EmailAddress": email(entered.email),
        "Phones": phones(entered.phone),
        "Addresses": addresses(entered.billing or {}, entered.shipping or {}),
    }
    told = {name: value for name, value in body.items() if value}
    return {"ContactID": sale.customer, **told} if told else {}
