"""Limits that a service told of itself: they replace the published ones, never those that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncctl.connectors.declared import Limit

if TYPE_CHECKING:
    from syncctl.settings.config import Config
    from syncctl.state.database import Database


class Learnt:
    """The rows of `learnt_limits` of one connector."""

    def __init__(self, database: Database, connector: str) -> None:
        self.database = database
        self.connector = connector

    def limits(self, published: tuple[Limit, ...]) -> tuple[Limit, ...]:
        """The published limits, each as large as the service said last."""
        sizes = self._sizes()
        return tuple(Limit(sizes.get(limit.name, limit.calls), limit.window) for limit in published)

    def learn(self, limit: Limit) -> None:
        """Remembers the size of a limit; the next run goes by it."""
        if self._sizes().get(limit.name) == limit.calls:
            return
        with self.database.transaction() as sql:
            row = (self.connector, limit.name, limit.calls)
            sql.execute("INSERT OR REPLACE INTO learnt_limits (connector, win, calls) VALUES (?, ?, ?)", row)

    def _sizes(self) -> dict[str, int]:
        rows = self.database.rows("SELECT win, calls FROM learnt_limits WHERE connector = ?", self.connector)
        return {row["win"]: row["calls"] for row in rows}


def as_learnt(config: Config, database: Database) -> Config:
    """The settings with the limits that the services told, where none are set."""
    connectors = tuple(
        each if each.limits_given else each.changed(limits=Learnt(database, each.name).limits(each.limits))
        for each in config.connectors
    )
    return config.changed(connectors=connectors)
