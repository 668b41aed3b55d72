"""What posting would cost in calls, from the state alone: exact where everything is linked, else an upper bound.

Sums that are refused, an answer that is lost and what else goes wrong are not foreseen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from syncctl import costs
from syncctl.forecast import Cost
from syncctl.models import Kind, Struct, from_ms, iso
from syncctl.models_push import Sale
from syncctl.push.customers import customer_key, new_customer
from syncctl.push.orders import MOST_AGE_MS, MOST_AT_ONCE, is_flood, is_to_come, to_queue
from syncctl.push.outcomes import number_of
from syncctl.push.pushing import CONTESTED, Wanted, doubt_of
from syncctl.session import has_feed, scope_of, stand_in
from syncctl.settings.config import ConnectorConfig
from syncctl.settings.posting import PostingTerms, posting_since
from syncctl.shop.order import LineKind, Order
from syncctl.state.cursors import Cursors
from syncctl.state.database import Database
from syncctl.state.order_customer import GUEST
from syncctl.state.outbox import Outbox, Row
from syncctl.state.postable import New, Orders, Postable
from syncctl.state.promises import Promises
from syncctl.state.remote_customers import folded
from syncctl.state.remote_links import Links
from syncctl.state.runs import Runs
from syncctl.state.unqueued_schema import POSTER

_MOST_DAYS = MOST_AGE_MS // 86_400_000


class Due(Struct):
    """An order that would be posted; `unsure`: after a look, since it may be there already."""

    postable: Postable
    order: Order
    newest: bool
    unsure: bool


class Forecaster:
    """Reads the state of one connector as a run at that moment would."""

    def __init__(self, config: ConnectorConfig, database: Database, wanted: Wanted, now: int) -> None:
        self.config = config
        self.database = database
        self.wanted = wanted
        self.now = now
        self.outbox = Outbox(database, config.name)
        self.orders = Orders(database, config.name)

    def cost(self, terms: PostingTerms) -> Cost:
        """The calls of the run."""
        due = self._due(terms)
        unknown = self._unknown(due)
        cost = costs.posting(
            self.config, len(due), self._payments(due), {kind: len(of) for kind, of in unknown.items()}
        )
        asked = self._asked(due)
        least = cost.posts + cost.following + self._completions() + asked + self._besides(due)
        looks = sum(self._looks(kind, needs) for kind, needs in unknown.items())
        what = {
            "1 order" if len(due) == 1 else f"{len(due):,} orders": cost.posts,
            "what may have to be created": cost.creates,
            "looks": looks + asked,
            "payments and completions": cost.following + self._completions(),
            "warehouses and contacts": self._besides(due),
        }
        again = self._read_again(due) if terms.read_again == self.config.name else 0
        what["to read what was sold again"] = again
        renaming = sum(self._renaming(kind, len(needs)) for kind, needs in unknown.items())
        what["for names that are taken"] = renaming
        parts = [
            f"{calls:,} {name if name.startswith(('to ', 'for ')) else 'for ' + name}"
            for name, calls in what.items()
            if calls
        ]
        words = ", ".join(parts) or "as nothing is due"
        return Cost(self.config.name, least, least + cost.creates + looks + renaming + again, words)

    def _read_again(self, due: Sequence[Due]) -> int:
        """The calls for the stock of what is sold, and of what was not read after earlier runs; not for what is new."""
        if not due:
            return 0
        known = Links(self.database, self.config.name).products(_skus(due)).values()
        unread = Promises(self.database).unread(costs.MOST_SOLD * costs.batch_of_stock(self.config.cls))
        return costs.sold(self.config.cls, len(set().union(unread, *known)))

    def _due(self, terms: PostingTerms) -> list[Due]:
        """Those that are due or would be queued, in their order."""
        rows = {row.key: row for row in self._ready(Kind.ORDERS)}
        held = [number for number, row in rows.items() if row.state == "waiting"]
        ready = [number for number in rows if number not in held]
        numbers = [*ready, *(self._new(terms) if self.wanted.queue else ()), *held][: self.wanted.limit]
        doubt = doubt_of(Runs(self.database))
        found = []
        for number in numbers:
            each, row = self.orders.load(number), rows.get(number)
            if each and is_to_come(each.placed_at, self.now):
                continue
            if each and each.order and each.status in terms.statuses and not each.elsewhere:
                queued, looked = (row.queued_at, row.looked_at) if row else (self.now, None)
                unsure = not doubt.covers(each.placed_at, queued, looked) or bool(row and row.cause in CONTESTED)
                found.append(Due(each, each.order, self.orders.is_newest(each), unsure))
        return found

    def flood(self, terms: PostingTerms) -> list[str]:
        """The new orders that the run would not post, since they are too many or too old to be posted unasked."""
        fresh = self._fresh(terms) if self.wanted.queue else []
        return [each.number for each in fresh] if is_flood(fresh, self.wanted, self.now) else []

    def _new(self, terms: PostingTerms) -> list[str]:
        fresh = self._fresh(terms)
        return [] if is_flood(fresh, self.wanted, self.now) else [each.number for each in fresh]

    def _fresh(self, terms: PostingTerms) -> list[New]:
        stored = int(Runs(self.database).meta(POSTER + self.config.name) or self.now)
        since = posting_since(self.config, terms, stored)
        new = self.orders.new(terms.statuses)
        new += self.orders.reconsidered(terms.statuses, iso(from_ms(since)), self.wanted.numbers)
        return to_queue(sorted(new, key=lambda each: each.placed_at), self.wanted, since)

    def _ready(self, kind: Kind) -> list[Row]:
        rows = self.outbox.ready(kind, None if self.wanted.now else self.now)
        return [row for row in rows if not self.wanted.numbers or number_of(row) in self.wanted.numbers]

    def _payments(self, due: Sequence[Due]) -> int:
        """Those of the orders, and those that are due themselves."""
        return _paid(due) + len(self._ready(Kind.PAYMENTS))

    def _completions(self) -> int:
        return len(self._ready(Kind.COMPLETIONS)) if Kind.COMPLETIONS in self.config.cls.pushes else 0

    def _asked(self, due: Sequence[Due]) -> int:
        """The calls for what may be there already: what has no known outcome, and orders that need a look."""
        settled = self.outbox.sending(None if self.wanted.now else self.now)
        unsure = [each for each in due if each.unsure]
        follows = {Kind.COMPLETIONS: len(unsure), Kind.PAYMENTS: _paid(unsure)}
        counts = Counter(row.kind for row in settled) + Counter({Kind.ORDERS: len(unsure)})
        if follow := costs.follows(self.config):
            counts[follow] += follows[follow]
        return sum(self._sought(kind, count) for kind, count in counts.items())

    def _sought(self, kind: Kind, count: int) -> int:
        """The calls in which so many records are looked for: batch by batch."""
        push = self.config.cls.pushes[kind]
        whole, rest = divmod(count, push.batch)
        return whole * math.ceil(push.batch / push.sought) + math.ceil(rest / push.sought)

    def _renaming(self, kind: Kind, count: int) -> int:
        """The second tries where each name is taken."""
        push = self.config.cls.pushes[kind]
        return math.ceil(count / push.batch) * push.again

    def _besides(self, due: Sequence[Due]) -> int:
        sales = [Sale(each.order, "", {}, from_ms(each.postable.placed_at).date(), newest=each.newest) for each in due]
        return self.config.cls.besides(self.config.values, sales)

    def _looks(self, kind: Kind, needs: Mapping[str, int]) -> int:
        """The calls to find what is not linked: one of its feed, where that is read, else those of each."""
        config = self.config
        scope = scope_of(config.cls, config.values, kind)
        stamp = Cursors(self.database, config.name).load(kind, "delta", scope).stamp
        if needs and stamp is not None and has_feed(config.cls, config.roles, kind):
            return 1
        return sum(needs.values())

    def _unknown(self, due: Sequence[Due]) -> dict[Kind, dict[str, int]]:
        """The customers and products of the orders that are not linked yet, with the look-ups that each may take."""
        return {Kind.CUSTOMERS: self._unknown_customers(due), Kind.PRODUCTS: self._unknown_products(due)}

    def _unknown_products(self, due: Sequence[Due]) -> dict[str, int]:
        skus = _skus(due)
        known = Links(self.database, self.config.name).products(skus).keys() | self._made(Kind.PRODUCTS, skus)
        return dict.fromkeys(skus - known, 1)

    def _unknown_customers(self, due: Sequence[Due]) -> dict[str, int]:
        """Each by account id and by e-mail address."""
        config, links = self.config, Links(self.database, self.config.name)
        needs = {customer_key(config.cls, config.values, each.postable): each.postable for each in due}
        needs = {key: postable for key, postable in needs.items() if key not in ("", GUEST)}
        linked = links.customers([each.customer_id for each in needs.values() if each.customer_id is not None])
        known = {str(number) for number in linked} | self._made(Kind.CUSTOMERS, needs)
        known |= {key for key, each in needs.items() if each.customer_id is None and self._is_there(links, each)}
        wanted = {key: new_customer(each) for key, each in needs.items() if key not in known}
        return {key: bool(new.code) + ("@" in new.email) for key, new in wanted.items()}

    def _is_there(self, links: Links, postable: Postable) -> bool:
        """Whether the mirror has a guest, or the customer that stands for all."""
        if guest := stand_in(self.config.values):
            return len(links.candidates(guest, "", anybody=True)) == 1
        new = new_customer(postable)
        return len(links.candidates(new.code, folded(new.email))) == 1

    def _made(self, kind: Kind, keys: Mapping[str, object] | set[str]) -> set[str]:
        """What was created before."""
        return {key for key, row in self.outbox.by_keys(kind, keys).items() if row.state == "done"}


def _skus(due: Sequence[Due]) -> set[str]:
    lines = (line for each in due for line in each.order.lines)
    return {line.sku or "" for line in lines if line.kind is LineKind.PRODUCT}


def _paid(due: Sequence[Due]) -> int:
    """How many payments these orders have."""
    return sum(bool(paid.amount) for each in due for paid in each.order.payments)


def posting_forecast(
    config: ConnectorConfig, database: Database, terms: PostingTerms, wanted: Wanted, now: int
) -> Cost:
    """The calls of a posting run for one connector."""
    found = Forecaster(config, database, wanted, now)
    cost, flood = found.cost(terms), found.flood(terms)
    if not flood:
        return cost
    asked = Forecaster(config, database, wanted.changed(yes_all=True), now).cost(terms)
    words = f"{cost.words}; {flood_words(len(flood))}, with --yes-all at most {asked.expected} calls"
    return replace(cost, words=words)


def flood_words(count: int) -> str:
    """What the flood stop holds."""
    waits = "1 order waits" if count == 1 else f"{count:,} orders wait"
    return f"{waits} for a person's word, being more than {MOST_AT_ONCE} or older than {_MOST_DAYS} days"
