"""What is wrong with a contact that a client sends.

developer.xero.com/documentation/api/accounting/contacts. Only the messages about the name, the account
number, the e-mail and the archived contact are known from answers; the others are the copy's words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..store import Row
    from ..wire import JsonObject
    from .account import Account

UNNAMED = (
    "The Contact must contain at least 1 of the following elements to identify the contact:"
    " Name, ContactID, ContactNumber"
)
ARCHIVED = (
    "The specified contact details matched an archived contact."
    " Archived contacts cannot currently be edited via the API."
)
NUMBER_TAKEN = "The Contact Number already exists. Please enter a different Contact Number."
_ACCOUNT_TAKEN = "The Account Number already exists. Please enter a different Account Number."
_EMPTY = "Contact Name cannot be empty."
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LENGTHS = {
    **dict.fromkeys(("Name", "FirstName", "LastName", "EmailAddress"), 255),
    **dict.fromkeys(("ContactNumber", "AccountNumber", "CompanyNumber", "TaxNumber"), 50),
}
_PHONE_LENGTHS = {"PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20}
_ADDRESS_LENGTHS = {
    **dict.fromkeys(("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4"), 500),
    **dict.fromkeys(("PostalCode", "Country"), 50),
    **dict.fromkeys(("City", "Region", "AttentionTo"), 255),
}
_MOST_PERSONS = 5


def name_taken(name: str) -> str:
    """The message about a name that another active contact has."""
    return (
        f"The contact name {name} is already assigned to another contact."
        " The contact name must be unique across all active contacts."
    )


def same_name(account: Account, name: str, *, archived: bool = False) -> list[Row]:
    """The active contacts of this name, compared without regard to case; or the archived ones."""
    return account.contacts.all_where("name = ? AND hidden = ?", name.casefold(), int(archived))


def contact_faults(account: Account, given: JsonObject, record: JsonObject) -> list[str]:
    """Everything wrong with the given fields, and with the contact that they would make."""
    faults = [*_name_faults(given, record), *_format_faults(given)]
    return faults or _taken(account, given, str(record.get("ContactID", "")))


def _name_faults(given: JsonObject, record: JsonObject) -> Iterator[str]:
    name = record.get("Name")
    if not isinstance(name, str) or not name.strip():
        yield _EMPTY
    elif "Name" in given and (set("<>") & set(name) or name != name.strip() or "  " in name):
        yield f"The contact name {name} contains invalid characters."


def _format_faults(given: JsonObject) -> Iterator[str]:
    emails = [given, *given.get("ContactPersons", ())]
    if any(not _EMAIL.fullmatch(each["EmailAddress"]) for each in emails if each.get("EmailAddress")):
        yield "Email address must be valid."
    yield from too_long(given, _LENGTHS)
    for phone in given.get("Phones", ()):
        yield from too_long(phone, _PHONE_LENGTHS)
    for address in given.get("Addresses", ()):
        yield from too_long(address, _ADDRESS_LENGTHS)
        if any(character.isdigit() for character in address.get("Country", "")):
            yield "The Country may contain letters only."
    if len(given.get("ContactPersons", ())) > _MOST_PERSONS:
        yield f"A contact has at most {_MOST_PERSONS} contact persons."


def too_long(given: JsonObject, lengths: dict[str, int]) -> Iterator[str]:
    """A message for every text that is longer than its field; their wording is the copy's own."""
    for name, longest in lengths.items():
        value: Any = given.get(name)
        if isinstance(value, str) and len(value) > longest:
            yield f"The {name} field must be {longest} characters or less."


def _taken(account: Account, given: JsonObject, key: str) -> list[str]:
    """Names, numbers and account numbers that another contact has.

    Whether an archived contact keeps its account number is unconfirmed (switch `account_number`).
    """
    faults = []
    name, number, code = (given.get(field) for field in ("Name", "ContactNumber", "AccountNumber"))
    if name and any(row["id"] != key for row in same_name(account, name)):
        faults.append(name_taken(name))
    if number and account.contacts.all_where("code = ? AND id <> ?", number, key):
        faults.append(NUMBER_TAKEN)
    shown = "" if account.switches["account_number"] == "all" else " AND hidden = 0"
    if code and account.contacts.all_where(f"account = ? AND id <> ?{shown}", code, key):
        faults.append(_ACCOUNT_TAKEN)
    return faults
