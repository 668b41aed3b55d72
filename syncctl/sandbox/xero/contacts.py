"""developer.xero.com/documentation/api/accounting/contacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .. import wire
from ..store import Query
from .account import date
from .answers import Refused, not_found
from .asked import Asked
from .contact_form import CONTACT, blank_contact, changed
from .contact_rules import ARCHIVED, UNNAMED, contact_faults, same_name
from .query import among
from .records import STAMP, column_text
from .writing import Complaint, Outcome, Written, complain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import Row, Value
    from ..wire import JsonObject
    from .account import Account

_SEARCHED = ("Name", "FirstName", "LastName", "ContactNumber", "CompanyNumber", "EmailAddress")
_FULL_ONLY = ("MergedToContactID", "ContactPersons")
_SUMMARY_LACKS = ("IsCustomer", "IsSupplier", *_FULL_ONLY)


@dataclass(frozen=True, slots=True)
class Change:
    """A contact as it is to be stored, and whether there is anything to store at all."""

    record: JsonObject
    is_needed: bool


class Contacts(Written):
    """Customers and suppliers."""

    resource = "Contacts"
    envelope = "Contacts"
    id_field = "ContactID"
    code_field = "ContactNumber"
    paged = True
    shape = CONTACT
    orders: ClassVar[Mapping[str, str]] = {
        "updateddateutc": "modified",
        "name": "sort",
        "contactid": "id",
        "contactnumber": "code",
    }

    def __init__(self, account: Account) -> None:
        super().__init__(account, account.contacts)

    # Reading

    def narrowed(self, query: Query, asked: Asked) -> Query:
        """Archived contacts are hidden unless they are asked for."""
        query = query if asked.flag("includeArchived") else query.without_hidden()
        ids = asked.several("IDs")
        return among(query, "id", map(str.lower, ids)) if ids else query

    def is_found(self, body: str, asked: Asked) -> bool:
        """`searchTerm` looks into some texts; the account number is not among them."""
        term = (asked.param("searchTerm") or "").casefold()
        record = wire.loads(body) if term else {}
        return not term or any(term in str(record.get(name) or "").casefold() for name in _SEARCHED)

    def text(self, body: str, asked: Asked) -> str:
        """Some fields are in pages and single answers only, and a summary lacks some more."""
        lacking = _SUMMARY_LACKS if asked.flag("summaryOnly") else () if asked.is_full else _FULL_ONLY
        if not lacking:
            return body
        record = {name: value for name, value in wire.loads(body).items() if name not in lacking}
        return wire.dumps({**record, "ContactPersons": []})

    # Storing

    def row(self, record: JsonObject) -> dict[str, Value]:
        """A list is in the order of names, which is what is compared, too."""
        name = column_text(record.get("Name"))
        return {
            **super().row(record),
            "sort": name.upper(),
            "name": name.casefold(),
            "account": column_text(record.get("AccountNumber")),
            "hidden": int(record.get("ContactStatus") == "ARCHIVED"),
        }

    def blank(self) -> JsonObject:
        """A new contact."""
        return {STAMP: date(self.account.clock.milliseconds()), **blank_contact()}

    def merged(self, stored: JsonObject, changes: JsonObject) -> JsonObject:
        """Planted phones and addresses find their slots as well."""
        return changed(stored, changes)

    # Writing

    def written(self, given: JsonObject, asked: Asked) -> Outcome:
        """`PUT` creates; `POST` creates, or updates the contact that it matches."""
        planned = self._created(given) if asked.method == "PUT" else self.planned(given).record
        record = self.stamped(planned)
        self.save(record)
        return Outcome(record)

    def _created(self, given: JsonObject) -> JsonObject:
        """A new contact; names and numbers that are taken are refused, and so is an id."""
        if "ContactID" in given:
            self.one(given["ContactID"])
            raise Complaint("A contact with the specified ContactID already exists.")
        return self._checked(given, None)

    def planned(self, given: JsonObject) -> Change:
        """What becomes of the contact that an element or an invoice names; nothing is stored yet."""
        stored = self._match(given)
        if stored is not None and stored.get("ContactStatus") == "ARCHIVED":
            raise Complaint(ARCHIVED)
        record = self._checked(given, stored)
        return Change(record, record != stored)

    def _checked(self, given: JsonObject, stored: JsonObject | None) -> JsonObject:
        record = changed(stored or {"ContactID": self.account.new_id(), **self.blank()}, given)
        complain(contact_faults(self.account, given, record))
        return record

    def one(self, key: str) -> JsonObject:
        """The contact of this id; without one the whole request ends as a 404."""
        row = self.table.get(key)
        if row is None:
            raise Refused(not_found())
        return _record(row)

    def _match(self, given: JsonObject) -> JsonObject | None:
        """By id, then by number, then by name; which of the two is stronger is a switch."""
        if "ContactID" in given:
            return self.one(given["ContactID"])
        found = {"number": self._by_number(given), "name": self._by_name(given)}
        if not (given.get("ContactNumber") or given.get("Name")):
            raise Complaint(UNNAMED)
        first = self.account.switches["contact_match"]
        other = "name" if first == "number" else "number"
        row = found[first] or found[other]
        return _record(row) if row else None

    def _by_number(self, given: JsonObject) -> Row | None:
        number = given.get("ContactNumber")
        rows = self.table.all_where("code = ?", number) if number else []
        return min(rows, key=lambda row: row["hidden"], default=None)

    def _by_name(self, given: JsonObject) -> Row | None:
        """An active one; whether an archived one is matched as well is a switch."""
        name = given.get("Name")
        if not name:
            return None
        rows = same_name(self.account, name)
        if not rows and self.account.switches["archived_name"] == "blocks":
            rows = same_name(self.account, name, archived=True)
        return next(iter(rows), None)

    def deal_with(self, contact: JsonObject, *, sold: bool) -> None:
        """Note that somebody is a customer or a supplier now, which moves no stamp."""
        name = "IsCustomer" if sold else "IsSupplier"
        if contact.get(name) is not True:
            self.save({**contact, name: True})


def _record(row: Row) -> JsonObject:
    record: JsonObject = wire.loads(row["body"])
    return record
