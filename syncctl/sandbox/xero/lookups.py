"""The small lists: the organisation itself, its chart of accounts and its tax rates.

developer.xero.com/documentation/api/accounting/{organisation,accounts,taxrates}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from .. import wire
from ..messages import Response, json_response
from ..wire import Number
from .account import TENANT_ID, TENANT_NAME, date
from .answers import Refused, not_found
from .asked import Asked
from .records import STAMP, Records

if TYPE_CHECKING:
    from ..wire import JsonObject

_CHANGED = date(1_704_067_200_000)
_ACTIONS = {"CreateApprovedInvoice": "ALLOWED", "CreateDraftInvoice": "ALLOWED", "UseMulticurrency": "NOT-ALLOWED"}

ORGANISATION: JsonObject = {
    "OrganisationID": TENANT_ID,
    "Name": TENANT_NAME,
    "LegalName": TENANT_NAME,
    "PaysTax": True,
    "Version": "NZ",
    "OrganisationType": "COMPANY",
    "BaseCurrency": "NZD",
    "CountryCode": "NZ",
    "IsDemoCompany": False,
    "OrganisationStatus": "ACTIVE",
    "FinancialYearEndDay": 31,
    "FinancialYearEndMonth": 3,
    "SalesTaxBasis": "PAYMENTS",
    "DefaultSalesTax": "Tax Exclusive",
    "DefaultPurchasesTax": "Tax Exclusive",
    "PeriodLockDate": _CHANGED,
    "CreatedDateUTC": _CHANGED,
    "OrganisationEntityType": "COMPANY",
    "Timezone": "NEWZEALANDSTANDARDTIME",
    "ShortCode": "!23eYt",
    "Edition": "BUSINESS",
    "Class": "STANDARD",
}


def _account(code: str, name: str, kind: tuple[str, str], tax: str, **more: object) -> JsonObject:
    account_type, account_class = kind
    return {
        "AccountID": str(uuid5(NAMESPACE_OID, f"account/{code}")),
        "Code": code,
        "Name": name,
        "Status": "ACTIVE",
        "Type": account_type,
        "TaxType": tax,
        "Class": account_class,
        "EnablePaymentsToAccount": False,
        "ShowInExpenseClaims": False,
        "HasAttachments": False,
        STAMP: _CHANGED,
        "AddToWatchlist": False,
        **more,
    }


_REVENUE, _EXPENSE = ("REVENUE", "REVENUE"), ("EXPENSE", "EXPENSE")
ACCOUNTS: list[JsonObject] = [
    _account("090", "Business Bank Account", ("BANK", "ASSET"), "NONE", BankAccountNumber="0200000000001"),
    _account("200", "Sales", _REVENUE, "OUTPUT2"),
    _account("260", "Other Revenue", _REVENUE, "OUTPUT2"),
    _account("310", "Cost of Goods Sold", ("DIRECTCOSTS", "EXPENSE"), "INPUT2"),
    _account("425", "Freight & Courier", _EXPENSE, "INPUT2"),
    _account("610", "Accounts Receivable", ("CURRENT", "ASSET"), "NONE", SystemAccount="DEBTORS"),
    _account("630", "Inventory", ("INVENTORY", "ASSET"), "NONE"),
    _account("820", "GST", ("CURRLIAB", "LIABILITY"), "NONE", SystemAccount="GST"),
    _account("860", "Rounding", ("CURRLIAB", "LIABILITY"), "NONE", SystemAccount="ROUNDING"),
    _account("881", "Old Clearing", ("CURRENT", "ASSET"), "NONE", Status="ARCHIVED", EnablePaymentsToAccount=True),
    _account("882", "Clearing", ("CURRENT", "ASSET"), "NONE", EnablePaymentsToAccount=True),
]


def _tax(code: str, name: str, rate: str, *, sales: bool, purchases: bool) -> JsonObject:
    component = {"Name": "GST", "Rate": Number(rate), "IsCompound": False, "IsNonRecoverable": False}
    return {
        "Name": name,
        "TaxType": code,
        "ReportTaxType": code,
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": purchases,
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": sales,
        "DisplayTaxRate": Number(rate),
        "EffectiveRate": Number(rate),
        "Status": "ACTIVE",
        "TaxComponents": [component],
    }


TAX_RATES: list[JsonObject] = [
    _tax("OUTPUT2", "15% GST on Income", "15.0000", sales=True, purchases=False),
    _tax("INPUT2", "15% GST on Expenses", "15.0000", sales=False, purchases=True),
    _tax("ZERORATEDOUTPUT", "Zero Rated Income", "0.0000", sales=True, purchases=False),
    _tax("NONE", "No GST", "0.0000", sales=True, purchases=True),
]


class Organisation(Records):
    """The organisation itself; its key in the envelope is the plural."""

    resource = "Organisation"
    envelope = "Organisations"
    id_field = "OrganisationID"
    code_field = "ShortCode"
    has_stamp = False

    def answer(self, asked: Asked) -> Response:
        """The organisation, or what it may do under `Organisation/Actions`; there is nothing else below."""
        if asked.key is None:
            return super().answer(asked)
        if asked.key.lower() != "actions":
            raise Refused(not_found())
        allowed = {**_ACTIONS}
        if self.account.switches["multicurrency"] == "yes":
            allowed["UseMulticurrency"] = "ALLOWED"
        actions = [{"Name": name, "Status": status} for name, status in allowed.items()]
        return json_response(f'{self._head()},"Actions":{wire.dumps(actions)}}}')


class Accounts(Records):
    """The chart of accounts."""

    resource = "Accounts"
    envelope = "Accounts"
    id_field = "AccountID"


class TaxRates(Records):
    """The tax rates; a tax type is their only id."""

    resource = "TaxRates"
    envelope = "TaxRates"
    id_field = "TaxType"
    code_field = "Name"
    has_stamp = False
