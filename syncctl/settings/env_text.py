"""The text of a `.env`: every setting that there is, with its meaning; what is not set stands there as a comment."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

from syncctl.connectors import connector_class
from syncctl.connectors.declared import Setting
from syncctl.errors import ConfigError
from syncctl.settings.config import common_settings, global_settings
from syncctl.settings.connector import variable_prefix
from syncctl.settings.file import PREFIX, quoted_lines

_HEAD = (
    "Settings of syncctl. It holds secrets: keep it to its owner (chmod 600). What stands behind a # is not set, and"
    " shows the default, if there is one. A secret may also stand in a file of its own, which NAME_FILE names instead"
    " of NAME. A value with spaces or # needs quotes."
)
_PLAIN = r"[^\s'\"\\#`]*"


def settings_of(kind: str) -> tuple[Setting, ...]:
    """All settings of a connector of this kind."""
    return (*common_settings(), *connector_class(kind).settings)


def env_text(answers: Mapping[str, str], connectors: Mapping[str, str]) -> str:
    """The file with these answers, by variable; "" is one that is still to be filled in. Raises `ConfigError`."""
    lines = [*_comment(_HEAD), ""]
    lines += _section(PREFIX, global_settings(), answers)
    for name, kind in connectors.items():
        title = connector_class(kind).title
        lines += [f"# ---- {name}" + (f" ({title})" if name != kind else "") + " ----", ""]
        lines += _section(variable_prefix(name), settings_of(kind), answers)
    return "\n".join(lines)


def _section(prefix: str, settings: Iterable[Setting], answers: Mapping[str, str]) -> Iterator[str]:
    for setting in settings:
        words = "required; " * setting.required + "secret; " * setting.secret + setting.help
        yield from _comment(words)
        variable = prefix + setting.name
        found = [f"{name}={written(name, answers[name])}" for name in (variable, f"{variable}_FILE") if name in answers]
        yield from found or [f"#{variable}={setting.default or ''}"]
        yield ""


def _comment(words: str) -> Iterator[str]:
    return (f"# {line}" for line in textwrap.wrap(words, 77, break_long_words=False, break_on_hyphens=False))


def written(variable: str, value: str) -> str:
    """A value as the file holds it: plain where it can be, else in quotes; raises `ConfigError` where it cannot."""
    escaped = value.replace("\\", "\\\\")
    forms = (f"'{escaped.replace(chr(39), chr(92) + chr(39))}'", '"' + escaped.replace('"', '\\"') + '"', value)
    if re.fullmatch(_PLAIN, value):
        return value
    found = next((form for form in forms if _means(form, value)), None) if value.isprintable() else None
    if found is None:
        raise ConfigError(
            [f"{variable}: the value cannot stand in a .env"], f"Put it into a file, and set {variable}_FILE"
        )
    return found


def _means(form: str, value: str) -> bool:
    """Whether the file is read as it is meant, whatever quotes follow."""
    try:
        return quoted_lines(f"A={form}\nB='\"'\n", "") == [("A", value), ("B", '"')]
    except ConfigError:
        return False
