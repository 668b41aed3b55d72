"""The settings, from `.env` and environment, as one frozen `Config`; whatever is wrong is reported together.

A problem of the whole raises `ConfigError`. One of a single connector is kept in its `ConnectorConfig.problems`,
so that a forgotten key never stops the others. No message ever shows the value of a secret.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, cast

from syncctl.clock import seconds_in
from syncctl.connectors import kinds
from syncctl.connectors.declared import Setting
from syncctl.errors import ConfigError
from syncctl.models import Struct
from syncctl.settings.connector import (
    COMMON,
    ConnectorConfig,
    Findings,
    Reader,
    read_connector,
    shortened,
    variable_prefix,
)
from syncctl.settings.file import PREFIX, Settings, default_state, mode_warning, places, read_settings
from syncctl.settings.general import GLOBAL
from syncctl.settings.mail import Mail, read_mail
from syncctl.settings.names import parse_names

if TYPE_CHECKING:
    from _typeshed import StrPath

__all__ = ["Config", "ConnectorConfig", "common_settings", "global_settings", "load"]

NewProducts = Literal["insert", "ignore"]
_POSTING = ("TIMEZONE", "POST_STATUSES", "POST_TO_ALL", "READ_SOLD", "RETRY")


class Config(Struct):
    """Every setting, checked; the paths are absolute.

    `secrets` are the values to keep out of everything written; tokens that a run fetches join them.
    `posting` are the settings that `posting_terms` makes sense of, where something is posted.
    """

    shop: str
    state: str
    env_file: str | None
    state_group: str
    connectors: tuple[ConnectorConfig, ...]
    price_from: str | None
    stock_from: str | None
    new_products: NewProducts
    keep: Mapping[str, int]  # days, of `bodies`, `journal` and `changes`
    mail: Mail | None
    posting: Mapping[str, str]
    freshness: int  # seconds
    secrets: set[str]
    warnings: tuple[str, ...]
    unheard: tuple[str, ...] = ()  # what the stock owner does not hear of: a warning for those who run or look

    def __repr__(self) -> str:
        return f"<settings of {self.shop}>"  # without the secrets


def global_settings() -> tuple[Setting, ...]:
    """The settings that belong to no connector, `SYNCCTL_<name>`."""
    return GLOBAL


def common_settings() -> tuple[Setting, ...]:
    """The settings that every connector has, `SYNCCTL_<CONNECTOR>_<name>`."""
    return COMMON


def ping_url(env_file: StrPath | None = None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The address to ping, known before the other settings are: what is wrong with them is told there, too."""
    (setting,) = (each for each in GLOBAL if each.name == "PING_URL")
    try:
        settings = read_settings(env_file, environ)
    except ConfigError:
        return None
    return Reader(settings, PREFIX, Findings([]), []).read(setting)


def load(env_file: StrPath | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """The settings of `env_file` (else of the first `.env` found) under those of the environment.

    Raises `ConfigError` with every problem at once, those of single connectors included.
    """
    settings = read_settings(env_file, environ)
    findings = Findings(_file_warnings(settings))
    values = _read_global(settings, findings)
    wrong_names: list[str] = []
    names = parse_names(values.get("CONNECTORS", ""), (setting.name for setting in GLOBAL), wrong_names)
    connectors = tuple(read_connector(name, kind, settings, findings) for name, kind in names.items())
    state = _state(settings, environ, findings)
    price_from = _owner("PRICE_FROM", values, "products", connectors, findings)
    stock_from = _owner("STOCK_FROM", values, "stock", connectors, findings)
    mail = read_mail(values, findings)
    strangers = tuple(_strangers(settings, names, findings.known, sure=bool(names) and not wrong_names))
    if findings.problems or wrong_names:
        own = (problem for connector in connectors for problem in connector.problems)
        raise ConfigError([*findings.problems, *wrong_names, *own, *strangers], _sources(settings, environ))
    return Config(
        shop=values["SHOP"],
        state=state,
        env_file=settings.env_file,
        state_group=values.get("STATE_GROUP", ""),
        connectors=connectors,
        price_from=price_from,
        stock_from=stock_from,
        new_products=cast("NewProducts", values["NEW_PRODUCTS"]),
        keep={name.lower(): int(values[f"KEEP_{name}_DAYS"]) for name in ("BODIES", "JOURNAL", "CHANGES")},
        mail=mail,
        posting={name: values[name] for name in _POSTING if name in values},
        freshness=seconds_in(values["FRESHNESS"]),
        secrets=findings.secrets,
        warnings=(*findings.warnings, *strangers),
        unheard=tuple(_unheard(stock_from, connectors)),
    )


def _read_global(settings: Settings, findings: Findings) -> dict[str, str]:
    """The values that are set or have a default."""
    reader = Reader(settings, PREFIX, findings, findings.problems)
    values = {setting.name: reader.read(setting) for setting in GLOBAL}
    if zone := values.get("TIMEZONE"):
        from syncctl.settings.zone import is_zone

        if not is_zone(zone):
            findings.problems.append(f"{PREFIX}TIMEZONE: there is no time zone {zone}; write one as Pacific/Auckland")
    return {name: value for name, value in values.items() if value is not None}


def _file_warnings(settings: Settings) -> list[str]:
    """What is odd about the `.env` itself."""
    warnings = list(settings.warnings)
    if settings.env_file:
        mode = mode_warning(settings.env_file, shared=f"{PREFIX}STATE_GROUP" in settings.values)
        warnings += [mode] if mode else []
    return warnings


def _state(settings: Settings, environ: Mapping[str, str], findings: Findings) -> str:
    variable = f"{PREFIX}STATE"
    if variable not in settings.values:
        return default_state(settings.env_file, environ)
    path = settings.path(variable)
    if settings.values[variable].endswith("/") or os.path.isdir(path):
        findings.problems.append(
            f"{variable}: {path} is a folder; name a file in it, as {os.path.join(path, 'syncctl.db')}"
        )
    return path


def _owner(
    name: str, values: Mapping[str, str], role: str, connectors: Iterable[ConnectorConfig], findings: Findings
) -> str | None:
    """The connector that a field of the shop is taken from: the one that is named, else the first with the role.

    A connector that cannot be used at the moment stays the owner: nobody's prices change because of a lost key.
    """
    able = [connector.name for connector in connectors if role in connector.roles]
    wanted = values.get(name)
    if wanted is None:
        return able[0] if able else None
    if wanted not in able:
        findings.problems.append(
            f"{PREFIX}{name}: {shortened(wanted)} is no connector with the role {role};"
            f" there {'are ' + ', '.join(able) if able else 'is none'}"
        )
    return wanted


def _unheard(owner: str | None, connectors: Iterable[ConnectorConfig]) -> Iterator[str]:
    """What it means for the shop's stock where orders are posted, but not so that the stock owner takes it off."""
    posted = [each for each in connectors if "invoices" in each.roles]
    if not owner or not posted:
        return
    to_owner = next((each for each in posted if each.name == owner), None)
    if to_owner is None:
        yield (
            f"{owner} owns the stock, but has not the role invoices: syncctl never tells it what the shop sells, and"
            " `available` is its number without what was sold since, so that the same goods may be sold twice"
        )
    elif not to_owner.problems and not to_owner.cls.takes_stock(to_owner.values):
        status = f"{to_owner.values.variable('STATUS')}={to_owner.values.get('STATUS')}"
        yield (
            f"{status} leaves the stock in {owner} as it is: `available` takes an order off until its status in the"
            " shop is none of SYNCCTL_POST_STATUSES"
        )


def _strangers(settings: Settings, names: Iterable[str], known: set[str], *, sure: bool) -> Iterator[str]:
    """One sentence for each variable that means nothing: it is probably misspelt; one for all of an absent connector.

    While it is not `sure` which connectors there are, only what looks like a setting of the whole is told.
    """
    candidates = known if sure else {PREFIX + setting.name for setting in GLOBAL}
    absent: dict[str, list[str]] = {}
    for variable in sorted(set(settings.values) - known):
        kind = _absent(variable, names) if sure else ""
        if kind:
            absent.setdefault(kind, []).append(variable)
        elif (hint := _near(variable, candidates)) or sure:
            yield f"{variable} ({settings.place(variable)}) means nothing to syncctl{hint}"
    for kind, variables in absent.items():
        first, more = variables[0], len(variables) - 1
        who = f"{first} ({settings.place(first)})" + (f" and {more} more of {kind} mean" if more else " means")
        yield f"{who} nothing to syncctl: {PREFIX}CONNECTORS does not name {kind}"


def _absent(variable: str, names: Iterable[str]) -> str:
    """The service that a variable seems to be for, where no connector has its name; else ""."""
    return next((kind for kind in kinds() if kind not in names and variable.startswith(variable_prefix(kind))), "")


def _near(variable: str, known: set[str]) -> str:
    import difflib

    near = difflib.get_close_matches(variable, sorted(known), n=1, cutoff=0.8)
    return f"; did you mean {near[0]}?" if near else ""


def _sources(settings: Settings, environ: Mapping[str, str]) -> str:
    """Where to mend what is wrong."""
    if settings.env_file:
        return f"Mend {settings.env_file} or the environment"
    looked = ", ".join(places(environ))
    return f"There is no .env in {looked}; write one with syncctl init, or set them in the environment"
