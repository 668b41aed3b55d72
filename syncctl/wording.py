"""Texts made fit for people: on one line, and the same for the same reason."""

from __future__ import annotations

import re

_MOST_CHARACTERS = 500


def without_call(text: str) -> str:
    """What was said without the number of the call, by which nothing is told apart that failed for one reason.

    >>> without_call("The service refuses call 65 with 400: no such tax")
    'The service refuses it with 400: no such tax'
    >>> without_call("The answer is no JSON (call 7, text/html)")
    'The answer is no JSON (text/html)'
    """
    text = re.sub(r"\b(refuses|redirects) call \d+\b", r"\1 it", text)
    return re.sub(r"\(call \d+, ", "(", re.sub(r" \(call \d+\)", "", text))


def call_in(text: str) -> str:
    """`call 65`, where a text has the number of one."""
    found = re.search(r"\bcall \d+\b", text)
    return found[0] if found and without_call(text) != text else ""


def one_line(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Text without line feeds and other characters that do not show, shortened.

    >>> one_line("order 7\\r\\nBcc: all@example.com")
    'order 7 Bcc: all@example.com'
    """
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= most else line[: most - 1] + "…"
