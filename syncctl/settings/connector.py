"""The settings of one connector, `SYNCCTL_<NAME>_…`, checked against what its class declares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, get_args

from syncctl.connectors import connector_class
from syncctl.connectors.base import Connector
from syncctl.connectors.declared import Calendar, Limit, Setting, Values
from syncctl.models import Struct
from syncctl.settings.file import PREFIX, Settings, mode_warning

Role = Literal["products", "stock", "customers", "invoices"]
ROLES: tuple[str, ...] = get_args(Role)

COMMON = (
    Setting("BASE_URL", "address of the service, without a query; by default the service's own"),
    Setting("ROLES", f"what it is used for, comma separated: {', '.join(ROLES)}"),
    Setting(
        "LIMITS",
        "what the plan allows, as `60/minute, 350/5 minutes, 5000/month`; replaces all the published limits"
        " (second, minute and hour are rolling, day and month are those of the calendar in UTC)",
    ),
)

MOST_CALLS = 10**9
MOST_WINDOW_SECONDS = 31 * 86_400
_SECONDS = {"second": 1, "sec": 1, "s": 1, "minute": 60, "min": 60, "hour": 3600, "h": 3600}
_CALENDAR: dict[str, Calendar] = {"day": "day", "month": "month"}
# Patterns, not compiled ones: most runs need neither, and every run pays for what a module does when imported.
_LIMIT = r"([0-9]{1,12}) ?/ ?([0-9]{1,9})? ?([a-z]+)"
_URL = r"(https?)://(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]]+)(?::([0-9]{1,5}))?(/[^\s?#]*)?"
LOCAL = {"localhost", "127.0.0.1", "[::1]"}


class ConnectorConfig(Struct):
    """One connector. Where `problems` is not empty it cannot be used, and each says what to mend."""

    name: str
    kind: str
    cls: type[Connector]
    values: Values
    roles: frozenset[str]
    limits: tuple[Limit, ...]
    limits_given: bool  # by the settings: then the service's own words do not replace them
    problems: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<connector {self.name}>"  # the values hold secrets


class Findings:
    """What reading the settings brought to light besides their values. `problems` stop the command."""

    def __init__(self, warnings: list[str]) -> None:
        self.problems: list[str] = []
        self.warnings = warnings
        self.secrets: set[str] = set()
        self.known: set[str] = set()


class Reader:
    """Reads the variables with one prefix. A value that cannot be used becomes a problem and is left out."""

    def __init__(self, settings: Settings, prefix: str, findings: Findings, problems: list[str]) -> None:
        self.settings = settings
        self.prefix = prefix
        self.findings = findings
        self.problems = problems

    def read(self, setting: Setting) -> str | None:
        """The checked value of a setting, else its default."""
        variable = self.prefix + setting.name
        try:
            value = self._value(variable, setting)
        except ValueError as error:
            self.problems.append(str(error))
            return setting.default
        if value is None and setting.required:
            self.problems.append(f"{variable} is not set: {setting.help}")
        return setting.default if value is None else value

    def _value(self, variable: str, setting: Setting) -> str | None:
        self.findings.known.add(variable)
        value = self._from_file(variable) if setting.secret else None
        if value is None:
            value = self.settings.values.get(variable)
        if value is None:
            return None
        if setting.secret:
            self.findings.secrets.add(value)
        if not re.fullmatch(setting.pattern, value):
            shown = "the value" if setting.secret else shortened(value)
            raise ValueError(f"{variable}: {shown} does not fit; write {setting.form}")
        return value

    def _warn_of(self, path: str) -> None:
        warning = mode_warning(path, shared="SYNCCTL_STATE_GROUP" in self.settings.values)
        if warning and warning not in self.findings.warnings:
            self.findings.warnings.append(warning)

    def _from_file(self, variable: str) -> str | None:
        """The content of the file that `NAME_FILE` names."""
        pointer = f"{variable}_FILE"
        self.findings.known.add(pointer)
        if pointer not in self.settings.values:
            return None
        if variable in self.settings.values:
            both = f"{self.settings.place(variable)} and {self.settings.place(pointer)}"
            raise ValueError(f"{variable} and {pointer} are both set ({both}): take one away")
        path = self.settings.path(pointer)
        try:
            self._warn_of(path)
            with open(path, encoding="utf-8") as file:
                value = file.read().strip()
        except OSError as error:
            raise ValueError(f"{pointer}: {path} cannot be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{pointer}: {path} is not UTF-8 text") from error
        if not value:
            raise ValueError(f"{pointer}: {path} is empty; it should hold the value of {variable}")
        return value


def read_connector(name: str, kind: str, settings: Settings, findings: Findings) -> ConnectorConfig:
    """One connector with all that is wrong about it.

    Wrong roles alone are a problem of the whole: they decide whose prices and stock the shop takes, and a slip of
    the pen in those of one connector must not hand them to the next.
    """
    cls = connector_class(kind)
    reader = Reader(settings, variable_prefix(name), findings, [])
    address, roles, limits = (reader.read(setting) for setting in COMMON)
    found = {setting.name: reader.read(setting) for setting in cls.settings}
    own_limits = _limits(limits, reader) if limits else ()
    given = {key: value for key, value in found.items() if value is not None}
    values = Values(name, _base_url(address, reader) if address else cls.address(given), given)
    own_roles = _roles(roles, f"{reader.prefix}ROLES", findings) if roles else frozenset(cls.default_roles)
    if not reader.problems:
        reader.problems += cls.wrong(values)
        reader.problems += cls.lacking(values) if "invoices" in own_roles else ()
    return ConnectorConfig(
        name,
        kind,
        cls,
        values,
        own_roles,
        own_limits or cls.allowance(given),
        bool(own_limits),
        tuple(reader.problems),
    )


def variable_prefix(name: str) -> str:
    """How all variables of a connector begin."""
    return f"{PREFIX}{name.upper()}_"


def shortened(value: str) -> str:
    """A value in quotes, fit for a message."""
    return f'"{value}"' if len(value) <= 60 else f'"{value[:59]}…"'


def _roles(text: str, variable: str, findings: Findings) -> frozenset[str]:
    roles = {part.strip() for part in text.split(",") if part.strip()}
    wrong = sorted(roles - set(ROLES))
    if wrong or not roles:
        shown = ", ".join(map(shortened, wrong)) or "the list names none"
        findings.problems.append(f"{variable}: no such role: {shown}; the roles are {', '.join(ROLES)}")
    return frozenset(roles & set(ROLES))


def _base_url(text: str, reader: Reader) -> str:
    """The address without a slash at its end, scheme and host in small letters: the state remembers it."""
    variable = f"{reader.prefix}BASE_URL"
    match = re.fullmatch(_URL, text, re.IGNORECASE)
    if not match or int(match[3] or 0) > 65_535:
        shown = "the value" if "@" in text else shortened(text)  # what stands before an @ may be a password
        reader.problems.append(f"{variable}: {shown} is not of the form https://host/path, without user and query")
        return ""
    scheme, host = match[1].lower(), match[2].lower()
    if scheme == "http" and host not in LOCAL:
        reader.findings.warnings.append(f"{variable}: http sends the credentials to {host} unencrypted; use https")
    port = f":{match[3]}" if match[3] else ""
    return f"{scheme}://{host}{port}{(match[4] or '').rstrip('/')}"


def _limits(text: str, reader: Reader) -> tuple[Limit, ...]:
    """The limits of a plan, each window at most once."""
    variable = f"{reader.prefix}LIMITS"
    try:
        limits = tuple(parse_limits(text))
    except ValueError as error:
        reader.problems.append(f"{variable}: {error}; write for example 60/minute, 350/5 minutes, 5000/month")
        return ()
    windows = [limit.name for limit in limits]
    twice = next((limit for limit in limits if windows.count(limit.name) > 1), None)
    if twice:
        reader.problems.append(f"{variable}: {shortened(text)} has two limits for one window ({twice.name}); keep one")
    return limits


def parse_limits(text: str) -> Iterator[Limit]:
    """The limits in `60/minute, 350/5 minutes, 5000/month`; raises `ValueError` for the first that is none."""
    for part in text.split(","):
        match = re.fullmatch(_LIMIT, " ".join(part.split()), re.IGNORECASE)
        if not match:
            raise ValueError(f"{shortened(part.strip())} is not a limit")
        calls, window = int(match[1]), _window(match[2], match[3].lower())
        if window is None or not 0 < calls <= MOST_CALLS:
            raise ValueError(f"{shortened(part.strip())} is not a limit")
        yield Limit(calls, window)


def _window(count: str | None, unit: str) -> int | Calendar | None:
    """A rolling length in seconds, or a single calendar day or month; None for anything else."""
    singular = unit if unit in _SECONDS else unit.removesuffix("s")
    if singular in _CALENDAR:
        return _CALENDAR[singular] if int(count or 1) == 1 else None
    length = int(count or 1) * _SECONDS.get(singular, 0)
    return length if 0 < length <= MOST_WINDOW_SECONDS else None
