"""The shop's words as Xero takes them: without angle brackets, double spaces and what is too long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
_EMAIL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
_MOST_EMAIL = 255
_MOST_LINE, _MOST_PART, _MOST_PHONE = 500, 50, 50
_PARTS = {"city": "City", "region": "Region", "postcode": "PostalCode"}


def plain(words: str, most: int) -> str:
    """Text without what Xero refuses, cut to `most` characters."""
    return " ".join(re.sub(r"[<>]", " ", words).split())[:most].strip()


def email(address: str) -> str:
    """The address if Xero takes it, else "": it wants one in plain letters, and refuses the whole contact otherwise."""
    found = address.strip()
    return found if len(found) <= _MOST_EMAIL and re.fullmatch(_EMAIL, found, re.ASCII) else ""


def person(name: str) -> Json:
    """First and last name; of one word there is no last name."""
    first, _, last = plain(name, 510).partition(" ")
    names = {"FirstName": first[:255], "LastName": last[:255]}
    return {field: value for field, value in names.items() if value}


def number_of(phone: str) -> str:
    """The phone number if Xero takes it, else "": a number that is cut is another one."""
    found = plain(phone, len(phone))
    return found if len(found) <= _MOST_PHONE else ""


def phones(number: str) -> list[Json]:
    """The one number, which goes to the slot that Xero shows first; none where it is too long for Xero."""
    found = number_of(number)
    whole = {"PhoneNumber": found, "PhoneAreaCode": "", "PhoneCountryCode": ""}
    return [{"PhoneType": "DEFAULT", **whole}] if found else []


def addresses(billing: Mapping[str, str], shipping: Mapping[str, str]) -> list[Json]:
    """Where invoices are sent to (POBOX is what Xero prints), and where goods go."""
    told = (("POBOX", billing), ("STREET", shipping))
    return [{"AddressType": kind, **_address(address)} for kind, address in told if any(address.values())]


def _address(address: Mapping[str, str]) -> Json:
    """All parts of it, the empty ones too: what is left out would stay from the address that was there before."""
    lines = filter(None, (plain(address.get(name, ""), _MOST_LINE) for name in ("address1", "address2", "suburb")))
    country = "".join(c if c.isalpha() else " " for c in address.get("country", ""))
    return {
        **{f"AddressLine{number}": next(lines, "") for number in range(1, 5)},
        **{name: plain(address.get(part, ""), _MOST_PART) for part, name in _PARTS.items()},
        "Country": plain(country, _MOST_PART),
        "AttentionTo": plain(address.get("name", ""), 255),
    }
