"""Reads the stock of what was posted again, so that the shop soon shows the stock owner's own number.

This is housekeeping: with the calls that are left for it, for a short time, and what goes wrong is no failure of
posting. What is not read stays promised until some command reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from syncctl import costs
from syncctl.errors import RunError
from syncctl.models import Kind, Purpose
from syncctl.state.promises import Promises
from syncctl.tally import Tally

if TYPE_CHECKING:
    from syncctl.push.pushing import Pushing
    from syncctl.session import Session

RULE = "sold"
MOST_SECONDS = 60


def read_sold(push: Pushing) -> None:
    """After a run in which orders arrived at the stock owner: what is not in its number as far as we know."""
    session, pushed = push.session, push.session.tally.pushed
    if push.posting.read_again != session.name or not pushed.orders_arrived():
        return
    promises = Promises(session.database)
    unread = promises.unread(costs.MOST_SOLD * costs.batch_of_stock(type(session.connector)))
    if not unread:
        return
    try:
        with session.run.aside(Purpose.OLDEST, min(MOST_SECONDS, session.run.share())):
            _read(push, unread)
    except RunError as error:
        words = f"the stock of what was sold is not read again: {error.message}"
        session.run.reporter.note(f"{session.name}: {words}")
    pushed.read_again = len(set(unread).difference(promises.unread(len(unread))))


def _read(push: Pushing, remote_ids: Sequence[str]) -> None:
    """In lists; where there are none, by the feed, which tells in a call or two of all that was just sold."""
    from syncctl.pull.feed import read_news
    from syncctl.pull.refresh import verify

    session = replace(push.session, tally=Tally(push.session.name))
    if session.connector.oldest == "lists":
        verify(session, remote_ids, RULE, [Kind.STOCK])
        return
    kinds = [kind for kind in session.kinds() if Kind.STOCK in session.brought(kind) and _was_read(session, kind)]
    with push.reading() as may_read:
        for kind in kinds if may_read else ():
            read_news(session, kind)


def _was_read(session: Session, kind: Kind) -> bool:
    return session.cursors.load(kind, "delta", session.scope(kind)).stamp is not None
