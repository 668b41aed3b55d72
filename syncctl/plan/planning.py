"""The whole plan: every connector's schedule, what comes of it, and the lines that they share."""

from __future__ import annotations

from collections.abc import Sequence

from syncctl.models import Struct
from syncctl.plan.facts import facts
from syncctl.plan.fit import Fitted, fitted
from syncctl.plan.given import Given
from syncctl.plan.jobs import Wishes
from syncctl.plan.outlook import Outlook, outlook
from syncctl.plan.schedule import Entry, schedule
from syncctl.settings.config import Config
from syncctl.state.database import Database


class Plan(Struct):
    """What is wished for, each connector with what comes of it, and the lines of the schedule."""

    wishes: Wishes
    services: Sequence[tuple[Fitted, Outlook]]
    entries: Sequence[Entry]

    @property
    def fits(self) -> bool:
        """Whether all that is wished for fits into all limits, and the promise is kept."""
        kept = all((outlook.fresh or 0) <= self.wishes.freshness for _, outlook in self.services)
        return kept and all(fitted.fits and fitted.choice == fitted.wish for fitted, _ in self.services)

    @property
    def unread(self) -> list[str]:
        """The connectors whose products nobody has counted yet."""
        return [each.facts.config.name for each, _ in self.services if each.facts.known and not each.facts.products]


def planned(config: Config, database: Database | None, given: Given, now: int) -> Plan:
    """The plan at a moment (ms), without connectors that have problems; `database` is None without a state."""
    rereads = config.stock_from if config.posting["READ_SOLD"] == "yes" else None
    found = [
        facts(each, database, given, now).changed(rereads=each.name == rereads)
        for each in config.connectors
        if not each.problems
    ]
    products = max((each.products for each in found), default=0)
    orders = max((each.orders or 0 for each in found), default=0)
    wishes = Wishes(given.freshness or config.freshness, products, orders)
    plans = [fitted(each, wishes) for each in found]
    return Plan(wishes, [(each, outlook(each, wishes)) for each in plans], schedule(config.shop, plans))
