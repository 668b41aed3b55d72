"""Orders that the shop has changed, cancelled or deleted since they were posted: what it was, and what a person may do.

Nothing of that is carried to the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncctl.state.outbox import Row
    from syncctl.state.queue import Altered


_CANCELLED = frozenset({"cancelled", "canceled", "deleted", "failed", "refunded", "returned", "void", "voided"})


def told(altered: Altered, statuses: Sequence[str]) -> Row:
    """The row, with what happened as its cause and message; orders in these `statuses` are posted."""
    row = altered.row
    cause = _cause(altered, statuses)
    by_hand = f"correct {row.remote_id}" if cause == "changed" else f"cancel or credit {row.remote_id}"
    remedy = f"Nothing is changed in {row.connector} by itself: {by_hand} there by hand"
    if cause == "moved-on":
        remedy += f", or add {altered.status} to SYNCCTL_POST_STATUSES if it only comes after them"
    return row.changed(cause=cause, message="; ".join(_differences(altered, statuses)), remedy=remedy)


def _cause(altered: Altered, statuses: Sequence[str]) -> str:
    """What became of it; whether another status is a cancellation only the shop knows, but for words that say so."""
    if altered.status is None:
        return "deleted"
    if altered.status in statuses:
        return "changed"
    return "cancelled" if altered.status.casefold() in _CANCELLED else "moved-on"


def line(row: Row) -> str:
    """`17  unleashed order 1001: posted as so-1, and cancelled since: why. What to do.` is the form."""
    return f"{row.id:>5}  {row.connector} order {row.key[:60]}: {sentence(row)}"


def sentence(row: Row) -> str:
    """The same, without the name of the record."""
    since = row.cause.replace("-", " ")
    return f"posted as {row.remote_id}, and {since} since: {row.message}. {row.remedy}."


def _differences(altered: Altered, statuses: Sequence[str]) -> Iterator[str]:
    if altered.status is None:
        yield "the shop has no such order any more"
        return
    if altered.status not in statuses:
        yield f"its status in the shop is {altered.status} now"
    if altered.revised:
        yield _revision(altered)


def _revision(altered: Altered) -> str:
    from decimal import Decimal

    total, currency = (altered.row.expected.get(name, "") for name in ("total", "currency"))
    if total and (Decimal(total), currency) != (Decimal(altered.total), altered.currency):
        return f"its total in the shop is {altered.total} {altered.currency} now, and was {total} {currency}"
    return f"its lines, payments, customer or note are others now{', at the same total' if total else ''}"
