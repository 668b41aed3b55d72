"""Reads Xero's items: each is a product and, where it is tracked, stock (developer.xero.com, accounting/items)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from syncctl.connectors._fields import each, microsoft_date, text, usable_prices, usable_quantity
from syncctl.connectors._stamps import AHEAD_MS, SETTLED_MS
from syncctl.connectors.base import Answer
from syncctl.models import SUM, Problem, Product, Record, State, Stock, to_ms


def read_items(items: Iterable[Any], where: str) -> Iterator[Record | Problem]:
    """One after the other, as they are read: the list may be too long to be held."""
    for found in each(_item, items, "item", where, "Xero"):
        if isinstance(found, Problem):
            yield found
        else:
            yield from found


def _item(item: Mapping[str, Any], where: str) -> Iterator[Record | Problem]:
    remote_id = text(item.get("ItemID")).strip().lower()
    code = text(item.get("Code")).strip()
    if not remote_id:
        yield Problem(f"item {code or '?'} of {where}", "has no ItemID", "Report it to Xero")
        return
    yield _product(remote_id, code, item)
    if item.get("IsTrackedAsInventory") is True:
        yield _stock(remote_id, code, item)


def _product(remote_id: str, code: str, item: Mapping[str, Any]) -> Product:
    details = item.get("SalesDetails")
    offers = {"default": details.get("UnitPrice") if isinstance(details, dict) else details}
    remedy = "Correct it in Xero; the old price stays until then, if there is one"
    prices, problems = usable_prices(code or remote_id, offers, remedy)
    return Product(
        remote_id=remote_id,
        sku=code,
        name=text(item.get("Name")),
        state=State.INACTIVE if item.get("IsSold") is False else State.ACTIVE,
        prices=prices,
        version=microsoft_date(item.get("UpdatedDateUTC")),
        problems=problems,
    )


def _stock(remote_id: str, code: str, item: Mapping[str, Any]) -> Stock:
    remedy = "Look at the item in Xero; the old quantity stays until then, if there is one"
    available, problems = usable_quantity(code or remote_id, item.get("QuantityOnHand"), remedy)
    return Stock(remote_id, SUM, available, microsoft_date(item.get("UpdatedDateUTC")), problems)


def stamp(since: int | None, answer: Answer) -> int:
    """Up to when every change is stored: the newest one, but no later than the service's clock at the read.

    Looked for in a pass of its own, before the records are handed out: a list that breaks off stores nothing.
    """
    items = answer.elements("Items")
    newest = max((microsoft_date(item.get("UpdatedDateUTC")) for item in items if isinstance(item, dict)), default=0)
    date = answer.date()
    ceiling = to_ms(date) if date else newest
    return max(min(newest, ceiling), ceiling - SETTLED_MS, since or 0)


def set_back(since: int | None, answer: Answer) -> int | None:
    """Where to read from instead, where the stamp lies in the service's future: its clock was ahead and came back."""
    date = answer.date()
    if since is None or date is None or since <= to_ms(date) + AHEAD_MS:
        return None
    return to_ms(date) - SETTLED_MS
