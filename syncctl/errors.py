"""What can go wrong, sorted by what to do next; each error carries the exit code that it leads to.

The base class says how far an error reaches: a `RecordError` ends one record, a `RunError` one connector, any
other `SyncctlError` the whole command. `worst` picks the exit code where several came together.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

# Frozen since 0.1; the numbers follow sysexits.h. `syncctl --help` and the README print them.
EXIT_CODES: dict[int, str] = {
    0: "done (also: the rest is left for later because a call budget is used up)",
    2: "wrong usage of the command line",
    65: "some record needs a person",
    69: "a service cannot be reached",
    70: "a bug in syncctl",
    74: "the state file or the disk",
    75: "another run holds the lock: try again later",
    76: "a service's answer was not understood",
    77: "credentials refused",
    78: "a wrong setting",
    130: "interrupted; what was read so far is kept",
}
_WORST_FIRST = (70, 74, 78, 77, 76, 69, 130, 65, 75, 0)


class SyncctlError(Exception):
    """Stops the command. `message` says what happened, `remedy` what to do about it."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.remedy}" if self.remedy else self.message


class StateError(SyncctlError):
    """The state file cannot be used: missing rights, full disk, damaged, newer than this version."""

    exit_code = 74


class ConfigError(SyncctlError):
    """One or more wrong settings, all reported together."""

    exit_code = 78

    def __init__(self, problems: Iterable[str], remedy: str = "") -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems), remedy)


class LockedError(SyncctlError):
    """Another run holds the lock. `stale` is true where the holder is suspiciously old."""

    exit_code = 75

    def __init__(self, message: str, remedy: str = "", *, stale: bool = False) -> None:
        super().__init__(message, remedy)
        self.stale = stale


class InterruptedRunError(SyncctlError):
    """SIGTERM or SIGINT: what was committed stays, the next run goes on."""

    exit_code = 130


class RunError(SyncctlError):
    """Ends this connector's part of the run; the next connector goes on."""


class UnavailableError(RunError):
    """The service cannot be reached, or answers 5xx for longer than the retries last.

    `undone` is True where it is certain that nothing was sent.
    """

    exit_code = 69
    undone = False


class UnknownOutcomeError(UnavailableError):
    """Something was sent, and nobody knows whether the service did it; `call` is the journal's id of the call."""

    call = 0


class AnswerError(RunError):
    """The service answered something that is not its documented form; `call` is the journal's id of the call."""

    exit_code = 76
    call = 0


class CredentialsError(RunError):
    """The service refuses the credentials."""

    exit_code = 77


class AccountError(RunError):
    """A setting of one connector is wrong, or its state belongs to another account."""

    exit_code = 78


class TokenFileError(RunError):
    """The token file cannot be used; connectors that need no token go on."""

    exit_code = 74


class LossError(RunError):
    """A read would lose too much at once; a person has to accept it."""

    exit_code = 65


class DeferredError(RunError):
    """No call is left for this purpose until `until` (aware UTC). Not a failure."""

    exit_code = 0

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class RefusedError(RunError):
    """The service refuses this one request (a 4xx other than credentials or limits); `body` is what it says."""

    exit_code = 76

    def __init__(self, message: str, remedy: str = "", *, status: int, call: int, body: str = "") -> None:
        super().__init__(message, remedy)
        self.status = status
        self.call = call
        self.body = body


class RecordError(SyncctlError):
    """One record needs a person; all others go on."""

    exit_code = 65

    def __init__(self, record: str, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.record = record


def worst(codes: Iterable[int]) -> int:
    """The exit code of a command in which all of `codes` came up; 0 for none."""
    found = set(codes)
    return next((code for code in _WORST_FIRST if code in found), max(found, default=0))
