"""One connector in one run: its adapter, its part of the state, and the tally of what happens."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeGuard

from syncctl.connectors.base import Connector
from syncctl.connectors.declared import Limit, Values
from syncctl.models import Customer, Kind, Problem, Product, Record, State, Stock, to_ms
from syncctl.run import Run
from syncctl.settings.config import Config
from syncctl.state.changelog import Look
from syncctl.state.cursors import Cursors
from syncctl.state.customer_linking import CustomerLinker
from syncctl.state.database import Database
from syncctl.state.gaps import Gaps
from syncctl.state.history import History
from syncctl.state.linking import Linker
from syncctl.state.mirror import Mirror, Stored
from syncctl.state.remote_customers import Customers
from syncctl.tally import Tally


@dataclass(frozen=True, slots=True)
class Session:
    """What pulling and looking up need; no HTTP and no SQL of its own."""

    connector: Connector
    database: Database
    mirror: Mirror
    linker: Linker
    customers: Customers
    customer_linker: CustomerLinker
    cursors: Cursors
    gaps: Gaps
    history: History
    run: Run
    tally: Tally
    roles: frozenset[str]
    limits: tuple[Limit, ...]
    config: Config
    accept_loss: bool = False

    @property
    def name(self) -> str:
        """The connector's name in the configuration."""
        return self.connector.values.name

    def kinds(self) -> list[Kind]:
        """The kinds of the catalogue that are read, in this order; customers have a command of their own."""
        return kinds_of(type(self.connector), self.roles)

    def brought(self, kind: Kind) -> list[Kind]:
        """The kinds that a read of `kind` brings: itself, and those in the same answers that a role wants."""
        return [kind, *(other for other in self.connector.pulls[kind].brings if other in self.roles)]

    def has_delta(self, kind: Kind) -> bool:
        """See `has_delta`."""
        return has_delta(type(self.connector), self.roles, kind)

    @property
    def stand_in(self) -> str:
        """See `stand_in`."""
        return stand_in(self.connector.values)

    def scope(self, kind: Kind) -> str:
        """See `scope_of`."""
        return scope_of(type(self.connector), self.connector.values, kind)

    def seen(self, kind: Kind, first_call: int) -> int:
        """How many records of a kind were looked at by `first_call` or later."""
        return self.customers.seen(first_call) if kind is Kind.CUSTOMERS else self.gaps.seen(kind, first_call)

    def unseen(self, kind: Kind, first_call: int) -> list[str]:
        """What a full read that began with `first_call` did not show.

        Of customers nothing, where the service cannot be asked for one alone: to be missed is no proof.
        """
        if kind is not Kind.CUSTOMERS:
            return self.gaps.unseen(kind, first_call)
        return self.customers.unseen(first_call) if kind in self.connector.lookups else []

    def lasting(self, calls: int) -> str:
        """How long the limits make that many calls last, for a message."""
        rolling = [limit for limit in self.limits if isinstance(limit.window, int)]
        seconds = max((calls / limit.calls * int(limit.window) for limit in rolling), default=0.0)
        if seconds < 60:
            return "less than a minute"
        return f"about {math.ceil(seconds / 60)} min; may be interrupted, and goes on where it stopped"

    def look(self, call: int, rule: str, *, repeats: bool = True) -> Look:
        """The circumstances of what is stored now."""
        return Look(self.run.number, call, to_ms(self.run.clock.now()), rule, repeats=repeats)

    def look_again(self, kind: Kind, call: int, rule: str) -> Look:
        """The same for records that were known: a difference that the feed should have brought is drift."""
        stamp = self.cursors.load(kind, "delta", self.scope(kind)).stamp
        look = self.look(call, rule)
        if stamp is None or not self.has_delta(kind):
            return look
        return replace(look, drifted=lambda kind, record: not self.connector.announced(kind, record.version, stamp))

    @contextmanager
    def transaction(self, *, quick: bool = False) -> Iterator[None]:
        """A transaction of the state; what is counted in it counts once it is committed."""
        begin = self.database.quick_transaction if quick else self.database.transaction
        with self.tally.unless_undone(), begin():
            yield

    def store(self, records: Iterable[Record | Problem], look: Look, since_call: int = 0) -> Stored:
        """Stores records and their links inside the caller's transaction, and counts them.

        Records of a kind that no role wants are left out; what the service says is deleted is noted as such.
        """
        wanted = [record for record in records if "stock" in self.roles or not isinstance(record, Stock)]
        if any(isinstance(record, Customer) for record in wanted):
            return self._store_customers(wanted, look, since_call)
        gone = deleted(wanted)
        there = [record for record in wanted if not is_deleted(record)] if gone else wanted
        stored = self.mirror.store(there, look, since_call)
        if gone:
            self.mirror.note_deleted([record.remote_id for record in gone], look)
        problems = self.linker.renamed(stored.changed) if stored.changed else []
        touched = [*(remote_id for remote_id in stored.created if remote_id not in stored.linked), *stored.changed]
        problems += self.linker.link(touched, self.run.number) if touched else []
        self._count(stored, problems)
        self.tally.seen += len(gone)
        return stored

    def _store_customers(self, records: Iterable[Record | Problem], look: Look, since_call: int) -> Stored:
        """Without linking, which waits for the end of the read. Who stands for all guests is nobody in particular."""
        customers = [
            record.changed(linkable=False) if isinstance(record, Customer) and self._stands_in(record) else record
            for record in records
            if isinstance(record, Customer | Problem)
        ]
        stored = self.customers.store(customers, look, since_call)
        self._count(stored, [])
        return stored

    def _stands_in(self, record: Customer) -> bool:
        return bool(self.stand_in) and self.stand_in in record.codes

    def _count(self, stored: Stored, problems: list[Problem]) -> None:
        self.tally.report(stored.problems + problems)
        self.tally.seen += stored.seen
        self.tally.created += len(stored.created)
        self.tally.changed += len(stored.changed)
        self.tally.back += stored.back
        self.tally.drifted += sum(rule == "drift" for rule in stored.changed.values())

    def link_waiting(self) -> None:
        """Links records to products that the shop has got since the last run."""
        self.tally.report(self.linker.link_waiting(self.run.number))

    def link(self, remote_ids: Sequence[str]) -> None:
        """Links those of these records that have no link yet; tells why one stays without, and of twins in any case."""
        with self.database.transaction():
            problems = self.linker.link(remote_ids, self.run.number)
        self.tally.report(problems + self.linker.shared(remote_ids))

    def link_customers(self, since: int) -> None:
        """Links customers after a read; tells of what is new or changed since then (in ms) if it needs a person."""
        number, problems = self.customer_linker.link(self.look(0, "link"), since)
        self.tally.customers_linked += number
        self.tally.report(problems)


def stand_in(values: Values) -> str:
    """The code of the customer that stands for all guests; "" where there is none."""
    told = values.get("GUEST")
    return "" if told == "create" else told


def scope_of(cls: type[Connector], values: Values, kind: Kind) -> str:
    """What the cursor of a kind depends on."""
    own = cls.scope(values, kind)
    return own + stand_in(values) if kind is Kind.CUSTOMERS else own


def kinds_of(cls: type[Connector], roles: frozenset[str]) -> list[Kind]:
    """The kinds that a connector reads for these roles; products first, without which stock means little."""
    wanted = [Kind.PRODUCTS] if roles & {"products", "stock"} else []
    if "stock" in roles:
        wanted.append(Kind.STOCK)
    return [kind for kind in wanted if kind in cls.pulls]


def reads_customers(cls: type[Connector], roles: frozenset[str]) -> bool:
    """Whether a connector reads customers for these roles."""
    return "customers" in roles and Kind.CUSTOMERS in cls.pulls


def has_delta(cls: type[Connector], roles: frozenset[str], kind: Kind) -> bool:
    """Whether "changed since" tells all that these roles want of this kind, and of what comes with it."""
    return cls.pulls[kind].delta and roles.isdisjoint(cls.pulls[kind].brings)


def has_feed(cls: type[Connector], roles: frozenset[str], kind: Kind) -> bool:
    """Whether a role wants this kind read, and all news of it come in a page: what changed, or the list of all."""
    wanted = reads_customers(cls, roles) if kind is Kind.CUSTOMERS else "products" in roles
    return wanted and (has_delta(cls, roles, kind) or cls.pulls[kind].page_size is None)


def deleted(records: Iterable[Record | Problem]) -> list[Product]:
    """The products that the service says are deleted."""
    return [record for record in records if is_deleted(record)]


def is_deleted(record: Record | Problem) -> TypeGuard[Product]:
    """Whether this is a product that the service says is deleted."""
    return isinstance(record, Product) and record.state is State.GONE
