"""Xero's part of `syncctl doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from syncctl.connectors._checks import clock_check, guest_check
from syncctl.connectors._fields import microsoft_date, text
from syncctl.connectors._xero_settings import app_of
from syncctl.connectors.base import Check, Connector
from syncctl.connectors.declared import Values
from syncctl.errors import AnswerError
from syncctl.models import from_ms

Json = Mapping[str, Any]
READ_SCOPES = ("accounting.settings.read", "accounting.settings")  # either opens Items and Organisation
CONTACT_SCOPES = ("accounting.contacts.read", "accounting.contacts")
POSTING_SCOPES = ("accounting.contacts", "accounting.invoices", "accounting.payments")
_BROAD = "accounting.transactions"  # of older apps, for invoices and payments, until 2027-09-13
_ACCOUNTS = ("ACCOUNT", "SHIPPING", "DISCOUNT", "FEE", "ROUNDING")


def checks(connector: Connector, *, posts: bool) -> Iterator[Check]:
    """Two calls, a token's organisations and the organisation; where orders are posted accounts, tax rates, guests."""
    values, http = connector.values, connector.http
    http.renew()
    for check in _access_checks(connector, posts=posts):
        yield check
        if check.level == "wrong":
            return
    answer = http.get("/Organisation")
    yield Check("ok", "credentials", f"{values.base_url} accepts them")
    yield clock_check(answer)
    organisation = next(answer.elements("Organisations"), None)
    if not isinstance(organisation, dict):
        raise answer.unfit("The answer names no organisation", "Look at it with syncctl explain")
    yield _organisation_check(organisation)
    yield _currency_check(values, text(organisation.get("BaseCurrency")))
    if posts:
        yield from _lock_checks(organisation)
        yield from _account_checks(values, _objects(http.get("/Accounts").elements("Accounts")))
        yield from _tax_checks(values, _objects(http.get("/TaxRates").elements("TaxRates")))
        yield from guest_check(connector, sure=False)


def _access_checks(connector: Connector, *, posts: bool) -> Iterator[Check]:
    """What would have the organisation refuse the call."""
    scopes = connector.http.scopes()
    if scopes is not None:
        yield _scope_check(scopes)
        if scopes.isdisjoint(CONTACT_SCOPES):
            remedy = f"Give the app the scope {CONTACT_SCOPES[0]}, if customers are wanted"
            yield Check("warning", "contacts", "the token may not read contacts", remedy)
        if posts:
            yield _posting_scope_check(connector.values, scopes)
    if app_of(connector.values) != "custom":
        yield tenant_check(connector)


def _scope_check(scopes: frozenset[str]) -> Check:
    if not scopes.isdisjoint(READ_SCOPES):
        return Check("ok", "scopes", "the token may read items")
    remedy = f"Give the app the scope {READ_SCOPES[0]}, and have the connection authorised again"
    return Check("wrong", "scopes", f"{READ_SCOPES[0]} is not among {' '.join(sorted(scopes))}", remedy)


def _posting_scope_check(values: Values, scopes: frozenset[str]) -> Check:
    """Whole words are compared: `accounting.contacts` is a part of `accounting.contacts.read`."""
    wanted = POSTING_SCOPES if values.get("PAYMENTS") else POSTING_SCOPES[:2]
    granted = scopes | ({"accounting.invoices", "accounting.payments"} if _BROAD in scopes else set())
    missing = ", ".join(scope for scope in wanted if scope not in granted)
    if not missing:
        return Check("ok", "posting scopes", "the token may post")
    remedy = f"Give the app {missing}, and have the connection authorised again"
    return Check("wrong", "posting scopes", f"{missing} is not among those of the token", remedy)


def tenant_check(connector: Connector) -> Check:
    """A token may open several organisations, and the setting says which of them is meant."""
    values = connector.values
    listed = connector.http.get(f"{values.base_url.removesuffix('/api.xro/2.0')}/connections").json()
    if not isinstance(listed, list):
        raise AnswerError("The answer is no list of connections", "Look at it with syncctl explain")
    names = {text(one.get("tenantId")).lower(): text(one.get("tenantName")) for one in _objects(listed)}
    wanted = values.get("TENANT_ID").lower()
    if wanted in names:
        return Check("ok", "tenant", f"{wanted} is {names[wanted]}")
    choice = ", ".join(f"{tenant} ({name})" for tenant, name in names.items())
    said = f"the token does not open {wanted}" if wanted else "no organisation is chosen"
    several = "one of " if len(names) > 1 else ""
    remedy = f"Set {values.variable('TENANT_ID')} to {several}{choice}"
    return Check("wrong", "tenant", said, remedy if choice else "Have the app connected to the organisation again")


def _organisation_check(organisation: Json) -> Check:
    """Whose books these are, for a person to recognise."""
    status = text(organisation.get("OrganisationStatus"))
    shown = f"{text(organisation.get('Name'))}, {text(organisation.get('CountryCode'))}"
    if status in ("", "ACTIVE"):
        return Check("ok", "organisation", shown)
    return Check("warning", "organisation", f"{shown}: its status is {status}", "Look at its subscription in Xero")


def _currency_check(values: Values, base: str) -> Check:
    """Items are priced in the organisation's base currency; the shop has to be told which that is."""
    variable, wanted = values.variable("CURRENCY"), values.get("CURRENCY")
    if wanted == base:
        return Check("ok", "currency", f"prices are in {base}")
    if wanted:
        return Check("wrong", "currency", f"the organisation keeps {base}, not {wanted}", f"Set {variable}={base}")
    return Check("ok", "currency", f"the organisation keeps {base}; {variable}={base} tells it to the shop")


def _lock_checks(organisation: Json) -> Iterator[Check]:
    """Up to when the books are closed: an order of that time is refused."""
    locks = [microsoft_date(organisation.get(name)) for name in ("PeriodLockDate", "EndOfYearLockDate")]
    if any(locks):
        day = from_ms(max(locks)).date()
        yield Check("ok", "lock date", f"orders placed up to {day} are refused, as that time is locked")


def _account_checks(values: Values, accounts: Sequence[Json]) -> Iterator[Check]:
    known = {text(account.get("Code")): account for account in accounts}
    for setting in _ACCOUNTS:
        if values.get(setting):
            yield _account_check(values.variable(setting), values.get(setting), known)
    for told in filter(None, values.get("PAYMENTS").split(",")):
        method, code = told.strip().split(":", 1)
        yield _payment_check(values.variable("PAYMENTS"), method, code, known)
    if not values.get("ACCOUNT"):
        message = f"{values.variable('ACCOUNT')} is not set: an item without an account of its own cannot be invoiced"
        yield Check("warning", "account", message, f"Set {values.variable('ACCOUNT')}, or give each item its account")


def _account_check(variable: str, code: str, known: Mapping[str, Json]) -> Check:
    subject = f"account {code}"
    missing = _missing(variable, code, known)
    if missing:
        return missing
    if known[code].get("SystemAccount") not in (None, "", "ROUNDING"):
        return Check("wrong", subject, f"{variable} names a system account, which takes no invoices", f"Set {variable}")
    return Check("ok", subject, f"{text(known[code].get('Name'))} ({variable})")


def _payment_check(variable: str, method: str, code: str, known: Mapping[str, Json]) -> Check:
    missing = _missing(variable, code, known)
    if missing:
        return missing
    account = known[code]
    if text(account.get("Type")) == "BANK" or account.get("EnablePaymentsToAccount") is True:
        return Check("ok", f"account {code}", f"{text(account.get('Name'))} takes payments by {method}")
    remedy = f"Enable payments to {code} in Xero, or name a bank account in {variable}"
    return Check("wrong", f"account {code}", f"it takes no payments, and {variable} names it for {method}", remedy)


def _missing(variable: str, code: str, known: Mapping[str, Json]) -> Check | None:
    status = text(known[code].get("Status")) if code in known else "missing"
    if status == "ACTIVE":
        return None
    return Check("wrong", f"account {code}", f"{variable} names it, but it is {status.lower()}", f"Correct {variable}")


def _tax_checks(values: Values, rates: Sequence[Json]) -> Iterator[Check]:
    known = {text(rate.get("TaxType")): rate for rate in rates}
    variable = values.variable("TAX")
    for told in values.get("TAX").split(","):
        fraction, code = told.strip().split(":", 1)
        yield _tax_check(variable, fraction, code, known)


def _tax_check(variable: str, fraction: str, code: str, known: Mapping[str, Json]) -> Check:
    from decimal import Decimal

    subject, rate = f"tax {code}", known.get(code)
    if rate is None or text(rate.get("Status")) != "ACTIVE" or rate.get("CanApplyToRevenue") is False:
        usable = sorted(key for key, each in known.items() if each.get("CanApplyToRevenue") is not False)
        return Check("wrong", subject, f"{variable} names it, but sales cannot have it", f"Use {', '.join(usable)}")
    percent = rate.get("EffectiveRate")
    if percent is not None and Decimal(percent) != Decimal(fraction) * 100:
        message = f"it is {Decimal(percent).normalize():f} %, and {variable} says {fraction}"
        return Check("wrong", subject, message, f"Correct {variable}")
    return Check("ok", subject, f"{text(rate.get('Name'))} ({fraction})")


def _objects(values: object) -> list[dict[str, Any]]:
    return [each for each in values if isinstance(each, dict)] if hasattr(values, "__iter__") else []
