"""Lists that are read by page and by "changed since": how far a read has come, and where the next one begins."""

from __future__ import annotations

import json

from syncctl.connectors.base import Answer
from syncctl.models import Struct, from_ms, to_ms

OVERLAP_MS = 10 * 60 * 1000  # whether "since" includes its own second is not documented
SETTLED_MS = 24 * 3600 * 1000  # what changed before that stands in the lists for certain, whatever zone it is dated in
AHEAD_MS = 60 * 1000  # servers of one service may differ by that much; the overlap covers it


class Cursor(Struct):
    """Where a read stands. Between reads only `stamp` is set: up to when every change is stored, in ms.

    `ceiling` is the service's clock at the read's first page: what changes while later pages are read may have
    moved behind us, so the stamp never passes it.
    """

    stamp: int | None = None
    page: int = 1
    newest: int = 0
    ceiling: int | None = None

    @classmethod
    def parse(cls, opaque: str | None) -> Cursor:
        """The cursor from its text; None is the very beginning."""
        return cls(**json.loads(opaque)) if opaque else cls()

    def after(self) -> Cursor:
        """The cursor of the next read: from the newest change, of an account at rest from a day ago.

        Without the latter a large import would be read again and again until something else changes.
        """
        ceiling = self.newest if self.ceiling is None else self.ceiling
        return Cursor(max(min(self.newest, ceiling), ceiling - SETTLED_MS, self.stamp or 0) or None)

    def __str__(self) -> str:
        return json.dumps(self.as_dict())


def since_text(stamp: int) -> str:
    """Whole seconds of UTC without a zone, with the overlap: neither service documents fractions or `Z`."""
    return from_ms(stamp - OVERLAP_MS).strftime("%Y-%m-%dT%H:%M:%S")


def set_back(at: Cursor, answer: Answer) -> Cursor | None:
    """Where to read from instead, where the stamp lies in the service's future: its clock was ahead and came back.

    What changed since it came back is dated before the stamp, and no read from there on would show it.
    """
    date = answer.date()
    if at.stamp is None or date is None or at.stamp <= to_ms(date) + AHEAD_MS:
        return None
    return Cursor(to_ms(date) - SETTLED_MS)


def moved(at: Cursor, answer: Answer, newest: int) -> Cursor:
    """The cursor of the next page, after one whose newest change is `newest`.

    Without a Date header the ceiling is the newest change that the first page shows.
    """
    date = answer.date()
    ceiling = at.ceiling if at.ceiling is not None else to_ms(date) if date else newest
    return Cursor(at.stamp, at.page + 1, max(at.newest, newest), ceiling)
