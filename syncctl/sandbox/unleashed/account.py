"""One company's account at Unleashed: its tables, its clock and its open points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import wire
from ..account import BaseAccount
from ..store import Store, Table

if TYPE_CHECKING:
    from ..clock import Clock
    from ..switches import Switches

SEQUENCES = ("SO", "SI", "SS")
"""Sales orders, sales invoices, sales shipments."""
USER = "api@example.test"

# The first value is the default. Every one of them is unconfirmed by the vendor.
SWITCHES: dict[str, tuple[str, ...]] = {
    "signature": ("decoded", "encoded", "either"),
    "client_type": ("optional", "required"),
    "page_cap": ("1000", "500", "200"),
    "past_end": ("empty", "last_page", "404"),
    "modified_since": ("inclusive", "strict"),
    "soh_time": ("honoured", "day_only"),
    "product_id_shows_obsolete": ("no", "yes"),
    "too_long": ("404", "414", "400"),
    "stock_404": ("404", "empty", "zero"),
    "allocation_bumps": ("yes", "no"),
    "month_answer": ("429", "403"),
    "retry_after": ("absent", "seconds", "date"),
    "rounding": ("half_up", "bankers"),
    "tolerance": ("0", "0.01"),
    "repost": ("reject-400", "overwrite"),
    "partial_save_500": ("no", "yes"),
    "search_lag": (),
}


@dataclass(frozen=True, slots=True)
class Account(BaseAccount):
    """What every resource works on."""

    products: Table
    stock: Table
    levels: Table
    customers: Table
    orders: Table
    invoices: Table
    shipments: Table

    @classmethod
    def opened(cls, store: Store, clock: Clock, switches: Switches) -> Account:
        """The account kept in a store; its tables are made when they are missing."""
        text, number = "TEXT NOT NULL DEFAULT ''", "INTEGER NOT NULL DEFAULT 0"
        paper = {"customer": text, "status": text, "warehouse": text, "dated": number}
        return cls(
            store,
            clock,
            switches,
            products=Table(
                store,
                "unleashed_products",
                {"name": text, "barcode": text, "grp": text, "assembled": number, "component": number},
            ),
            stock=Table(store, "unleashed_stock"),
            levels=Table(
                store,
                "unleashed_levels",
                {"product": text, "warehouse": text},
                {"product": "product", "place": "warehouse, sort"},
            ),
            customers=Table(
                store,
                "unleashed_customers",
                {"name": text, "emails": text, "currency": text, "type": text, "tier": text, "xero": text},
            ),
            orders=Table(
                store, "unleashed_orders", {**paper, "completed": number, "source": text, "custom": text, "buyer": text}
            ),
            invoices=Table(store, "unleashed_invoices", {**paper, "order_number": text}),
            shipments=Table(store, "unleashed_shipments", {**paper, "order_number": text}),
        )

    def now(self) -> str:
        """The clock's now as a field of a record."""
        return wire.date(self.clock.milliseconds())

    def next_number(self, prefix: str) -> str:
        """The next number of one of the account's own sequences, like `SO-00000140`."""
        return f"{prefix}-{self.next_in(f'unleashed_{prefix}'):08d}"

    def forget_numbers(self) -> None:
        """Begin every sequence anew."""
        for prefix in SEQUENCES:
            self.store.remember(f"unleashed_{prefix}", "0")
