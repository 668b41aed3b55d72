"""When everything runs: one line a command for all connectors, or one for each where they must differ."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence

from syncctl.models import Struct
from syncctl.plan.fit import Fitted, Line
from syncctl.plan.jobs import DAY, HOUR, MONTH, WEEK, Job, jitter

# Minutes after the shop's own, so far apart that no command that runs every 5 to 60 minutes meets another.
_AFTER = {
    "sync-recent": 0, "sync-oldest": 37, "sync-customers": 53, "sync-recent --full": 23,
    "post-invoices": 6, "retry-queue": 13,
}  # fmt: skip
_NIGHT = {"sync-recent --full": 3, "sync-customers": 4}
_HOUR = {"sync-oldest": 5}  # the others that run every few hours begin at midnight
_WAIT = 900  # seconds for another run to end, of what runs seldom
_LONGEST = 7200  # seconds of a run
_SUNDAY = 0
_MONTHLY = 2  # the day of the month


class When(Struct):
    """When a job begins: at these minutes of these hours, of every day, of one day of the week, or of the month."""

    minutes: tuple[int, ...]
    hour: int | None = None  # the first
    hours: int | None = None  # how many from one to the next
    sunday: bool = False
    monthly: bool = False

    def cron(self) -> str:
        """The five columns of a crontab."""
        minutes = ",".join(map(str, self.minutes))
        hours = "*" if self.hour is None else str(self.hour)
        if self.hours:
            hours = f"{self.hour}-23/{self.hours}" if self.hour else f"*/{self.hours}"
        return f"{minutes} {hours} {_MONTHLY if self.monthly else '*'} * {_SUNDAY if self.sunday else '*'}"

    def calendar(self) -> str:
        """OnCalendar of a systemd timer."""
        minutes = ",".join(f"{minute:02}" for minute in self.minutes)
        hours = "*" if self.hour is None else f"{self.hour:02}"
        hours += f"/{self.hours}" if self.hours else ""
        day = f"*-*-{_MONTHLY:02}" if self.monthly else "*-*-*"
        return f"{'Sun ' if self.sunday else ''}{day} {hours}:{minutes}:00"


class Entry(Struct):
    """A line of the schedule; `arguments` are those of syncctl but jitter, `lines` what it costs each connector."""

    job: Job
    connector: str | None
    when: When
    arguments: tuple[str, ...]
    lines: Sequence[tuple[str, Line]]

    @property
    def jitter(self) -> int:
        """For how many seconds it may wait at random."""
        return min(60, jitter(self.job.every)) if self.job.command == "post-invoices" else jitter(self.job.every)


def schedule(shop: str, plans: Sequence[Fitted]) -> list[Entry]:
    """The entries, by command, in the order of `_AFTER`."""
    first = int.from_bytes(hashlib.sha256(shop.encode()).digest()[:4]) % HOUR
    return [
        _entry(key, name, lines, (first + after + 3 * number) % HOUR)
        for key, after in _AFTER.items()
        for number, (name, lines) in enumerate(_together(key, plans))
    ]


def _together(key: str, plans: Sequence[Fitted]) -> Iterator[tuple[str | None, list[tuple[str, Line]]]]:
    """The lines of a command: all under None where the connectors agree, else each under its connector."""
    asked = [fitted for fitted in plans if _concerns(key, fitted)]
    found = [(fitted.facts.config.name, line) for fitted in asked for line in fitted.lines if line.job.key == key]
    if not found:
        return
    if len(found) == len(asked) and len({(line.job.every, line.job.options) for _, line in found}) == 1:
        yield None, found
        return
    for name, line in found:
        yield name, [(name, line)]


def _concerns(key: str, fitted: Fitted) -> bool:
    """Whether the command would call this connector's service, if it were not told another one."""
    if key == "sync-customers":
        return fitted.facts.customers is not None
    return bool(fitted.facts.known) if key.startswith("sync-") else fitted.facts.orders is not None


def _entry(key: str, connector: str | None, lines: list[tuple[str, Line]], minute: int) -> Entry:
    job = lines[0][1].job
    named = () if connector is None else ("--connector", connector)
    return Entry(
        job, connector, when(key, job.every, minute), (job.command, *job.options, *named, *_limits(job, lines)), lines
    )


def _limits(job: Job, lines: Iterable[tuple[str, Line]]) -> tuple[str, ...]:
    """How long it may run and wait."""
    wait = ("--wait-lock", str(_WAIT))
    if job.command in ("sync-customers", "retry-queue"):
        return wait
    if "--full" in job.options:
        longest = 2 * sum(line.seconds for _, line in lines)  # one that stops early begins anew a week later
        return (*wait, "--max-seconds", str(max(_LONGEST, math.ceil(longest / 600) * 600)))
    return () if job.command == "sync-oldest" else ("--max-seconds", str(min(_LONGEST, job.every * 50)))


def when(key: str, every: int, minute: int) -> When:
    """When a job begins that runs every so many minutes."""
    if every <= HOUR:
        return When(tuple(range(minute % every, HOUR, every)))
    if every < DAY:
        hours = every // HOUR
        return When((minute,), _HOUR.get(key, 0) % hours, hours)
    hour = _NIGHT.get(key, _HOUR.get(key, 3))
    return When((minute,), hour, sunday=every == WEEK, monthly=every == MONTH)
