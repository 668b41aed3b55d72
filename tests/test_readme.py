"""The README tells the truth: its generated parts are up to date, and its tables name the columns that there are.

`python tests/test_readme.py` writes the generated parts anew.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import click
import pytest
import words

from syncctl import cli
from syncctl.connectors import connector_class, kinds
from syncctl.connectors.declared import Setting
from syncctl.errors import EXIT_CODES
from syncctl.sandbox.fault import KINDS
from syncctl.settings.config import common_settings, global_settings
from syncctl.state.database import open_database

README = Path(__file__).parent.parent / "README.md"
BLOCK = r"(<!-- {kind}: {name} -->\n)(.*?)(<!-- end -->)"


def block(kind: str, name: str) -> str:
    found = re.search(BLOCK.format(kind=kind, name=name), README.read_text(), re.DOTALL)
    assert found, f"README.md has no block {kind}: {name}"
    return found[2]


def help_texts() -> str:
    with cli.cli.make_context("syncctl", [], resilient_parsing=True) as root:
        parts = [_help("syncctl", cli.cli, root)]
        for name in cli.COMMANDS:
            command = cli.cli.get_command(root, name)
            assert command
            parts += _help_of_all(name, command, root)
    return "".join(parts)


def _help_of_all(name: str, command: click.Command, parent: click.Context) -> list[str]:
    """The help of a command, or of a group's commands."""
    with click.Context(command, parent=parent, info_name=name) as context:
        if isinstance(command, click.Group):
            return [text for sub, each in command.commands.items() for text in _help_of_all(sub, each, context)]
        return [_help(context.command_path, command, context)]


def _help(title: str, command: click.Command, context: click.Context) -> str:
    context.terminal_width = context.max_content_width = 100
    return f"### `{title}`\n\n```text\n{command.get_help(context)}\n```\n\n"


def exit_codes() -> str:
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    return "| code | meaning |\n|---|---|\n" + rows


def causes() -> str:
    return ", ".join(f"`{cause}`" for cause in words.causes()) + "\n"


def settings() -> str:
    text = _table("SYNCCTL_", global_settings())
    text += "\nOf each connector, with its name in capitals for `NAME`:\n\n" + _table(
        "SYNCCTL_NAME_", common_settings()
    )
    for kind in kinds():
        cls = connector_class(kind)
        text += f"\nOf {cls.title}:\n\n" + _table(f"SYNCCTL_{kind.upper()}_", cls.settings)
    return text


def _table(prefix: str, rows: tuple[Setting, ...]) -> str:
    lines = [f"| `{prefix}{row.name}` | {_default(row)} | {row.help} |\n" for row in rows]
    return "| variable | default | meaning |\n|---|---|---|\n" + "".join(lines)


def _default(row: Setting) -> str:
    words = ["required"] * row.required + [f"`{row.default}`"] * bool(row.default) + ["secret"] * row.secret
    return ", ".join(words)


GENERATED = {"help": help_texts, "exit codes": exit_codes, "causes": causes, "settings": settings}


def test_generated_parts_are_up_to_date() -> None:
    """In a process of its own: click keeps the help option of the first context that a command is shown in."""
    made = subprocess.run([sys.executable, __file__, "--print"], capture_output=True, text=True, check=True)
    assert made.stdout == README.read_text(), "run: python tests/test_readme.py"


def test_every_state_and_outcome_of_the_queue_is_documented() -> None:
    for name, known in (("states", set(words.states())), ("outcomes", words.outcomes())):
        assert set(re.findall(r"^\| `([a-z_ ]+)` \|", block("words", name), re.MULTILINE)) == known


def test_every_fault_and_its_options_are_documented() -> None:
    table = block("words", "faults")
    own = {"kind", "match", "skip", "times"}
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == own.union(*KINDS.values())
    (kinds_told,) = re.findall(r"^\| `kind` \|(.*)", table, re.MULTILINE)
    assert set(re.findall(r"`([\w-]+)`", kinds_told)) == set(KINDS)


TABLES = ["catalogue", "products", "customers", "orders", "order_lines", "order_payments"]


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_documented(table: str, tmp_path: Path) -> None:
    open_database(tmp_path / "state.db").close()
    with closing(sqlite3.connect(tmp_path / "state.db")) as sql:
        columns = [name for (name,) in sql.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    assert re.findall(r"^\| `(\w+)` \|", block("columns", table), re.MULTILINE) == columns


def fresh() -> str:
    """The README with its generated parts made anew."""
    text = README.read_text()
    for name, make in GENERATED.items():
        start = f"<!-- generated: {name} -->\n"
        text = text.replace(start + block("generated", name), start + make())
    return text


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(fresh())
    else:
        README.write_text(fresh())
