"""What a retailer has set up: retailer, outlets, registers, taxes, payment types, users and customer groups.

x-series-api.lightspeedhq.com/reference; of these the shapes of 2.0 are published in full.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import wire
from ..service import Planting
from .answers import not_found
from .cursor import asked, envelope, page, single, unversioned
from .records import Records
from .routing import Call, Route, Router
from .setup import KINDS, RETAILER

if TYPE_CHECKING:
    from ..messages import Response
    from ..store import Table
    from ..wire import JsonObject
    from .account import Account


@dataclass(frozen=True, slots=True)
class Kind:
    """A small collection: its name in paths and its table."""

    name: str
    table: Table
    scope: str = ""

    @property
    def needed(self) -> tuple[str, ...]:
        """The scopes to read it."""
        return (f"{self.scope or self.name}:read",)


class Lookup(Records):
    """One of the small collections."""

    def __init__(self, account: Account, kind: Kind, changed: Callable[[], None] | None = None) -> None:
        super().__init__(account, kind.table)
        self._kind = kind
        self._changed = changed

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        router.add("GET", f"/{self._kind.name}", Route(self.many, self._kind.needed))
        router.add("GET", f"/{self._kind.name}/{{id}}", Route(self.one, self._kind.needed))

    def many(self, call: Call) -> Response:
        """A page by version."""
        switches = self.account.switches
        rows = page(self.table, asked(call, switches), call, switches)
        return envelope([row["body"] for row in rows], rows)

    def one(self, call: Call) -> Response:
        """One record; a deleted one is a 404."""
        row = self.table.get(call.key)
        if row is None or row["hidden"]:
            raise not_found("Record")
        return single(row["body"])

    def defaults(self) -> JsonObject:
        """A record like the first of its kind."""
        return {**KINDS[self._kind.name][0], "id": None}

    def after_save(self, record: JsonObject) -> None:
        """Say that something changed."""
        if self._changed:
            self._changed()

    def remove(self, key: str) -> bool:
        """Remove a record for good."""
        removed = super().remove(key)
        self.after_save({})
        return removed


class Taxes(Lookup):
    """Taxes: `deleted` is not for them, and by their schema they have no cursor (`taxes_version`)."""

    def many(self, call: Call) -> Response:
        """All of them."""
        if self.account.switches["taxes_version"] == "present":
            return super().many(call)
        return unversioned([row["body"] for row in self.table.all_where("hidden = 0")])


class Whoami:
    """The retailer, and the user who made the token."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        router.add("GET", "/retailer", Route(self.retailer, ("retailer:read", "payment_types:read")))
        router.add("GET", "/user", Route(self.user, ("users:read",)))

    def retailer(self, call: Call) -> Response:
        """The retailer; its version is a text, unlike all others."""
        sequence = {**RETAILER["sku_sequence"], "value": self._account.sku()}
        return single(wire.dumps({**RETAILER, "sku_sequence": sequence, "version": str(self._account.version())}))

    def user(self, call: Call) -> Response:
        """The user; the example of 2.0 wraps it in an array, later versions are unconfirmed (`user_shape`)."""
        text = str(self._account.users.nth(0)["body"])
        as_array = call.is_semantic or self._account.switches["user_shape"] == "array"
        return unversioned([text]) if as_array else single(text)


def lookups(account: Account, registers_changed: Callable[[], None]) -> dict[str, Lookup]:
    """Every small collection by its name."""
    return {
        "outlets": Lookup(account, Kind("outlets", account.outlets)),
        "registers": Lookup(account, Kind("registers", account.registers), registers_changed),
        "taxes": Taxes(account, Kind("taxes", account.taxes)),
        "payment_types": Lookup(account, Kind("payment_types", account.payment_types)),
        "users": Lookup(account, Kind("users", account.users)),
        "customer_groups": Lookup(account, Kind("customer_groups", account.customer_groups, "customers")),
    }


def seed_lookups(account: Account, kinds: dict[str, Lookup]) -> None:
    """Fill the small collections."""
    for name, kind in kinds.items():
        for record in KINDS[name]:
            kind.plant(record, Planting())
