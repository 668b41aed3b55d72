"""Which connector the catalogue takes prices and stock from, as the settings want it."""

from __future__ import annotations

import json

from syncctl.models import Kind
from syncctl.settings.config import Config, ConnectorConfig
from syncctl.state.database import Database
from syncctl.state.gaps import Gaps
from syncctl.state.runs import Runs, Source


def choose_sources(config: Config, database: Database) -> None:
    """Lets the catalogue follow the settings. Stock of another warehouse shows once it has been read."""
    keep = _unsure(config)
    for each in config.connectors:
        if each.name == config.stock_from and not each.problems and not _has_stock(each, database):
            keep["stock"] = each.name
    Runs(database).choose_sources(_sources(config), keep)


def _has_stock(config: ConnectorConfig, database: Database) -> bool:
    """Whether the stock has been read to its end as the settings want it now, and some of it is where they say."""
    scope, places = config.cls.scope(config.values, Kind.STOCK), config.cls.locations(config.values)
    has_read = Runs(database).has_read(config.name, Kind.STOCK, scope)
    return has_read and not Gaps(database, config.name, places).misplaced()


def _sources(config: Config) -> dict[str, Source]:
    """The owner of each field of the catalogue, and the tier and locations that it is taken from."""
    sources: dict[str, Source] = {}
    for each in config.connectors:
        if each.problems:
            continue
        if each.name == config.price_from:
            currency = each.values.settings.get("CURRENCY") or None
            includes_tax = each.cls.price_includes_tax(each.values)
            sources["price"] = (each.name, each.cls.price_tier(each.values), includes_tax, currency, None)
        if each.name == config.stock_from:
            locations = each.cls.locations(each.values)
            sources["stock"] = (each.name, None, None, None, None if locations is None else json.dumps(locations))
    return sources


def _unsure(config: Config) -> dict[str, str]:
    """The fields whose owner has a wrong setting: a lost key takes no price and no stock out of the catalogue."""
    unusable = {each.name for each in config.connectors if each.problems}
    owners = {"price": config.price_from, "stock": config.stock_from}
    return {field: owner for field, owner in owners.items() if owner in unusable}
