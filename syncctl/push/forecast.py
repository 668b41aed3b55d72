"""What posting would cost in calls, from the state alone: exact where everything is linked, else an upper bound."""

from __future__ import annotations

from collections.abc import Sequence

from syncctl import costs
from syncctl.config import ConnectorConfig
from syncctl.forecast import Cost
from syncctl.models import Kind
from syncctl.posting_terms import PostingTerms, posting_since
from syncctl.push.customers import GUEST
from syncctl.shoporder import Line, LineKind
from syncctl.state.database import Database
from syncctl.state.outbox import Outbox
from syncctl.state.postable import Orders, Postable
from syncctl.state.remote_customers import folded
from syncctl.state.remote_links import Links
from syncctl.state.runs import Runs


def posting_forecast(config: ConnectorConfig, database: Database, terms: PostingTerms, now: int) -> Cost:
    """The calls of a posting run for one connector."""
    orders = _orders(config, database, terms, now)
    payments = sum(len(each.order.payments) for each in orders if each.order)
    cost = costs.posting(config, len(orders), payments, _unknown(config, database, orders))
    settled = len(Outbox(database, config.name).sending(now))
    words = (
        f"{cost.posts} for {len(orders)} orders, {cost.creates} for what may have to be created,"
        f" {cost.looks + settled} for looks"
    )
    return Cost(config.name, cost.posts + cost.following + settled, cost.most + settled, words)


def _orders(config: ConnectorConfig, database: Database, terms: PostingTerms, now: int) -> list[Postable]:
    """Those that are due or would be queued."""
    orders = Orders(database, config.name)
    stored = int(Runs(database).meta(f"invoices_since.{config.name}") or now)
    since = posting_since(config, terms, stored)
    numbers = [row.key for row in Outbox(database, config.name).ready(Kind.ORDERS, now)]
    numbers += [new.number for new in orders.new(terms.statuses) if new.placed_at >= since and not new.elsewhere]
    loaded = (orders.load(number) for number in numbers)
    return [each for each in loaded if each and each.order and each.status in terms.statuses]


def _unknown(config: ConnectorConfig, database: Database, orders: Sequence[Postable]) -> dict[Kind, int]:
    """How many customers and products of the orders are not linked yet."""
    links, outbox = Links(database, config.name), Outbox(database, config.name)
    skus = {line.sku or "" for each in orders for line in _lines(each) if line.kind is LineKind.PRODUCT}
    made = {key for key, row in outbox.by_keys(Kind.PRODUCTS, skus).items() if row.state == "done"}
    ids = {each.customer_id for each in orders if each.customer_id is not None}
    guests = set() if config.cls.anonymous else {_guest(each) for each in orders if each.customer_id is None}
    keys = {str(each) for each in ids - links.customers(ids).keys()} | guests
    known = {key for key, row in outbox.by_keys(Kind.CUSTOMERS, keys).items() if row.state == "done"}
    return {Kind.CUSTOMERS: len(keys - known), Kind.PRODUCTS: len(skus - links.products(skus).keys() - made)}


def _lines(postable: Postable) -> Sequence[Line]:
    return postable.order.lines if postable.order else ()


def _guest(postable: Postable) -> str:
    return GUEST + folded(postable.order.customer.email if postable.order else "")
