"""How far each feed of each connector has been read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Literal

from syncctl.models import Kind
from syncctl.state.database import Database

Feed = Literal["delta", "full", "oldest"]


@dataclass(slots=True)
class Reading:
    """A feed and the read of it that is under way, if any; a row of `cursors`.

    The feeds are what changed (`delta`), everything (`full`), and everything again in small portions (`oldest`).
    `stamp` is what the next delta read starts from; of the others it is set once the last page is in.
    `position` is where the read under way goes on, `first_call` the call that began it.
    """

    connector: str
    kind: str
    feed: Feed
    scope: str = ""
    stamp: str | None = None
    position: str | None = None
    first_call: int | None = None
    started_at: int | None = None
    pages: int = 0
    seen: int = 0
    announced: int | None = None
    finished_at: int | None = None

    @property
    def rule(self) -> str:
        """The word by which changes are written down that this read brings."""
        return "feed" if self.feed == "delta" else self.feed

    def begin_again(self) -> None:
        """Forgets the read under way; the stamp of earlier reads stays."""
        self.position = self.first_call = self.started_at = self.announced = None
        self.pages = self.seen = 0

    def forget(self) -> None:
        """Forgets the read under way and the stamp: nothing of it will be gone on with."""
        self.begin_again()
        self.stamp = None


_COLUMNS = [field.name for field in fields(Reading)]
_SAVE = f"INSERT OR REPLACE INTO cursors ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + c for c in _COLUMNS)})"


class Cursors:
    """The rows of `cursors` of one connector."""

    def __init__(self, database: Database, connector: str) -> None:
        self.database = database
        self.connector = connector

    def load(self, kind: Kind, feed: Feed, scope: str) -> Reading:
        """The feed's row; a fresh one where there is none or where it was read for another scope."""
        row = self.database.row(
            "SELECT * FROM cursors WHERE connector = ? AND kind = ? AND feed = ?", self.connector, kind, feed
        )
        if row is None or row["scope"] != scope:
            return Reading(self.connector, kind, feed, scope)
        return Reading(**dict(row))

    def save(self, reading: Reading) -> None:
        """Writes the row; belongs inside the transaction that stores the page."""
        self.database.connection.execute(_SAVE, asdict(reading))
