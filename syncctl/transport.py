"""One request: reserve it in the budget, send it, say what its answer means, journal it.

A call is journalled before it leaves and gets its outcome afterwards, so that a crash in between costs one call of
the budget and nothing else. `requests` and `tenacity` are imported only once a call has been reserved: a run that is
out of budget stays cheap.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from syncctl import __version__
from syncctl.config import ConnectorConfig
from syncctl.connectors.base import Connector
from syncctl.errors import (
    AnswerError,
    CredentialsError,
    DeferredError,
    RefusedError,
    RunError,
    UnavailableError,
)
from syncctl.redact import fingerprint, redacted
from syncctl.run import Run
from syncctl.state.ledger import Ledger, Outcome, Reservation, WindowFullError

if TYPE_CHECKING:
    import requests
    from tenacity import RetryCallState, Retrying

TRIES = 4
TIMEOUT_SECONDS = (10, 90)  # to connect, and between two bytes of the answer
PATIENCE_SECONDS = 90  # a Retry-After up to this long is waited for
UNNAMED_BLOCK = timedelta(minutes=15)  # after repeated 429s that do not say how long
PROBE = timedelta(days=1)  # a used-up quota is tried again once a day
MOST_BODY_BYTES = 256 * 1024
_REQUEST_ID_HEADERS = ("Xero-Correlation-Id", "X-Request-Id", "Request-Id", "X-Correlation-Id")


class _AgainError(Exception):
    """A try failed in a way that a later one may not; `cause` is what to raise when no try is left."""

    def __init__(self, cause: RunError, wait: float | None = None) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.wait = wait


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """See `connectors.base.Answer`."""

    status: int
    headers: Mapping[str, str]
    call: int
    body: bytes
    received: datetime

    def json(self) -> Any:
        """The decoded body; raises `AnswerError`."""
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=str)
        except ValueError as error:
            begin = " ".join(self.body[:120].decode("utf-8", "replace").split())
            raise AnswerError(
                f"The answer is no JSON (call {self.call}, {self.headers.get('Content-Type', 'no type')}): {begin!r}",
                "Check the base URL, and whether a proxy or a login page stands in between; if not, run it again later",
            ) from error

    def date(self) -> datetime | None:
        """The Date header; None where it is missing or unreadable."""
        return _http_date(self.headers.get("Date", ""))

    def skew(self) -> float | None:
        """Seconds by which this machine's clock is ahead."""
        date = self.date()
        return (self.received - date).total_seconds() if date else None


@dataclass(frozen=True, slots=True)
class _Outgoing:
    method: str
    path: str
    query: str
    keep_body: bool

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(slots=True)
class Transport:
    """The calls of one connector in one run; counts them and their bytes."""

    config: ConnectorConfig
    cls: type[Connector]
    ledger: Ledger
    run: Run
    secrets: frozenset[str]
    calls: int = 0
    received: int = 0
    _session: requests.Session | None = None
    _accepted: bool = field(default=False)

    def get(self, path: str, query: str = "", *, keep_body: bool = True) -> HttpAnswer:
        """See `connectors.base.Http`. A GET is safe to repeat, so a lost answer is asked for again."""
        return self._send(_Outgoing("GET", path, query, keep_body))

    def close(self) -> None:
        """Ends the connections."""
        if self._session:
            self._session.close()

    def _send(self, outgoing: _Outgoing) -> HttpAnswer:
        reserved: int | None = self._reserve(outgoing)
        try:
            for attempt in self._tries():
                with attempt:
                    call, reserved = reserved or self._reserve(outgoing), None
                    return self._try_once(outgoing, call)
        except _AgainError as error:
            if isinstance(error.cause, DeferredError):
                self.ledger.block(self.config.name, error.cause.until, error.cause.message)
            raise error.cause from None
        raise AssertionError("tenacity ends with a result or an error")

    def _tries(self) -> Retrying:
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

        return Retrying(
            retry=retry_if_exception_type(_AgainError),
            wait=_pause,
            stop=stop_after_attempt(TRIES),
            sleep=self.run.wait,
            reraise=True,
        )

    def _reserve(self, outgoing: _Outgoing) -> int:
        """The journal's id of a call that may be made now; sits out a full short window inside the deadline."""
        wanted = Reservation(
            self.config.name, self.config.limits, self.run.purpose, outgoing.method, outgoing.target, self.run.number
        )
        while True:
            self.run.check()
            try:
                call = self.ledger.reserve(wanted)
            except WindowFullError as full:
                self._sit_out(full)
            else:
                self.calls += 1
                return call

    def _sit_out(self, full: WindowFullError) -> None:
        if not self.run.allows(full.until):
            raise DeferredError(f"The limit of {full.limit.calls} calls in {full.limit.name} is used up", full.until)
        self.run.wait(max(0.05, (full.until - self.run.clock.now()).total_seconds()))

    def _try_once(self, outgoing: _Outgoing, call: int) -> HttpAnswer:
        began = time.perf_counter()
        try:
            response = self._exchange(outgoing)
        except (RunError, _AgainError) as error:
            self.ledger.finish(call, Outcome(None, _since(began), 0, None, str(error)[:300]))
            raise
        return self._journalled(outgoing, call, response, _since(began))

    def _journalled(self, outgoing: _Outgoing, call: int, response: requests.Response, ms: int) -> HttpAnswer:
        body = response.content
        self.received += len(body)
        failure = self._failure(response, call) if response.status_code >= 300 else None
        kept = redacted(body, self.secrets) if self._keeps(outgoing, body, failure) else None
        error = redacted(str(failure).encode(), self.secrets).decode()[:300] if failure else None
        request_id = next((response.headers[h] for h in _REQUEST_ID_HEADERS if h in response.headers), None)
        self.ledger.finish(call, Outcome(response.status_code, ms, len(body), request_id, error, response=kept))
        if failure:
            raise failure
        self._note_accepted()
        return HttpAnswer(response.status_code, response.headers, call, body, self.run.clock.now())

    @staticmethod
    def _keeps(outgoing: _Outgoing, body: bytes, failure: Exception | None) -> bool:
        return len(body) <= MOST_BODY_BYTES and (outgoing.keep_body or failure is not None)

    def _note_accepted(self) -> None:
        if not self._accepted:
            self.ledger.accept(self.config.name, self._fingerprint())
            self._accepted = True

    def _fingerprint(self) -> str:
        return fingerprint(self.config.values)

    def _exchange(self, outgoing: _Outgoing) -> requests.Response:
        """Sends and reads the whole answer; raises `UnavailableError`, or `_AgainError` where a repeat may help."""
        import requests

        if self._session is None:
            self._session = requests.Session()
            self._session.headers["User-Agent"] = f"syncctl/{__version__}"
            self._session.auth = self.cls.auth(self.config.values)
        url = self.config.values.base_url + outgoing.target
        try:
            return self._session.request(outgoing.method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            raise _unavailable(error, self.config.values.base_url) from error

    def _failure(self, response: requests.Response, call: int) -> Exception:
        """What a status of 300 and above means."""
        status, words = response.status_code, self.cls.service_words(response.text)
        said = f"{status} {response.reason or ''}".strip() + (f": {words}" if words else "")
        if status < 400:
            where = response.headers.get("Location", "elsewhere")
            return AnswerError(f"The service redirects to {where[:200]}", "Correct the base URL")
        if status == 429:
            return self._limited(response, said)
        if status in (401, 403):
            return self._quota(said) if self._is_quota(status) else self._not_accepted(said)
        if status >= 500:
            remedy = "The service has a problem of its own; the next run tries again"
            return _AgainError(UnavailableError(f"The service answers {said}", remedy))
        return RefusedError(f"The service refuses call {call} with {said}", status=status, call=call)

    def _not_accepted(self, said: str) -> CredentialsError:
        name = self.config.name.upper()
        secrets = " and ".join(f"SYNCCTL_{name}_{setting.name}" for setting in self.cls.settings if setting.required)
        return CredentialsError(
            f"The service refuses the credentials with {said}", f"Check {secrets}, then run syncctl doctor"
        )

    def _is_quota(self, status: int) -> bool:
        name, limits = self.config.name, self.config.limits
        return (
            status in self.cls.quota_status
            and self.ledger.nearly_spent(name, limits)
            and self.ledger.was_accepted(name, self._fingerprint())
        )

    def _quota(self, said: str) -> DeferredError:
        now = self.run.clock.now()
        month = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return self._block(min(now + PROBE, month), f"The quota of the plan seems used up ({said})")

    def _limited(self, response: requests.Response, said: str) -> Exception:
        now = self.run.clock.now()
        wait = retry_after(response.headers.get("Retry-After", ""), now)
        if wait is None:
            if self.ledger.nearly_spent(self.config.name, self.config.limits):
                return self._quota(said)
            return _AgainError(DeferredError(f"The service says {said}", now + UNNAMED_BLOCK))
        until = now + timedelta(seconds=wait)
        if wait <= PATIENCE_SECONDS and self.run.allows(until):
            return _AgainError(DeferredError(f"The service says {said}", until), wait)
        return self._block(until, f"The service says {said}")

    def _block(self, until: datetime, reason: str) -> DeferredError:
        self.ledger.block(self.config.name, until, reason)
        return DeferredError(reason, until)


def _pause(state: RetryCallState) -> float:
    """What the service asked for, else 1, 2, 4 seconds with some jitter."""
    from tenacity import wait_exponential_jitter

    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _AgainError) and error.wait is not None:
        return error.wait
    return wait_exponential_jitter(initial=1, max=8, jitter=0.5)(state)


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After of seconds, a fraction or an HTTP date: 1 s to 31 days; None if unreadable."""
    try:
        seconds = float(value)
    except ValueError:
        date = _http_date(value)
        if date is None:
            return None
        seconds = (date - now).total_seconds()
    return min(max(seconds, 1.0), 31 * 86400.0) if seconds == seconds else None  # noqa: PLR0124 - NaN


def _http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _unavailable(error: requests.RequestException, base_url: str) -> Exception:
    """One sentence for what kept the answer from coming; a wrong name or certificate does not mend itself."""
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        remedy = "Check the base URL, the machine's clock and its CA certificates"
        return UnavailableError(f"No trusted TLS connection to {base_url} ({_root(error)})", remedy)
    if "NameResolution" in str(error):
        return UnavailableError(f"The host of {base_url} has no address", "Check the base URL, and the machine's DNS")
    again = "The next run tries again"
    if isinstance(error, requests.exceptions.Timeout):
        return _AgainError(UnavailableError(f"{base_url} does not answer in time", again))
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return _AgainError(UnavailableError(f"The answer of {base_url} broke off in the middle", again))
    reason = f"{base_url} cannot be reached ({_root(error)})"
    return _AgainError(UnavailableError(reason, "Check the network; the next run tries again"))


def _root(error: BaseException) -> str:
    """The innermost reason, without the layers that urllib3 wraps round it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return " ".join(str(error).split())[:120]
