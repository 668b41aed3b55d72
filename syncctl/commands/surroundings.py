"""What `syncctl doctor` looks at on this machine: settings file, state, tokens, and whether cron would find them."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from syncctl.connectors.base import Check
from syncctl.settings.config import Config
from syncctl.settings.file import PREFIX, places
from syncctl.settings.posting import posting_problems

CRON_PATH = "/usr/bin:/bin"
_OTHERS = 0o007
_GROUP_AND_OTHERS = 0o077


def checks_here(config: Config, tokens: Path, env_file: str | None, environ: Mapping[str, str]) -> Iterator[Check]:
    """No calls. `env_file` is the one that was named on the command line, `tokens` the token file, if there is one."""
    yield _settings_check(config)
    for warning in (*config.warnings, *config.unheard):
        yield Check("warning", "settings", warning)
    for problem in posting_problems(config):
        yield Check("wrong", "posting", f"every syncctl post-invoices ends with 78: {problem}")
    yield from _file_checks("state", Path(config.state), shared=bool(config.state_group))
    if tokens.exists():
        yield from _file_checks("tokens", tokens, shared=False)
    yield _cron_settings(config, env_file, environ)
    yield _cron_variables(environ)
    yield _cron_program()


def _settings_check(config: Config) -> Check:
    if config.env_file is None:
        return Check("warning", "settings", "all come from the environment", "Write a .env with syncctl init")
    return Check("ok", "settings", f"{config.env_file}, of shop {config.shop}")


def _file_checks(subject: str, path: Path, *, shared: bool) -> Iterator[Check]:
    """Who may use a file that holds names of customers, or secrets."""
    told = path.stat()
    mode = stat.S_IMODE(told.st_mode)
    forbidden = _OTHERS if shared else _GROUP_AND_OTHERS
    if told.st_uid != os.geteuid():
        message = f"{path} belongs to {_user(told.st_uid)}, and you are {_user(os.geteuid())}"
        yield Check("warning", subject, message, f"Run syncctl as {_user(told.st_uid)}, as cron has to")
    if mode & forbidden:
        wanted = f"{mode & ~forbidden:o}"
        yield Check("wrong", subject, f"{path} has mode {mode:o}: others can use it", f"chmod {wanted} {path}")
    else:
        yield Check("ok", subject, f"{path}, mode {mode:o}")


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _cron_settings(config: Config, env_file: str | None, environ: Mapping[str, str]) -> Check:
    """Cron starts in the home folder, and knows of no XDG folder: it may find another file, or none."""
    if env_file or config.env_file is None:
        return Check("ok", "cron: settings", "cron has to be given them as you gave them")
    home = environ.get("HOME") or os.path.expanduser("~")
    looked = map(Path, (os.path.join(home, ".env"), *places({"HOME": home})[1:]))
    found = next((path for path in looked if path.is_file()), None)
    if found is not None and found.samefile(config.env_file):
        return Check("ok", "cron: settings", f"cron finds {found}, too")
    other = f"cron would find {found}" if found else "cron would not find it"
    return Check(
        "warning",
        "cron: settings",
        f"{other}, as it starts in {home}",
        f"Add --env-file {config.env_file} to its lines",
    )


def _cron_variables(environ: Mapping[str, str]) -> Check:
    """What is exported in this shell alone is missing at night."""
    names = sorted(name for name, value in environ.items() if name.startswith(PREFIX) and value)
    if not names:
        return Check("ok", "cron: environment", "no setting depends on this shell")
    message = f"only this shell has {', '.join(names)}"
    return Check("warning", "cron: environment", message, "Move them into the .env, or set them in the crontab")


def _cron_program() -> Check:
    """A program in a virtual environment has to be named whole in a crontab."""
    if shutil.which("syncctl", path=CRON_PATH):
        return Check("ok", "cron: program", "syncctl is in cron's PATH")
    message = f"cron's PATH ({CRON_PATH}) has no syncctl: its lines have to say {os.path.abspath(sys.argv[0])}"
    return Check("ok", "cron: program", message)
