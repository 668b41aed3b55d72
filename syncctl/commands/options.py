"""The options that commands share."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from syncctl.commands.layout import MOST_SHOWN
from syncctl.invocation import Given
from syncctl.models import Struct


class Common(Struct):
    """The options that every command has."""

    env_file: str | None
    as_json: bool
    verbose: bool

    @property
    def talks(self) -> bool:
        """Whether anybody reads a summary: cron mails only what is printed, and success is no news."""
        return self.verbose or sys.stdout.isatty()


class Running(Struct):
    """The options of the commands that call services."""

    connector: str | None
    dry_run: bool
    wait_lock: float
    max_seconds: float | None
    jitter: float


class _Seconds(click.FloatRange):
    """A time that can be waited for; `inf` and `nan` are numbers to Python, and no times."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not seconds <= _MOST_SECONDS:  # this way round, since nan is not more than anything
            self.fail(f"{value} is no time of at most a year.", param, ctx)
        return seconds


_WHOLE = 1000  # characters; click cuts at 45
_MOST_SECONDS = 366 * 86400


def remember_env_file(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Lets all that is printed name the settings file in its commands, before anything can go wrong."""
    if value is not None:
        from syncctl.settings.file import absolute

        Given.env_file = absolute(os.getcwd(), os.fspath(value))
    return value


_ENV_FILE = click.option(
    "--env-file",
    type=click.Path(dir_okay=False),
    is_eager=True,
    callback=remember_env_file,
    help="Settings file; else ./.env, $XDG_CONFIG_HOME/syncctl/.env or /etc/syncctl/.env.",
)


_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


_VERBOSE = click.option("-v", "--verbose", is_flag=True, help="Say what is done, even without a terminal.")


def connector_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What a shell offers for a connector; nothing where the settings cannot be read."""
    from syncctl.errors import SyncctlError
    from syncctl.settings.config import load

    try:
        names = [each.name for each in load(ctx.params.get("env_file")).connectors]
    except (SyncctlError, OSError):
        return []
    return [name for name in names if name.startswith(incomplete)]


def connector_option(words: str = "Only this connector.") -> Callable[..., Any]:
    """The option that names a connector."""
    return click.option("--connector", metavar="NAME", shell_complete=connector_names, help=words)


_CONNECTOR = connector_option()


_DRY_RUN = click.option("--dry-run", is_flag=True, help="Print the calls that it would make, and make none.")


_WAIT_LOCK = click.option(
    "--wait-lock", type=_Seconds(0), default=0, metavar="SECONDS", help="Wait this long for another run."
)


_MAX_SECONDS = click.option(
    "--max-seconds", type=_Seconds(0), metavar="SECONDS", help="Stop in good order after this time."
)


_JITTER = click.option(
    "--jitter", type=_Seconds(0), default=0, metavar="SECONDS", help="First wait a random time up to this long."
)


limit_option = click.option(
    "--limit", type=click.IntRange(1), metavar="N", help=f"At most so many; {MOST_SHOWN} unless told, all with --json."
)


class Group(click.Group):
    """Lists its commands with the whole first sentence of each."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, without cutting."""
        with formatter.section("Commands"):
            rows = [(name, self.commands[name].get_short_help_str(_WHOLE)) for name in self.list_commands(ctx)]
            formatter.write_dl(rows)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the file: what people come for first."""
        return list(self.commands)


def gathered(options: Sequence[Callable[..., Any]], cls: type[Struct], name: str) -> Callable[..., Any]:
    """A decorator that adds options and hands them to the command as one object."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(**values: Any) -> Any:
            options_given = cls(**{field: values.pop(field) for field in cls.__annotations__})
            return function(**{name: options_given}, **values)

        for option in reversed(options):
            call = option(call)
        return call

    return decorate


common_options = gathered([_ENV_FILE, _JSON, _VERBOSE], Common, "common")


running_options = gathered([_CONNECTOR, _DRY_RUN, _WAIT_LOCK, _MAX_SECONDS, _JITTER], Running, "running")
