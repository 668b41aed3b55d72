"""Links what a service calls a customer to the shop's customer; never by guessing.

By account id, compared exactly, then by e-mail address, compared case-folded. Exactly one candidate on both sides
makes a link. A link once made holds while its record is active, and one set by hand for ever. An archived record
keeps its link until another record fits; one that is gone, or stands for nobody in particular, gives it up.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from syncctl.connectors._fields import text
from syncctl.models import Kind, Problem, from_ms, iso
from syncctl.state.changelog import Changelog, Look
from syncctl.state.database import Database, any_bytes
from syncctl.state.remote_customers import EMAIL, folded

LINKED = -1  # the rank of a stored link: stronger than any rule

# Nearly all have a link: one index tells that, and another one which links somebody or something else may take.
_LOOSE = """
(NOT EXISTS (SELECT 1 FROM remote_customers AS link INDEXED BY remote_customers_link
    WHERE link.customer_id = customers.id AND link.connector = ?1 AND link.customer_id IS NOT NULL)
OR customers.id IN (SELECT customer_id FROM remote_customers INDEXED BY remote_customers_loose
    WHERE connector = ?1 AND customer_id IS NOT NULL AND state <> 'active' AND matched_by IS NOT 'hand'))
"""
# Customers of the shop that have no firm link, although a record may fit them.
_WAITING = f"""
SELECT id, created_at FROM customers WHERE {_LOOSE} AND (
    EXISTS (SELECT 1 FROM customer_keys WHERE connector = ?1 AND value = customers.code AND rank < {EMAIL})
    OR EXISTS (SELECT 1 FROM customer_keys
        WHERE connector = ?1 AND value = lower(customers.email) AND rank = {EMAIL})
    OR email GLOB '*[^ -~]*')
"""
_SHOPPERS = "SELECT id, code, email FROM customers WHERE id IN (SELECT value FROM json_each(?))"
_SHOPPERS_WITH = """
SELECT customers.id, code, email FROM json_each(?1) JOIN customers ON code = value
UNION SELECT customers.id, code, email FROM json_each(?1) JOIN customers ON email = value COLLATE NOCASE
UNION SELECT customers.id, code, email FROM customers WHERE email GLOB '*[^ -~]*'
"""
_KEYS = """
SELECT key.remote_id, key.value, key.rank, remote.customer_id
FROM customer_keys AS key JOIN remote_customers AS remote USING (connector, remote_id)
WHERE connector = ?1 AND {column} IN (SELECT value FROM json_each(?2))
    AND remote.state = 'active' AND remote.linkable AND remote.matched_by IS NOT 'apart'
"""
# Links that the record cannot hold any more, unless somebody wants it so.
_LOST = """
SELECT remote_id, customer_id FROM remote_customers
WHERE connector = ? AND customer_id IS NOT NULL AND matched_by <> 'hand' AND (state = 'gone' OR NOT linkable)
"""
_BY_HAND = """
SELECT remote_id, customer_id, state FROM remote_customers
WHERE connector = ? AND customer_id IS NOT NULL AND matched_by = 'hand' AND (state <> 'active' OR NOT linkable)
"""
_NEWS = """
SELECT 1 FROM remote_customers AS remote WHERE connector = ?1 AND remote_id IN (SELECT value FROM json_each(?2)) AND (
    EXISTS (SELECT 1 FROM calls WHERE calls.id = remote.first_call AND calls.at >= ?3)
    OR EXISTS (SELECT 1 FROM changes WHERE changes.connector = ?1 AND changes.remote_id = remote.remote_id
        AND changes.at >= ?3 AND field <> 'link')
) LIMIT 1
"""
_SAVE = """
UPDATE remote_customers SET customer_id = ?, matched_by = ?, matched_run = ? WHERE connector = ? AND remote_id = ?
"""


class Match(NamedTuple):
    """A customer of the shop and a record that fit each other; the lower the rank, the stronger."""

    customer: int
    remote_id: str
    rank: int

    @property
    def rule(self) -> str:
        """The word of `matched_by`."""
        return "email" if self.rank == EMAIL else "code"


class Verdict(NamedTuple):
    """Which customers are linked, and the matches of those for whom there are several candidates."""

    links: list[Match]
    ambiguous: dict[int, list[Match]]


class Linked(NamedTuple):
    """How many links were made, and what needs a person."""

    number: int
    problems: list[Problem]


def judge(wanted: Iterable[int], matches: Iterable[Match]) -> Verdict:
    """Decides for customers without a link; `matches` are all that they and their candidates have.

    Each side counts with its strongest rule only: a record that has somebody's account id is nobody else's by e-mail.
    """
    matches = set(matches)
    offers = _strongest(matches, lambda match: match.customer)
    claims = _strongest(matches, lambda match: match.remote_id)
    verdict = Verdict([], {})
    for customer in sorted(set(wanted)):
        mine = offers.get(customer, set())
        disputed = {claim for match in mine if match in claims[match.remote_id] for claim in claims[match.remote_id]}
        if len(mine) == len(disputed) == 1:
            verdict.links.extend(disputed)
        elif disputed:
            verdict.ambiguous[customer] = sorted(mine | disputed)
    return verdict


def _strongest(matches: Iterable[Match], side: Callable[[Match], object]) -> Mapping[object, set[Match]]:
    found: dict[object, set[Match]] = {}
    for match in sorted(matches, key=lambda each: each.rank):
        others = found.setdefault(side(match), {match})
        if next(iter(others)).rank == match.rank:
            others.add(match)
    return found


class CustomerLinker:
    """Links for one connector.

    A read must have come to its end before: a record on a later page may be a second candidate, or a better one.
    """

    def __init__(self, database: Database, connector: str) -> None:
        self.database = database
        self.connector = connector
        self.changelog = Changelog(database.connection, connector)

    def link(self, look: Look, since: int) -> Linked:
        """Links all customers of the shop that one record fits, in a transaction of its own.

        Gives what needs a person, where the customer or a record of the dispute is new or changed since then (in ms):
        the rest was told before.
        """
        with self.database.transaction():
            for row in self.database.rows(_LOST, self.connector):
                self._take(row, look, "lost")
            rows = self.database.rows(_WAITING, self.connector)
            verdict = self.decide([row["id"] for row in rows], look)
            new = {row["id"] for row in rows if row["created_at"] >= iso(from_ms(since))}
            disputes = {
                customer: matches
                for customer, matches in verdict.ambiguous.items()
                if customer in new or self._news({match.remote_id for match in matches}, since)
            }
            return Linked(len(verdict.links), self._lost_by_hand(since) + self._problems(disputes))

    def standing(self, number: int | None = None) -> dict[int, list[Match]]:
        """The customers (or the one of this number) for whom there are several candidates now, with all of these."""
        only = "" if number is None else f" AND customers.id = {int(number)}"
        waiting = [row["id"] for row in self.database.rows(_WAITING + only, self.connector)]
        return judge(waiting, self._matches(waiting)).ambiguous

    def decide(self, wanted: list[int], look: Look) -> Verdict:
        """Judges these customers, who have no link, and saves the links; inside a transaction of the caller."""
        verdict = judge(wanted, self._matches(wanted))
        for match in verdict.links:
            self._take_from_others(match.customer, look)
            self._save(match, look)
        return verdict

    def _matches(self, wanted: list[int]) -> list[Match]:
        """All matches of these customers, and of the records that fit them."""
        shoppers = {row["id"]: row for row in self._of_shop(_SHOPPERS, json.dumps(wanted))}
        values = {value for row in shoppers.values() for value, _ in _wanted_keys(row)}
        candidates = {row["remote_id"] for row in self._keys("value", json.dumps(sorted(values)))}
        keys = self._keys("remote_id", json.dumps(sorted(candidates)))
        shoppers |= self._shoppers_with({row["value"] for row in keys})
        linked = {Match(row["customer_id"], row["remote_id"], LINKED) for row in keys if row["customer_id"]}
        return [*linked, *_compared(shoppers.values(), keys)]

    def _keys(self, column: str, wanted: str) -> list[sqlite3.Row]:
        return self.database.rows(_KEYS.format(column=f"key.{column}"), self.connector, wanted)

    def _shoppers_with(self, values: Iterable[str]) -> dict[int, sqlite3.Row]:
        rows = self._of_shop(_SHOPPERS_WITH, json.dumps(sorted(values)))
        wanted = set(values)
        return {row["id"]: row for row in rows if wanted & {value for value, _ in _wanted_keys(row)}}

    def _of_shop(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Rows that other programs wrote."""
        with any_bytes(self.database.connection):
            return self.database.rows(sql, *values)

    def _take_from_others(self, customer: int, look: Look) -> None:
        """Another record was linked before, and is archived."""
        sql = "SELECT remote_id, customer_id FROM remote_customers WHERE connector = ? AND customer_id = ?"
        for row in self.database.rows(sql, self.connector, customer):
            self._take(row, look, "moved")

    def _save(self, match: Match, look: Look) -> None:
        self.database.connection.execute(_SAVE, (match.customer, match.rule, look.run, self.connector, match.remote_id))
        self._note(match.remote_id, (None, self._name(match.customer)), look, match.rule)

    def _take(self, row: sqlite3.Row, look: Look, rule: str) -> None:
        """Takes a link away."""
        self.database.connection.execute(_SAVE, (None, None, look.run, self.connector, row["remote_id"]))
        self._note(row["remote_id"], (self._name(row["customer_id"]), None), look, rule)

    def _note(self, remote_id: str, names: tuple[str | None, str | None], look: Look, rule: str) -> None:
        self.changelog.write(Kind.CUSTOMERS, remote_id, [("link", *names)], look, rule)

    def _name(self, customer: int) -> str:
        """What people call a customer of the shop."""
        rows = self._of_shop("SELECT coalesce(code, email) AS name FROM customers WHERE id = ?", customer)
        return text(rows[0]["name"]) if rows and rows[0]["name"] else f"number {customer}"

    def _problems(self, ambiguous: Mapping[int, list[Match]]) -> list[Problem]:
        return [self._problem(customer, matches) for customer, matches in ambiguous.items()]

    def _problem(self, customer: int, matches: list[Match]) -> Problem:
        name, what = self._name(customer), "account id" if matches[0].rule == "code" else "e-mail address"
        records = sorted({match.remote_id for match in matches if match.customer == customer})
        rivals = sorted({self._name(match.customer) for match in matches if match.customer != customer})
        if len(records) > 1:
            message = f"{len(records)} customers in {self.connector} have its {what}: {', '.join(records)}"
        else:
            message = f"{', '.join(rivals)} in the shop has the {what} of {records[0]} in {self.connector}, too"
        remedy = f"Choose with syncctl links add customer {name} REMOTE-ID --connector {self.connector}"
        return Problem(name, f"{message}; it was not linked", remedy)

    def _lost_by_hand(self, since: int) -> list[Problem]:
        rows = self.database.rows(_BY_HAND, self.connector)
        return [
            Problem(
                self._name(row["customer_id"]),
                f"is linked by hand to {row['remote_id']} in {self.connector}, which is {_WORDS[row['state']]} there",
                "Choose another with syncctl links add, or take the link away with syncctl links remove",
            )
            for row in rows
            if self._news({row["remote_id"]}, since)
        ]

    def _news(self, remote_ids: Iterable[str], since: int) -> bool:
        """Whether one of these records is new or changed."""
        return bool(self.database.rows(_NEWS, self.connector, json.dumps(list(remote_ids)), since))


_WORDS = {"active": "for nobody in particular", "inactive": "archived", "gone": "deleted"}


def _wanted_keys(shopper: sqlite3.Row) -> list[tuple[str, bool]]:
    """What a customer of the shop is sought by, and whether it is an e-mail address."""
    code, email = (shopper["code"] or "").strip(), folded(shopper["email"] or "")
    return [(value, is_email) for value, is_email in ((code, False), (email, True)) if value]


def _compared(shoppers: Iterable[sqlite3.Row], keys: Iterable[sqlite3.Row]) -> list[Match]:
    known = defaultdict(list)
    for shopper in shoppers:
        for key in _wanted_keys(shopper):
            known[key].append(shopper["id"])
    return [
        Match(customer, key["remote_id"], key["rank"])
        for key in keys
        for customer in known.get((key["value"], key["rank"] == EMAIL), ())
    ]
