"""Commands in texts for people, as they have to be typed: with the settings file that they would not find themselves.

A machine may have several shops. What is printed with the settings of one of them must not act on another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

COMMANDS = (
    *("sync-recent", "sync-oldest", "sync-product", "sync-customers", "post-invoices", "retry-queue"),
    *("import products", "import customers", "import orders"),
    *("links list", "links show", "links add", "links remove"),
    *("queue list", "queue show", "queue retry", "queue drop", "queue settle"),
    *("explain product", "explain order", "explain customer", "explain call"),
    *("log calls", "log runs", "log changes", "status", "budget", "metrics", "report"),
    *("init", "auth", "plan", "doctor", "backup", "restore", "state check", "prune"),
)

# In backticks a command is only named, as in `unleashed is locked by …`; in a path it is a line for cron.
_TYPED = rf"(?<![\w`/.-])(syncctl (?:{'|'.join(COMMANDS)}))(?![\w-])"


class Given:
    """What the command that is running was given: the whole path of its --env-file."""

    env_file: str | None = None


def typed(text: str, env_file: str | None, escaped: Callable[[str], str] = str) -> str:
    """A text whose commands name the settings file; as it was where there is none to name.

    `escaped` is how the text writes what is special in it, where it is JSON or HTML.

    >>> typed("Run syncctl queue retry 5 && syncctl retry-queue", "/srv/b/.env")
    'Run syncctl queue retry --env-file /srv/b/.env 5 && syncctl retry-queue --env-file /srv/b/.env'
    """
    if env_file is None or "syncctl " not in text:
        return text
    import shlex  # slow to import, and a run that says nothing needs it not

    option = escaped(f" --env-file {shlex.quote(env_file)}")
    return re.sub(_TYPED, lambda found: found[1] + option, text)
