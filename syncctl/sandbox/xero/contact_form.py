"""What a contact looks like: its shape in requests, its slots for phones and addresses, and how it changes.

developer.xero.com/documentation/api/accounting/contacts. The four phones and the two addresses are
always there; what is written goes into the slot of its type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..wire import JsonObject
from .shapes import Shape, flag, guid, listed, one_of, text

if TYPE_CHECKING:
    from collections.abc import Iterable

_PHONE_FIELDS = ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")
_ADDRESS_FIELDS = ("City", "Region", "PostalCode", "Country")
_LINES = ("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "AttentionTo")
_TYPES = ("DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE")
SLOTS: dict[str, tuple[str, JsonObject]] = {
    "Addresses": ("AddressType", {name: dict.fromkeys(_ADDRESS_FIELDS, "") for name in ("STREET", "POBOX")}),
    "Phones": ("PhoneType", {name: dict.fromkeys(_PHONE_FIELDS, "") for name in ("DEFAULT", "DDI", "FAX", "MOBILE")}),
}
"""The lists with a fixed number of places: the field that tells a place, and the empty places by it."""

_PERSON: Shape = {"FirstName": text, "LastName": text, "EmailAddress": text, "IncludeInEmails": flag}
_ADDRESS: Shape = {
    "AddressType": one_of("Xero.API.Library.AddressType", "STREET", "POBOX", "DELIVERY"),
    **dict.fromkeys((*_LINES, *_ADDRESS_FIELDS), text),
}
_PHONE: Shape = {
    "PhoneType": one_of("Xero.API.Library.PhoneType", *_TYPES),
    **dict.fromkeys(_PHONE_FIELDS, text),
}
CONTACT: Shape = {
    "ContactID": guid,
    "ContactStatus": one_of("Xero.API.Library.ContactStatus", "ACTIVE", "ARCHIVED", "GDPRREQUEST"),
    **dict.fromkeys(("ContactNumber", "AccountNumber", "Name", "FirstName", "LastName", "EmailAddress"), text),
    **dict.fromkeys(("CompanyNumber", "TaxNumber", "BankAccountDetails", "DefaultCurrency"), text),
    "ContactPersons": listed(_PERSON),
    "Addresses": listed(_ADDRESS),
    "Phones": listed(_PHONE),
}


def blank_contact() -> JsonObject:
    """A contact of whom nothing is known yet."""
    return {
        "ContactStatus": "ACTIVE",
        "Name": "",
        "EmailAddress": "",
        "BankAccountDetails": "",
        **{name: _filled(name, ()) for name in SLOTS},
        "ContactGroups": [],
        "IsSupplier": False,
        "IsCustomer": False,
        "ContactPersons": [],
        "HasAttachments": False,
        "HasValidationErrors": False,
    }


def changed(stored: JsonObject, given: JsonObject) -> JsonObject:
    """A contact with the given fields over it; what is left out stays.

    Phones and addresses are changed slot by slot. A list of contact persons replaces the stored one
    unless it is empty (github.com/XeroAPI/xero-node/issues/560).
    """
    record = {**stored, **given}
    for name in SLOTS:
        if isinstance(given.get(name), list):
            before = stored.get(name)
            record[name] = _filled(name, [*(before if isinstance(before, list) else ()), *given[name]])
    if given.get("ContactPersons") == []:
        record["ContactPersons"] = stored.get("ContactPersons", [])
    return record


def _filled(name: str, entries: Iterable[Any]) -> list[JsonObject]:
    """The places of a list with what was said about them; later entries win field by field."""
    kind, places = SLOTS[name]
    filled = {place: {kind: place, **blank} for place, blank in places.items()}
    for entry in entries:
        if isinstance(entry, dict) and entry.get(kind) in filled:
            filled[str(entry[kind])].update(entry)
    return list(filled.values())
