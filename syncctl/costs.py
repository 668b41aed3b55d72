"""What commands cost in calls: the one table, from what the connectors declare; dry runs and plans read it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from syncctl.connectors.base import Connector
from syncctl.models import Kind, Struct
from syncctl.session import has_feed
from syncctl.settings.connector import ConnectorConfig

MOST_SOLD = 20  # calls of a posting run for the stock of what was sold


def news(config: ConnectorConfig, kinds: Iterable[Kind], changes: float = 0) -> int:
    """A read of what changed, of each kind so many records; everything, where the service tells no changes."""
    return sum(_news(config, kind, math.ceil(changes)) for kind in kinds)


def whole(config: ConnectorConfig, records: Mapping[Kind, int]) -> int:
    """A read of everything: so many records of each kind."""
    return sum(max(1, config.cls.pages(config.values, kind, count)) for kind, count in records.items())


def lists(config: ConnectorConfig, kinds: Iterable[Kind], products: int) -> int:
    """So many known products looked up by their ids; 1 more for each that seems gone."""
    return sum(math.ceil(products / config.cls.lookups[kind].batch) for kind in kinds)


def oldest(config: ConnectorConfig, known: Mapping[Kind, int], products: int) -> int:
    """`sync-oldest --limit products`, where so many records of each kind are known."""
    if config.cls.oldest == "lists":
        return lists(config, known, reread(config, known, products))
    if config.cls.oldest == "everything":
        return len(known)
    most = math.ceil(products / (config.cls.page_size(config.values, Kind.PRODUCTS) or 1))
    return sum(min(most, config.cls.pages(config.values, kind, count)) for kind, count in known.items())


def reread(config: ConnectorConfig, known: Mapping[Kind, int], products: int) -> int:
    """How many products `sync-oldest --limit products` reads: a list or a page costs the same full or not."""
    if config.cls.oldest == "everything":
        return known.get(Kind.PRODUCTS, 0)
    paged = config.cls.oldest == "pages"
    size = config.cls.page_size(config.values, Kind.PRODUCTS) if paged else config.cls.lookups[Kind.PRODUCTS].batch
    return min(math.ceil(products / (size or 1)) * (size or 1), known.get(Kind.PRODUCTS, 0))


class Posting(Struct):
    """The calls of a run that posts: for the orders, for what follows them, and at most so many for what they need."""

    posts: int
    following: int
    creates: int = 0
    looks: int = 0
    updates: int = 0

    @property
    def most(self) -> int:
        """With everything that may be needed."""
        return self.posts + self.following + self.creates + self.looks + self.updates


def posting(config: ConnectorConfig, orders: int, payments: int, unknown: Mapping[Kind, int]) -> Posting:
    """A run that posts so many orders with so many payments; `unknown` are the customers and products not linked."""
    pushes = config.cls.pushes
    posts = math.ceil(orders / pushes[Kind.ORDERS].batch)
    return Posting(
        posts=posts,
        following=_following(config, orders, payments),
        creates=sum(math.ceil(count / pushes[kind].batch) for kind, count in unknown.items()),
        looks=sum(_looks(config, kind, count) for kind, count in unknown.items()),
        updates=posts if config.values.get("CONTACT") == "as-entered" else 0,
    )


def sold(cls: type[Connector], products: int) -> int:
    """The stock of so many products read again after they were sold: in lists, else by one call of the feed."""
    lists = math.ceil(products / batch_of_stock(cls)) if cls.oldest == "lists" else min(1, products)
    return min(MOST_SOLD, lists)


def batch_of_stock(cls: type[Connector]) -> int:
    """How many products a list of stock has."""
    return cls.lookups[Kind.STOCK].batch if Kind.STOCK in cls.lookups else 1


def seconds(config: ConnectorConfig, calls: int) -> float:
    """How long that many calls last: half a second each, or as the limits let them."""
    rolling = [limit for limit in config.limits if isinstance(limit.window, int) and calls > limit.calls]
    return max((calls / limit.calls * int(limit.window) for limit in rolling), default=calls / 2)


def _news(config: ConnectorConfig, kind: Kind, changes: int) -> int:
    pull, size = config.cls.pulls[kind], config.cls.page_size(config.values, kind)
    return max(1, math.ceil((changes + pull.to_empty) / size)) if size else 1


def _looks(config: ConnectorConfig, kind: Kind, count: int) -> int:
    """One read of the feed; where there is none, a customer by code and e-mail address, a product by its SKU."""
    if has_feed(config.cls, config.roles, kind):
        return min(1, count)
    return count * (2 if kind is Kind.CUSTOMERS else 1)


def follows(config: ConnectorConfig) -> Kind | None:
    """The kind of what follows an order, where something does."""
    pushes, values = config.cls.pushes, config.values
    if Kind.COMPLETIONS in pushes and values.get("STATUS") == "Completed":
        return Kind.COMPLETIONS
    return Kind.PAYMENTS if Kind.PAYMENTS in pushes and values.get("PAYMENTS") else None


def _following(config: ConnectorConfig, orders: int, payments: int) -> int:
    kind = follows(config)
    count = orders if kind is Kind.COMPLETIONS else payments
    return math.ceil(count / config.cls.pushes[kind].batch) if kind else 0
