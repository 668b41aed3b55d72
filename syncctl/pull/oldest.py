"""Reads again what was looked at longest ago, in the form that costs each service the fewest calls."""

from __future__ import annotations

from syncctl.models import Kind
from syncctl.pull.feed import read_all
from syncctl.pull.refresh import verify
from syncctl.session import Session


def sync_oldest(session: Session, limit: int) -> None:
    """Verifies `limit` products or more: what fits into the same calls is verified too."""
    session.link_waiting()
    kinds = session.kinds()
    if Kind.PRODUCTS not in kinds:
        return
    if session.connector.oldest == "lists":
        batch = session.connector.lookups[Kind.PRODUCTS].batch
        verify(session, session.gaps.oldest(-(-limit // batch) * batch), "oldest", kinds)
        return
    size = session.connector.page_size(session.connector.values, Kind.PRODUCTS)
    for kind in kinds:
        read_all(session, kind, "oldest", most=-(-limit // size) if size else None)
