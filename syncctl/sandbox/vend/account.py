"""One retailer's account at X-Series: its tables, its clock, its version counter and its open points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import consent, wire
from ..account import BaseAccount
from ..store import Store, Table

if TYPE_CHECKING:
    from datetime import datetime

    from ..clock import Clock
    from ..switches import Switches
    from ..wire import JsonObject

FIRST_VERSION = 2**32 + 1_000_003
"""Live accounts are beyond 32 bits; so a client that is not 64-bit safe fails here too."""
_STEP = 3
_COUNTER = "vend_version"
_SKUS, _FIRST_SKU = "vend_sku", 20_000

# The first value is the default. Unless a comment says otherwise, the vendor confirms none of them.
SWITCHES: dict[str, tuple[str, ...]] = {
    "page_cap": ("1000", "200", "10000"),
    "short_pages": ("no", "yes"),
    "before": ("inclusive", "exclusive"),
    "deleted_product": ("404", "200"),
    "sku_case": ("exact", "ignored"),
    "active_fields": ("both", "active", "is_active"),
    "stock_bumps_product": ("no", "yes"),
    "inventory_size": ("clamp", "400"),
    "inventory_unknown": ("404", "empty"),
    "taxes_version": ("absent", "present"),
    "user_shape": ("object", "array"),
    "user_agent": ("400", "403", "ignored"),
    "error_shape": ("message", "details", "errors", "errors_object"),
    "window": ("fixed", "sliding"),
    # The date is documented; older answers had it in the body, and proxies change headers.
    "retry_after": ("date", "date_and_body", "body", "seconds", "absent"),
    "personal_scopes": ("all", "granted"),
    # The person decides, and chooses the store.
    **consent.SWITCHES,
    "consent_store": ("same", "other"),
    "customer_code_taken": ("422", "409", "400", "allowed"),
    "customer_put": ("replace", "merge"),
    "email_search": ("any_case", "exact", "prefix"),
    "search_lag": (),
    # The vendor's own pages contradict each other; other clients have met a bare text.
    "sale_create_answer": ("full", "id", "text"),
    # An earlier form of the same endpoint was create-or-update.
    "sale_repeated": ("upsert", "409"),
    "sale_lines_without_id": ("replace", "append"),
    "sale_prices": ("refreshed", "as_sent"),
    "payments_must_match": ("no", "yes"),
    "unknown_reference": ("422", "404", "400"),
    "sku_taken": ("422", "409", "400", "allowed"),
    "name_taken": ("422", "allowed"),
    # Not an open point: which date version is the oldest still supported changes every quarter.
    "oldest_version": ("2026-01", "2026-04", "2026-07", "2026-10"),
}


CUSTOMER_COLUMNS = ("email", "email_lower", "first_name", "last_name", "company_name", "mobile", "phone")
SALE_TEXTS = ("state", "status", "attributes", "customer", "user", "outlet", "register", "products", "payment_types")
SALE_NUMBERS = ("dated", "total")


@dataclass(frozen=True, slots=True)
class Account(BaseAccount):
    """What every resource works on; the column `modified` of every table holds the version."""

    products: Table
    codes: Table
    inventory: Table
    customers: Table
    sales: Table
    customer_groups: Table
    outlets: Table
    registers: Table
    taxes: Table
    payment_types: Table
    users: Table

    @classmethod
    def opened(cls, store: Store, clock: Clock, switches: Switches) -> Account:
        """The account kept in a store; its tables are made when they are missing."""
        text, number = "TEXT NOT NULL DEFAULT ''", "INTEGER NOT NULL DEFAULT 0"
        lookups = ("customer_groups", "outlets", "registers", "taxes", "payment_types", "users")
        return cls(
            store,
            clock,
            switches,
            products=Table(
                store,
                "vend_products",
                {"name": text, "parent": text, "pictured": number},
                {"code": "code", "name": "name", "parent": "parent"},
            ),
            codes=Table(store, "vend_codes", {"product": text}, {"code": "code", "product": "product"}),
            inventory=Table(store, "vend_inventory", {"product": text, "outlet": text}, {"product": "product"}),
            customers=Table(
                store,
                "vend_customers",
                dict.fromkeys(CUSTOMER_COLUMNS, text),
                {"code": "code", "email": "email_lower"},
            ),
            sales=Table(
                store,
                "vend_sales",
                {**dict.fromkeys(SALE_TEXTS, text), **dict.fromkeys(SALE_NUMBERS, number)},
                {"code": "code"},
            ),
            **{name: Table(store, f"vend_{name}") for name in lookups},
        )

    def now(self) -> str:
        """The clock's now as a field of a record."""
        return stamp(self.clock.moment())

    def version(self) -> int:
        """The highest version given so far."""
        return int(self.store.setting(_COUNTER) or FIRST_VERSION)

    def next_version(self) -> int:
        """A new version, higher than any before; not contiguous, as other resources take some too."""
        version = self.version() + _STEP
        self.reach(version)
        return version

    def reach(self, version: int) -> None:
        """Let later versions be higher than this one; one near the end of 64 bits is left aside."""
        if self.version() < version < 2**62:
            self.store.remember(_COUNTER, str(version))

    def sku(self) -> int:
        """The number that the SKU sequence gives next."""
        return int(self.store.setting(_SKUS) or _FIRST_SKU)

    def next_sku(self) -> str:
        """A number of the SKU sequence that no product has yet."""
        number = self.sku()
        while self.codes.all_where("code = ?", str(number)):
            number += 1
        self.store.remember(_SKUS, str(number + 1))
        return str(number)

    def forget_numbers(self) -> None:
        """Begin to count versions and SKUs anew."""
        self.store.remember(_COUNTER, str(FIRST_VERSION))
        self.store.remember(_SKUS, str(_FIRST_SKU))

    def live(self, table: Table, key: object) -> JsonObject | None:
        """The record with this id unless it is deleted, or None."""
        row = table.get(column_text(key))
        return None if row is None or row["hidden"] else wire.loads(row["body"])


def column_text(value: object) -> str:
    """A value as an indexed text; SQLite takes no lone surrogates."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def stamp(moment: datetime) -> str:
    """A moment in UTC the way X-Series writes it, like `2026-11-01T03:00:00+00:00`."""
    return moment.isoformat(timespec="seconds")
