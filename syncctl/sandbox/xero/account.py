"""One organisation at Xero: its tables, its clock, its connections and its open points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from ..store import Store, Table
from .apps import APPS

if TYPE_CHECKING:
    from ..clock import Clock
    from ..switches import Switches

TENANT_ID = "1b2c7a1e-44aa-4c5d-9a55-0d3b6f1e7c21"
TENANT_NAME = "Demo Homeware Ltd"
PROVIDER = "syncctl"

# The first value is the default. Every one of them is unconfirmed by the vendor, but for the state
# that `app_scopes` plays through.
SWITCHES: dict[str, tuple[str, ...]] = {
    "app_scopes": ("all", "no_settings", "contacts_only"),
    "bad_since": ("412", "ignore"),
    "body_429": ("empty", "html", "json"),
    "connections": ("refuse", "list"),
    "connections_cost": ("free", "day"),
    "day_window": ("rolling", "fixed", "midnight"),
    "empty_id": ("unauthorized_client", "invalid_request"),
    "grace_retry": ("keeps", "replaces"),
    "missing_scope": ("401", "403"),
    "modified_since": ("inclusive", "strict", "strict_second"),
    "no_token": ("AuthenticationUnsuccessful", "AuthorizationUnsuccessful"),
    "nothing_new": ("empty", "304"),
    "problem": ("lower", "words", "limits"),
    "quantity_bumps": ("no", "yes"),
    "refused_counts": ("no", "yes"),
    "retry_after": ("seconds", "absent"),
    "revoked_custom": ("403", "unauthorized_client"),
    "rfc_1123": ("honour", "ignore"),
    "scope_challenge": ("insufficent_scope", "insufficient_scope"),
    "wrong_secret": ("invalid_client", "unauthorized_client"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """What every part of the service works on."""

    store: Store
    clock: Clock
    switches: Switches
    items: Table
    accounts: Table
    tax_rates: Table
    organisation: Table
    tokens: Table

    @classmethod
    def opened(cls, store: Store, clock: Clock, switches: Switches) -> Account:
        """The organisation kept in a store; its tables are made when they are missing."""
        text, number = "TEXT NOT NULL DEFAULT ''", "INTEGER NOT NULL DEFAULT 0"
        token = {"kind": text, "app": text, "scope": text, "parent": text, "expires": number, "used": number}
        names = ("items", "accounts", "tax_rates", "organisation")
        tables = {name: Table(store, f"xero_{name}") for name in names}
        return cls(store, clock, switches, **tables, tokens=Table(store, "xero_tokens", token))

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables."""
        return self.items, self.accounts, self.tax_rates, self.organisation, self.tokens

    def connection(self, app: str) -> str:
        """The id of an app's connection to the organisation; nothing when there is none."""
        return self.store.setting(f"xero_connection_{app}") or ""

    def connect(self) -> None:
        """Connect every app anew, as a person does who consents."""
        for app in APPS:
            self.store.remember(f"xero_connection_{app.name}", str(uuid4()))

    def disconnect(self, app: str) -> None:
        """Take an app's connection away."""
        self.store.remember(f"xero_connection_{app}", "")


def date(milliseconds: int) -> str:
    """A moment as a field of a record shows it: with an offset, unlike the envelope's own."""
    return f"/Date({milliseconds}+0000)/"
