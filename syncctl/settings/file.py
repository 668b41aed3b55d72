"""Finds and reads the `.env`, and lays the environment over it; says nothing about what the settings mean."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from syncctl.errors import ConfigError
from syncctl.models import Struct

if TYPE_CHECKING:
    from _typeshed import StrPath

PREFIX = "SYNCCTL_"
ETC = "/etc/syncctl/.env"
ETC_STATE = "/var/lib/syncctl/state.db"

_GROUP_AND_OTHERS = 0o077
_OTHERS = 0o007
# A line that needs no quoting rules. Anything else is left to python-dotenv, whose import costs a cron run 20 ms.
_PLAIN = r"\s*(?:#.*)?|(?:export +)?([A-Za-z_][A-Za-z0-9_]*)=([^\s'\"\\#`]*)"


class Settings(Struct):
    """Every `SYNCCTL_` variable that has a value, and where it came from."""

    env_file: str | None
    values: Mapping[str, str]
    from_file: frozenset[str]
    warnings: tuple[str, ...]

    def path(self, name: str) -> str:
        """The absolute path in a variable: one of the `.env` counts from its folder, since cron starts elsewhere."""
        folder = os.path.dirname(self.env_file) if self.env_file and name in self.from_file else os.getcwd()
        return absolute(folder, self.values[name])

    def place(self, name: str) -> str:
        """Where a variable was set, for a message."""
        return str(self.env_file) if name in self.from_file else "the environment"


def read_settings(env_file: StrPath | None, environ: Mapping[str, str]) -> Settings:
    """The settings of `env_file`, or of the first `.env` that exists, under those of the environment.

    An empty value counts as not set, so that the environment can also take a setting away. Raises `ConfigError`.
    """
    found = _given(env_file) if env_file is not None else next(filter(_exists, places(environ)), None)
    lines = _read(found) if found else []
    outside = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    inside = {name: value for name, value in lines if name.startswith(PREFIX) and name not in outside}
    values = {name: value.strip() for name, value in (inside | outside).items() if value.strip()}
    return Settings(found, values, frozenset(inside), tuple(_repeated(found, [name for name, _ in lines])))


def default_state(env_file: str | None, environ: Mapping[str, str]) -> str:
    """Where the state is unless `SYNCCTL_STATE` says so: it follows the `.env`, whoever runs syncctl and from where.

    It is the file that decides, not the way it was found, so that `cd /etc/syncctl` leads to no second state.
    """
    if env_file is None:
        return os.path.abspath("syncctl.db")
    if _same(env_file, ETC):
        return ETC_STATE
    if _same(env_file, _xdg(environ, "XDG_CONFIG_HOME", ".config", "syncctl/.env")):
        return _xdg(environ, "XDG_STATE_HOME", ".local/state", "syncctl/state.db")
    return os.path.join(os.path.dirname(env_file), "syncctl.db")


def elsewhere(env_file: str | None) -> str | None:
    """The settings file that another user, in another folder, has to name; None where everybody finds it."""
    return None if env_file is None or _same(env_file, ETC) else env_file


def places(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Where a `.env` is looked for; the first one wins."""
    return (os.path.abspath(".env"), _xdg(environ, "XDG_CONFIG_HOME", ".config", "syncctl/.env"), ETC)


def mode_warning(env_file: str, *, shared: bool) -> str | None:
    """What to do about a `.env` that others can read; where a group shares the state, its members may read it."""
    if not os.stat(env_file).st_mode & (_OTHERS if shared else _GROUP_AND_OTHERS):
        return None
    wanted = "640" if shared else "600"
    return f"{env_file} holds secrets, and others than its owner can use it: chmod {wanted} {env_file}"


def _xdg(environ: Mapping[str, str], variable: str, default: str, below: str) -> str:
    """A file in a folder of the XDG specification, by which a relative folder does not count."""
    base = environ.get(variable, "")
    if os.path.isabs(base):
        return os.path.join(base, below)
    return os.path.join(environ.get("HOME") or os.path.expanduser("~"), default, below)


def _given(env_file: StrPath) -> str:
    path = absolute(os.getcwd(), os.fspath(env_file))
    if not _exists(path):
        raise ConfigError([f"--env-file {env_file}: there is no such file"])
    return path


def absolute(folder: str, path: str) -> str:
    """A path from a folder on, in its shortest form; `..` stays, since a link may lead elsewhere."""
    parts = os.path.join(folder, os.path.expanduser(path)).split("/")
    return "/" + "/".join(part for part in parts if part not in ("", "."))


def _exists(path: str) -> bool:
    """Whether the file is there; a folder that hides it is an error: without it another state would be used."""
    try:
        return not stat.S_ISDIR(os.stat(path).st_mode)  # a folder `.env` is some Python's virtual environment
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(path, error) from error


def _same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _unreadable(path: str, error: OSError) -> ConfigError:
    return ConfigError(
        [f"{path} cannot be read: {error.strerror or error}"],
        "Let the user who runs syncctl read it, or name another one with --env-file",
    )


def _read(path: str) -> list[tuple[str, str]]:
    """The variables of a `.env` in their order; a `$` in a value is just that, since secrets have it."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read().removeprefix("\ufeff")
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path} is not UTF-8 text"], "Save it as UTF-8") from error
    plain = plain_lines(text)
    return quoted_lines(text, path) if plain is None else plain


def plain_lines(text: str) -> list[tuple[str, str]] | None:
    """The variables of a `.env` in which nothing is quoted; None where a line needs python-dotenv."""
    matches = [re.fullmatch(_PLAIN, line) for line in text.split("\n")]
    if not all(matches):
        return None
    return [(match[1], match[2]) for match in matches if match and match[1]]


def quoted_lines(text: str, path: str) -> list[tuple[str, str]]:
    """The variables of any `.env`; raises `ConfigError` with every line that has not its form."""
    import io

    from dotenv.parser import parse_stream

    bindings = list(parse_stream(io.StringIO(text)))
    wrong = [binding.original for binding in bindings if binding.error or _bare(binding.key, binding.value)]
    if wrong:
        raise ConfigError(
            [f"{path}, line {_line(original.string, original.line)}: not of the form NAME=value" for original in wrong],
            "Close every quote; begin comments with #",
        )
    return [(binding.key, binding.value or "") for binding in bindings if binding.key]


def _bare(name: str | None, value: str | None) -> bool:
    """Whether one of our names stands without `=`; other programs' names may."""
    return name is not None and name.startswith(PREFIX) and value is None


def _line(original: str, line: int) -> int:
    """The line of the statement; for python-dotenv a statement begins with the blank lines above it."""
    return line + original[: len(original) - len(original.lstrip())].count("\n")


def _repeated(path: str | None, names: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if name.startswith(PREFIX) and names.count(name) > 1:
            yield f"{name} stands more than once in {path}; the last one counts. Delete the others"
