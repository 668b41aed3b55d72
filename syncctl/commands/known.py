"""Which connectors can be asked for where nothing is called: those of the settings, and those of before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncctl.errors import ConfigError

if TYPE_CHECKING:
    from syncctl.config import Config
    from syncctl.state.database import Database


def refuse_unknown(name: str | None, config: Config, database: Database) -> None:
    """Raises `ConfigError` for a connector that is neither in the settings nor in the state: it has no rows at all."""
    known = [each.name for each in config.connectors]
    if name is None or name in known:
        return
    from syncctl.state.runs import Runs

    known += Runs(database).connectors()
    if name not in known:
        raise ConfigError([f"--connector: there is no {name}"], f"There are {', '.join(dict.fromkeys(known))}")
