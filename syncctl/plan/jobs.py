"""What is to run, and how often: the commands of a connector for one choice of intervals."""

from __future__ import annotations

import math

from syncctl.models import Kind, Purpose, Struct
from syncctl.plan.facts import Facts
from syncctl.push.orders import MOST_AT_ONCE

HOUR, DAY, WEEK, MONTH = 60, 1440, 10_080, 44_640  # minutes
INTERVALS = (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)  # that a crontab can say in one line
POSTING = tuple(every for every in INTERVALS if every <= HOUR)
FULLS = (WEEK, MONTH, None)
ROUNDS = (7, 14, 28, 56, 91, 182, 364, None)  # days in which sync-oldest comes round
RUNS_A_DAY = (1, 2, 3, 4, 6)  # of sync-oldest
FEW = 50  # products a run, before there are more runs: a list of ids
PEAK = 3  # a busy hour has so many times the orders of a usual one
BUSY_SHOP = 24  # orders a day, from which on they are posted more often than hourly
EARLIEST = 0.75  # of the promise: then status --check begins to warn


class Wishes(Struct):
    """What a schedule is for: the promise in seconds, and the products and orders a day of the shop as a whole."""

    freshness: int
    products: int
    orders: float


class Choice(Struct):
    """Intervals in minutes, and the days of a round of sync-oldest; None: not at all."""

    recent: int
    posts: int
    full: int | None
    round: int | None


class Job(Struct):
    """A command that is to run every so many minutes."""

    command: str
    every: int
    purpose: Purpose
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As it is typed."""
        return " ".join((self.command, *self.options))

    @property
    def key(self) -> str:
        """The command without numbers, as `sync-recent --full`."""
        return f"{self.command} --full" if "--full" in self.options else self.command


def jitter(every: int) -> int:
    """For how many seconds a run of this interval may wait at random."""
    return min(240, every * 4)


def promised(freshness: int) -> int:
    """The longest interval of sync-recent that keeps the promise, with room for jitter and its own time.

    No usual day comes near the promise: `status --check` warns at three quarters of it.
    """
    room = [every for every in INTERVALS if every * 60 + jitter(every) + 60 <= freshness * EARLIEST]
    return max(room, default=INTERVALS[0])


def posting(orders: float) -> int:
    """How often so many orders a day are posted: never so seldom that a busy hour looks like a history."""
    most = HOUR if orders < BUSY_SHOP else 20
    room = [every for every in POSTING if every <= most and peak(orders, every) <= MOST_AT_ONCE]
    return max(room, default=POSTING[0])


def peak(orders: float, every: int) -> float:
    """The orders of a run in a busy hour."""
    return PEAK * orders * every / DAY


def jobs(facts: Facts, choice: Choice, wishes: Wishes) -> list[Job]:
    """What runs for one connector."""
    found: list[Job] = []
    if facts.known:
        found.append(Job("sync-recent", choice.recent, Purpose.RECENT))
    if Kind.PRODUCTS in facts.known and choice.round:
        found.append(_oldest(wishes.products, choice.round))
    if facts.customers is not None:
        found.append(Job("sync-customers", DAY, Purpose.CUSTOMER))
    if facts.known and choice.full:
        found.append(Job("sync-recent", choice.full, Purpose.RECENT, ("--full",)))
    if facts.orders is not None:
        many = peak(wishes.orders, choice.posts) > MOST_AT_ONCE
        found.append(
            Job("post-invoices", choice.posts, Purpose.INVOICE, ("--limit", str(MOST_AT_ONCE)) if many else ())
        )
        found.append(Job("retry-queue", 3 * HOUR, Purpose.INVOICE))
    return found


def _oldest(products: int, days: int) -> Job:
    """Few products a run, several times a day, so that all are looked at in so many days."""
    a_day = products / days
    runs = next((runs for runs in RUNS_A_DAY if runs * FEW >= a_day), RUNS_A_DAY[-1])
    limit = max(10, math.ceil(a_day / runs / 10) * 10)
    return Job("sync-oldest", DAY // runs, Purpose.OLDEST, ("--limit", str(limit)))
