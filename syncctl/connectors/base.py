"""What a connector is: declared costs and settings, and a few verbs. It never sees the database.

A connector turns the answers of one service into the records of `syncctl.models`. It asks through the `Http` that
it is given, which counts every call against the budget; it keeps no state between runs but the opaque cursor.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, TypeAlias

from syncctl.models import SUM, Kind, Problem, Product, Record, Struct

if TYPE_CHECKING:
    from decimal import Decimal

    from requests import PreparedRequest

Calendar = Literal["day", "month"]
Auth: TypeAlias = "Callable[[PreparedRequest], PreparedRequest]"
WAITABLE_SECONDS = 600  # a window up to this long is waited for; a longer one ends the work
MOST_CLOCK_SKEW_SECONDS = 300
_MICROSOFT_DATE = r"/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)/"


class Limit(Struct):
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


class Setting(Struct):
    """A setting of a connector: `SYNCCTL_<NAME>_<name>`. `pattern` is what a value must match as a whole."""

    name: str
    help: str
    default: str | None = None
    required: bool = False
    secret: bool = False
    pattern: str = ".+"


class Pull(Struct):
    """The cost of reading a kind: one call a page of `page_size`; `delta`: whether "changed since" is served."""

    page_size: int
    delta: bool = True


class Lookup(Struct):
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


class Page(NamedTuple):
    """One page of a pull.

    `cursor` is where to go on from: the next page, or after the `last` one the stamp of the next delta read.
    `total` is how many records the service announced for the whole read, where it does.
    """

    records: Iterable[Record | Problem]
    cursor: str
    last: bool
    call: int
    total: int | None = None


class Found(Struct):
    """The answer to a look-up: the records, and the keys that the service did not return."""

    records: Sequence[Record | Problem] = ()
    missing: Sequence[str] = ()
    call: int = 0


class Check(Struct):
    """One line of `syncctl doctor`."""

    level: Literal["ok", "warning", "wrong"]
    subject: str
    message: str
    remedy: str = ""


class Values(Struct):
    """The settings of one configured connector, checked against its class."""

    name: str
    base_url: str
    settings: Mapping[str, str] = MappingProxyType({})


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
    location_setting: ClassVar[str] = ""  # the setting that names where stock is sold from, where there is one
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
        return values.settings.get("PRICE_TIER") or "default"

    @classmethod
    def locations(cls, values: Values) -> tuple[str, ...] | None:
        """The locations whose stock the shop may sell; None for all of them."""
        return (SUM,)

    @classmethod
    def page_size(cls, values: Values, kind: Kind) -> int:
        """How many records a page of this kind holds; never more than that, fewer where the service caps it."""
        return int(values.settings.get("PAGE_SIZE") or cls.pulls[kind].page_size)

    @classmethod
    def service_words(cls, body: str) -> str:
        """What the service says in the body of a refusal, in its own words; "" where it says nothing."""
        return " ".join(re.sub(r"<[^>]*>", " ", body).split())[:300]

    @classmethod
    def scope(cls, values: Values, kind: Kind) -> str:
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
    plain = value if type(value) is str else str(value)
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() else " " for c in plain).strip()
    return plain


def whole(value: object) -> int:
    """A JSON number that counts something; 0 for anything else."""
    return value if isinstance(value, int) else 0


def microsoft_date(value: object) -> int:
    """Milliseconds of `/Date(1413763969623)/`, which is UTC whatever zone it names; 0 for anything else."""
    if not isinstance(value, str):
        return 0
    digits = value[6:-2]
    if len(digits) <= 15 and digits.isdecimal() and value.isascii() and value == f"/Date({digits})/":
        return int(digits)  # all that were ever seen
    found = re.fullmatch(_MICROSOFT_DATE, value)
    return int(found[1]) if found else 0


def price(value: object) -> Decimal | None:
    """A price as the service tells it; None is no price. Raises `ValueError` with the reason where it is none."""
    if value is None:
        return None
    amount = _decimal(value)
    if not amount.is_signed():
        return amount
    if amount:
        raise ValueError("is negative")
    return abs(amount)  # there is a minus zero


def usable_prices(
    record: str, offers: Mapping[str, object], remedy: str
) -> tuple[dict[str, Decimal | None], tuple[Problem, ...]]:
    """The prices by tier, those that are none left out with a problem; `offers` maps each tier to what it costs."""
    prices: dict[str, Decimal | None] = dict.fromkeys(offers)
    problems = []
    for tier, value in offers.items():
        if value is None:
            continue
        try:
            prices[tier] = price(value)
        except ValueError as error:
            del prices[tier]
            words = "default sell price" if tier == "default" else f"price in tier {tier}"
            problems.append(Problem(record, f"its {words} {text(value)[:40]!r} {error}", remedy))
    return prices, tuple(problems)


def quantity(value: object) -> Decimal:
    """A quantity as the service tells it; may be negative and have decimals. Raises `ValueError`."""
    return _decimal(value)


def usable_quantity(record: str, value: object, remedy: str) -> tuple[Decimal | None, tuple[Problem, ...]]:
    """The quantity; None and a problem where it is none."""
    try:
        return quantity(value), ()
    except ValueError as error:
        return None, (Problem(record, f"its available quantity {text(value)[:40]!r} {error}", remedy),)


def _decimal(value: object) -> Decimal:
    """A JSON number (int or Decimal) of a size that money and goods can have."""
    decimal = _decimal_class()
    if type(value) is int:  # and not bool
        value = decimal(value)
    if not isinstance(value, decimal) or not value.is_finite():
        raise ValueError("is not a number")
    if (value and value.adjusted() >= 12) or _decimals(value) > 12:
        raise ValueError("is too large or too fine")
    return value


@cache
def _decimal_class() -> type[Decimal]:
    from decimal import Decimal  # slow to import, and runs that make no call need none

    return Decimal


def _decimals(value: Decimal) -> int:
    """How many decimals a finite number has, or 0 where its text shows that they are no more than twelve."""
    if value.adjusted() >= -6 and len(str(value)) <= 14:
        return 0
    return -int(value.as_tuple().exponent)


def absent(remote_ids: Sequence[str], records: Iterable[Record | Problem]) -> list[str]:
    """Those of the ids that none of the records has; ids compare without regard to case."""
    there = {record.remote_id.lower() for record in records if not isinstance(record, Problem)}
    return [remote_id for remote_id in remote_ids if remote_id.lower() not in there]


def with_sku(sku: str, records: Iterable[Record | Problem], service: str) -> list[Product | Problem]:
    """The products that have exactly this SKU, then a problem for each whose SKU differs only in case."""
    products = [record for record in records if isinstance(record, Product)]
    near = [p.sku for p in products if p.sku != sku and p.sku.lower() == sku.lower()]
    remedy = "Write it the same on both sides"
    return [
        *(product for product in products if product.sku == sku),
        *(Problem(sku, f"{service} has {other}, which differs only in case", remedy) for other in near),
    ]


def clock_check(answer: Answer) -> Check:
    """Whether this machine's clock and the service's agree."""
    skew = answer.skew()
    if skew is None:
        return Check("warning", "clock", "the service does not tell its time")
    if abs(skew) > MOST_CLOCK_SKEW_SECONDS:
        return Check("warning", "clock", f"this machine is {skew:+.0f} s off the service's time", "Start an NTP client")
    return Check("ok", "clock", f"within {MOST_CLOCK_SKEW_SECONDS} s of the service's")


def location_check(values: Values, setting: str, known: Sequence[str]) -> Check:
    """Whether the location that a setting names is one that the service has."""
    subject, wanted = setting.lower(), values.settings.get(setting)
    if not wanted:
        return Check("ok", subject, f"stock is the sum of all {len(known)}: {', '.join(known)}")
    if wanted in known:
        return Check("ok", subject, f"{wanted} exists")
    variable = f"SYNCCTL_{values.name.upper()}_{setting}"
    return Check("wrong", subject, f"there is no {wanted}", f"Set {variable} to one of {', '.join(known)}")
