"""One request: reserve it in the budget, send it, try again where that may help, journal it.

A call is journalled before it leaves and gets its outcome afterwards, so that a crash in between costs one call of
the budget and nothing else. `requests` and `tenacity` are imported only once a call has been reserved: a run that is
out of budget stays cheap.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import IO, TYPE_CHECKING

from syncctl import __version__
from syncctl.answer import HttpAnswer
from syncctl.config import ConnectorConfig
from syncctl.connectors.base import Limit
from syncctl.errors import AccountError, DeferredError, RunError
from syncctl.failures import AgainError, Failures
from syncctl.redact import redacted
from syncctl.run import Run
from syncctl.state.ledger import Ledger, Outcome, Reservation, WindowFullError

if TYPE_CHECKING:
    import requests
    from tenacity import RetryCallState, Retrying

TRIES = 4
TIMEOUT_SECONDS = (10, 90)  # to connect, and between two bytes of the answer
MOST_BODY_BYTES = 256 * 1024  # that the journal keeps
MOST_HELD_BYTES = 4 * 1024 * 1024  # of an answer in memory; a larger one goes into a temporary file
NOTED_WAIT_SECONDS = 5  # a longer pause is told, so that nobody takes it for a hang
_REQUEST_ID_HEADERS = ("Xero-Correlation-Id", "X-Request-Id", "Request-Id", "X-Correlation-Id")


@dataclass(frozen=True, slots=True)
class _Outgoing:
    method: str
    target: str  # below the base URL, or a whole address
    headers: Mapping[str, str]
    keep_body: bool
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Received:
    """A whole answer; one too large to be held in memory is in `file`, with its beginning in `body`."""

    response: requests.Response
    body: bytes
    size: int
    file: IO[bytes] | None = None


class Transport:
    """The calls of one connector in one run; counts them and their bytes."""

    def __init__(self, config: ConnectorConfig, ledger: Ledger, run: Run, secrets: frozenset[str]) -> None:
        self.config = config
        self.ledger = ledger
        self.run = run
        self.secrets = secrets
        self.failures = Failures(config, ledger, run.clock, secrets)
        self.calls = self.received = 0
        self._session: requests.Session | None = None
        self._files = ExitStack()
        self._accepted = False

    def get(
        self, path: str, query: str = "", *, headers: Mapping[str, str] = MappingProxyType({}), keep_body: bool = True
    ) -> HttpAnswer:
        """See `connectors.base.Http`. A GET is safe to repeat, so a lost answer is asked for again."""
        return self._send(_Outgoing("GET", f"{path}?{query}" if query else path, headers, keep_body))

    def ask(self, path: str, body: object, *, keep_body: bool = True) -> HttpAnswer:
        """See `connectors.base.Http`."""
        headers = {"Content-Type": "application/json"}
        return self._send(_Outgoing("POST", path, headers, keep_body, json.dumps(body).encode()))

    def scopes(self) -> frozenset[str] | None:
        """See `connectors.base.Http`."""
        return None

    def close(self) -> None:
        """Ends the connections and forgets large answers."""
        self._files.close()
        if self._session:
            self._session.close()

    def _send(self, outgoing: _Outgoing) -> HttpAnswer:
        reserved: int | None = self._reserve(outgoing)
        try:
            for attempt in self._tries():
                with attempt:
                    call, reserved = reserved or self._reserve(outgoing), None
                    return self._try_once(outgoing, call)
        except AgainError as error:
            if isinstance(error.cause, DeferredError):
                self.ledger.block(self.config.name, error.cause.until, error.cause.message)
            raise error.cause from None
        raise AssertionError("tenacity ends with a result or an error")

    def _tries(self) -> Retrying:
        from tenacity import Retrying, retry_if_exception_type

        return Retrying(
            retry=retry_if_exception_type(AgainError),
            wait=_pause,
            stop=self._gives_up,
            sleep=self._rest,
            reraise=True,
        )

    def _gives_up(self, state: RetryCallState) -> bool:
        """After the last try, and where the next one would come after the run's deadline."""
        next_try = self.run.clock.now() + timedelta(seconds=state.upcoming_sleep)
        return state.attempt_number >= TRIES or not self.run.allows(next_try)

    def _rest(self, seconds: float) -> None:
        self._note_wait(seconds, "as the service asks")
        self.run.sleep(seconds)

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
        seconds = max(0.05, (full.until - self.run.clock.now()).total_seconds())
        self._note_wait(seconds, f"as the {full.limit.calls} calls {_span(full.limit)} are used")
        self.run.sleep(seconds)

    def _note_wait(self, seconds: float, why: str) -> None:
        if seconds > NOTED_WAIT_SECONDS:
            self.run.reporter.note(f"{self.config.name}: waits {seconds:.0f} s, {why}")

    def _try_once(self, outgoing: _Outgoing, call: int) -> HttpAnswer:
        began = time.perf_counter()
        try:
            received = self._exchange(outgoing)
        except (RunError, AgainError) as error:
            self.ledger.finish(call, Outcome(None, _since(began), 0, None, self.failures.shown(str(error))))
            raise
        return self._journalled(outgoing, call, received, _since(began))

    def _journalled(self, outgoing: _Outgoing, call: int, received: _Received, ms: int) -> HttpAnswer:
        response = received.response
        self.received += received.size
        failure = self.failures.of_answer(response, received.body, call) if response.status_code >= 300 else None
        kept = redacted(received.body, self.secrets) if self._keeps(outgoing, received, failure) else None
        error = self.failures.shown(str(failure)) if failure else None
        request_id = next((response.headers[h] for h in _REQUEST_ID_HEADERS if h in response.headers), None)
        self.ledger.finish(call, Outcome(response.status_code, ms, received.size, request_id, error, response=kept))
        self._believe(response.headers)
        if failure:
            raise failure
        self._note_accepted()
        now, address = self.run.clock.now(), self.failures.variable("BASE_URL")
        return HttpAnswer(
            response.status_code, response.headers, call, received.body, now, address, self.secrets, received.file
        )

    @staticmethod
    def _keeps(outgoing: _Outgoing, received: _Received, failure: Exception | None) -> bool:
        return received.size <= MOST_BODY_BYTES and (outgoing.keep_body or failure is not None)

    def _believe(self, headers: Mapping[str, str]) -> None:
        """Takes over what the service says is left of its limits."""
        config = self.config
        limits = {limit.window: limit for limit in config.limits}
        for rate in config.cls.rates(headers):
            if limit := limits.get(rate.window):
                self.ledger.correct(config.name, limit, rate.remaining)
                if rate.limit and not config.limits_given:
                    self.ledger.learn(config.name, Limit(rate.limit, rate.window))

    def _note_accepted(self) -> None:
        if not self._accepted:
            self.ledger.accept(self.config.name, self.failures.fingerprint())
            self._accepted = True

    def _exchange(self, outgoing: _Outgoing) -> _Received:
        """Sends and reads the whole answer; raises `UnavailableError`, or `AgainError` where a repeat may help."""
        try:
            return self._whole(
                self._connected().request(
                    outgoing.method,
                    outgoing.target if "://" in outgoing.target else self.config.values.base_url + outgoing.target,
                    data=outgoing.body,
                    headers=outgoing.headers,
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                    stream=True,
                )
            )
        except UnicodeError as error:
            remedy = "Copy them again from the service; quotes and spaces do not belong to them"
            raise AccountError(
                f"{self.failures.credentials()}: one holds a character that cannot be sent", remedy
            ) from error
        except OSError as error:  # every error of requests is one
            raise self.failures.of_error(error) from error

    def _whole(self, response: requests.Response) -> _Received:
        """Reads the answer to its end before anything is made of it: what breaks off is not used at all."""
        held = bytearray()
        parts = response.iter_content(65536)
        for part in parts:
            held += part
            if len(held) > MOST_HELD_BYTES:
                return self._spilled(response, bytes(held), parts)
        return _Received(response, bytes(held), len(held))

    def _spilled(self, response: requests.Response, begin: bytes, rest: Iterator[bytes]) -> _Received:
        import tempfile

        file = self._files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed with the rest
        file.write(begin)
        file.writelines(rest)
        return _Received(response, begin[:MOST_BODY_BYTES], file.tell(), file)

    def _connected(self) -> requests.Session:
        import requests

        if self._session is None:
            self._session = requests.Session()
            self._session.headers["User-Agent"] = f"syncctl/{__version__}"
            self._session.auth = self.config.cls.auth(self.config.values)
        return self._session


def _pause(state: RetryCallState) -> float:
    """What the service asked for, else 1, 2, 4 seconds with some jitter."""
    from tenacity import wait_exponential_jitter

    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, AgainError) and error.wait is not None:
        return error.wait
    return wait_exponential_jitter(initial=1, max=8, jitter=0.5)(state)


def _span(limit: Limit) -> str:
    return "a minute" if limit.window == 60 else f"in {limit.window} s"


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
