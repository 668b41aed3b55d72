"""What a service answered, as connectors see it, and the times in its headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from syncctl.errors import AnswerError
from syncctl.redact import redacted

LONGEST_WAIT_SECONDS = 86400.0  # whatever a service asks for, it is tried again once a day


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """See `connectors.base.Answer`. `setting` is the variable that holds the address of the service."""

    status: int
    headers: Mapping[str, str]
    call: int
    body: bytes
    received: datetime
    setting: str = "the base URL"
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    def json(self) -> Any:
        """The decoded body; raises `AnswerError`."""
        try:
            return _decoded(self.body)
        except (ValueError, RecursionError) as error:
            begin = " ".join(redacted(self.body[:4096], self.secrets)[:120].decode("utf-8", "replace").split())
            raise AnswerError(
                f"The answer is no JSON (call {self.call}, {self.headers.get('Content-Type', 'no type')}): {begin!r}",
                f"Check {self.setting}, and whether a proxy or a login page stands in between;"
                " if not, the next run tries again",
            ) from error

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
