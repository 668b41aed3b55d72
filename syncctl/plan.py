"""What commands cost in calls: the one estimate, from the connectors' cost tables and from what runs cost before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from syncctl.config import ConnectorConfig
from syncctl.connectors.base import Connector
from syncctl.models import Kind
from syncctl.session import kinds_of, reads_customers
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
    if wanted.command == "sync-oldest":
        return _oldest(config, kinds, gaps.live() if gaps else 0, wanted.products)
    if wanted.command == "sync-product":
        return _by_sku(config, config.cls, kinds, [bool(gaps and gaps.by_sku(sku)) for sku in wanted.skus])
    return _news(config, kinds, database, wanted, gaps.live() if gaps else 0)


def _customers(config: ConnectorConfig, database: Database | None, wanted: Wanted) -> Cost:
    known = Customers(database, config.name).live() if database else 0
    kinds = [Kind.CUSTOMERS] if reads_customers(config.cls, config.roles) else []
    return _news(config, kinds, database, wanted, known)


def _news(config: ConnectorConfig, kinds: list[Kind], database: Database | None, wanted: Wanted, known: int) -> Cost:
    """What a read of these kinds costs, of which so many records (of products, where stock is read too) are known."""
    cls = config.cls
    if not kinds:
        return Cost(config.name, 0, 0, "0: no role of it asks for them")
    if wanted.full or not known:
        pages = sum(max(1, cls.pages(config.values, kind, known)) for kind in kinds)
        size = cls.page_size(config.values, kinds[0])
        if size is None:
            return Cost(config.name, len(kinds), len(kinds), f"{len(kinds)} for all {kinds[0]}")
        words = f"{pages:,} for the {known:,} {kinds[0]} known so far" if known else f"1 for each {size} of a kind"
        return Cost(config.name, len(kinds), pages if known else None, words)
    usual = Runs(database).expected_calls(config.name, wanted.command) if database else None
    if usual is None:
        return Cost(config.name, len(kinds), len(kinds), f"{len(kinds)} unless much has changed")
    expected = max(len(kinds), round(usual))
    return Cost(config.name, len(kinds), expected, f"{expected:,} as in the last runs")


def _oldest(config: ConnectorConfig, kinds: list[Kind], known: int, products: int) -> Cost:
    """Lists of the known products; elsewhere pages, however few products are known."""
    if config.cls.oldest == "lists":
        return _lists(config, config.cls, kinds, min(_rounded(config.cls, products), known))
    if config.cls.oldest == "everything":
        return Cost(config.name, len(kinds), len(kinds), f"{len(kinds):,} for all products")
    most = math.ceil(products / (config.cls.page_size(config.values, Kind.PRODUCTS) or 1))
    calls = sum(min(most, config.cls.pages(config.values, kind, known)) for kind in kinds)
    words = f"{calls:,} for the next pages at most, and 1 for each product that a whole round did not show"
    return Cost(config.name, len(kinds), calls, words)


def _lists(config: ConnectorConfig, cls: type[Connector], kinds: list[Kind], products: int) -> Cost:
    calls = sum(math.ceil(products / cls.lookups[kind].batch) for kind in kinds)
    return Cost(config.name, calls, calls, f"{calls:,} for {products:,} products, and 1 for each that seems gone")


def _by_sku(config: ConnectorConfig, cls: type[Connector], kinds: list[Kind], known: list[bool]) -> Cost:
    linked = _lists(config, cls, kinds, sum(known)).minimum
    unknown = known.count(False)
    expected = linked + unknown * len(kinds)
    return Cost(config.name, linked + unknown, expected, f"{expected:,} where the service knows each SKU")


def _rounded(cls: type[Connector], products: int) -> int:
    """A list costs the same whether it is full or not."""
    batch = cls.lookups[Kind.PRODUCTS].batch
    return math.ceil(products / batch) * batch
