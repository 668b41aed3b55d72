"""The records that flow between connectors and state, and the values they are made of.

Money is `Decimal` and stands in the state as decimal text; quantities are `Decimal` and stand there as whole
millionths; times are aware UTC and stand there as milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

SUM = ""  # the location of a stock row that is the service's own sum over all locations
MILLION = 1_000_000


class Kind(StrEnum):
    """The kinds of records that syncctl moves."""

    PRODUCTS = "products"
    STOCK = "stock"
    CUSTOMERS = "customers"


class Purpose(StrEnum):
    """What a call is made for, the most important first: the lower ones leave calls for the higher ones."""

    INVOICE = "invoice"
    MANUAL = "manual"
    RECENT = "recent"
    CUSTOMER = "customer"
    OLDEST = "oldest"
    AUTH = "auth"


class State(StrEnum):
    """What a service last said of a record: for sale, there but not for sale, or not there any more."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Problem:
    """A record, or a field of one, that could not be used: who, what is wrong, what to do."""

    record: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """A product as a service tells it.

    `prices` maps a price tier ("default", "1" … "10", whatever the service has) to a price, or to None where the
    service says that there is none; a tier that is left out keeps its stored price (its value was unusable, and
    `problems` says so). `version` is the service's change marker, comparable only to itself.
    """

    remote_id: str
    sku: str
    name: str
    state: State
    prices: Mapping[str, Decimal | None]
    price_includes_tax: bool | None
    version: int
    barcode: str | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Stock:
    """The sellable quantity of a product at a location (`SUM`: over all of them); None keeps the stored one."""

    remote_id: str
    location: str
    available: Decimal | None
    version: int
    problems: tuple[Problem, ...] = field(default=())


Record = Product | Stock


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware time."""
    return round(moment.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """The aware UTC time of milliseconds since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def iso(moment: datetime) -> str:
    """`2026-11-23T05:00:00Z`: how times are printed."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def money_text(value: Decimal) -> str:
    """The one text form of an amount: plain digits, at least two decimals, no zeros behind them.

    >>> money_text(Decimal("14.5000")), money_text(Decimal("2.63158"))
    ('14.50', '2.63158')
    """
    whole, _, decimals = f"{value:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"
