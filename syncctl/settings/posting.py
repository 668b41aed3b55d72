"""The settings of posting, read only where something is posted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from syncctl.errors import ConfigError
from syncctl.models import Struct, to_ms
from syncctl.settings.config import Config, ConnectorConfig

ROLE = "invoices"
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}


class PostingTerms(Struct):
    """Where the shop is, which orders are posted, and after how many seconds a refused one is tried again.

    `read_again` is the connector whose stock is read again once orders are posted to it, "" where none is.
    """

    zone: ZoneInfo
    statuses: frozenset[str]
    retry: tuple[int, ...]
    read_again: str = ""


def posting_terms(config: Config) -> PostingTerms:
    """The terms. Raises `ConfigError` where something is missing that nobody may guess."""
    problems = list(posting_problems(config))
    if problems:
        raise ConfigError(problems, f"Mend {config.env_file or 'the environment'}")
    told = config.posting
    return PostingTerms(
        ZoneInfo(told["TIMEZONE"]),
        frozenset(part.strip() for part in told["POST_STATUSES"].split(",") if part.strip()),
        tuple(int(part[:-1]) * _SECONDS[part[-1]] for part in told["RETRY"].split(",")),
        config.stock_from or "" if told["READ_SOLD"] == "yes" else "",
    )


def posters(config: Config, name: str | None = None) -> tuple[ConnectorConfig, ...]:
    """The connectors that are posted to, or the one named. Raises `ConfigError`."""
    able = tuple(each for each in config.connectors if ROLE in each.roles and name in (None, each.name))
    if not able:
        names = ", ".join(each.name for each in config.connectors)
        if name and name not in [each.name for each in config.connectors]:
            raise ConfigError([f"--connector: there is no {name}"], f"SYNCCTL_CONNECTORS has {names}")
        problem = f"no connector has the role {ROLE}" if name is None else f"{name} does not have the role {ROLE}"
        raise ConfigError([problem], f"Add {ROLE} to SYNCCTL_<NAME>_ROLES; the connectors are {names}")
    return able


def posting_since(config: ConnectorConfig, terms: PostingTerms, since: int) -> int:
    """From when on (ms) orders are posted: the day that is set, where the shop is, else `since`.

    Raises `ConfigError` for a day that there is not.
    """
    day = config.values.get("POST_SINCE")
    if not day:
        return since
    try:
        return to_ms(datetime.fromisoformat(day).replace(tzinfo=terms.zone))
    except ValueError as error:
        raise ConfigError([f"{config.values.variable('POST_SINCE')}: there is no day {day}"]) from error


def posting_problems(config: Config) -> Iterator[str]:
    """What keeps every order from being posted; nothing where no connector is posted to."""
    able = [each.name for each in config.connectors if ROLE in each.roles]
    if not able:
        return
    if not config.posting.get("TIMEZONE"):
        yield "SYNCCTL_TIMEZONE is not set: the day of an order depends on where the shop is, as Pacific/Auckland"
    if len(able) > 1 and config.posting.get("POST_TO_ALL") != "yes":
        yield (
            f"{' and '.join(able)} have the role {ROLE}: a native link between them would book each order twice;"
            " set SYNCCTL_POST_TO_ALL=yes if there is none"
        )
