"""What a person is to be told of, whoever met it: a record that cannot be sent or read, a connector that fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from syncctl.models import Struct

What = Literal["failed", "gave_up", "recovered"]
RECORD = "record"  # the cause of what was wrong with a record that was read: the message alone tells one from another

_POSTED = ("total-differs", "currency-differs")  # causes of what is posted, and stays so until a person accepts it
_MOST_CHARACTERS = 500
_RETRY, _THEN = "syncctl queue retry ", " && syncctl retry-queue"


class Event(Struct):
    """Something that failed, was given up, or works again.

    `cause` is one word, by which events are grouped; `record` is empty where the connector as a whole is meant;
    `message` is in the service's own words; `next_try` is aware UTC, None for "not by itself" or "with the next run";
    `command` is what to type to try it now, or to accept what is posted; `waits` tells of the orders that wait for it,
    when the mail is written.
    """

    what: What
    connector: str
    cause: str
    record: str
    message: str
    remedy: str = ""
    next_try: datetime | None = None
    command: str = ""
    waits: str = ""

    @property
    def word(self) -> str:
        """What is said of it: nothing has failed where a person has only to look."""
        if self.what == "failed" and self.cause in _POSTED:
            return "posted, to look at"
        return "given up" if self.what == "gave_up" else self.what

    @property
    def topic(self) -> str:
        """What makes it the same trouble when it comes again: of a record, the same cause."""
        return without_call(self.message) if self.cause == RECORD else self.cause


def retry_command(number: int) -> str:
    """What to type to try one row of the queue now."""
    return f"{_RETRY}{number}{_THEN}"


def retry_all(events: Sequence[Event]) -> str:
    """What to type to try these now, which failed for one cause; "" where they are not rows of the queue."""
    first = events[0]
    if not all(event.command.startswith(_RETRY) for event in events):
        return ""
    return f"{_RETRY}--all --cause {first.cause} --connector {first.connector}{_THEN}"


def cleaned(event: Event) -> Event:
    """The same with texts of one line each, of a length that people read."""
    texts = {name: one_line(value) for name, value in event.as_dict().items() if isinstance(value, str)}
    return event.changed(**texts)


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
