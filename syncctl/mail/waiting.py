"""What a mail tells of orders that wait: for a connector that fails, or for a customer or product that is refused."""

from __future__ import annotations

from collections.abc import Sequence

from syncctl.errors import ConfigError
from syncctl.mail.event import RECORD, Event
from syncctl.models import from_ms, iso
from syncctl.settings.config import Config
from syncctl.settings.posting import ROLE, posting_since, posting_terms
from syncctl.state.database import Database
from syncctl.state.postable import Orders
from syncctl.state.runs import Runs
from syncctl.state.unqueued_schema import POSTER
from syncctl.state.waiting import Waiting, needing, unsent

_MOST_NAMED = 10
_HOLDS_ALL = {"", "post-invoices", "retry-queue"}  # the record of what keeps every order of a connector from it


def with_waiting(events: Sequence[Event], config: Config, database: Database) -> list[Event]:
    """The same events, each with the orders that wait for its end, and customers with the names in their orders."""
    records: dict[str, set[str]] = {}  # by connector
    for event in filter(_goes_on, events):
        records.setdefault(event.connector, set()).add(event.record)
    waiting = {name: _waiting(config, database, name, of_it) for name, of_it in records.items()}
    return [_told(event, waiting[event.connector].get(event.record)) if _goes_on(event) else event for event in events]


def _goes_on(event: Event) -> bool:
    """Whether it is about something that orders may wait for."""
    return event.what != "recovered" and event.cause != RECORD


def _waiting(config: Config, database: Database, name: str, records: set[str]) -> dict[str, Sequence[Waiting]]:
    """The orders that wait for those of a connector's records that may keep any from being posted."""
    unposted = _unposted(config, database, name) if records & _HOLDS_ALL else None
    held = {} if unposted is None else dict.fromkeys(_HOLDS_ALL, unposted)
    return {**needing(database, name, records), **held}


def _told(event: Event, orders: Sequence[Waiting] | None) -> Event:
    if orders is None:
        return event
    customer = orders[0].customer if orders and event.record.startswith("customer ") else None
    named = f"{event.record} ({customer})" if customer and customer not in event.record else event.record
    return event.changed(record=named, waits=_words(orders))


def _unposted(config: Config, database: Database, name: str) -> Sequence[Waiting] | None:
    """The orders that the connector keeps from being posted, the oldest first; None where none are posted to it."""
    poster = next((each for each in config.connectors if each.name == name and ROLE in each.roles), None)
    if poster is None:
        return None
    try:
        terms = posting_terms(config)
        since = posting_since(poster, terms, int(Runs(database).meta(POSTER + name) or 0))
    except ConfigError:  # that keeps them from it already
        return None
    new = [each for each in Orders(database, name).new(terms.statuses) if each.placed_at >= since]
    unqueued = [Waiting(each.number, iso(from_ms(each.placed_at)), None) for each in new if not each.elsewhere]
    return sorted(unsent(database, name) + unqueued, key=lambda order: order.placed_at)


def _words(orders: Sequence[Waiting]) -> str:
    """`2 orders (1001, 1002), the oldest since 2026-11-23T05:17:04Z`."""
    if not orders:
        return "no order so far"
    numbers = ", ".join(order.number for order in orders[:_MOST_NAMED])
    more = ", …" if len(orders) > _MOST_NAMED else ""
    many = "1 order" if len(orders) == 1 else f"{len(orders):,} orders"
    return f"{many} ({numbers}{more}), {'the oldest ' if len(orders) > 1 else ''}since {orders[0].placed_at}"
