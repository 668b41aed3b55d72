"""Stops a read before it stores what is more likely a mistake than the truth; `--accept-loss` lets it pass."""

from __future__ import annotations

from syncctl.connectors.base import Page
from syncctl.errors import AccountError, LossError
from syncctl.models import Problem, Record, Stock
from syncctl.session import Session

MOST_LOSS = 0.2  # of the products at once
SUSPICIOUS_ROWS = 50


def refuse_loss(session: Session, lost: int, verb: str, *, calls: int = 0) -> None:
    """Stops before too much is marked gone at once; `calls` is what it would cost to make sure. Raises `LossError`."""
    known = session.gaps.live() if lost else 0
    if lost > MOST_LOSS * known and not session.accept_loss:
        price = f", which asks for each alone: {calls:,} calls more, {session.lasting(calls)}" if calls else ""
        raise LossError(
            f"The service {verb} {lost} of {known} products, so nothing was marked",
            f"Look at the products there; if it is right, run the command again with --accept-loss{price}",
        )


def guard_stock(session: Session, page: Page, chunk: list[Record | Problem]) -> None:
    """Stops before all stock becomes zero: a page of nothing but zeros for what had stock is no sale."""
    stock = [record for record in chunk if isinstance(record, Stock)]
    if session.accept_loss or not stock or any(s.available is not None and s.available > 0 for s in stock):
        return
    emptied, stocked = session.gaps.emptied(stock), session.gaps.stocked()
    whole = page.total is None or page.total >= stocked  # the read may empty everything
    if emptied >= stocked > 0 or (whole and len(stock) >= SUSPICIOUS_ROWS and emptied * 2 > len(stock)):
        refuse_emptiness(session)


def refuse_emptiness(session: Session) -> None:
    """Raises `LossError` for a read that would leave no stock at all."""
    setting, place = _location(session)
    also = f", and whether {setting}={place!r} is right" if place else ""
    if not session.accept_loss:
        raise LossError(
            "This read would set all stock to zero, so it was stopped",
            f"Look at the stock in the service{also}; if it is meant, run the command again with --accept-loss",
        )


def refuse_unknown_location(session: Session, seen: int) -> None:
    """A service asked for the stock of a place that it does not have answers with an empty list.

    Where the place was sold from before, this is a loss like any other, see `_sweep`.
    """
    setting, place = _location(session)
    nothing = place and not seen and session.gaps.live() and not session.gaps.stocked()
    if nothing and not session.accept_loss:
        raise AccountError(
            f"There is no stock at {session.connector.location_setting} {place!r}",
            f"Check {setting} with syncctl doctor; if it is right, run the command again with --accept-loss",
        )


def refuse_empty_place(session: Session) -> None:
    """Where a read brings the stock of all places, one that has none of it is mistyped, most likely."""
    setting, place = _location(session)
    if place and session.gaps.misplaced() and not session.accept_loss:
        raise AccountError(
            f"There is stock, but none at {session.connector.location_setting} {place!r}; the shop shows what it did",
            f"Check {setting} with syncctl doctor",
        )


def tell_idle_places(session: Session) -> None:
    """Of several places one without any stock may be mistyped, and what the shop offers is too little then."""
    setting, _ = _location(session)
    name, remedy = session.connector.location_setting, f"Check {setting} with syncctl doctor"
    message = f"{session.connector.title} has no record of stock there, so that none of it counts"
    idle = session.gaps.idle_places() if setting else []
    session.tally.report([Problem(f"{name} {place}", message, remedy) for place in idle])


def _location(session: Session) -> tuple[str, str]:
    """The variable that names where stock is sold from, and its value; both "" where none is set."""
    connector = session.connector
    place = connector.setting(connector.location_setting)
    return (f"SYNCCTL_{session.name.upper()}_{connector.location_setting}", place) if place else ("", "")
