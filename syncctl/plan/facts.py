"""What a plan is made of, for one connector: sizes and rates as they are told, as the state has them, or assumed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from syncctl.connectors.declared import Limit
from syncctl.models import Kind, Struct
from syncctl.plan.given import Given
from syncctl.session import kinds_of, reads_customers
from syncctl.settings.connector import ConnectorConfig
from syncctl.state import windows
from syncctl.state.database import Database
from syncctl.state.ledger import Ledger
from syncctl.state.pace import Pace
from syncctl.state.rates import Rates
from syncctl.state.remote_customers import Customers
from syncctl.state.runs import Runs

CHANGED = 0.02  # of the products a day, where nobody knows
MONTH_DAYS = 31


class Facts(Struct):
    """One connector: what it has, and how much happens a day.

    `observed` are the calls of a run of a command lately, of `post-invoices` those of an order; `others` what other
    programs spend of each window, by its name; `daily` our calls of the last 24 hours. `assumed` names what is a guess.
    """

    config: ConnectorConfig
    known: Mapping[Kind, int]  # of what sync-recent reads
    customers: int | None  # None: it reads none
    changes: float
    orders: float | None  # None: nothing is posted to it
    observed: Mapping[str, float]
    others: Mapping[str, int]
    daily: int | None
    assumed: tuple[str, ...] = ()
    rereads: bool = False  # whether the stock of what is sold is read again

    @property
    def products(self) -> int:
        """How many products are read."""
        return self.known.get(Kind.PRODUCTS, 0)


def days_of(limit: Limit) -> float:
    """How many days a window has; a month as many as the longest."""
    if isinstance(limit.window, int):
        return limit.window / 86_400
    return 1 if limit.window == "day" else MONTH_DAYS


def facts(config: ConnectorConfig, database: Database | None, given: Given, now: int) -> Facts:
    """The facts of one connector; `database` is None where there is no state, and then nothing is observed."""
    rates = Rates(database, config.name, now) if database else None
    known = _known(config, given, rates)
    orders = given.orders if given.orders is not None else rates.orders() if rates else None
    changes = given.changes if given.changes is not None else rates.changes() if rates and not given.products else None
    guess = known.get(Kind.PRODUCTS, 0) * CHANGED + (orders or 0)
    reads, posts = reads_customers(config.cls, config.roles), "invoices" in config.roles
    guessed = [("changes", changes is None and bool(known)), ("orders", orders is None and posts)]
    return Facts(
        config=config,
        known=known,
        customers=(Customers(database, config.name).live() if database else 0) if reads else None,
        changes=guess if changes is None else changes,
        orders=(orders or 0) if posts else None,
        observed=_observed(config, database, given, rates),
        others=_others(config, database, now),
        daily=Pace(database, config.name, now).a_day() if database else None,
        assumed=tuple(name for name, is_guess in guessed if is_guess),
    )


def _known(config: ConnectorConfig, given: Given, rates: Rates | None) -> dict[Kind, int]:
    """The products, and the rows of stock: as many a product as there are now, or one."""
    live = rates.products() if rates else 0
    products = live if given.products is None else given.products
    counts = {Kind.PRODUCTS: products, Kind.STOCK: math.ceil(products * (rates.places() if rates else 1))}
    return {kind: counts[kind] for kind in kinds_of(config.cls, config.roles)}


def _observed(
    config: ConnectorConfig, database: Database | None, given: Given, rates: Rates | None
) -> dict[str, float]:
    """What runs cost lately, for a shop that goes on as it is."""
    if database is None or rates is None:
        return {}
    found = {"sync-customers": Runs(database).expected_calls(config.name, "sync-customers")}
    if given.products is None and given.changes is None:
        found["sync-recent"] = Runs(database).expected_calls(config.name, "sync-recent")
    found["post-invoices"] = rates.calls_an_order()
    return {command: calls for command, calls in found.items() if calls is not None}


def _others(config: ConnectorConfig, database: Database | None, now: int) -> dict[str, int]:
    """What others will have spent at the end of a window, if they go on as in this one."""
    if database is None:
        return {}
    from syncctl.clock import SystemClock

    found = {}
    for usage in Ledger(database, SystemClock()).usage(config.name, config.limits):
        limit, share = usage.limit, 1.0
        if not isinstance(limit.window, int):
            begin = windows.begin_of(limit.window, windows.slot_at(limit.window, now))
            share = max(1.0, days_of(limit) / max(1.0, (now - begin) / windows.DAY))
        found[limit.name] = math.ceil(usage.others * share)
    return found
