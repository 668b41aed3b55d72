"""How `syncctl plan` tells what it found: as a table of 80 columns, and as the object of --json."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from syncctl.commands.layout import plural
from syncctl.models import Kind
from syncctl.plan.facts import MONTH_DAYS
from syncctl.plan.outlook import spoken

if TYPE_CHECKING:
    from syncctl.plan.facts import Facts
    from syncctl.plan.fit import Fitted, Line, Use
    from syncctl.plan.outlook import Outlook
    from syncctl.plan.planning import Plan
    from syncctl.plan.schedule import Entry
    from syncctl.settings.config import Config

_ROW = "  {:<30}{:>8}{:>12}{:>12}{:>13}"


def told(config: Config, plan: Plan) -> Iterator[str]:
    """The lines for people."""
    wish = plan.wishes.freshness
    other = f"; SYNCCTL_FRESHNESS says {spoken(config.freshness)}: set it, too" if wish != config.freshness else ""
    yield from textwrap.wrap(f"{config.shop}: a change has to show within {spoken(wish)}{other}", 79)
    observed = any(line.observed for fitted, _ in plan.services for line in fitted.lines)
    for fitted, outlook in plan.services:
        yield ""
        yield from textwrap.wrap(_sizes(fitted.facts), 79)
        yield _ROW.format("", "every", "calls/run", "calls/day", "calls/month")
        for line in fitted.lines:
            yield _row(line)
        daily, monthly = sum(line.daily for line in fitted.lines), sum(line.within(MONTH_DAYS) for line in fitted.lines)
        yield _ROW.format("in all", "", "", f"{daily:,.0f}", f"{monthly:,}")
        yield from _outlook(fitted, outlook)
    yield ""
    yield from ["* as in the last runs"] if observed else []
    yield "The schedule: syncctl plan --crontab, or --systemd DIR"


def _sizes(facts: Facts) -> str:
    sizes = []
    if facts.known:
        guess = " (a guess)" if "changes" in facts.assumed else ""
        sizes += [plural(facts.products, "product"), f"{plural(round(facts.changes), 'change')} a day{guess}"]
    if facts.orders is not None:
        new = "" if "post-invoices" in facts.observed else ", each of a new customer at worst"
        new = " (a guess: tell --orders-per-day)" if "orders" in facts.assumed else new
        sizes.append(f"{plural(round(facts.orders), 'order')} a day{new}")
    return f"{facts.config.name}: {', '.join(sizes) or 'customers alone'}"


def _row(line: Line) -> str:
    calls = f"{line.calls:,.0f}" if line.calls == int(line.calls) else f"{line.calls:,.1f}"
    calls += "*" if line.observed else ""
    told = f"{line.daily:,.0f}" if line.daily >= 1 or not line.daily else "<1"
    return _ROW.format(line.job.name, spoken(line.job.every * 60), calls, told, f"{line.within(MONTH_DAYS):,}")


def _outlook(fitted: Fitted, outlook: Outlook) -> Iterator[str]:
    for use in fitted.uses:
        yield from _labelled(_limited(use), _used(use))
    if outlook.fresh and outlook.missed:
        fresh = f"within {spoken(outlook.fresh)}, or {spoken(outlook.missed)} where a run is missed"
        yield from _labelled("a change shows", fresh)
    if post := fitted.line("post-invoices"):
        yield from _labelled("orders arrive", f"within {spoken(post.job.every * 60 + post.seconds)}")
    if outlook.verified is not None:
        yield from _labelled("verified", _verified(outlook))
    if outlook.first_calls:
        calls, lasts = plural(outlook.first_calls, "call"), spoken(outlook.first_seconds)
        yield from _labelled("first read", f"{calls}, about {lasts}{_besides(fitted.facts)}")
    if fitted.facts.daily is not None:
        yield from _labelled("now", f"{plural(fitted.facts.daily, 'call')} in the last 24 hours")
    for number, sentence in enumerate(outlook.advice):
        yield from _labelled("" if number else "to change", f"{sentence}.")


def _besides(facts: Facts) -> str:
    """What is not in the cost of a first read as long as nobody has counted the customers."""
    if facts.customers != 0:
        return ""
    return f", and 1 for each {facts.config.cls.page_size(facts.config.values, Kind.CUSTOMERS):,} customers"


def _labelled(label: str, words: str) -> Iterator[str]:
    yield from textwrap.wrap(
        words, 79, initial_indent=f"  {label:<18}", subsequent_indent=" " * 20, break_on_hyphens=False
    )


def _limited(use: Use) -> str:
    window = use.limit.window
    return f"{use.limit.calls:,} {f'in {spoken(window)}' if isinstance(window, int) else f'a {window}'}"


def _used(use: Use) -> str:
    left = f"{use.headroom:g} % left" if use.headroom >= 0 else f"{-use.headroom:g} % too many"
    left += f", but not for {use.short.purpose} calls" if use.short and use.headroom >= 0 else ""
    if use.limit.waitable:
        told = "it waits in between" if use.calls > use.limit.calls else left
        return f"{use.calls:,} in the longest run: {told}"
    others = f", and others {use.others:,}" if use.others else ""
    return f"{use.calls:,} at most{others}: {left}"


def _verified(outlook: Outlook) -> str:
    alone = outlook.reread is not None and outlook.reread != outlook.verified
    by = f"; sync-oldest alone takes {_days(outlook.reread or 0)}" if alone else ""
    return f"each product within {_days(outlook.verified or 0)}{by}"


def _days(days: float) -> str:
    return spoken(days * 86_400) if days < 2 else f"{math.ceil(days)} days"


def as_json(plan: Plan) -> dict[str, Any]:
    """The parts of the object; README, "How many calls it takes", tells what they mean."""
    return {
        "freshness_seconds": plan.wishes.freshness,
        "fits": plan.fits,
        "connectors": [_connector(fitted, outlook) for fitted, outlook in plan.services],
        "schedule": [_entry(entry) for entry in plan.entries],
    }


def _connector(fitted: Fitted, outlook: Outlook) -> dict[str, Any]:
    facts = fitted.facts
    return {
        "name": facts.config.name,
        "kind": facts.config.kind,
        "products": facts.products,
        "changes_per_day": round(facts.changes, 1),
        "orders_per_day": None if facts.orders is None else round(facts.orders, 1),
        "assumed": list(facts.assumed),
        "jobs": [_job(line) for line in fitted.lines],
        "limits": [_limit(use) for use in fitted.uses],
        "fits": fitted.fits,
        "fresh_seconds": outlook.fresh,
        "fresh_missed_seconds": outlook.missed,
        "verified_days": outlook.verified,
        "oldest_round_days": outlook.reread,
        "first_read": {"calls": outlook.first_calls, "seconds": round(outlook.first_seconds)},
        "last_24_hours": facts.daily,
        "advice": list(outlook.advice),
    }


def _job(line: Line) -> dict[str, Any]:
    return {
        "command": line.job.name,
        "purpose": str(line.job.purpose),
        "every_minutes": line.job.every,
        "calls_per_run": round(line.calls, 2),
        "calls_per_day": round(line.daily, 1),
        "calls_per_month": line.within(MONTH_DAYS),
        "observed": line.observed,
    }


def _limit(use: Use) -> dict[str, Any]:
    return {
        "window": use.limit.name,
        "limit": use.limit.calls,
        "calls": use.calls,
        "others": use.others,
        "headroom_percent": use.headroom,
        "fits": use.fits,
        "short_for": use.short and str(use.short.purpose),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "arguments": list(entry.arguments),
        "connector": entry.connector,
        "cron": entry.when.cron(),
        "calendar": entry.when.calendar(),
        "jitter_seconds": entry.jitter,
    }
