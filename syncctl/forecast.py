"""What one run of a command would cost in calls, from the state: by the cost table, and by what runs cost before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncctl import costs
from syncctl.models import Kind
from syncctl.session import kinds_of, reads_customers
from syncctl.settings.config import ConnectorConfig
from syncctl.state.database import Database
from syncctl.state.gaps import Gaps
from syncctl.state.remote_customers import Customers
from syncctl.state.runs import Runs


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command and the options that its cost depends on."""

    command: str
    full: bool = False
    products: int = 0
    skus: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """The calls of one command for one connector: never fewer than `minimum`; `words` explain `expected`.

    `expected` is None where nothing is known yet that it could be reckoned from.
    """

    name: str
    minimum: int
    expected: int | None
    words: str


def forecast(config: ConnectorConfig, database: Database | None, wanted: Wanted) -> Cost:
    """What `wanted` would cost; `database` is None where there is no state yet."""
    kinds = kinds_of(config.cls, config.roles)
    if wanted.command == "sync-customers":
        return _customers(config, database, wanted)
    if wanted.command == "doctor":
        return Cost(config.name, 1, config.cls.check_calls, f"{config.cls.check_calls} if the first is accepted")
    gaps = Gaps(database, config.name) if database else None
    if wanted.command == "sync-product":
        return _by_sku(config, kinds, [bool(gaps and gaps.by_sku(sku)) for sku in wanted.skus])
    known = dict.fromkeys(kinds, gaps.live() if gaps else 0)
    if wanted.command == "sync-oldest":
        return _oldest(config, known, wanted.products)
    return _news(config, known, database, wanted)


def _customers(config: ConnectorConfig, database: Database | None, wanted: Wanted) -> Cost:
    known = Customers(database, config.name).live() if database else 0
    return _news(config, {Kind.CUSTOMERS: known} if reads_customers(config.cls, config.roles) else {}, database, wanted)


def _news(config: ConnectorConfig, known: dict[Kind, int], database: Database | None, wanted: Wanted) -> Cost:
    """What a read of these kinds costs, of which so many records (of products, where stock is read too) are known."""
    if not known:
        return Cost(config.name, 0, 0, "0: no role of it asks for them")
    (kind, count), *_ = known.items()
    least = costs.news(config, known)
    if wanted.full or not count:
        pages = costs.whole(config, known)
        size = config.cls.page_size(config.values, kind)
        if size is None:
            return Cost(config.name, least, pages, f"{pages} for all {kind}")
        words = f"{pages:,} for the {count:,} {kind} known so far" if count else f"1 for each {size} of a kind"
        return Cost(config.name, least, pages if count else None, words)
    usual = Runs(database).expected_calls(config.name, wanted.command) if database else None
    if usual is None:
        return Cost(config.name, least, least, f"{least} unless much has changed")
    expected = max(least, round(usual))
    return Cost(config.name, least, expected, f"{expected:,} as in the last runs")


def _oldest(config: ConnectorConfig, known: dict[Kind, int], products: int) -> Cost:
    """Lists of the known products; elsewhere pages, however few products are known."""
    calls = costs.oldest(config, known, products)
    if config.cls.oldest == "lists":
        return _lists(config, list(known), costs.reread(config, known, products))
    if config.cls.oldest == "everything":
        return Cost(config.name, calls, calls, f"{calls:,} for all products")
    words = f"{calls:,} for the next pages at most, and 1 for each product that a whole round did not show"
    return Cost(config.name, len(known), calls, words)


def _lists(config: ConnectorConfig, kinds: list[Kind], products: int) -> Cost:
    calls = costs.lists(config, kinds, products)
    return Cost(config.name, calls, calls, f"{calls:,} for {products:,} products, and 1 for each that seems gone")


def _by_sku(config: ConnectorConfig, kinds: list[Kind], known: list[bool]) -> Cost:
    linked = costs.lists(config, kinds, sum(known))
    unknown = known.count(False)
    expected = linked + unknown * len(kinds)
    return Cost(config.name, linked + unknown, expected, f"{expected:,} where the service knows each SKU")
