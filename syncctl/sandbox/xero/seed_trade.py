"""The invented shop's customers as contacts, and invoices that went through the same code as the client's do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from email.message import Message
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..clock import Clock
from ..people import Person, people
from ..wire import Number
from .account import date
from .asked import Asked
from .contact_form import blank_contact, changed
from .contacts import Contacts
from .invoices import Invoices
from .payments import Payments
from .records import STAMP

if TYPE_CHECKING:
    from ..wire import JsonObject
    from .account import Account

DAY = 86_400
INVOICES = 12
BANK = "090"
_MISSING, _ARCHIVED, _CAPITALS, _SILENT, _NUMBERED = 0.1, 0.05, 0.15, 0.05, 0.5
"""The shares of people who were never entered here, are archived, have capitals in their address or
no address at all, and whose number in the shop was entered."""


def seed_trade(account: Account, products: int, seed: int) -> None:
    """About fifty contacts and a few invoices; every stamp is at least one day old."""
    random = Random(f"xero trade/{seed}")  # noqa: S311 - nothing secret comes of it
    contacts = _contacts(people(50 + products // 1000, seed), random)
    for contact in contacts:
        past = _past(account, random.randrange(1, 365) + random.random())
        Contacts(past).save({**contact, STAMP: date(past.clock.milliseconds())})
    buyers = [contact["ContactID"] for contact in contacts if contact["ContactStatus"] == "ACTIVE"]
    for _ in range(INVOICES):
        past = replace(_past(account, 1 + random.random() * 60), new_id=lambda: _guid(random))
        _invoice(past, random.choice(buyers), random)


def _past(account: Account, days: float) -> Account:
    """The organisation as it was so many days ago, as far as stamps are concerned."""
    return replace(account, clock=Clock(account.clock.offset - days * DAY))


def _contacts(known: list[Person], random: Random) -> list[JsonObject]:
    """The people, and beside them what accumulates: shared addresses, merged contacts, a supplier."""
    seen: Counter[str] = Counter()
    contacts = []
    for number, person in enumerate(known, 1):
        name = f"{person.first} {person.last}"
        seen[name] += 1
        # A name is unique here: who shares it gets a number behind it, as people do it by hand.
        unique = name if seen[name] == 1 else f"{name} ({seen[name]})"
        entered, contact = random.random() >= _MISSING, _person(person, unique, number, random)
        contacts += [contact] if entered else []
    return [*contacts, *_oddities([each for each in contacts if each["EmailAddress"]], random)]


def _person(person: Person, name: str, number: int, random: Random) -> JsonObject:
    email = person.email.title() if random.random() < _CAPITALS else person.email
    address = {
        "AddressType": "STREET",
        "AddressLine1": f"{random.randrange(1, 200)} Test St",
        "City": person.town,
        "Country": "New Zealand",
    }
    facts: JsonObject = {
        "FirstName": person.first,
        "LastName": person.last,
        "EmailAddress": "" if random.random() < _SILENT else email,
        "ContactStatus": "ARCHIVED" if random.random() < _ARCHIVED else "ACTIVE",
        "Addresses": [address],
        "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": f"{random.randrange(10**7):07d}", "PhoneAreaCode": "021"}],
    }
    if random.random() < _NUMBERED:
        facts |= {"ContactNumber": f"CUST-{number:04d}", "AccountNumber": f"A-{number:04d}"}
    return _contact(name, facts, random)


def _oddities(contacts: list[JsonObject], random: Random) -> list[JsonObject]:
    """Two contacts with somebody's address (one of them archived), one merged into another, and a supplier."""
    shared, archived, kept = contacts[0], contacts[1], contacts[2]
    gone = {"ContactStatus": "ARCHIVED"}
    merged = {**gone, "EmailAddress": kept["EmailAddress"], "MergedToContactID": kept["ContactID"]}
    return [
        _contact(f"Family {shared['LastName']}", {"EmailAddress": shared["EmailAddress"]}, random),
        _contact(archived["Name"], {**gone, "EmailAddress": archived["EmailAddress"].upper()}, random),
        _contact(f"{kept['Name']} (old)", merged, random),
        _contact("Clay & Kiln Wholesale", {"IsSupplier": True}, random),
    ]


def _contact(name: str, facts: JsonObject, random: Random) -> JsonObject:
    return changed({"ContactID": _guid(random), **blank_contact()}, {"Name": name, **facts})


def _guid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def _invoice(past: Account, contact: str, random: Random) -> None:
    """One invoice: three in four are approved, and half of those are paid."""
    line = {
        "Description": "Order at the till",
        "Quantity": Number(random.randrange(1, 6)),
        "UnitAmount": Number(f"{random.randrange(100, 10_000, 5) / 100:.2f}"),
        "AccountCode": "200",
    }
    given: JsonObject = {
        "Type": "ACCREC",
        "Contact": {"ContactID": contact},
        "DueDate": date((past.clock.milliseconds() // (DAY * 1000) + 20) * DAY * 1000),
        "LineAmountTypes": "Inclusive",
        "LineItems": [line],
        "Status": "DRAFT" if random.random() < 0.25 else "AUTHORISED",
    }
    invoice = _done(Invoices(past), given)
    if invoice["Status"] == "AUTHORISED" and random.random() < 0.5:
        named = {"InvoiceID": invoice["InvoiceID"]}
        paid = {"Invoice": named, "Account": {"Code": BANK}, "Amount": invoice["Total"]}
        _done(Payments(past), paid)


def _done(resource: Any, given: JsonObject) -> JsonObject:
    record: JsonObject = resource.written(given, Asked(Message(), {}, method="PUT")).record
    return record
