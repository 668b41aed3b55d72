"""Who is linked to whom, tried with many small shops: never two candidates, never two links, never against a person."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncctl.errors import RecordError
from syncctl.models import Customer, State
from syncctl.state import links
from syncctl.state.changelog import Look
from syncctl.state.customer_linking import CustomerLinker
from syncctl.state.database import Database, open_database
from syncctl.state.remote_customers import Customers

NAMES = ("one", "two")  # of the connectors
CODES = ("A", "B")
EMAILS = ("a@x", "b@x")

Step = tuple[Any, ...]
NEW = st.tuples(st.just("new"), st.sampled_from((None, *CODES)), st.sampled_from((None, *EMAILS)))
TOLD = st.tuples(
    st.just("told"),
    st.sampled_from(NAMES),
    st.sampled_from(("r1", "r2", "r3")),
    st.tuples(*[st.sampled_from(("", *CODES))] * 2),
    st.lists(st.sampled_from(("A@x", *EMAILS)), max_size=2),
    st.sampled_from((State.ACTIVE, State.ACTIVE, State.ACTIVE, State.INACTIVE, State.GONE)),
    st.sampled_from((True, True, True, False)),
)
BY_HAND = st.tuples(
    st.sampled_from(("add", "remove")), st.sampled_from(NAMES), st.integers(0, 3), st.sampled_from(("r1", "r2", "r3"))
)
DELETED = st.tuples(st.just("deleted"), st.integers(0, 3))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder: Path = tmp_path_factory.mktemp("state")
    database = open_database(folder / "syncctl.db")
    yield database
    database.close()


class World:
    """A shop and two services; each step is one thing that happens, with the linking that follows."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.step = 0
        with database.transaction() as sql:
            for table in ("customers", "remote_customers", "customer_keys", "changes"):
                sql.execute(f"DELETE FROM {table}")

    def do(self, step: Step) -> None:
        self.step += 1
        getattr(self, step[0])(*step[1:])
        for name in NAMES:
            CustomerLinker(self.database, name).link(self.look(), 0)

    def look(self) -> Look:
        return Look(self.step, self.step, self.step, "feed")

    def new(self, code: str | None, email: str | None) -> None:
        with self.database.transaction() as sql:
            sql.execute("INSERT OR IGNORE INTO customers (code, email) VALUES (?, ?)", (code, email))

    def told(self, name: str, remote_id: str, *values: Any) -> None:
        record = self.record(remote_id, *values)
        customers = Customers(self.database, name)
        with self.database.transaction():
            if record.state is State.GONE:
                customers.mark_gone([remote_id], self.look())
            else:
                customers.store([record], self.look())

    def record(self, remote_id: str, *values: Any) -> Customer:
        codes, emails, state, linkable = values
        return Customer(remote_id, codes, "", tuple(emails), state, self.step, linkable)

    def add(self, name: str, nth: int, remote_id: str) -> None:
        self._by_hand(nth, lambda number: links.add(*self._hand(), (name, remote_id), number, self.look()))

    def remove(self, name: str, nth: int, _: str) -> None:
        self._by_hand(nth, lambda number: links.remove(*self._hand(), name, number, self.look()))

    def _hand(self) -> tuple[Database, links.LinkTable]:
        return self.database, links.CUSTOMERS

    def _by_hand(self, nth: int, change: Any) -> None:
        numbers = sorted(self.shop())
        if nth < len(numbers):
            with contextlib.suppress(RecordError):  # it says why not, and changes nothing
                change(numbers[nth])

    def deleted(self, nth: int) -> None:
        numbers = sorted(self.shop())
        if nth < len(numbers):
            with self.database.transaction() as sql:
                sql.execute("DELETE FROM customers WHERE id = ?", (numbers[nth],))

    def shop(self) -> dict[int, tuple[str | None, str | None]]:
        return {row["id"]: (row["code"], row["email"]) for row in self.database.rows("SELECT * FROM customers")}

    def links(self) -> dict[tuple[str, str], tuple[int, str]]:
        """(connector, remote id) -> (customer, how)."""
        sql = "SELECT * FROM remote_customers WHERE customer_id IS NOT NULL"
        rows = self.database.rows(sql)
        return {(row["connector"], row["remote_id"]): (row["customer_id"], row["matched_by"]) for row in rows}

    def fits(self, name: str) -> dict[tuple[int, str], int]:
        """How strongly customers and records fit each other, worked out one pair at a time."""
        sql = (
            "SELECT * FROM remote_customers WHERE connector = ? AND state = 'active' AND linkable"
            " AND matched_by IS NOT 'apart'"
        )
        found = {}
        for row in self.database.rows(sql, name):
            codes, emails = json.loads(row["codes"]), json.loads(row["emails"])
            for number, (code, email) in self.shop().items():
                if code in codes:
                    found[number, row["remote_id"]] = codes.index(code)
                elif email in emails:
                    found[number, row["remote_id"]] = 9
        return found


def only(fits: dict[tuple[int, str], int], customer: int, remote_id: str) -> bool:
    """Whether these two are each other's only candidates by the strongest rule of either."""
    mine = {pair: rank for pair, rank in fits.items() if pair[0] == customer}
    its = {pair: rank for pair, rank in fits.items() if pair[1] == remote_id}
    pair = (customer, remote_id)
    return all(
        pair in side and [p for p, rank in side.items() if rank == min(side.values())] == [pair] for side in (mine, its)
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(NEW, NEW, TOLD, TOLD, TOLD, TOLD, BY_HAND, DELETED), max_size=25))
def test_links_are_never_guessed(database: Database, steps: list[Step]) -> None:
    world = World(database)
    for step in steps:
        before = world.links()
        world.do(step)
        after = world.links()
        owners = [(name, customer) for (name, _), (customer, _) in after.items()]
        assert len(owners) == len(set(owners)), "two links to one customer"
        for (name, remote_id), (customer, by) in after.items() - before.items():
            assert by == "hand" or only(world.fits(name), customer, remote_id)
        for key, (customer, by) in before.items():
            if by == "hand" and step[0] not in ("add", "remove") and customer in world.shop():
                assert after.get(key) == (customer, "hand"), "a rule has undone what somebody did"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NEW, max_size=4), st.lists(TOLD, max_size=6))
def test_whoever_is_the_only_candidate_is_linked(database: Database, shop: list[Step], told: list[Step]) -> None:
    world = World(database)
    customers = {name: Customers(database, name) for name in NAMES}
    with database.transaction():
        for _, name, *values in told:
            customers[name].store([world.record(*values)], world.look())
    for step in shop:
        world.new(*step[1:])
    for name in NAMES:
        CustomerLinker(database, name).link(world.look(), 0)
        fits = world.fits(name)
        wanted = {(customer, remote_id) for customer, remote_id in fits if only(fits, customer, remote_id)}
        assert {(c, r) for (n, r), (c, _) in world.links().items() if n == name} == wanted
