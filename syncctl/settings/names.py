"""Which names connectors may have: every variable must belong to one connector, or to none, beyond doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from syncctl.connectors import connector_class, kinds
from syncctl.settings.connector import COMMON, shortened, variable_prefix

VARIABLE = "SYNCCTL_CONNECTORS"

_ITEM = r"([a-z][a-z0-9_]*)(?: ?: ?([a-z][a-z0-9_]*))?"
# Settings that are still to come: of the whole, and by their first word those of connectors.
_GLOBAL_TO_COME = ("FRESHNESS", "PING_URL")
_OWN_TO_COME = frozenset(
    "account api auth client contact discount domain due fee guest outlets payments post"  # noqa: SIM905 - shorter
    " refresh register registers rounding shipping status tax tenant token user".split()
)
# `push`, `tokens` and the like name lock files beside the connectors' own; the rest would read as a word.
_WORDS = frozenset(
    "all backup base default env file none prune push pushes restore sandbox syncctl tokens".split()  # noqa: SIM905
)


def parse_names(text: str, global_names: Iterable[str], problems: list[str]) -> dict[str, str]:
    """Name and kind of each connector, in their order; what is wrong is added to `problems`."""
    reserved = reserved_words(global_names)
    found: dict[str, str] = {}
    before = len(problems)
    for part in filter(None, (" ".join(part.split()) for part in text.split(","))):
        match = re.fullmatch(_ITEM, part)
        if not match:
            problems.append(f"{VARIABLE}: {shortened(part)} is neither a service nor name:service in small letters")
            continue
        name, kind = match[1], match[2] or match[1]
        wrong = _wrong(name, kind, reserved, found)
        if wrong:
            problems.append(f"{VARIABLE}: {wrong}")
        else:
            found[name] = kind
    if text and not found and len(problems) == before:
        problems.append(f"{VARIABLE} names no connector; the services are {', '.join(kinds())}")
    problems += _ambiguous(found)
    return found


def reserved_words(global_names: Iterable[str]) -> frozenset[str]:
    """The names that no connector may have: each beginning of a setting of the whole, and some words more.

    >>> sorted(reserved_words(["STATE_GROUP"]) & {"state", "state_group", "group"})
    ['state', 'state_group']
    """
    words = (name.lower().split("_") for name in (*global_names, *_GLOBAL_TO_COME))
    return _WORDS | {"_".join(parts[:end]) for parts in words for end in range(1, len(parts) + 1)}


def _wrong(name: str, kind: str, reserved: frozenset[str], found: dict[str, str]) -> str:
    if name in reserved:
        return f"the name {name} is reserved; give the connector another one, as in my_{name}:{kind}"
    if name in found:
        return f"the name {name} stands twice; give the second one another name, as in {name}_2:{kind}"
    if kind not in kinds():
        return f"there is no connector for {shortened(kind)}; there are {', '.join(kinds())}"
    return ""


def _ambiguous(found: dict[str, str]) -> Iterator[str]:
    """One name may begin with another, `unleashed` and `unleashed_nz`, unless it goes on as that one's settings do."""
    for short, kind in found.items():
        own = {setting.name.split("_")[0].lower() for setting in (*COMMON, *connector_class(kind).settings)}
        for name in found:
            first, *_ = name.removeprefix(f"{short}_").split("_")
            if name.startswith(f"{short}_") and first in own | _OWN_TO_COME:
                yield (
                    f"{VARIABLE}: the name {name} cannot be told from settings of {short},"
                    f" {variable_prefix(short)}{first.upper()}…; give it another one"
                )
