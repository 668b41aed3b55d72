"""What a connector is: declared costs and settings, and a few verbs. It never sees the database.

A connector turns the answers of one service into the records of `syncctl.models`. It asks through the `Http` that
it is given, which counts every call against the budget; it keeps no state between runs but the opaque cursor.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias

from syncctl.connectors.declared import (
    Consent,
    Grant,
    Limit,
    Lookup,
    Oldest,
    Pull,
    Push,
    Rate,
    Repeat,
    Setting,
    SignIn,
    Values,
)
from syncctl.models import SUM, Kind, Problem, Record, Struct

if TYPE_CHECKING:
    from requests import PreparedRequest

    from syncctl.errors import AnswerError
    from syncctl.models_push import Follow, Outcome, Outgoing, Sale, Seen
    from syncctl.shop.order import Order

Auth: TypeAlias = "Callable[[PreparedRequest], PreparedRequest]"


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

    def elements(self, name: str) -> Iterator[Any]:
        """The elements of the list under `name` in the body, a large body decoded one element at a time.

        Raises `AnswerError` where the body, or the rest of it, is no JSON or has no such list.
        """

    def unfit(self, message: str, remedy: str) -> AnswerError:
        """The error for an answer that cannot be what it should be; the journal tells it with the call."""

    def date(self) -> datetime | None:
        """The service's clock when it answered (the Date header)."""

    def skew(self) -> float | None:
        """By how many seconds this machine's clock is ahead of the service's."""


class Http(Protocol):
    """How a connector calls its service; every call is reserved in the budget first and journalled."""

    def get(
        self,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        keep_body: bool = True,
        may_miss: bool = False,
    ) -> Answer:
        """GET `path` (below the base URL, or a whole address) with a finished, already encoded query.

        `may_miss`: a 404 is one of the answers to be expected, and no failure in the journal.
        Raises `RefusedError` for a 4xx that is neither credentials nor a limit, and the other `RunError`s.
        """

    def ask(self, path: str, body: object, *, keep_body: bool = True) -> Answer:
        """POST `body` as JSON to an address that only reads: a lost answer is asked for again. Raises like `get`."""

    def write(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] = MappingProxyType({})
    ) -> Answer:
        """Sends `body` as JSON (amounts may be `Decimal`) to an address that changes something.

        Repeated only where it is certain that nothing was done. Raises `UnknownOutcomeError` where the answer was
        lost or is a 5xx, and `RefusedError`, whose `body` is what the service said; the other `RunError`s mean that
        nothing was done.
        """

    def renew(self) -> None:
        """Fetches a new token where that spends nothing, so that id and secret are tried; else does nothing."""

    def scopes(self) -> frozenset[str] | None:
        """What the token in use may do; None where there is no token or the service did not say."""


class Page(Struct):
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


class Connector(ABC):
    """The adapter of one service; see README, "Adding a connector"."""

    kind: ClassVar[str]
    title: ClassVar[str]
    base_url: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]]
    sign_ins: ClassVar[tuple[SignIn, ...]]  # the usual one first
    default_roles: ClassVar[tuple[str, ...]]
    limits: ClassVar[tuple[Limit, ...]]
    pulls: ClassVar[Mapping[Kind, Pull]]
    lookups: ClassVar[Mapping[Kind, Lookup]]
    pushes: ClassVar[Mapping[Kind, Push]] = {}
    anonymous: ClassVar[bool] = False  # whether it takes an order that has no customer
    walk_in: ClassVar[str] = ""  # the code (in capitals) of the customer that it shows for those
    oldest: ClassVar[Oldest] = "lists"
    charges: ClassVar[tuple[str, ...]] = ()  # settings that name products, by SKU or id, for lines that are none
    check_calls: ClassVar[int] = 2  # of `check`
    posting_check_calls: ClassVar[int] = 5  # of `check` where orders are posted
    address_setting: ClassVar[str] = "BASE_URL"  # what makes up the address where no base URL is set
    location_setting: ClassVar[str] = ""  # the setting that names where stock is sold from, where there is one
    quota_status: ClassVar[frozenset[int]] = frozenset()  # statuses other than 429 that may mean "quota used up"

    def __init__(self, values: Values, http: Http) -> None:
        self.values = values
        self.http = http

    def setting(self, name: str) -> str:
        """The value of a setting, "" where it is not set."""
        return self.values.get(name)

    @classmethod
    def address(cls, settings: Mapping[str, str]) -> str:
        """The base URL where none is set."""
        return cls.base_url

    @classmethod
    def allowance(cls, settings: Mapping[str, str]) -> tuple[Limit, ...]:
        """The limits where none are set: as they are published, for a plan that the settings tell."""
        return cls.limits

    @classmethod
    def wrong(cls, values: Values) -> Iterable[str]:
        """What is wrong with the settings taken together: a sentence each that names the variable and the remedy."""
        return ()

    @classmethod
    def lacking(cls, values: Values) -> Iterable[str]:
        """What has to be set besides before orders are posted: sentences like those of `wrong`."""
        return ()

    @classmethod
    def takes_stock(cls, values: Values) -> bool:
        """Whether an order lowers the stock that the service tells, posted as the settings say."""
        return True

    @classmethod
    @abstractmethod
    def account(cls, values: Values) -> str:
        """What tells one account of the service from another (API id, tenant, domain prefix); never a secret.

        "" as long as it is still to be chosen.
        """

    @classmethod
    @abstractmethod
    def auth(cls, values: Values) -> Auth:
        """Puts credentials and the service's own headers on each request; a token that `grant` fetched is added."""

    @classmethod
    def grant(cls, values: Values) -> Grant | None:
        """How a token is fetched; None where the settings hold all that is needed."""
        return None

    @classmethod
    def consent(cls, values: Values, roles: frozenset[str]) -> Consent | str:
        """What a person consents to before a token can be fetched for these roles; where nobody has to, why not."""
        return "its settings hold all that is needed"

    def consented(self) -> Iterator[Check]:
        """What a consent opened that the settings have to choose from, and how."""
        return iter(())

    @classmethod
    def by_hand(cls, values: Values, query: str) -> Repeat:
        """How a call with this (encoded) query is made by hand: with a bearer token, unless the service wants more."""
        return Repeat(("Accept: application/json", "Authorization: Bearer $TOKEN"))

    @classmethod
    def token_expired(cls, headers: Mapping[str, str], body: str) -> bool:
        """Whether a refusal with status 401 means that a new token would be accepted."""
        return True

    @classmethod
    def rates(cls, headers: Mapping[str, str]) -> Iterable[Rate]:
        """What an answer says is left of the service's limits."""
        return ()

    @classmethod
    def pause(cls, headers: Mapping[str, str], asked: float | None) -> float | None:
        """For how many seconds a 429 wants no calls; its Retry-After says `asked`. None: nobody knows."""
        return asked

    @classmethod
    def price_tier(cls, values: Values) -> str:
        """The key in `Product.prices` that the shop's price is taken from."""
        return values.settings.get("PRICE_TIER") or "default"

    @classmethod
    def price_includes_tax(cls, values: Values) -> bool | None:
        """Whether tax is in the prices of that tier; None where the service does not tell."""
        return None

    @classmethod
    def locations(cls, values: Values) -> tuple[str, ...] | None:
        """The locations whose stock the shop may sell; None for all of them."""
        return (SUM,)

    @classmethod
    def page_size(cls, values: Values, kind: Kind) -> int | None:
        """How many records a page holds, never more, fewer where the service caps it; None: all there are."""
        size = cls.pulls[kind].page_size
        return size and int(values.settings.get("PAGE_SIZE") or size)

    @classmethod
    def pages(cls, values: Values, kind: Kind, records: int) -> int:
        """In how many calls so many records of a kind are read."""
        size = cls.page_size(values, kind)
        return -(-records // size) + cls.pulls[kind].to_empty if size else 1

    @classmethod
    def service_words(cls, body: str) -> str:
        """What the service says in the body of a refusal, in its own words; "" where it says nothing."""
        return " ".join(re.sub(r"<[^>]*>", " ", body).split())[:300]

    @classmethod
    def remedy(cls, values: Values, headers: Mapping[str, str], body: str) -> str:
        """What to do about a 401, 403, 404 or 405, where the answer tells.

        "" where a 401 or 403 may be about the credentials themselves, and the others about the address.
        """
        return ""

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

        One id alone is asked for in the form that says for certain whether it is still there. What `Pull.brings` comes
        along.
        """

    @abstractmethod
    def find(self, sku: str) -> Found:
        """The products with exactly this SKU after trimming, those not for sale included, in one call."""

    def find_customer(self, code: str, email: str) -> Found:
        """The customers that may have this account id, or with "" this e-mail address, archived ones too, in one call.

        Whoever asks compares; `missing` is empty. Only where `pulls` has customers.
        """
        raise NotImplementedError(f"{self.title} has no customers")

    def push(self, kind: Kind, rows: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Creates up to a batch of records: one outcome per row, in their order.

        Raises `RunError` where none of them was created, `UnknownOutcomeError` and `AnswerError` where nobody knows.
        """
        raise NotImplementedError(f"{self.title} takes no {kind}")

    def objection(self, row: Outgoing) -> Outcome | None:
        """How an order would be refused before anything is sent, whatever the ids of its customer and products are."""
        return None

    def seek(self, kind: Kind, rows: Sequence[Outgoing]) -> Sequence[Seen | None]:
        """What stands in the service under the references of these rows, in their order; only reads."""
        raise NotImplementedError(f"{self.title} takes no {kind}")

    def seen(self, remote_id: str) -> Seen | None:
        """The order that has this id there, in one call; None where there is none. Here for services that take ours."""
        from syncctl.models_push import Outgoing

        (found,) = self.seek(Kind.ORDERS, [Outgoing("", remote_id, None)])
        return found

    @classmethod
    def besides(cls, values: Values, sales: Sequence[Sale]) -> int:
        """What posting these costs in calls besides one for each batch of them, as far as the settings tell."""
        return 0

    def follow(self, order: Order, remote_id: str, day: Callable[[datetime], date]) -> Sequence[Follow]:
        """What has to be sent once an order is there: its payments, or that it is final.

        `day` tells the day of a time where the shop is.
        """
        return ()

    @abstractmethod
    def announced(self, kind: Kind, version: int, cursor: str) -> bool:
        """Whether the delta read from `cursor` on will bring a record of this version by itself."""

    @abstractmethod
    def check(self, *, posts: bool = False) -> Iterator[Check]:
        """The connector's part of `syncctl doctor`: at most `check_calls`, or `posting_check_calls`.

        `posts`: orders are to be posted there, though no setting of posting may be made yet.
        """
