"""The apps that the organisation knows: a custom connection, and two that a person consents to.

developer.xero.com/documentation/guides/oauth2/custom-connections, .../auth-flow and .../pkce-flow: a
custom connection asks with its id and secret alone; a web app has refresh tokens, and so has a native
one, which has no secret and proves by PKCE that it is the one that asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from secrets import compare_digest

_READ_WRITE = ("invoices", "payments", "contacts", "settings", "banktransactions", "manualjournals", "attachments")
_REPORTS = (
    *("aged", "balancesheet", "banksummary", "budgetsummary", "executivesummary", "profitandloss", "trialbalance"),
    "taxreports",
)
ACCOUNTING = (
    *(f"accounting.{name}{ending}" for name in _READ_WRITE for ending in ("", ".read")),
    *(f"accounting.reports.{name}.read" for name in _REPORTS),
)
"""The granular scopes, the only ones of apps made since 2026-03-02 (developer.xero.com, "Scopes")."""
PERSONAL = ("openid", "profile", "email", "offline_access")
"""What only an app with a person behind it can have."""

_SETTINGS = frozenset({"accounting.settings", "accounting.settings.read"})
_INVOICES = frozenset({"accounting.invoices", "accounting.invoices.read"})
_CONTACTS = frozenset({"accounting.contacts", "accounting.contacts.read"})
_PAYMENTS = frozenset({"accounting.payments", "accounting.payments.read"})
NEEDED = {
    "organisation": _SETTINGS,
    "accounts": _SETTINGS,
    "taxrates": _SETTINGS,
    "items": _SETTINGS | _INVOICES,
    "contacts": _CONTACTS,
    "invoices": _INVOICES,
    "payments": _PAYMENTS,
}
"""The scopes that open a resource; any one of them does."""


def opens(scopes: frozenset[str], resource: str, method: str) -> bool:
    """Whether scopes let a call through; those that end in `.read` are for reading alone."""
    granted = NEEDED[resource] & scopes
    return any(method == "GET" or not scope.endswith(".read") for scope in granted)


@dataclass(frozen=True, slots=True)
class App:
    """One app and what it may ask for."""

    name: str
    client_id: str
    secret: str
    grants: frozenset[str]
    scopes: tuple[str, ...]

    def assigned(self, which: str) -> tuple[str, ...]:
        """The scopes that the app has when the switch `app_scopes` stands at `which`."""
        if which == "no_settings":
            return tuple(scope for scope in self.scopes if scope not in _SETTINGS)
        if which == "contacts_only":
            return tuple(scope for scope in self.scopes if scope in _CONTACTS | set(PERSONAL))
        return self.scopes


CUSTOM = App(
    "custom",
    "5A11D0C0FFEE4C0DE0000000CUSTOM01",
    "sandbox-custom-secret-x7Qm2LrT9vWc4KpZ8nHb3",
    frozenset({"client_credentials"}),
    ACCOUNTING,
)
WEB = App(
    "web",
    "5A11D0C0FFEE4C0DE00000000000WEB1",
    "sandbox-web-secret-h5Jd8SaY1uEo6GfX0mNk2Rt",
    frozenset({"authorization_code", "refresh_token"}),
    (*PERSONAL, *ACCOUNTING),
)
NATIVE = App("native", "5A11D0C0FFEE4C0DE000000000NATIVE", "", WEB.grants, WEB.scopes)
APPS = (CUSTOM, WEB, NATIVE)


def app_of(client_id: str, secret: str) -> App | None:
    """The app whose id and secret these are."""
    known = next((app for app in APPS if app.client_id == client_id), None)
    matches = known is not None and compare_digest(known.secret.encode(), secret.encode())
    return known if matches else None
