"""What a service answered, as connectors see it, and the times in its headers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import IO, Any

from syncctl.errors import AnswerError
from syncctl.redact import redacted

LONGEST_WAIT_SECONDS = 86400.0  # whatever a service asks for, it is tried again once a day


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """See `connectors.base.Answer`. `setting` is the variable that holds the address of the service.

    A body too large to be held in memory is in `file`, with its beginning in `body`. `blame` writes into the journal
    what is wrong with the answer to a call.
    """

    status: int
    headers: Mapping[str, str]
    call: int
    body: bytes
    received: datetime
    setting: str = "the base URL"
    secrets: Set[str] = field(default=frozenset(), repr=False)
    file: IO[bytes] | None = None
    blame: Callable[[int, str], None] = lambda call, message: None

    def json(self) -> Any:
        """The decoded body; raises `AnswerError`."""
        try:
            return _decoded(self._whole())
        except (ValueError, RecursionError) as error:
            raise self._no_json() from error

    def elements(self, name: str) -> Iterator[Any]:
        """The elements of the list under `name`; raises `AnswerError`, of a large body perhaps in the middle."""
        if self.file is not None:
            return self._streamed(name)
        data = self.json()
        listed = data.get(name) if isinstance(data, dict) else None
        if not isinstance(listed, list):
            raise self._no_list(name)
        return iter(listed)

    def unfit(self, message: str, remedy: str) -> AnswerError:
        """See `connectors.base.Answer`."""
        self.blame(self.call, message)
        return AnswerError(message, remedy)

    def _streamed(self, name: str) -> Iterator[Any]:
        import ijson

        assert self.file is not None  # noqa: S101 - for the type checker
        self.file.seek(0)
        number = 0
        try:
            for number, element in enumerate(ijson.items(self.file, f"{name}.item"), 1):  # noqa: B007
                yield element
        except (ijson.JSONError, ValueError) as error:
            raise self._no_json() from error
        if not number:
            raise self._no_list(name)

    def _whole(self) -> bytes:
        if self.file is None:
            return self.body
        self.file.seek(0)
        return self.file.read()

    def _no_list(self, name: str) -> AnswerError:
        remedy = f"Look at it with syncctl explain, and at {self.setting}"
        return self.unfit(f"The answer has no list of {name} (call {self.call})", remedy)

    def _no_json(self) -> AnswerError:
        begin = " ".join(redacted(self.body[:4096], self.secrets)[:120].decode("utf-8", "replace").split())
        return self.unfit(
            f"The answer is no JSON (call {self.call}, {self.headers.get('Content-Type', 'no type')}): {begin!r}",
            f"Check {self.setting}, and whether a proxy or a login page stands in between;"
            " if not, the next run tries again",
        )

    def date(self) -> datetime | None:
        """The Date header; None where it is missing or unreadable."""
        return http_date(self.headers.get("Date", ""))

    def skew(self) -> float | None:
        """Seconds by which this machine's clock is ahead."""
        date = self.date()
        return (self.received - date).total_seconds() if date else None


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=str)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except (InvalidOperation, ValueError):  # a number beyond all measure: let only the record that has it be refused
        return json.loads(body, parse_float=_number, parse_int=_whole, parse_constant=str)


def _number(digits: str) -> Decimal | str:
    try:
        return Decimal(digits)
    except InvalidOperation:
        return digits


def _whole(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # longer than Python converts
        return digits


def http_date(value: str) -> datetime | None:
    """An HTTP date as aware time; None where it is none."""
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait by a Retry-After of seconds, a fraction or an HTTP date: 1 s to a day; None if unreadable.

    A date is the service's: it is compared with the service's own clock where that is told.
    """
    value = headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        date = http_date(value)
        if date is None:
            return None
        seconds = (date - (http_date(headers.get("Date", "")) or now)).total_seconds()
    return min(max(seconds, 1.0), LONGEST_WAIT_SECONDS) if seconds == seconds else None  # noqa: PLR0124 - NaN
