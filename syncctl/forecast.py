"""What one run of a command would cost in calls, from the state: by the cost table, and by what runs cost before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncctl import costs
from syncctl.clock import Clock
from syncctl.models import Kind, Purpose, Struct, iso
from syncctl.session import kinds_of, reads_customers, scope_of
from syncctl.settings.config import ConnectorConfig
from syncctl.state.cursors import Cursors
from syncctl.state.database import Database
from syncctl.state.gaps import Gaps
from syncctl.state.ledger import Ledger
from syncctl.state.remote_customers import Customers
from syncctl.state.runs import Runs
from syncctl.state.windows import allowed


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


class _Whole(Struct):
    """A read of everything: whether it is the first, its pages that are in, and the records that it has, if told."""

    first: bool
    pages: int = 0
    announced: int | None = None


_PURPOSES = {
    "sync-recent": Purpose.RECENT,
    "sync-oldest": Purpose.OLDEST,
    "sync-customers": Purpose.CUSTOMER,
}


def forecast(config: ConnectorConfig, database: Database | None, wanted: Wanted, clock: Clock) -> Cost:
    """What `wanted` would cost now; `database` is None where there is no state yet."""
    cost = _cost(config, database, wanted)
    return _affordable(cost, config, Ledger(database, clock), wanted) if database else cost


def _affordable(cost: Cost, config: ConnectorConfig, ledger: Ledger, wanted: Wanted) -> Cost:
    """The same, where a block or what is left of a day or month lets it make fewer calls."""
    if blocked := ledger.blocked(config.name):
        until, reason = blocked
        return Cost(cost.name, 0, 0, f"0 before {iso(until)}: {reason[:1].lower()}{reason[1:]}")
    purpose = _PURPOSES.get(wanted.command, Purpose.MANUAL)
    longs = ledger.usage(config.name, [limit for limit in config.limits if not limit.waitable])
    rooms = [(max(0, allowed(each.limit, purpose) - each.used - each.others), each.limit) for each in longs]
    room, limit = min(rooms, key=lambda each: each[0], default=(cost.minimum, None))
    if limit is None or room >= max(cost.minimum, cost.expected or 0):
        return cost
    few = f"of the calls {limit.span} only {room:,} are left for it (syncctl budget)"
    return Cost(cost.name, min(room, cost.minimum), room, f"{cost.words}, but {few}")


def _cost(config: ConnectorConfig, database: Database | None, wanted: Wanted) -> Cost:
    """What it would cost if nothing limited it."""
    kinds = kinds_of(config.cls, config.roles)
    if wanted.command == "sync-customers":
        return _customers(config, database, wanted)
    if wanted.command == "doctor":
        calls = config.cls.posting_check_calls if "invoices" in config.roles else config.cls.check_calls
        return Cost(config.name, 1, calls, f"{calls} if the first is accepted")
    gaps = Gaps(database, config.name) if database else None
    if wanted.command == "sync-product":
        return _by_sku(config, kinds, [len(gaps.by_sku(sku)) if gaps else 0 for sku in wanted.skus])
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
    least = costs.news(config, known)
    left = {kind: rest for kind in known if (rest := _whole(config, database, kind, full=wanted.full))}
    if left:
        return _whole_cost(config, known, left)
    usual = Runs(database).expected_calls(config.name, wanted.command) if database else None
    if usual is None:
        return Cost(config.name, least, least, f"{least} unless much has changed")
    expected = max(least, round(usual))
    return Cost(config.name, least, expected, f"{expected:,} as in the last runs")


def _whole(config: ConnectorConfig, database: Database | None, kind: Kind, *, full: bool) -> _Whole | None:
    """How far the read of everything is that comes next; None where what changed is enough."""
    if database is None:
        return _Whole(first=True)
    cursors, scope = Cursors(database, config.name), scope_of(config.cls, config.values, kind)
    first = cursors.load(kind, "delta", scope).stamp is None
    reading = cursors.load(kind, "full", scope)
    return _Whole(first, reading.pages, reading.announced) if first or full else None


def _whole_cost(config: ConnectorConfig, known: dict[Kind, int], left: dict[Kind, _Whole]) -> Cost:
    """A read of everything, or what is left of it; of the other kinds what changed."""
    least = costs.news(config, known)
    (kind, count), *_ = known.items()
    size, main = config.cls.page_size(config.values, kind), left.get(kind)
    unknown = main is not None and main.first and main.pages  # what is known is what was read so far
    total = (main and main.announced) or (0 if unknown else count)
    if size and not total:
        return Cost(config.name, least, None, f"1 for each {size} of a kind")
    calls = sum(
        max(1, config.cls.pages(config.values, each, rest.announced or total) - rest.pages)
        for each, rest in left.items()
    ) + costs.news(config, known.keys() - left.keys())
    if size is None:
        return Cost(config.name, least, calls, f"{calls} for all {kind}")
    begun = any(rest.pages for rest in left.values())
    words = f"what is left of reading {total:,} {kind}" if begun else f"the {total:,} {kind} known so far"
    return Cost(config.name, least, calls, f"{calls:,} for {words}")


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


def _by_sku(config: ConnectorConfig, kinds: list[Kind], known: list[int]) -> Cost:
    """`known`: how many products are known by each SKU; those that fit into a list are read in lists."""
    batch = config.cls.lookups[Kind.PRODUCTS].batch
    listed = [count for count in known if 0 < count <= batch]
    searched = len(known) - len(listed)
    least = costs.lists(config, kinds, sum(listed))
    expected = least + searched * len(kinds)
    return Cost(config.name, least + searched, expected, f"{expected:,} where the service knows each SKU")
