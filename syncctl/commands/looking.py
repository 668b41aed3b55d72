"""What the commands share that make no call: they open the state that is there, and tell a story of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from syncctl.commands.messages import show_json
from syncctl.commands.options import Common
from syncctl.errors import ConfigError

if TYPE_CHECKING:
    from syncctl.settings.config import Config
    from syncctl.state.database import Database


@contextmanager
def opened(common: Common) -> Iterator[tuple[Config, Database]]:
    """The settings and the state, which has to be there."""
    from syncctl.settings.config import load
    from syncctl.state.database import open_database

    config = load(common.env_file)
    with closing(open_database(config.state, group=config.state_group, create=False)) as database:
        yield config, database


def tell(command: str, story: dict[str, Any], show: Callable[[dict[str, Any]], None], common: Common) -> int:
    """One object, or the same as lines for people; the exit code."""
    if common.as_json:
        show_json(command, exit_code=0, **story)
    else:
        show(story)
    return 0


def refuse_unknown(name: str | None, config: Config, database: Database) -> None:
    """Raises `ConfigError` for a connector that is neither in the settings nor in the state: it has no rows at all."""
    from syncctl.state.runs import Runs

    known = [each.name for each in config.connectors]
    if name is None or name in known:
        return
    known += Runs(database).connectors()
    if name not in known:
        raise ConfigError([f"--connector: there is no {name}"], f"There are {', '.join(dict.fromkeys(known))}")
