"""Orders that a person names, and that are not sent all the same: one line each, with why and what would send them."""

from __future__ import annotations

from syncctl.models import Kind, from_ms, iso
from syncctl.push.pushing import Pushing
from syncctl.state.outbox import PUT_BACK, Row

_AGAIN = "syncctl queue retry {} && syncctl retry-queue"


def tell_unsent(push: Pushing) -> None:
    """After a run for some orders: those of them that it left as they were."""
    touched = push.outbox.touched(Kind.ORDERS, push.session.run.number)
    dealt_with = {row.key for row in touched if row.cause != PUT_BACK}
    reported = {error.record for error in push.session.tally.errors}
    for number in dict.fromkeys(push.wanted.numbers):
        if number not in dealt_with | reported:
            push.session.run.reporter.warn(f"{push.session.name}: {number[:80]}: {_why(push, number)}")


def _why(push: Pushing, number: str) -> str:
    row, order = push.outbox.get(Kind.ORDERS, number), push.order(number)
    if row and row.state == "done":
        return f"it is posted already, as {row.remote_id}; see syncctl explain order"
    if order and order.status not in push.posting.statuses:
        statuses = ", ".join(sorted(push.posting.statuses))
        return f"its status is {order.status}, and orders are posted that are {statuses} (SYNCCTL_POST_STATUSES)"
    if row is None:
        return "it is left for the next run"
    return _standing(row)


def _standing(row: Row) -> str:
    """Where an order of the queue stands that is to be posted."""
    why = f" ({row.message.rstrip('.')})" if row.message else ""
    at, again = iso(from_ms(row.due_at)), _AGAIN.format(row.id)
    if row.state == "sending":
        return (
            f"nobody knows whether it arrived{why}; it is looked for from {at} on, or now by syncctl retry-queue --now"
        )
    if row.state == "waiting":
        return f"it waits{why}; see syncctl queue list"
    if row.state == "due":
        return f"it was refused{why}, and is tried again at {at}; to try it now: {again}"
    ended = "given up" if row.state == "gave_up" else "skipped"
    return f"it is {ended}{why}; to try it all the same: {again}"
