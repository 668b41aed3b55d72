"""One organisation at Xero: its tables, its clock, its connections and its open points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import consent
from ..account import BaseAccount
from ..store import Store, Table
from .apps import APPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..clock import Clock
    from ..switches import Switches
    from .apps import App

TENANT_ID = "1b2c7a1e-44aa-4c5d-9a55-0d3b6f1e7c21"
TENANT_NAME = "Demo Homeware Ltd"
OTHER_TENANT = ("7d0f3c52-9b1e-4f6a-8c11-2e5a90c4d7b3", "Demo Wholesale Ltd")
"""Another organisation of the same person, whose books are not copied (switch `organisations`)."""
PROVIDER = "syncctl"
_NUMBER = "xero_invoice_number"

# The first value is the default. Every one of them is unconfirmed by the vendor, but for what a person
# decides, and the state that `app_scopes` plays through.
SWITCHES: dict[str, tuple[str, ...]] = {
    "account_number": ("all", "active"),
    "app_scopes": ("all", "no_settings", "contacts_only"),
    "archived_name": ("free", "blocks"),
    "archived_on_invoice": ("refuse", "other_words", "accept"),
    "bad_since": ("412", "ignore"),
    "batch_500": ("no", "half", "all"),
    "body_429": ("empty", "html", "json"),
    "connections": ("refuse", "list"),
    "connections_cost": ("free", "day"),
    **consent.SWITCHES,
    "contact_match": ("number", "name"),
    "day_window": ("rolling", "fixed", "midnight"),
    "deleted_number": ("free", "blocks"),
    "empty_id": ("unauthorized_client", "invalid_request"),
    "error_key": ("Message", "Description"),
    "final_dot": ("yes", "no"),
    "grace_retry": ("keeps", "replaces"),
    "idempotent_post": ("yes", "no"),
    "in_flight": ("wait", "409", "run"),
    "item_update": ("partial", "whole"),
    "missing_scope": ("401", "403"),
    "modified_since": ("inclusive", "strict", "strict_second"),
    "multicurrency": ("no", "yes"),
    "no_token": ("AuthenticationUnsuccessful", "AuthorizationUnsuccessful"),
    "nothing_new": ("empty", "304"),
    "organisations": ("1", "2"),
    "problem": ("lower", "words", "limits"),
    "quantity_bumps": ("no", "yes"),
    "refused_counts": ("no", "yes"),
    "retry_after": ("seconds", "absent"),
    "revoked_custom": ("403", "unauthorized_client"),
    "rfc_1123": ("honour", "ignore"),
    "rounding": ("half_up", "half_even"),
    "scope_challenge": ("insufficent_scope", "insufficient_scope"),
    "too_long": ("404", "414", "400"),
    "unknown_account": ("refuse", "remove"),
    "unknown_contact": ("404", "element"),
    "unstored": ("ERROR", "OK_zero", "OK_null"),
    "voided_listed": ("yes", "no"),
    "wrong_secret": ("invalid_client", "unauthorized_client"),
    "wrong_total": ("ignore", "refuse"),
}


def _new_id() -> str:
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Account(BaseAccount):
    """What every part of the service works on."""

    items: Table
    accounts: Table
    tax_rates: Table
    organisation: Table
    contacts: Table
    invoices: Table
    payments: Table
    tokens: Table
    new_id: Callable[[], str] = _new_id
    """Where ids come from: chance, but for the seeding."""

    @classmethod
    def opened(cls, store: Store, clock: Clock, switches: Switches) -> Account:
        """The organisation kept in a store; its tables are made when they are missing."""
        text, number = "TEXT NOT NULL DEFAULT ''", "INTEGER NOT NULL DEFAULT 0"
        token = {"kind": text, "app": text, "scope": text, "parent": text, "expires": number, "used": number}
        contact, by_code = {"name": text, "account": text}, {"code": "code"}
        invoice = {"contact": text, "status": text, "dated": number}
        return cls(
            store,
            clock,
            switches,
            items=Table(store, "xero_items"),
            accounts=Table(store, "xero_accounts"),
            tax_rates=Table(store, "xero_tax_rates"),
            organisation=Table(store, "xero_organisation"),
            contacts=Table(store, "xero_contacts", contact, by_code | {"name": "name", "account": "account"}),
            invoices=Table(store, "xero_invoices", invoice, by_code | {"contact": "contact"}),
            payments=Table(store, "xero_payments", {"invoice": text}, {"invoice": "invoice"}),
            tokens=Table(store, "xero_tokens", token),
        )

    def next_number(self) -> str:
        """A number for an invoice that came without one."""
        return f"INV-{self.next_in(_NUMBER):04d}"

    def forget_numbers(self) -> None:
        """Begin with the first number again."""
        self.store.remember(_NUMBER, "0")

    def connection(self, app: str) -> str:
        """The id of an app's connection to the organisation; nothing when there is none."""
        return self.store.setting(f"xero_connection_{app}") or ""

    def connect(self, *apps: App) -> None:
        """Connect these apps anew, or all of them, as a person does who consents."""
        for app in apps or APPS:
            self.store.remember(f"xero_connection_{app.name}", str(uuid4()))

    def disconnect(self, app: str) -> None:
        """Take an app's connection away."""
        self.store.remember(f"xero_connection_{app}", "")


def date(milliseconds: int) -> str:
    """A moment as a field of a record shows it: with an offset, unlike the envelope's own."""
    return f"/Date({milliseconds}+0000)/"
