"""One module per service; its class is found by the module's name, so that adding a service edits nothing else."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from syncctl.connectors.base import Connector


def kinds() -> list[str]:
    """The services that this version has a connector for."""
    names = {name.partition(".")[0] for folder in __path__ for name in os.listdir(folder) if name.endswith(".py")}
    return sorted(name for name in names - {"base", "declared"} if not name.startswith("_"))


def connector_class(kind: str) -> type[Connector]:
    """The connector of a service; raises `LookupError` where there is none."""
    try:
        module = importlib.import_module(f"{__name__}.{kind}")
    except ModuleNotFoundError as error:
        raise LookupError(kind) from error
    return cast("type[Connector]", module.CONNECTOR)
