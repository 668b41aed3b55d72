"""The sandbox's own time, which a test can move."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Real time plus an offset; every stamp, `Date` header and limit of the sandbox follows it."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        """Seconds since 1970 UTC."""
        return time.time() + self.offset

    def milliseconds(self) -> int:
        """Milliseconds since 1970 UTC."""
        return int(self.now() * 1000)

    def moment(self) -> datetime:
        """The same as a UTC datetime."""
        return datetime.fromtimestamp(self.now(), UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock by `seconds`, backwards when negative."""
        self.offset += seconds
