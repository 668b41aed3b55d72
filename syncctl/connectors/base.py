"""What a connector is: declared costs and settings, and a few verbs. It never sees the database.

A connector turns the answers of one service into the records of `syncctl.models`. It asks through the `Http` that
it is given, which counts every call against the budget; it keeps no state between runs but the opaque cursor.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias

from syncctl.models import SUM, Kind, Problem, Record

if TYPE_CHECKING:
    from requests import PreparedRequest

Calendar = Literal["day", "month"]
Auth: TypeAlias = "Callable[[PreparedRequest], PreparedRequest]"
WAITABLE_SECONDS = 600  # a window up to this long is waited for; a longer one ends the work


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in a window: rolling seconds, or a calendar day or month in UTC."""

    calls: int
    window: int | Calendar

    @property
    def name(self) -> str:
        """The key of the window in the ledger: `60s`, `day`, `month`."""
        return f"{self.window}s" if isinstance(self.window, int) else self.window

    @property
    def waitable(self) -> bool:
        """Whether a run may sit out a full window."""
        return isinstance(self.window, int) and self.window <= WAITABLE_SECONDS


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a connector: `SYNCCTL_<NAME>_<name>`. `pattern` is what a value must match as a whole."""

    name: str
    help: str
    default: str | None = None
    required: bool = False
    secret: bool = False
    pattern: str = ".+"


@dataclass(frozen=True, slots=True)
class Pull:
    """The cost of reading a kind: one call a page of `page_size`; `delta`: whether "changed since" is served."""

    page_size: int
    delta: bool = True


@dataclass(frozen=True, slots=True)
class Lookup:
    """The cost of reading single records again: one call per `batch` remote ids."""

    batch: int


class Answer(Protocol):
    """An answer of the service with a status below 400."""

    @property
    def call(self) -> int:
        """The journal's id of this call."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers, by names in any case."""

    def json(self) -> Any:
        """The decoded body, decimals as `Decimal`; raises `AnswerError` where it is no JSON."""

    def date(self) -> datetime | None:
        """The service's clock when it answered (the Date header)."""

    def skew(self) -> float | None:
        """By how many seconds this machine's clock is ahead of the service's."""


class Http(Protocol):
    """How a connector calls its service; every call is reserved in the budget first and journalled."""

    def get(self, path: str, query: str = "", *, keep_body: bool = True) -> Answer:
        """GET `path` (below the base URL) with a finished, already encoded query.

        Raises `RefusedError` for a 4xx that is neither credentials nor a limit, and the other `RunError`s.
        """


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a pull.

    `cursor` is where to go on from: the next page, or after the `last` one the stamp of the next delta read.
    `total` is how many records the service announced for the whole read, where it does.
    """

    records: Iterable[Record | Problem]
    cursor: str
    last: bool
    call: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a look-up: the records, and the keys that the service did not return."""

    records: Sequence[Record | Problem] = ()
    missing: Sequence[str] = ()
    call: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `syncctl doctor`."""

    level: Literal["ok", "warning", "wrong"]
    subject: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """The settings of one configured connector, checked against its class."""

    name: str
    base_url: str
    settings: Mapping[str, str] = field(default_factory=dict)


class Connector(ABC):
    """The adapter of one service; see README, "Adding a connector"."""

    kind: ClassVar[str]
    title: ClassVar[str]
    base_url: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]]
    default_roles: ClassVar[tuple[str, ...]]
    limits: ClassVar[tuple[Limit, ...]]
    pulls: ClassVar[Mapping[Kind, Pull]]
    lookups: ClassVar[Mapping[Kind, Lookup]]
    check_calls: ClassVar[int] = 2  # of `check`
    quota_status: ClassVar[frozenset[int]] = frozenset()  # statuses other than 429 that may mean "quota used up"

    def __init__(self, values: Values, http: Http) -> None:
        self.values = values
        self.http = http

    def setting(self, name: str) -> str:
        """The value of a setting, "" where it is not set."""
        return self.values.settings.get(name, "")

    @classmethod
    @abstractmethod
    def account(cls, values: Values) -> str:
        """What tells one account of the service from another (API id, tenant, domain prefix); never a secret."""

    @classmethod
    @abstractmethod
    def auth(cls, values: Values) -> Auth:
        """Puts credentials and the service's own headers on each request."""

    @classmethod
    def price_tier(cls, values: Values) -> str:
        """The key in `Product.prices` that the shop's price is taken from."""
        return "default"

    @classmethod
    def locations(cls, values: Values) -> tuple[str, ...] | None:
        """The locations whose stock the shop may sell; None for all of them."""
        return (SUM,)

    @classmethod
    def page_size(cls, values: Values, kind: Kind) -> int:
        """How many records a page of this kind holds."""
        return cls.pulls[kind].page_size

    @classmethod
    def service_words(cls, body: str) -> str:
        """What the service says in the body of a refusal, in its own words; "" where it says nothing."""
        return " ".join(re.sub(r"<[^>]*>", " ", body).split())[:300]

    def scope(self, kind: Kind) -> str:
        """What a cursor of this kind depends on (a warehouse, say); where it changes, the read begins anew."""
        return ""

    @abstractmethod
    def pull(self, kind: Kind, cursor: str | None) -> Page:
        """The next page of a kind: from the very beginning with None, else from where `cursor` says."""

    @abstractmethod
    def lookup(self, kind: Kind, remote_ids: Sequence[str]) -> Found:
        """Reads up to a batch of records again, those not for sale included, in one call.

        One id alone is asked for in the form that says for certain whether it is still there.
        """

    @abstractmethod
    def find(self, sku: str) -> Found:
        """The products with exactly this SKU after trimming, those not for sale included, in one call."""

    @abstractmethod
    def announced(self, kind: Kind, version: int, cursor: str) -> bool:
        """Whether the delta read from `cursor` on will bring a record of this version by itself."""

    @abstractmethod
    def check(self) -> Iterator[Check]:
        """The connector's part of `syncctl doctor`: at most two calls."""


def text(value: object) -> str:
    """A text as the service tells it, fit for one line and for any database: control characters become spaces."""
    if value is None:
        return ""
    plain = str(value)
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() else " " for c in plain).strip()
    return plain


def price(value: object) -> Decimal | None:
    """A price as the service tells it; None is no price. Raises `ValueError` with the reason where it is none."""
    if value is None:
        return None
    amount = _decimal(value)
    if amount < 0:
        raise ValueError("is negative")
    return amount


def quantity(value: object) -> Decimal:
    """A quantity as the service tells it; may be negative and have decimals. Raises `ValueError`."""
    return _decimal(value)


def _decimal(value: object) -> Decimal:
    """A JSON number (int or Decimal) of a size that money and goods can have."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("is not a number")
    amount = Decimal(value)
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):  # NaN and the infinities
        raise ValueError("is not a number")
    if abs(amount) >= 10**12 or exponent < -12:
        raise ValueError("is too large or too fine")
    return amount
