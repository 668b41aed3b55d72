"""How lines fit a terminal: wrapped and coloured where somebody sits at one, a line each in pipes, files and mails."""

from __future__ import annotations

import os
import re
import sys
from typing import Literal

import click

from syncctl.invocation import Given, typed

Level = Literal["ok", "warning", "wrong"]
_COLOURS = {"ok": "green", "warning": "yellow", "wrong": "red"}
LEAST_WIDTH = 40
_MOST_PATH = 60
MOST_SHOWN = 100  # rows of a list, unless --limit tells


def say(text: str = "", *, indent: int = 0, err: bool = False) -> None:
    """Prints a line. On a terminal one that is too long goes on in the next, so far to the right.

    Commands in it name the settings file that this one was given.
    """
    text = typed(text, Given.env_file)
    stream = sys.stderr if err else sys.stdout
    if stream.isatty():
        import shutil  # slow to import, and a run without a terminal needs it not

        width = max(LEAST_WIDTH, shutil.get_terminal_size().columns)
        text = "\n".join(line for each in text.split("\n") for line in wrapped(each, width, indent))
    click.echo(text, err=err)


def wrapped(text: str, width: int, indent: int) -> list[str]:
    """Lines of at most this width, broken between words, but not after a number: `26 min` stays together.

    A word that no line has room for is broken itself.
    """
    lines, line = [], ""
    for gap, word in re.findall(r"( *)((?:\d(?:[\d,.]*\d)? )?[^ ]+)", text):
        if line.strip() and length(line + gap + word) > width:
            lines.append(line)
            line = " " * indent + word
        else:
            line += gap + word
        while length(line) > width:
            lines.append(line[:width])
            line = " " * indent + line[width:]
    return [*lines, line]


def paint(text: str, level: Level | None) -> str:
    """A word in the colour of its level; `say` takes it off where there is no terminal."""
    if level is None or not text or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, fg=_COLOURS[level])


def padded(text: str, width: int) -> str:
    """A text with blanks up to a width, whatever its colour."""
    return text + " " * (width - length(text))


def plural(number: int, singular: str, several: str = "") -> str:
    """`1 call`, `2,000 calls`."""
    return f"{number:,} {singular if number == 1 else several or singular + 's'}"


def ended(sentence: str) -> str:
    """A sentence with one mark at its end."""
    bare = sentence.rstrip(".")
    return bare if bare.endswith(("?", "!")) else f"{bare}."


def request_words(method: str, path: str) -> str:
    """A request whose path is no longer than a line has room for."""
    return f"{method} {path if len(path) <= _MOST_PATH else path[: _MOST_PATH - 1] + '…'}"


def more(number: int) -> None:
    """That a list goes on."""
    if number > 0:
        say(f"… and {number:,} more; --limit shows them")


def length(text: str) -> int:
    """How many columns a text takes, without its colours."""
    return len(click.unstyle(text))
