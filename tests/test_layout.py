"""What people read fits their terminal; what programs and mails read has a message a line, and no colours."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import sys
import termios

import pytest
from conftest import Shop
from posting import SETTINGS, line, order, place, post

from syncctl.commands.layout import wrapped
from syncctl.commands.messages import show_check
from syncctl.connectors.base import Check

pytestmark = pytest.mark.products(6)
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def shown(shop: Shop, columns: int, *args: str, **settings: str) -> str:
    """What a command writes to a terminal of so many columns."""
    env = os.environ | shop.env | SETTINGS | {"SYNCCTL_STATE": str(shop.state), "TERM": "xterm"} | settings
    env.pop("COLUMNS", None)  # which would be believed
    process, terminal = pty.fork()
    if not process:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.chdir(shop.folder)
        os.execve(sys.executable, [sys.executable, "-m", "syncctl", *args], env)
    out = b""
    with contextlib.suppress(OSError):  # Linux ends a terminal so
        while piece := os.read(terminal, 65536):
            out += piece
    os.close(terminal)
    os.waitpid(process, 0)
    return out.decode().replace("\r\n", "\n")


@pytest.fixture
def refused(shop: Shop) -> Shop:
    shop.extra |= SETTINGS
    shop.ok("sync-recent")
    place(shop, order("1", line(rate="0.2"), total="12.00"))
    post(shop)
    return shop


@pytest.mark.parametrize("args", [("queue", "list"), ("status",), ("log", "calls")], ids=" ".join)
def test_no_line_is_longer_than_the_terminal(refused: Shop, args: tuple[str, ...]) -> None:
    narrow, wide = (ESCAPE.sub("", shown(refused, columns, *args)).splitlines() for columns in (60, 200))
    assert max(map(len, narrow)) <= 60 < max(map(len, wide))
    words = [[word for text in lines for word in text.split()] for lines in (narrow, wide)]
    assert "".join(words[0])[-30:] == "".join(words[1])[-30:]  # the same is said, to its end


def test_a_pipe_gets_a_line_a_message(refused: Shop) -> None:
    (text,) = refused.ok("queue", "list").out.splitlines()
    assert len(text) > 80
    assert "\x1b" not in text


def test_what_is_wrong_has_a_colour_unless_it_is_unwanted(refused: Shop) -> None:
    assert "\x1b[31mrejected\x1b[0m" in shown(refused, 80, "queue", "list")
    assert "\x1b" not in shown(refused, 80, "queue", "list", NO_COLOR="1")


def test_a_list_says_that_it_goes_on(refused: Shop) -> None:
    assert refused.ok("links", "list", "--limit", "2").out.splitlines()[2:] == ["… and more; --limit shows them"]
    assert len(refused.ok("links", "list", "--limit", "2", "--json").json()["links"]) == 2
    assert len(refused.ok("links", "list", "--json").json()["links"]) == 6


def test_an_empty_list_says_so_where_somebody_reads_it(refused: Shop) -> None:
    assert refused.ok("queue", "list", "--skipped").out == ""
    assert refused.ok("queue", "list", "--skipped", "-v").out == "nothing of that kind is in the queue\n"


@pytest.mark.parametrize("width", range(40, 60))
def test_a_number_stays_with_what_it_counts(width: int) -> None:
    lines = wrapped("  orders  the oldest of 1,200 orders waits for 26 min, and 3 of them for 2 h", width, 10)
    assert not any(re.search(r" [\d,]+$", text) for text in lines[:-1])
    assert max(map(len, lines)) <= width


def test_a_check_ends_each_sentence_once(capsys: pytest.CaptureFixture[str]) -> None:
    show_check("syncctl", Check("wrong", "mail", "the server says no.", "Ask it again."))
    assert capsys.readouterr().out.endswith("syncctl: mail: the server says no. Ask it again.\n")
