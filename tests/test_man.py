"""The man page is made from the commands and the settings; `python tests/test_man.py` writes it anew."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from inspect import cleandoc
from pathlib import Path

import click
import pytest

from syncctl import cli
from syncctl.connectors import connector_class, kinds
from syncctl.connectors.declared import Setting
from syncctl.errors import EXIT_CODES
from syncctl.settings.config import common_settings, global_settings

MAN = Path(__file__).parent.parent / "man" / "syncctl.1"
SHARED = {"env_file", "as_json", "verbose"}
FILES = {
    "./.env": "settings; else $XDG_CONFIG_HOME/syncctl/.env, else /etc/syncctl/.env",
    "./syncctl.db": "the state of ./.env; of the others $XDG_STATE_HOME/syncctl/state.db and /var/lib/syncctl/state.db",
    "STATE.tokens": "tokens that were fetched; in no backup",
    "STATE.NAME.lock": "who is at work; locked by the kernel while they are",
}


def literal(text: str) -> str:
    """Text that is shown as it is."""
    shown = "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in text.replace("\\", "\\e").replace("-", "\\-"))
    return re.sub(r"^([.'])", r"\\&\1", shown, flags=re.MULTILINE)


def prose(text: str) -> str:
    """A paragraph: each sentence on a line of its own, as mdoc wants it."""
    quoted = re.sub(r"`([^`]*)`", r"“\1”", " ".join(text.split()))
    return "\n".join(literal(part) for part in re.split(r"(?<=[.:;?!)]) (?=[A-Z])", quoted)) + "\n"


def word(text: str) -> str:
    """One argument of a macro that is none itself."""
    return '"' + literal(text).replace('"', '""') + '"'


def page(date: str) -> str:
    head = (
        f".Dd {date}\n.Dt SYNCCTL 1\n.Os\n.Sh NAME\n.Nm syncctl\n.Nd keep an online shop and its back office in step\n"
    )
    head += ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar options\n.Sh DESCRIPTION\n" + text_of(cli.cli.help or "")
    return head + "".join([commands(), options(), settings(), files(), exit_codes(), see_also()])


def text_of(text: str) -> str:
    """A help text: paragraphs, and after \\b what keeps its lines."""
    return ".Pp\n".join(_paragraph(each) for each in cleandoc(text).split("\n\n")).replace(".Pp\n.Bd", ".Bd")


def _paragraph(text: str) -> str:
    if not text.startswith("\b"):
        return prose(text)
    lines = text.removeprefix("\b\n").split("\n")
    label = [line for line in lines if not line.startswith(" ")]
    shown = "\n".join(literal(line.strip()) for line in lines if line.startswith(" "))
    return "".join(map(prose, label)) + f".Bd -literal -offset indent\n{shown}\n.Ed\n"


def commands() -> str:
    root = click.Context(cli.cli, info_name="syncctl")
    found = ".Sh COMMANDS\n"
    for title, group in cli.GROUPS.items():
        entries = "".join(_command(name, each) for name in group for name, each in _leaves(root, name))
        found += f".Ss {title}\n.Bl -tag -width Ds\n{entries}.El\n"
    return found


def _leaves(root: click.Context, name: str) -> Iterator[tuple[str, click.Command]]:
    command = cli.cli.get_command(root, name)
    assert command
    if isinstance(command, click.Group):
        yield from ((f"{name} {sub}", each) for sub, each in command.commands.items())
    else:
        yield name, command


def _command(name: str, command: click.Command) -> str:
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    own = [each for each in command.params if isinstance(each, click.Option) and each.name not in SHARED]
    takes = "".join(f" Ar {word(each.make_metavar(click.Context(command)))}" for each in arguments)
    return f".It Ic {word(name)}{takes}\n{text_of(command.help or '')}" + _list(own)


def _list(options: Sequence[click.Option]) -> str:
    if not options:
        return ""
    items = [f".It {_flags(each)}\n{prose(_help(each))}" for each in options]
    return ".Pp\n.Bl -tag -width Ds -compact\n" + "".join(items) + ".El\n"


def _flags(option: click.Option) -> str:
    flags = " , ".join(f"Fl {word(flag.removeprefix('-'))}" for flag in option.opts)
    if option.is_flag:
        return flags
    takes = option.make_metavar(click.Context(click.Command("any")))
    return f"{flags} Ar {word('N' if takes == 'INTEGER RANGE' else takes)}"


def _help(option: click.Option) -> str:
    default = option.default if isinstance(option.default, int | str) and not option.is_flag else None
    return f"{option.help} The default is {default}." if default and option.show_default else option.help or ""


def options() -> str:
    command = cli.cli.get_command(click.Context(cli.cli), "status")
    assert command
    shared = [each for each in command.params if isinstance(each, click.Option) and each.name in SHARED]
    shared.append(click.Option(["-h", "--help"], is_flag=True, help="Show what the command is for, and its options."))
    return ".Sh OPTIONS\nOf all commands:\n" + _list(shared)


def settings() -> str:
    found = ".Sh ENVIRONMENT\nThe environment and the settings file have the same settings; the environment wins.\n"
    found += _settings("SYNCCTL_", global_settings())
    found += ".Ss Of each connector, with its name for NAME\n" + _settings("SYNCCTL_NAME_", common_settings())
    for kind in kinds():
        cls = connector_class(kind)
        found += f".Ss Of {cls.title}\n" + _settings(f"SYNCCTL_{kind.upper()}_", cls.settings)
    return found


def _settings(prefix: str, rows: Sequence[Setting]) -> str:
    items = "".join(f".It Ev {word(prefix + row.name)}\n{prose(_sentence(row))}" for row in rows)
    return f".Bl -tag -width Ds -compact\n{items}.El\n"


def _sentence(row: Setting) -> str:
    default = f"; by default {row.default}" if row.default else "; required" if row.required else ""
    return row.help + default


def files() -> str:
    items = "".join(f".It Pa {word(name)}\n{prose(what)}" for name, what in FILES.items())
    return f".Sh FILES\n.Bl -tag -width Ds -compact\n{items}.El\n"


def exit_codes() -> str:
    items = "".join(f".It {code}\n{prose(meaning)}" for code, meaning in EXIT_CODES.items())
    return f".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n{items}.El\n"


def see_also() -> str:
    return ".Sh SEE ALSO\n.Xr sqlite3 1 ,\n.Xr crontab 5\n"


def written() -> str:
    """The page as it stands, without its date."""
    return re.sub(r"^\.Dd .*\n", "", MAN.read_text())


def test_the_page_is_up_to_date() -> None:
    assert page("").partition("\n")[2] == written(), "run: python tests/test_man.py"


TOOLS = {
    "mandoc": ["mandoc", "-T", "lint", "-W", "warning"],
    "groff": ["groff", "-mdoc", "-T", "utf8", "-ww", "-z"],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_nobody_complains_of_the_page(tool: str) -> None:
    if not shutil.which(tool):
        pytest.skip(f"there is no {tool}")
    done = subprocess.run([*TOOLS[tool], MAN], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("", "")


if __name__ == "__main__":
    if not MAN.exists() or page("").partition("\n")[2] != written():
        MAN.write_text(page(datetime.now(UTC).strftime("%B %-d, %Y")))
