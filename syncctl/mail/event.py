"""What a person is to be told of, whoever met it: a record that cannot be sent or read, a connector that fails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from syncctl.models import Struct
from syncctl.models_push import DIFFERS
from syncctl.wording import one_line, without_call

What = Literal["failed", "gave_up", "recovered"]
RECORD = "record"  # the cause of what was wrong with a record that was read: the message alone tells one from another

POSTED = "posted, to look at"
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
        if self.what == "failed" and self.cause in DIFFERS:
            return POSTED
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
