"""Reads the customers of a service and links them to the shop's; nothing here writes to a service."""

from __future__ import annotations

from syncctl.models import Kind
from syncctl.pull.feed import read_news
from syncctl.session import Session, reads_customers


def sync_customers(session: Session, *, full: bool) -> None:
    """What changed since the last run; with `full`, and at the first time, everything."""
    if reads_customers(type(session.connector), session.roles):
        before = session.cursors.load(Kind.CUSTOMERS, "delta", session.scope(Kind.CUSTOMERS)).finished_at
        read_news(session, Kind.CUSTOMERS, full=full)
        session.link_customers(before or 0)
