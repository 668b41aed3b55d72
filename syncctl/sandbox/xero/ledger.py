"""What documents are checked against: accounts, tax rates, currencies and lock dates of the organisation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from .. import wire
from ..wire import Number
from .account import date
from .shapes import DAY

if TYPE_CHECKING:
    from ..store import Row
    from ..wire import JsonObject
    from .account import Account

_RATES = {"AUD": "0.9100000000", "EUR": "0.5100000000", "GBP": "0.4400000000", "USD": "0.5800000000"}
"""How much of a currency the base currency buys, when the organisation has more than one."""
_LOCKS = {"PeriodLockDate": "period lock date", "EndOfYearLockDate": "end of year lock date"}
_CLASSES = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}
# Daylight-saving time or not is left out: what matters is that the day begins before UTC's.
_OFFSET = timedelta(hours=12)


class Ledger:
    """The settings of the organisation, as they are at this moment."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def today(self) -> str:
        """The calendar date in the organisation's time zone."""
        here = self.account.clock.moment() + _OFFSET
        return date(round(here.timestamp() * 1000) // DAY * DAY)

    def account_of(self, code: str) -> JsonObject | None:
        """The account with this code or id."""
        return _record(self.account.accounts.all_where("code = ? OR id = ?", code, code.lower()))

    def item_of(self, code: str) -> JsonObject | None:
        """The item with this code."""
        return _record(self.account.items.all_where("code = ?", code))

    def rate_of(self, tax_type: str) -> JsonObject | None:
        """The tax rate of a tax type, if it is in use."""
        rate = _record(self.account.tax_rates.all_where("id = ?", tax_type.lower()))
        return rate if rate and rate.get("Status") == "ACTIVE" else None

    def is_usable(self, account: JsonObject | None) -> bool:
        """Whether a line can name an account: neither a bank's nor the system's own, but for rounding."""
        if account is None or account.get("Status") != "ACTIVE" or account.get("Type") == "BANK":
            return False
        return account.get("SystemAccount") in (None, "", "ROUNDING")

    def takes_payments(self, account: JsonObject | None) -> bool:
        """Whether a payment can name an account."""
        if account is None or account.get("Status") != "ACTIVE":
            return False
        return account.get("Type") == "BANK" or account.get("EnablePaymentsToAccount") is True

    def applies(self, rate: JsonObject, account: JsonObject) -> bool:
        """Whether a tax rate can go with an account of this class."""
        return rate.get(_CLASSES.get(str(account.get("Class")), "")) is not False

    def currency(self, code: str | None) -> tuple[str, Number] | None:
        """A currency and its rate, the base currency when none is named; None when it is not enabled."""
        base = str(self._organisation().get("BaseCurrency"))
        if code in (None, "", base):
            return base, Number("1.0000000000")
        enabled = self.account.switches["multicurrency"] == "yes" and code in _RATES
        return (str(code), Number(_RATES[str(code)])) if enabled else None

    def lock_faults(self, day: object) -> list[str]:
        """A message when a document lies before a lock date."""
        moment, organisation = wire.milliseconds(day), self._organisation()
        locks = {name: wire.milliseconds(organisation.get(name)) for name in _LOCKS}
        return [
            f"The document date cannot be before the {_LOCKS[name]}, currently set at {_spelt(lock)}"
            for name, lock in locks.items()
            if lock is not None and moment is not None and moment < lock
        ]

    def _organisation(self) -> JsonObject:
        return _record(self.account.organisation.all_where("1")) or {}


def amount(record: JsonObject, name: str) -> Decimal:
    """A number of a record; what is none counts as nothing."""
    return wire.decimal(record.get(name)) or Decimal(0)


def _record(rows: list[Row]) -> JsonObject | None:
    return next((wire.loads(row["body"]) for row in rows), None)


def _spelt(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%d %b %Y}"
