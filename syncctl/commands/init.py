"""`syncctl init`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncctl.commands.answers import Answers
from syncctl.commands.layout import say
from syncctl.commands.messages import end_line, show_json, warn
from syncctl.commands.options import remember_env_file
from syncctl.errors import ConfigError, InterruptedRunError
from syncctl.models import Struct

if TYPE_CHECKING:
    from syncctl.settings.config import Config


class Made(Struct):
    """What stands there now: the path of the state, unless the settings cannot be used yet, and what they lack."""

    state: str | None
    lacking: list[str]


@click.command("init")
@click.option("--shop", metavar="NAME", help="Short name of the shop.")
@click.option("--services", metavar="LIST", help="The services, as unleashed,xero or nz:vend,au:vend.")
@click.option("--timezone", metavar="ZONE", help="Where the shop is, as Pacific/Auckland; needed for posting.")
@click.option("--set", "told", multiple=True, metavar="NAME=VALUE", help="Any other setting; may be given again.")
@click.option("--system", is_flag=True, help="Write /etc/syncctl/.env; the state is /var/lib/syncctl/state.db.")
@click.option("--no-input", is_flag=True, help="Ask nothing, as without a terminal.")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    is_eager=True,
    callback=remember_env_file,
    help="Write this file, instead of ./.env.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, told: Sequence[str], env_file: Path | None, system: bool, no_input: bool, **options: Any) -> int:
    """Write a commented .env and make the state file, by asking or from options.

    Secrets are never options: they are asked for without being shown, taken from the environment, or left out and
    filled in later; NAME_FILE=PATH names the file that holds one. An existing file is never overwritten.

    \b
    Examples:
        syncctl init
        syncctl init --system
        syncctl init --no-input --shop myshop --services unleashed \\
            --set SYNCCTL_UNLEASHED_API_ID=11111111-2222-4333-8444-555555555555 \\
            --set SYNCCTL_UNLEASHED_API_KEY_FILE=/run/secrets/unleashed
    """
    path, as_json = _target(env_file, system=system), options.pop("as_json")
    answers = Answers(told, options, os.environ, asks=not no_input and sys.stdin.isatty())
    try:
        answers.collect()
        made = _make(path, answers)
    except (click.Abort, KeyboardInterrupt):
        end_line()
        raise InterruptedRunError("Interrupted; no settings were written", "Run syncctl init again") from None
    steps = list(_steps(path, answers))
    if as_json:
        commands = [each for each, _ in steps]
        show_json("init", exit_code=0, env_file=str(path), state=made.state, to_fill_in=made.lacking, next=commands)
    else:
        _tell(path, made, steps)
    return 0


def _target(env_file: Path | None, *, system: bool) -> Path:
    """Where to write; raises `ConfigError` where that cannot be."""
    from syncctl.settings import file as settings_file

    if system and env_file:
        raise click.UsageError("--system and --env-file both name a file: give one of them.")
    path = Path(settings_file.ETC) if system else (env_file or Path(".env")).expanduser().absolute()
    if os.path.lexists(path):
        raise ConfigError([f"{path} is there already"], "Edit it, move it away, or name another one with --env-file")
    for folder in (path.parent, Path(settings_file.ETC_STATE).parent) if system else (path.parent,):
        if not folder.is_dir():
            mode = "2750" if folder == path.parent else "2770"
            owner = f"-o syncctl -g syncctl -m {mode} " if system else "-m 700 "
            raise ConfigError([f"There is no folder {folder}"], f"Make it: install -d {owner}{folder}")
    return path


def _make(path: Path, answers: Answers) -> Made:
    """Writes the settings and makes the state file; where that cannot be, the settings are taken away again."""
    from syncctl.app import App

    file = _new(path)
    try:
        with _explained(path), os.fdopen(file, "w", encoding="utf-8") as opened:
            opened.write(answers.text())
        empty = answers.empty()
        config, problems = _checked(path)
        if config:
            with App.opened(path):  # made, or the shop's own joined
                pass
    except BaseException:
        path.unlink()
        raise
    lacking = [problem for problem in problems if not any(each.split(":")[0] in problem for each in empty)]
    return Made(config.state if config else None, empty + lacking)


def _new(path: Path) -> int:
    """An empty file, which nobody else can read from its very beginning; raises `ConfigError`."""
    with _explained(path):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:  # the user whose folder it is will run syncctl
            owner = path.parent.stat()
            os.fchown(file, owner.st_uid, owner.st_gid)
        return file


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = "Let the user who runs this write its folder, or name another file with --env-file"
        raise ConfigError([f"{path} cannot be written: {error.strerror or error}"], remedy) from error


def _checked(path: Path) -> tuple[Config | None, list[str]]:
    """The settings as runs will see them, unless they cannot be used yet, and what is to be filled in."""
    from syncctl.settings.config import load
    from syncctl.settings.posting import posting_terms

    try:
        config = load(path)
    except ConfigError as error:
        return None, list(error.problems)
    warn(config.warnings)
    lacking = [problem for each in config.connectors for problem in each.problems]
    if any("invoices" in each.roles for each in config.connectors):
        try:
            posting_terms(config)
        except ConfigError as error:
            lacking += error.problems
    return config, lacking


def _steps(path: Path, answers: Answers) -> Iterator[tuple[str, str]]:
    """The commands that come next, and what each is for."""
    begin = _as_owner(path) + "syncctl "
    return ((f"{begin}{each}", why) for each, why in _commands(answers))


def _commands(answers: Answers) -> Iterator[tuple[str, str]]:
    for name in answers.connectors:
        if answers.sign_ins[name].consent:
            yield f"auth {name}", "a person consents; without a browser here add --no-browser"
    yield "doctor", "checks this machine, the settings and each service"
    if answers.roles & {"products", "stock"}:
        yield "sync-recent --dry-run", "tells what the first read will cost"
        yield "sync-recent -v", "reads everything for the first time"
    if "customers" in answers.roles:
        yield "sync-customers -v", "reads the customers, and links them to the shop's"
    if "invoices" in answers.roles:
        yield "post-invoices --dry-run", "tells what would be done with the shop's orders"
    yield "plan --crontab", "writes the lines that let cron run it"


def _as_owner(path: Path) -> str:
    """How to become the user whose file it is, where that is another one."""
    import pwd

    owner = path.stat().st_uid
    if owner == os.geteuid():
        return ""
    try:
        return f"runuser -u {pwd.getpwuid(owner).pw_name} -- "
    except KeyError:
        return ""


def _tell(path: Path, made: Made, steps: Sequence[tuple[str, str]]) -> None:
    say(f"\nWritten: {path}, for its owner alone.", indent=2)
    if made.state:
        say(f"The state file is {made.state}.", indent=2)
    if made.lacking:
        say("\nTo be filled in there first:")
        for problem in made.lacking:
            say(f"  {problem}", indent=4)
    say("\nNext:")
    for command, why in steps:
        say(f"  {command}")
        say(f"      {why}", indent=6)
