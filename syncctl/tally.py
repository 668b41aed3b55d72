"""What a command did for one connector: the counts of its summary, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from syncctl.errors import ConfigError, DeferredError, LockedError, SyncctlError
from syncctl.models import Problem, iso

SCHEMA_VERSION = 1


@dataclass(slots=True)
class Tally:
    """The counts of one connector in one run, in the order of the summary."""

    name: str
    calls: int = 0
    bytes: int = 0
    seen: int = 0
    changed: int = 0
    created: int = 0
    verified: int = 0
    drifted: int = 0
    gone: int = 0
    deferred_until: datetime | None = None
    deferred_because: str = ""
    locked_quietly: bool = False  # another run holds the lock, and not suspiciously long
    errors: list[Problem] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)

    def report(self, problems: list[Problem]) -> None:
        """Adds records that need a person; one sentence is reported once a run."""
        fresh = [problem for problem in dict.fromkeys(problems) if problem not in self.errors]
        self.errors += fresh
        if fresh:
            self.codes.add(65)

    def fail(self, error: SyncctlError) -> None:
        """Adds what ended this connector's part."""
        self.codes.add(error.exit_code)
        if isinstance(error, DeferredError):
            self.deferred_until, self.deferred_because = error.until, error.message
        self.locked_quietly = isinstance(error, LockedError) and not error.stale
        messages = error.problems if isinstance(error, ConfigError) else (error.message,)
        if error.exit_code:
            self.errors += [Problem("", message, error.remedy) for message in messages]

    def as_json(self) -> dict[str, object]:
        """The object of this connector in `--json`."""
        counts = ("calls", "bytes", "seen", "changed", "created", "verified", "drifted", "gone")
        return {
            "name": self.name,
            **{name: getattr(self, name) for name in counts},
            "deferred_until": iso(self.deferred_until) if self.deferred_until else None,
            "errors": [{"record": e.record, "message": e.message, "remedy": e.remedy} for e in self.errors],
        }
