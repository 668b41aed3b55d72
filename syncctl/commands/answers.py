"""What `syncctl init` needs to know: from options, else the environment, else by asking."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence

import click

from syncctl.commands.layout import LEAST_WIDTH, wrapped
from syncctl.connectors import connector_class, kinds
from syncctl.connectors.declared import Setting, SignIn
from syncctl.models import Struct
from syncctl.settings.config import global_settings
from syncctl.settings.connector import ROLES, variable_prefix
from syncctl.settings.env_text import env_text, settings_of
from syncctl.settings.file import PREFIX
from syncctl.settings.names import parse_names
from syncctl.settings.zone import is_zone

_ROOM = 8  # columns for an answer
_OPTIONS = {"shop": "SYNCCTL_SHOP", "services": "SYNCCTL_CONNECTORS", "timezone": "SYNCCTL_TIMEZONE"}


class Question(Struct):
    """What to ask about one setting; an answer that may come `later` may be empty."""

    variable: str
    setting: Setting
    words: str
    check: Callable[[str], str] | None = None
    default: str = ""
    later: bool = False

    def wrong(self, value: str) -> str:
        """What is wrong with an answer, "" where nothing is."""
        value = value.strip()
        if not value.isprintable() or not re.fullmatch(self.setting.pattern, value):
            return f"the value does not fit; write {self.setting.form}"
        return self.check(value) if self.check else ""

    def ask(self) -> str:
        """Asks until the answer fits; a secret is not shown."""
        hidden = self.setting.secret
        hints = "; ".join(["not shown"] * hidden + ["Enter: later"] * self.later)
        words = _fitting(self.words + (f" ({hints})" if hints else ""))
        default = self.default if self.default or self.later else None
        while True:
            value: str = click.prompt(words, default, hidden, show_default=bool(default), err=True).strip()
            wrong = self.wrong(value) if value or not self.later else ""
            if not wrong:
                return value
            click.echo(f"  {wrong}", err=True)


class Answers:
    """The answers so far, by variable; "" is one that is left to be filled in later."""

    def __init__(
        self, told: Sequence[str], options: Mapping[str, str | None], environ: Mapping[str, str], *, asks: bool
    ) -> None:
        self.asks = asks
        self.told = {_OPTIONS[name]: value for name, value in options.items() if value is not None} | _pairs(told)
        self.environ = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value.strip()}
        self.found: dict[str, str] = {}
        self.connectors: dict[str, str] = {}
        self.sign_ins: dict[str, SignIn] = {}

    @property
    def roles(self) -> set[str]:
        """What any of the connectors is used for."""
        listed = (self.found[f"{variable_prefix(name)}ROLES"].split(",") for name in self.connectors)
        return {role.strip() for roles in listed for role in roles}

    def text(self) -> str:
        """The text of the file."""
        return env_text(self.found, self.connectors)

    def empty(self) -> list[str]:
        """What is left to be filled in, each with its meaning."""
        known = self._known()
        return [f"{variable}: {known[variable].help}" for variable, value in self.found.items() if not value]

    def collect(self) -> None:
        """Finds all answers. Raises `click.UsageError`."""
        self._require("shop", "services")
        glob = {setting.name: setting for setting in global_settings()}
        self._answer(Question("SYNCCTL_SHOP", glob["SHOP"], "Short name of the shop (2-12 letters, digits or -)"))
        words = f"Services, comma separated ({', '.join(kinds())}; or name:service)"
        self._answer(Question("SYNCCTL_CONNECTORS", glob["CONNECTORS"], words, _check_names))
        self.connectors = parse_names(self.found["SYNCCTL_CONNECTORS"], glob, [])
        self._refuse_strangers()
        for name, kind in self.connectors.items():
            self.sign_ins[name] = self._connector(name, kind)
        posts = "invoices" in self.roles
        if posts:
            self._require("timezone")
        if posts or "SYNCCTL_TIMEZONE" in self._given():
            words = "Time zone of the shop (as Pacific/Auckland)"
            self._answer(Question("SYNCCTL_TIMEZONE", glob["TIMEZONE"], words, _check_zone))
        self._take_rest()

    def _connector(self, name: str, kind: str) -> SignIn:
        cls, prefix = connector_class(kind), variable_prefix(name)
        settings = {setting.name: setting for setting in settings_of(kind)}
        usual = ",".join(cls.default_roles)
        words = f"\n{name}{f' ({cls.title})' if name != kind else ''}: roles ({', '.join(ROLES)})"
        self._answer(Question(f"{prefix}ROLES", settings["ROLES"], words, _check_roles, usual))
        sign_in = self._sign_in(name, prefix, cls.sign_ins)
        for each, value in sign_in.fixed.items():
            self.found[prefix + each] = value
        for each in sign_in.settings:
            self._answer(Question(prefix + each, settings[each], f"{name}: {_short(settings[each])}", later=True))
        for setting in settings.values():
            if setting.asked:
                self._answer(Question(prefix + setting.name, setting, f"{name}: {_short(setting)}", later=True))
        return sign_in

    def _sign_in(self, name: str, prefix: str, ways: Sequence[SignIn]) -> SignIn:
        """The way that fits what is given, else the one that is picked."""
        given = {key.removeprefix(prefix).removesuffix("_FILE"): value for key, value in self._given().items()}
        fits = [way for way in ways if all(given.get(key, value) == value for key, value in way.fixed.items())]
        likely = max(fits or ways, key=lambda way: sum(each in given for each in way.settings))
        if not self.asks or len(ways) == 1 or any(key in given for key in likely.settings):
            return likely
        click.echo(f"{name} signs in with", err=True)
        for number, way in enumerate(ways, 1):
            click.echo(f"  {number}  {way.label}", err=True)
        picked = click.prompt("Which", default=1, type=click.IntRange(1, len(ways)), err=True)
        return ways[picked - 1]

    def _given(self) -> dict[str, str]:
        return self.environ | self.told

    def _answer(self, question: Question) -> None:
        """Finds the answer to one question."""
        given, variable = self._given(), question.variable
        pointer = f"{variable}_FILE"
        if question.setting.secret and pointer in given:
            self.found[pointer] = given[pointer]
            return
        value = given.get(variable)
        if value is None:
            value = question.ask() if self.asks else question.default
        elif wrong := question.wrong(value):
            raise click.UsageError(f"{variable}: {wrong}")
        if value.strip() or not question.setting.asked:
            self.found[variable] = value.strip()

    def _require(self, *options: str) -> None:
        missing = [f"--{name}" for name in options if not self.asks and _OPTIONS[name] not in self._given()]
        if missing:
            are = "is" if len(missing) == 1 else "are"
            raise click.UsageError(f"{' and '.join(missing)} {are} missing; nothing is asked without a terminal.")

    def _known(self) -> dict[str, Setting]:
        """All variables that mean something with these connectors."""
        found = {PREFIX + setting.name: setting for setting in global_settings()}
        for name, kind in self.connectors.items():
            found |= {variable_prefix(name) + setting.name: setting for setting in settings_of(kind)}
        return found | {f"{name}_FILE": setting for name, setting in found.items() if setting.secret}

    def _refuse_strangers(self) -> None:
        """Nothing secret on the command line, where every user of the machine can see it; nothing misspelt."""
        known = self._known()
        for variable in self.told:
            if variable not in known:
                raise click.UsageError(f"{variable} means nothing to syncctl{_near(variable, known)}")
            if known[variable].secret and not variable.endswith("_FILE"):
                raise click.UsageError(
                    f"{variable} is a secret, and others can see the command line: name a file with {variable}_FILE,"
                    " set it in the environment, or fill it in later."
                )

    def _take_rest(self) -> None:
        """What was told besides; the environment keeps what nobody asked for."""
        known = self._known()
        for variable, value in self.told.items():
            if variable in self.found:
                continue
            wrong = Question(variable, known[variable], "").wrong(value)
            if wrong and not variable.endswith("_FILE"):
                raise click.UsageError(f"{variable}: {wrong}")
            self.found[variable] = value


def _short(setting: Setting) -> str:
    """What a setting is, without its alternatives: by then one of them has been chosen."""
    return setting.help.partition(";")[0]


def _fitting(words: str) -> str:
    """The words of a question, broken where the terminal ends; there has to be room for an answer."""
    width = shutil.get_terminal_size().columns - _ROOM
    return "\n".join(line for each in words.split("\n") for line in wrapped(each, max(width, LEAST_WIDTH), 2))


def _check_names(value: str) -> str:
    problems: list[str] = []
    parse_names(value, (setting.name for setting in global_settings()), problems)
    return "; ".join(problem.removeprefix("SYNCCTL_CONNECTORS: ") for problem in problems)


def _check_roles(value: str) -> str:
    wrong = [part.strip() for part in value.split(",") if part.strip() not in ROLES]
    return f"no such role: {', '.join(wrong)}; the roles are {', '.join(ROLES)}" if wrong else ""


def _check_zone(value: str) -> str:
    return "" if is_zone(value) else f"there is no time zone {value}"


def _pairs(told: Iterable[str]) -> dict[str, str]:
    found = {}
    for each in told:
        name, equals, value = each.partition("=")
        if not equals or not value.strip():
            raise click.UsageError(f"--set {name}: write it as NAME=VALUE.")
        found[name.strip()] = value.strip()
    return found


def _near(variable: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(variable, sorted(known), 1, cutoff=0.8)
    return f"; did you mean {near[0]}?" if near else "."
