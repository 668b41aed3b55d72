"""The records that flow between connectors and state, and the values they are made of.

Money is `Decimal` and stands in the state as decimal text; quantities are `Decimal` and stand there as whole
millionths; times are aware UTC and stand there as milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")
SUM = ""  # the location of a stock row that is the service's own sum over all locations
MILLION = 1_000_000


class Kind(StrEnum):
    """The kinds of records that syncctl moves."""

    PRODUCTS = "products"
    STOCK = "stock"
    CUSTOMERS = "customers"
    ORDERS = "orders"
    COMPLETIONS = "completions"
    PAYMENTS = "payments"


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


@dataclass_transform(frozen_default=True)
class Struct:
    """A class of named values, declared like a frozen dataclass and checked as one by type checkers only.

    Making a class with `dataclass` takes 0.4 to 0.9 ms, with `NamedTuple` 0.2: a cron run that has nothing to do would
    spend a quarter of its time on making two dozen of them.

    >>> class Size(Struct):
    ...     width: int
    ...     height: int = 1
    >>> Size(2), Size(2) == Size(2, height=1)
    (Size(width=2, height=1), True)
    """

    def __init__(self, *values: Any, **named: Any) -> None:
        names, own = type(self).__annotations__, self.__dict__
        own.update(zip(names, values, strict=False), **named)
        if len(values) + len(named) == len(own) and own.keys() == names.keys():
            return  # all are told, none twice: there may be hundreds of thousands of these
        if len(values) > len(names) or not names.keys() >= named.keys() or not all(hasattr(self, n) for n in names):
            raise TypeError(f"{type(self).__name__} takes {', '.join(names)}; got {values} {named}")

    def as_dict(self) -> dict[str, Any]:
        """The values by their names."""
        return {name: getattr(self, name) for name in type(self).__annotations__}

    def changed(self, **named: Any) -> Self:
        """The same with other values for some names."""
        return type(self)(**self.as_dict() | named)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash(tuple(self.as_dict().values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.as_dict().items())})"


class Problem(Struct):
    """A record, or a field of one, that could not be used: who, what is wrong, what to do."""

    record: str
    message: str
    remedy: str = ""


class Product(Struct):
    """A product as a service tells it.

    `prices` maps a price tier ("default", "1" … "10", whatever the service has) to a price, or to None where the
    service says that there is none; a tier that is left out keeps its stored price (its value was unusable, and
    `problems` says so). Whether tax is in a price is the tier's affair (`Connector.price_includes_tax`). `version` is
    the service's change marker, comparable only to itself.
    """

    remote_id: str
    sku: str
    name: str
    state: State
    prices: Mapping[str, Decimal | None]
    version: int
    barcode: str | None = None
    problems: tuple[Problem, ...] = ()


class Stock(Struct):
    """The sellable quantity of a product at a location (`SUM`: over all of them); None keeps the stored one."""

    remote_id: str
    location: str
    available: Decimal | None
    version: int
    problems: tuple[Problem, ...] = ()


class Customer(Struct):
    """A customer as a service tells it.

    `codes` are its account ids, the strongest first; one that it lacks is "". `emails` are all addresses that the
    record carries, as they are told. `state` is inactive for one that is archived, obsolete or merged into another;
    `linkable` is False for a record that stands for nobody in particular (the walk-in customer).
    """

    remote_id: str
    codes: tuple[str, ...]
    name: str
    emails: tuple[str, ...]
    state: State
    version: int
    linkable: bool = True
    problems: tuple[Problem, ...] = ()


Record = Product | Stock | Customer


def in_batches(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The rows, so many at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


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

    >>> from decimal import Decimal
    >>> money_text(Decimal("14.5000")), money_text(Decimal("2.63158"))
    ('14.50', '2.63158')
    """
    digits = str(value)
    whole, _, decimals = (f"{value:f}" if "E" in digits else digits).partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"
