"""What comes of a schedule for one connector: how fresh, how soon verified, the first read, and what to change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, count

from syncctl import costs
from syncctl.clock import span
from syncctl.connectors.declared import Limit
from syncctl.models import Kind, Purpose, Struct
from syncctl.plan.facts import days_of
from syncctl.plan.fit import Fitted, Short
from syncctl.plan.jobs import DAY, HOUR, MONTH, PEAK, Wishes, jitter, peak, promised
from syncctl.push.orders import MOST_AT_ONCE
from syncctl.session import has_delta
from syncctl.state.windows import SHARES


class Outlook(Struct):
    """Times in seconds and days; None where the connector does not read such things.

    `fresh` is how old a change can be when it shows, `missed` the same where one run fails or is deferred. `verified`
    is by when each product has been looked at again whatever happened to it, `reread` by sync-oldest alone. `advice`
    are sentences: what the limits do not let, and what to change.
    """

    fresh: int | None
    missed: int | None
    reread: float | None
    verified: float | None
    first_calls: int
    first_seconds: float
    advice: tuple[str, ...] = ()


def outlook(fitted: Fitted, wishes: Wishes) -> Outlook:
    """What comes of it."""
    facts = fitted.facts
    fresh, missed = _fresh(fitted)
    reread = _reread(fitted)
    calls = costs.whole(facts.config, {**facts.known, **_customers(fitted)})
    seconds = _seconds(fitted, calls)
    return Outlook(
        fresh=fresh,
        missed=missed,
        reread=reread,
        verified=min([*_whole(fitted), *([] if reread is None else [reread])], default=None),
        first_calls=calls,
        first_seconds=seconds,
        advice=tuple(_advice(fitted, wishes, fresh, seconds)),
    )


def _fresh(fitted: Fitted) -> tuple[int | None, int | None]:
    line = fitted.line("sync-recent")
    if line is None:
        return None, None
    every = line.job.every * 60
    own = math.ceil(jitter(line.job.every) + line.seconds)
    return every + own, 2 * every + own


def _whole(fitted: Fitted) -> Iterator[float]:
    """The days from one read of everything to the next."""
    config = fitted.facts.config
    if full := fitted.line("sync-recent --full"):
        yield full.job.every / DAY
    if (recent := fitted.line("sync-recent")) and not has_delta(config.cls, config.roles, Kind.PRODUCTS):
        yield recent.job.every / DAY


def _reread(fitted: Fitted) -> float | None:
    line, facts = fitted.line("sync-oldest"), fitted.facts
    if line is None or not facts.products:
        return None
    a_run = costs.reread(facts.config, facts.known, int(line.job.options[1]))
    return math.ceil(facts.products / a_run) * line.job.every / DAY


def _customers(fitted: Fitted) -> dict[Kind, int]:
    return {} if fitted.facts.customers is None else {Kind.CUSTOMERS: fitted.facts.customers}


def _seconds(fitted: Fitted, calls: int) -> float:
    """How long so many calls take; a day or month that is used up is waited for."""
    ends = [limit for limit in fitted.facts.config.limits if not limit.waitable]
    windows = max((math.ceil(calls / (0.9 * limit.calls)) - 1) * days_of(limit) for limit in ends) if ends else 0
    return max(costs.seconds(fitted.facts.config, calls), windows * 86_400)


def _advice(fitted: Fitted, wishes: Wishes, fresh: int | None, first: float) -> Iterator[str]:
    if fitted.choice != fitted.wish:
        yield _given_up(fitted)
    if not fitted.fits:
        yield _too_much(fitted)
    if fresh and fresh > wishes.freshness:
        kept = f"SYNCCTL_FRESHNESS={kept_promise(fitted.choice.recent)} would be kept"
        yield f"A change shows within {spoken(fresh)}, and not within {spoken(wishes.freshness)}; {kept}"
    if fitted.choice != fitted.wish or not fitted.fits:
        yield _remedy(fitted)
    yield from _nightly(fitted, wishes)
    yield from _flood(fitted, wishes)
    if first > 86_400:
        yield f"The first read takes {span(first)}: begin it at the start of a month or day, or ask for a larger limit"


def kept_promise(every: int) -> str:
    """The shortest promise that is kept with this interval of sync-recent, in round numbers."""
    lengths = chain(range(10, 2 * HOUR, 10), count(2 * HOUR, HOUR))
    minutes = next(minutes for minutes in lengths if promised(minutes * 60) >= every)
    return f"{minutes}m" if minutes % HOUR else f"{minutes // HOUR}h"


def _given_up(fitted: Fitted) -> str:
    """What the limits did not let."""
    wish, choice = fitted.wish, fitted.choice
    parts = []
    if choice.recent != wish.recent:
        parts.append(f"sync-recent runs every {spoken(choice.recent * 60)} instead of {spoken(wish.recent * 60)}")
    if choice.posts != wish.posts:
        parts.append(f"post-invoices runs every {choice.posts} min instead of {wish.posts}")
    if choice.full != wish.full:
        parts.append("--full runs once a month" if choice.full == MONTH else "--full is left out")
    if choice.round != wish.round:
        took = f"takes {choice.round} days for a round instead of {wish.round}" if choice.round else "is left out"
        parts.append(f"sync-oldest {took}")
    return "To fit, " + ", ".join(parts)


def _too_much(fitted: Fitted) -> str:
    """What is too much even with the least of everything."""
    use = next(use for use in fitted.uses if not use.fits)
    days = days_of(use.limit)
    orders = sum(line.within(days) for line in fitted.lines if line.job.purpose is Purpose.INVOICE)
    alone = f", {orders:,} of them for orders" if orders else ""
    share = f"; {_share(use.short)}" if use.short and use.headroom >= 0 else ""
    return f"Even so it does not fit: {use.calls + use.others:,} calls {_window(use.limit)}{alone}{share}"


def _share(short: Short) -> str:
    """Why a limit that is large enough does not do: the last of it is kept for more important calls."""
    share = f"{short.purpose} calls end at {SHARES[short.purpose]} % of the limit, which is {short.most:,}"
    return f"{share}, so that orders can always be posted, and {short.wanted:,} are wanted by then"


def _remedy(fitted: Fitted) -> str:
    """The limits that would do."""
    limits = {limit.name: limit.calls for limit in fitted.facts.config.limits}
    lacking = [need for need in fitted.needs if need.calls > limits[need.name]]
    told = " and ".join(f"{rounded(need.calls):,} calls {_window(need)}" for need in lacking)
    variable = fitted.facts.config.values.variable("LIMITS")
    return f"All that was wished for takes a plan of at least {told}; {variable} says what yours has"


def _window(limit: Limit) -> str:
    return f"in {spoken(limit.window)}" if isinstance(limit.window, int) else f"a {limit.window}"


def _nightly(fitted: Fitted, wishes: Wishes) -> Iterator[str]:
    line = fitted.line("sync-recent --full")
    if line and line.seconds > wishes.freshness / 2:
        yield f"While --full runs, for {spoken(line.seconds)}, no change shows: it stands in the night"


def _flood(fitted: Fitted, wishes: Wishes) -> Iterator[str]:
    if fitted.facts.orders and peak(wishes.orders, fitted.choice.posts) / PEAK > MOST_AT_ONCE:
        yield f"A run posts {MOST_AT_ONCE} orders at most, and there are more: let --limit go, and say --yes-all"


def rounded(number: int) -> int:
    """Up to two digits that matter."""
    step = int(10 ** max(0, len(str(number)) - 2))
    return math.ceil(number / step) * step


def spoken(seconds: float) -> str:
    """A length of time, rounded up to minutes: `1 h 5 min`, `40 min`, `24 h`, `7 d`."""
    minutes = math.ceil(seconds / 60)
    days = minutes // DAY if minutes >= 2 * DAY else 0
    parts = [(days, "d"), ((minutes - days * DAY) // 60, "h"), (minutes % 60, "min")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
