"""apidocs.unleashedsoftware.com/Customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import NAMESPACE_OID, uuid5

from .. import wire
from ..messages import Response
from .listing import unpaged_response
from .lookups import CURRENCIES, CURRENCY, find
from .query import contains, equals, starts_with
from .records import column_text
from .upsert import Upserted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import Row, Value
    from ..wire import JsonObject
    from .account import Account
    from .answers import Fault
    from .query import Filter, Params
    from .routing import Call, Router

CONTACTS_SHOWN = 100
CONTACT_FIELDS = (
    *("Guid", "FirstName", "LastName", "EmailAddress", "PhoneNumber", "MobilePhone", "OfficePhone"),
    *("DDINumber", "FaxNumber", "TollFreeNumber", "Website", "Notes", "DeliveryAddress"),
)
CONTACT_FLAGS = ("ForInvoicing", "ForShipping", "ForOrdering", "IsDefault")


def blank_customer() -> JsonObject:
    """A customer with every field."""
    return {
        **dict.fromkeys(("Guid", "CustomerCode", "CustomerName", "GSTVATNumber", "BankName", "BankBranch")),
        **dict.fromkeys(("BankAccount", "Website", "PhoneNumber", "FaxNumber", "MobileNumber", "DDINumber")),
        **dict.fromkeys(("TollFreeNumber", "Email", "EmailCC", "Currency", "Notes")),
        "Taxable": True,
        **dict.fromkeys(("TaxCode", "TaxRate", "XeroContactId", "SalesPerson")),
        "DiscountRate": wire.four_places(0),
        "PrintPackingSlipInsteadOfInvoice": False,
        "PrintInvoice": False,
        "StopCredit": False,
        "HasCreditLimit": False,
        "CreditLimit": None,
        "Obsolete": False,
        **dict.fromkeys(("XeroSalesAccount", "XeroCostOfGoodsAccount")),
        "SellPriceTier": "",
        **dict.fromkeys(("SellPriceTierReference", "CustomerType", "CustomerTypeGuid", "PaymentTerm")),
        **dict.fromkeys(("ContactFirstName", "ContactLastName", "DefaultWarehouse", "DeliveryMethod")),
        **dict.fromkeys(("DeliveryInstruction", "SalesOrderGroup", "SourceId")),
        "Addresses": [],
        "Contacts": [],
        **dict.fromkeys(("CreatedBy", "CreatedOn", "LastModifiedBy", "LastModifiedOn")),
    }


class Customers(Upserted):
    """The customers with their contacts."""

    code_field = "CustomerCode"
    filters: ClassVar[Mapping[str, Filter]] = {
        "contactEmail": lambda query, value: query.where("instr(emails, ?)", f"\n{value.lower()}"),
        "currency": equals("currency"),
        "customer": contains("code", "name", exact_case=True),
        "customerCode": starts_with("sort"),
        "customerName": starts_with("upper(name)"),
        "customerType": equals("type"),
        "sellPriceTier": equals("tier"),
        "xeroContactId": equals("xero"),
    }
    decimals = frozenset({"TaxRate", "DiscountRate", "CreditLimit"})

    def __init__(self, account: Account) -> None:
        super().__init__(account, account.customers)

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        router.add_list("Customers", self.many, self.one)
        router.add("GET", "/Customers/{guid}/Contacts", self.contacts)
        router.add("POST", "/Customers", self.upsert)
        router.add("POST", "/Customers/{guid}", self.upsert)

    def defaults(self) -> JsonObject:
        """A blank customer."""
        return blank_customer()

    def columns(self, record: JsonObject) -> dict[str, Value]:
        """What the filters look at; every e-mail stands on a line of its own, in lower case."""
        contacts = [each for each in record.get("Contacts") or [] if isinstance(each, dict)]
        emails = [record.get("Email"), *(contact.get("EmailAddress") for contact in contacts)]
        currency = record.get("Currency")
        return {
            "name": column_text(record.get("CustomerName")),
            "emails": "".join(f"\n{column_text(email).lower()}" for email in emails if email),
            "currency": column_text(currency.get("CurrencyCode")) if isinstance(currency, dict) else "",
            "type": column_text(record.get("CustomerType")),
            "tier": column_text(record.get("SellPriceTier")),
            "xero": column_text(record.get("XeroContactId")),
        }

    def text(self, row: Row, params: Params) -> str:
        """A list shows contacts only on request; what it shows without is unconfirmed by the vendor."""
        body = super().text(row, params)
        if '"Contacts":[]' in body:
            return body
        record = wire.loads(body)
        wanted = CONTACTS_SHOWN if params.flag("includeAllContacts") else 0
        return wire.dumps({**record, "Contacts": (record.get("Contacts") or [])[:wanted]})

    def contacts(self, call: Call) -> Response:
        """The contacts of one customer."""
        record = wire.loads(self.body_of(call.key()))
        return unpaged_response([wire.dumps(contact) for contact in record.get("Contacts") or []])

    def faults(self, posted: JsonObject, key: str) -> list[Fault]:
        """Code and name are required; a code taken by another customer is refused."""
        return self.required(posted, ("CustomerCode", "CustomerName")) or self.duplicate(posted, key)

    def written(self, posted: JsonObject, key: str, before: JsonObject | None) -> JsonObject:
        """The currency falls back to the company's, and a primary contact is made.

        apidocs.unleashedsoftware.com/APIChangeLog, December 2023: a contact needs a first name, a
        last name or an e-mail address.
        """
        record = super().written(posted, key, before)
        asked = find(CURRENCIES, record["Currency"], "CurrencyCode")
        record["Currency"] = asked or find(CURRENCIES, {"CurrencyCode": CURRENCY}, "CurrencyCode")
        record["Contacts"] = [_contact(each, key) for each in record["Contacts"] or _primary(record)]
        return record


def _primary(record: JsonObject) -> list[JsonObject]:
    names = {"FirstName": "ContactFirstName", "LastName": "ContactLastName", "EmailAddress": "Email"}
    contact = {theirs: record[ours] for theirs, ours in names.items()}
    return [{**contact, "IsDefault": True}] if any(contact.values()) else []


def _contact(given: JsonObject, customer: str) -> JsonObject:
    blank = {**dict.fromkeys(CONTACT_FIELDS), **dict.fromkeys(CONTACT_FLAGS, False)}
    # The name alone decides the Guid, so that a repeated POST does not renew it.
    named = "/".join(str(given.get(name)) for name in ("FirstName", "LastName", "EmailAddress"))
    return {**blank, "Guid": str(uuid5(NAMESPACE_OID, f"{customer}/{named}")), **given}
