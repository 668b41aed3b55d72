"""Which calls the client made: what a test compares with the promised number."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

KEPT = 1000


@dataclass(slots=True)
class Call:
    """One call in order of arrival; `status` is None while it is being worked on, and 0 where no answer was sent."""

    service: str
    method: str
    path: str
    status: int | None = None


class CallLog:
    """Counts of all calls since the last reset, and the last thousand one by one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reset()

    def _reset(self) -> None:
        self._total = 0
        self._counts: Counter[tuple[str, str, str, int]] = Counter()
        self._recent: deque[Call] = deque(maxlen=KEPT)

    def reset(self) -> None:
        """Forget every call."""
        with self._lock:
            self._reset()

    def arrived(self, call: Call) -> None:
        """Note a call before anything is done about it."""
        with self._lock:
            self._total += 1
            self._recent.append(call)

    def answered(self, call: Call, template: str, status: int) -> None:
        """Note how a call ended; `template` is its path with placeholders."""
        with self._lock:
            call.status = status
            self._counts[call.service, call.method, template, status] += 1

    def report(self, *, listed: bool) -> dict[str, Any]:
        """The counts as JSON, with the last calls in order when `listed`."""
        names = ("service", "method", "path", "status")
        with self._lock:
            counts = [dict(zip(names, key, strict=True), count=n) for key, n in self._counts.items()]
            report: dict[str, Any] = {"total": self._total, "counts": counts}
            if listed:
                report["calls"] = [asdict(call) for call in self._recent]
        return report
