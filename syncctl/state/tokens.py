"""Tokens in `<state>.tokens`, a file beside the state: no backup of the state holds one, none comes back spent.

The file is its owner's alone (0600) and always whole: a new one is written beside it, and then takes its name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from syncctl.errors import TokenFileError
from syncctl.models import Struct, iso
from syncctl.run import Run
from syncctl.state.locks import Holder, hold

if TYPE_CHECKING:
    from _typeshed import StrPath

LOCK = "tokens"
PATIENCE_SECONDS = 150  # for the lock; longer than one request for a token lasts


class Token(Struct):
    """An access token with what the next one is fetched with; times are aware UTC, of whole seconds.

    `chain` stands for what began the chain of refresh tokens. `refresh` is the newest of them, "" where there are none,
    which came at `replaced_at` instead of the `previous` one. `scopes` is None where the service did not say.
    `client` stands for id and secret that fetched it. `asked_at` is when `refresh` was sent, until the answer is there.
    """

    chain: str
    access: str
    expires_at: datetime
    scopes: str | None = None
    refresh: str = ""
    previous: str = ""
    replaced_at: datetime | None = None
    client: str = ""
    asked_at: datetime | None = None

    def __repr__(self) -> str:
        return "<token>"

    def secrets(self) -> set[str]:
        """What must not be seen anywhere else."""
        return {self.access, self.refresh, self.previous} - {""}


class TokenFile:
    """The tokens of all connectors of one state, by connector."""

    def __init__(self, state: StrPath) -> None:
        self.state = state
        self.path = Path(f"{os.fspath(state)}.tokens")

    @contextmanager
    def locked(self, connector: str, run: Run) -> Iterator[None]:
        """Nobody else fetches a token meanwhile; raises `LockedError` where another run takes too long over it."""
        holder = Holder(f"syncctl ({connector}: fetches a token)", os.getpid(), run.number, iso(run.now()))
        with hold(self.state, LOCK, holder, wait=min(PATIENCE_SECONDS, run.left()), clock=run):
            yield

    def read(self) -> dict[str, Token]:
        """What is in the file, nothing where there is none; raises `TokenFileError`."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._unusable(error) from error
        try:
            return {name: _token(entry) for name, entry in json.loads(content).items()}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise TokenFileError(
                f"The token file {self.path} is damaged",
                "Move it away: tokens are fetched anew. Where a refresh token is refused then, consent again as the"
                " next run says",
            ) from error

    def write(self, tokens: Mapping[str, Token]) -> None:
        """Replaces the file, to be called under the lock only; it is on the disk when this returns."""
        content = json.dumps({name: _entry(token) for name, token in tokens.items()}, indent=1).encode()
        fresh = self.path.with_name(f"{self.path.name}.new")
        try:
            fresh.unlink(missing_ok=True)  # what a killed run left
            self._fill(fresh, content)
            fresh.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)  # interrupted, or on a full disk

    def _fill(self, fresh: Path, content: bytes) -> None:
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(file, "wb") as opened:
            os.fchmod(file, 0o600)
            if os.geteuid() == 0:  # who tries syncctl as root must not lock out the user that cron runs it as
                owner = os.stat(self.state)
                os.fchown(file, owner.st_uid, owner.st_gid)
            opened.write(content)
            opened.flush()
            os.fsync(file)

    def _unusable(self, error: OSError) -> TokenFileError:
        return TokenFileError(
            f"The token file {self.path} cannot be used: {error.strerror or error}",
            "Let the user who runs syncctl own it and write its folder, and look at the disk",
        )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _entry(token: Token) -> dict[str, object]:
    times = {name: iso(value) for name, value in token.as_dict().items() if isinstance(value, datetime)}
    return token.as_dict() | times


def _token(entry: Mapping[str, object]) -> Token:
    """Raises `TypeError` or `ValueError` where the entry is none of ours."""
    texts = {name: _text(entry.get(name)) for name in ("chain", "access", "refresh", "previous")}
    scopes = entry.get("scopes")
    return Token(
        expires_at=_time(entry.get("expires_at")),
        scopes=None if scopes is None else _text(scopes),
        replaced_at=_time_or_none(entry.get("replaced_at")),
        client=_text(entry.get("client", "")),
        asked_at=_time_or_none(entry.get("asked_at")),
        **texts,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _time_or_none(value: object) -> datetime | None:
    return None if value is None else _time(value)


def _time(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment
