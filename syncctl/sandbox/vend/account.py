"""One retailer's account at X-Series: its tables, its clock, its version counter and its open points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..store import Store, Table

if TYPE_CHECKING:
    from datetime import datetime

    from ..clock import Clock
    from ..switches import Switches

FIRST_VERSION = 2**32 + 1_000_003
"""Live accounts are beyond 32 bits; so a client that is not 64-bit safe fails here too."""
_STEP = 3
_COUNTER = "vend_version"

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
    # Not an open point: which date version is the oldest still supported changes every quarter.
    "oldest_version": ("2026-01", "2026-04", "2026-07", "2026-10"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """What every resource works on; the column `modified` of every table holds the version."""

    store: Store
    clock: Clock
    switches: Switches
    products: Table
    codes: Table
    inventory: Table
    outlets: Table
    registers: Table
    taxes: Table
    payment_types: Table
    users: Table

    @classmethod
    def opened(cls, store: Store, clock: Clock, switches: Switches) -> Account:
        """The account kept in a store; its tables are made when they are missing."""
        text, number = "TEXT NOT NULL DEFAULT ''", "INTEGER NOT NULL DEFAULT 0"
        lookups = ("outlets", "registers", "taxes", "payment_types", "users")
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
            **{name: Table(store, f"vend_{name}") for name in lookups},
        )

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables."""
        filled = (self.products, self.codes, self.inventory)
        return (*filled, self.outlets, self.registers, self.taxes, self.payment_types, self.users)

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

    def forget_version(self) -> None:
        """Begin to count anew."""
        self.store.remember(_COUNTER, str(FIRST_VERSION))


def stamp(moment: datetime) -> str:
    """A moment in UTC the way X-Series writes it, like `2026-11-01T03:00:00+00:00`."""
    return moment.isoformat(timespec="seconds")
