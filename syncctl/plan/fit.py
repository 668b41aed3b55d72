"""What a schedule costs, whether the limits let it, and the best one that they let.

Each purpose may see its share of a window booked and still call (`state.windows.SHARES`); a plan keeps to these shares,
so that in a usual month nothing is ever deferred.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

from syncctl import costs
from syncctl.connectors.declared import Limit
from syncctl.models import Kind, Purpose, Struct
from syncctl.plan.facts import Facts, days_of
from syncctl.plan.jobs import (
    DAY,
    FULLS,
    INTERVALS,
    PEAK,
    POSTING,
    ROUNDS,
    Choice,
    Job,
    Wishes,
    jobs,
    peak,
    posting,
    promised,
)
from syncctl.push.orders import MOST_AT_ONCE
from syncctl.state.windows import SHARES, allowed


class Line(Struct):
    """A job and the calls of a usual run; `most` are those of a busy one, which takes so many `seconds`."""

    job: Job
    calls: float
    most: int
    seconds: float
    observed: bool

    def within(self, days: float) -> int:
        """The calls in a window of so many days, in which as many runs begin as can."""
        runs = math.ceil(days * DAY / self.job.every)
        busy = PEAK if self.job.purpose is Purpose.INVOICE and days < 1 else 1
        return math.ceil(self.calls * runs * busy)

    @property
    def daily(self) -> float:
        """The calls of an average day."""
        return self.calls * DAY / self.job.every


class Short(Struct):
    """A purpose that lacks calls: its share of a limit ends at `most`, and with what goes before it `wanted` are."""

    purpose: Purpose
    most: int
    wanted: int


class Use(Struct):
    """What is used of a limit in its fullest window; of one that is sat out by the longest run.

    `short` is the most important purpose whose share does not do.
    """

    limit: Limit
    calls: int
    others: int
    short: Short | None = None

    @property
    def fits(self) -> bool:
        """Whether the limit lets it."""
        return self.short is None

    @property
    def headroom(self) -> float:
        """What is left, in percent; below 0 where it does not do."""
        return round(100 * (1 - (self.calls + self.others) / self.limit.calls), 1)


class Fitted(Struct):
    """The schedule of one connector: what was chosen, what was wished for, and what comes of it."""

    facts: Facts
    wish: Choice
    choice: Choice
    lines: Sequence[Line]
    uses: Sequence[Use]
    needs: Sequence[Limit]  # the limits that the wish would need

    @property
    def fits(self) -> bool:
        """Whether all limits let it."""
        return all(use.fits for use in self.uses)

    def line(self, key: str) -> Line | None:
        """The line of a command, see `Job.key`."""
        return next((each for each in self.lines if each.job.key == key), None)


def fitted(facts: Facts, wishes: Wishes) -> Fitted:
    """The first choice that the limits let, else the least of all."""
    wish, *_ = choices(facts, wishes)
    chosen = wish
    for chosen in choices(facts, wishes):
        lines = priced(facts, chosen, wishes)
        if all(use.fits for use in _uses(facts, lines)):
            break
    lines = priced(facts, chosen, wishes)
    return Fitted(facts, wish, chosen, lines, _uses(facts, lines), _needs(facts, priced(facts, wish, wishes)))


def choices(facts: Facts, wishes: Wishes) -> Iterator[Choice]:
    """The best one first; what gives way is a round of sync-oldest, then --full, then posting, then the promise."""
    recent, posts = promised(wishes.freshness), posting(wishes.orders)
    seldom = [every for every in INTERVALS if every >= recent] if facts.known else [recent]
    later = [every for every in POSTING if every > posts and peak(wishes.orders, every) <= PEAK * MOST_AT_ONCE]
    posted = [posts, *(later if facts.orders else [])]
    fulls, rounds = (FULLS, ROUNDS) if facts.known else (FULLS[:1], ROUNDS[:1])
    for each in product(seldom, posted, fulls, rounds):
        yield Choice(*each)


def priced(facts: Facts, choice: Choice, wishes: Wishes) -> list[Line]:
    """What each job of a choice costs."""
    return [_line(facts, job) for job in jobs(facts, choice, wishes)]


def _line(facts: Facts, job: Job) -> Line:
    seen = None if "--full" in job.options else facts.observed.get(job.command)
    calls = _calls(facts, job, seen)
    most = math.ceil(calls)
    if job.command == "post-invoices":
        most = max(most, _post(facts, min(MOST_AT_ONCE, math.ceil(peak(facts.orders or 0, job.every)))))
    return Line(job, calls, most, costs.seconds(facts.config, most), observed=seen is not None)


def _calls(facts: Facts, job: Job, seen: float | None) -> float:
    if job.command == "retry-queue":
        return 0  # while nothing waits
    if job.command == "post-invoices":
        return _posting(facts, job.every, seen)
    return _reading(facts, job) if seen is None else seen


def _reading(facts: Facts, job: Job) -> int:
    config, share = facts.config, job.every / DAY
    if "--full" in job.options:
        return costs.whole(config, facts.known)
    if job.command == "sync-oldest":
        return costs.oldest(config, facts.known, int(job.options[1]))
    if job.command == "sync-customers":
        return costs.news(config, [Kind.CUSTOMERS], (facts.orders or 0) * share)
    return costs.news(config, facts.known, facts.changes * share)


def _posting(facts: Facts, every: int, an_order: float | None) -> float:
    """The calls of an average run, in most of which there are few orders or none."""
    orders, runs = facts.orders or 0, DAY / every
    if an_order is not None:
        return orders * an_order / runs
    busy = min(runs, math.ceil(orders))
    return _post(facts, math.ceil(orders / busy)) * busy / runs if busy else 0


def _post(facts: Facts, orders: int) -> int:
    """The calls for so many orders, as if each had one product, one payment and a customer of its own."""
    again = costs.sold(facts.config.cls, orders) if facts.rereads else 0
    return costs.posting(facts.config, orders, orders, {Kind.CUSTOMERS: orders}).most + again


def _uses(facts: Facts, lines: Sequence[Line]) -> list[Use]:
    return [_use(facts, lines, limit) for limit in facts.config.limits]


def _use(facts: Facts, lines: Sequence[Line], limit: Limit) -> Use:
    """Of a window that is sat out the longest run is told, and it always fits: it takes longer."""
    if limit.waitable:
        return Use(limit, max((line.most for line in lines), default=0), 0)
    others = facts.others.get(limit.name, 0)
    shares = (Short(purpose, allowed(limit, purpose), others + calls) for purpose, calls in _piled(lines, limit))
    short = next((share for share in shares if share.wanted > share.most), None)
    return Use(limit, sum(line.within(days_of(limit)) for line in lines), others, short)


def _piled(lines: Sequence[Line], limit: Limit) -> list[tuple[Purpose, int]]:
    """For each purpose that has calls, what it and those before it make in a window."""
    found, sum_so_far = [], 0
    for purpose in SHARES:
        own = sum(line.within(days_of(limit)) for line in lines if line.job.purpose is purpose)
        sum_so_far += own
        found += [(purpose, sum_so_far)] if own else []
    return found


def _needs(facts: Facts, lines: Sequence[Line]) -> list[Limit]:
    """How large each limit that ends the work has to be for all of it."""
    found = []
    for limit in facts.config.limits:
        if not limit.waitable:
            others = facts.others.get(limit.name, 0)
            need = [100 * (others + calls) / SHARES[purpose] for purpose, calls in _piled(lines, limit)]
            found.append(limit.changed(calls=math.ceil(max(need, default=0))))
    return found
