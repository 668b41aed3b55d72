"""What a connector declares: its costs, limits, settings, and how it is let in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from syncctl.models import Kind, Struct

Calendar = Literal["day", "month"]
# How products looked at longest ago are read again: by lists of their ids, by the next pages of a full read that goes
# round and round, or by the one call that reads everything.
Oldest = Literal["lists", "pages", "everything"]
WAITABLE_SECONDS = 600  # a window up to this long is waited for; a longer one ends the work


class Limit(Struct):
    """At most `calls` in a window: rolling seconds, or a calendar day or month in UTC."""

    calls: int
    window: int | Calendar

    @property
    def name(self) -> str:
        """The key of the window in the ledger: `60s`, `day`, `month`."""
        return f"{self.window}s" if isinstance(self.window, int) else self.window

    @property
    def span(self) -> str:
        """Which calls it counts, in words: `in 60 s`, `of this month (UTC)`."""
        return f"in {self.window} s" if isinstance(self.window, int) else f"of this {self.window} (UTC)"

    @property
    def waitable(self) -> bool:
        """Whether a run may sit out a full window."""
        return isinstance(self.window, int) and self.window <= WAITABLE_SECONDS


class Setting(Struct):
    """A setting of a connector: `SYNCCTL_<NAME>_<name>`. `pattern` is what a value must match as a whole.

    `form` says that in words, for who wrote something else. `asked`: whether `syncctl init` asks for it, though it is
    neither required nor needed to sign in.
    """

    name: str
    help: str
    default: str | None = None
    required: bool = False
    secret: bool = False
    pattern: str = ".+"
    form: str = "one line of text"
    asked: bool = False


class Pull(Struct):
    """The cost of reading a kind: one call a page of `page_size` records, with None one call for all of them.

    `delta`: whether "changed since" is served. `brings`: the kinds that come in the same answers, but of which a delta
    does not tell every change: where a role wants one of them, every read of this kind is a full one. `to_empty`:
    whether only an empty page shows where the end is.
    """

    page_size: int | None
    delta: bool = True
    brings: tuple[Kind, ...] = ()
    to_empty: bool = False


class Lookup(Struct):
    """The cost of reading single records again: one call per `batch` remote ids."""

    batch: int


class Push(Struct):
    """The cost of creating records of a kind: one call per `batch`.

    `settle` is for how many seconds after a lost answer the service may still bring forth what was sent: until then
    its not being found means nothing. So many are looked for in one call: `sought`.
    `again` is how many calls more a batch may take, where a name is taken and the record is given another one.
    """

    batch: int = 1
    settle: int = 300
    sought: int = 1
    again: int = 0


class Rate(Struct):
    """What the service says is left of one of its limits; `limit` is its size, where the service tells it."""

    window: int | Calendar
    remaining: int
    limit: int | None = None


class Grant(Struct):
    """How a token is fetched (OAuth 2): a POST of `form` to `url`, with `basic` (id and secret) as its credentials.

    `refresh_token` is the one from the settings, which begins a chain of them; "" where only a consent begins one, and
    None where the form alone is enough (client credentials). `grace` is for how many seconds the service still takes a
    refresh token that was used before, so that a lost answer is no lost chain. `unused_days` is how long a refresh
    token lives that nobody uses; None where the service does not say.
    """

    url: str
    form: Mapping[str, str]
    basic: tuple[str, str] | None = None
    refresh_token: str | None = None
    grace: int = 0
    unused_days: int | None = None


class Consent(Struct):
    """What a person consents to, once, on the service's page at `url` (OAuth 2, authorization code): `scopes`.

    `asks` is what else stands in the query of that address, the client id at least; the code that comes back lives for
    `minutes`, and is changed for a token as the connector's `Grant` says. `pkce`: the app has no secret, and proves
    that it is the one that asked (RFC 7636, S256). `same` maps what comes back to the setting that it must equal.
    `app` is where the app and its redirect address are managed.
    """

    url: str
    scopes: tuple[str, ...]
    asks: Mapping[str, str]
    minutes: int
    app: str
    pkce: bool = False
    same: Mapping[str, str] = MappingProxyType({})


class SignIn(Struct):
    """One way to sign in: what `syncctl init` asks for, and which settings it then writes by itself.

    `label` says which of several ways it is; `consent`: whether a person has to consent afterwards.
    """

    label: str
    settings: tuple[str, ...]
    fixed: Mapping[str, str] = MappingProxyType({})
    consent: bool = False


class Repeat(Struct):
    """How a call is made by hand: its headers, and lines of shell before it. `$NAME` is a variable of the shell.

    What is secret is always such a variable: that of the setting, where it is a setting.
    """

    headers: tuple[str, ...]
    lines: tuple[str, ...] = ()


class Values(Struct):
    """The settings of one configured connector, checked against its class."""

    name: str
    base_url: str
    settings: Mapping[str, str] = MappingProxyType({})

    def get(self, setting: str) -> str:
        """The value of a setting, "" where it is not set."""
        return self.settings.get(setting, "")

    def variable(self, setting: str) -> str:
        """The name of the variable that holds a setting."""
        return f"SYNCCTL_{self.name.upper()}_{setting}"


# What every connector that posts can be told.
POSTING = (
    Setting("POST_SINCE", "the day from which on orders are posted; by default when it first got the role invoices",
            pattern=r"\d{4}-\d{2}-\d{2}", form="a day, as 2026-11-01"),
    Setting("TAX", "tax code of each rate in the shop's orders, as `0.15:OUTPUT2,0:ZERORATEDOUTPUT`",
            pattern=r"0?\.?\d+:[^,:]+(, ?0?\.?\d+:[^,:]+)*", form="a code for each rate, as 0.15:OUTPUT2,0:NONE"),
    Setting("GUEST", "`create` a customer for each guest, or the code of the customer that stands for all", "create"),
    Setting("DUE_DAYS", "days after which an order has to be paid", pattern=r"\d{1,3}", form="days, 0-999"),
)  # fmt: skip
