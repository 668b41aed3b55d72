"""What a command did for one connector: the counts of its summary, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from syncctl import __version__
from syncctl.errors import ConfigError, DeferredError, LockedError, RecordError, SyncctlError
from syncctl.models import Problem, iso

SCHEMA_VERSION = 1
# As the outbox counts its orders.
QUEUED = ("waiting", "retrying", "rejected", "unknown", "gave_up", "skipped", "differing")
BY_HAND = "settled by hand"  # how an order arrived of which a person said that it is there, and nobody looked
_STORED = ("seen", "changed", "created", "verified", "drifted", "gone", "customers_linked")
_OF_THE_RUN = ("posted", "found", "customers_created", "products_created", "customers_updated")


class Pushed:
    """What a run that posts did: `counts` are None for one that does not post.

    `orders` are those that it dealt with: number, state, remote id and message. `read_again` are the products sold
    whose stock was read after that.
    """

    read_again = 0
    next_try: datetime | None = None  # of what is queued, where none of it is due now

    def __init__(self) -> None:
        self.arrived: dict[str, int] = {}
        self.counts: dict[str, int] | None = None
        self.orders: list[dict[str, str]] = []

    def count(self, kind: str, word: str) -> None:
        """One more record arrived: `posted` by us now, `found` there, or `BY_HAND`; or one was `updated`."""
        name = word if kind == "orders" else f"{kind}_{'created' if word == 'posted' else word}"
        self.arrived[name] = self.arrived.get(name, 0) + 1

    def orders_arrived(self) -> int:
        """How many orders are there now that were not before this run, as far as was known."""
        return sum(self.arrived.get(word, 0) for word in ("posted", "found", BY_HAND))

    def told(self) -> list[tuple[str, int]]:
        """The words of the summary and their numbers."""
        numbers = self.arrived | (self.counts or {}) | {"read_again": self.read_again}
        words = {
            "posted": "posted", "found": "found there", BY_HAND: BY_HAND, "customers_created": "customers created",
            "products_created": "products created", "customers_updated": "customers updated",
            "waiting": "waiting", "retrying": "to be tried again",
            "rejected": "rejected", "unknown": "unknown", "gave_up": "given up",
            "differing": "posted with another sum",
            "read_again": "products read again",
        }  # fmt: skip
        return [(word, numbers.get(name, 0)) for name, word in words.items()]

    def as_json(self) -> dict[str, object]:
        """The keys that a posting command adds to its connector."""
        if self.counts is None:
            return {}
        counts = dict.fromkeys(QUEUED, 0) | self.counts
        run = {name: self.arrived.get(name, 0) for name in _OF_THE_RUN}
        return {**run, **counts, "read_again": self.read_again, "orders": self.orders}


class Tally:
    """The counts of one connector in one run, in the order of the summary."""

    calls = bytes = seen = changed = created = verified = drifted = gone = customers_linked = 0

    def __init__(self, name: str) -> None:
        self.name = name
        self.pushed = Pushed()
        self.deferred_until: datetime | None = None
        self.deferred_because = ""
        self.locked_quietly = False  # another run holds the lock, and not suspiciously long
        self.errors: list[Problem] = []
        self.back: list[str] = []  # products that were marked gone and are there again
        self.codes: set[int] = set()
        self.mailed: frozenset[Problem] = frozenset()  # errors that a mail tells of: cron need not
        self.trace = ""  # of a bug, without secrets: whoever mends it will want it

    @contextmanager
    def unless_undone(self) -> Iterator[None]:
        """Takes back what is counted inside, where that ends with an error."""
        counts, back = {name: getattr(self, name) for name in _STORED}, list(self.back)
        try:
            yield
        except BaseException:
            vars(self).update(counts, back=back)
            raise

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
        record = error.record if isinstance(error, RecordError) else ""
        if error.exit_code:
            problems = dict.fromkeys(Problem(record, message, error.remedy) for message in messages)
            # Ahead of the records: the state keeps the first errors only, and this one decides what the run was.
            self.errors[:0] = [problem for problem in problems if problem not in self.errors]

    def crash(self, error: str, trace: str) -> None:
        """Adds a bug that ended this connector's part."""
        self.codes.add(70)
        self.trace = trace
        self.errors.append(Problem("", f"A bug in syncctl {__version__}: {error}", "Report it with the lines above"))

    def as_json(self) -> dict[str, object]:
        """The object of this connector in `--json`."""
        counts = ("calls", "bytes", *_STORED)
        return {
            "name": self.name,
            **{name: getattr(self, name) for name in counts},
            **self.pushed.as_json(),
            "deferred_until": iso(self.deferred_until) if self.deferred_until else None,
            "errors": [{"record": e.record, "message": e.message, "remedy": e.remedy} for e in self.errors],
        }
