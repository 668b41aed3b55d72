"""One request: reserve it in the budget, send it, try again where that may help, journal it.

A connector with a `Grant` has a token on each call, fetched first where there is none that lives (see `oauth`).
A call is journalled before it leaves and gets its outcome afterwards, so that a crash in between costs one call of
the budget and nothing else. `requests` and `tenacity` are imported only once a call has been reserved, or a token is
needed: a run that is out of budget stays cheap.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from syncctl.connectors.declared import Limit
from syncctl.errors import AccountError, DeferredError, RunError
from syncctl.http.answer import HttpAnswer
from syncctl.http.failures import AgainError, Failures, TokenRefusedError, told, unknown
from syncctl.http.line import MOST_BODY_BYTES, PATIENCE_SECONDS, Line, Outgoing, Received
from syncctl.models import Purpose
from syncctl.redact import redacted
from syncctl.run import Run
from syncctl.settings.config import ConnectorConfig
from syncctl.state.ledger import Ledger, Outcome, Reservation, WindowFullError

if TYPE_CHECKING:
    from requests import PreparedRequest
    from tenacity import RetryCallState, Retrying

    from syncctl.connectors.base import Auth
    from syncctl.oauth.tokens import Keeper
    from syncctl.state.tokens import Token

T = TypeVar("T")
TRIES = 4
NOTED_WAIT_SECONDS = 5  # a longer pause is told, so that nobody takes it for a hang
_REQUEST_ID_HEADERS = ("Xero-Correlation-Id", "X-Request-Id", "Request-Id", "X-Correlation-Id")


class Transport:
    """The calls of one connector in one run; counts them and their bytes."""

    def __init__(self, config: ConnectorConfig, ledger: Ledger, run: Run, secrets: set[str]) -> None:
        self.config = config
        self.ledger = ledger
        self.run = run
        self.secrets = secrets
        self.failures = Failures(config, ledger, run.clock, secrets)
        self.calls = self.received = 0
        self._keeper = self._token_keeper()
        self._token: Token | None = None
        self._line = Line(config.values.base_url)
        self._accepted = False

    def get(
        self,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        keep_body: bool = True,
        may_miss: bool = False,
    ) -> HttpAnswer:
        """See `connectors.base.Http`. A GET is safe to repeat, so a lost answer is asked for again."""
        return self._send(Outgoing("GET", f"{path}?{query}" if query else path, headers, keep_body, may_miss=may_miss))

    def ask(self, path: str, body: object, *, keep_body: bool = True) -> HttpAnswer:
        """See `connectors.base.Http`."""
        headers = {"Content-Type": "application/json"}
        return self._send(Outgoing("POST", path, headers, keep_body, json.dumps(body).encode()))

    def write(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] = MappingProxyType({})
    ) -> HttpAnswer:
        """See `connectors.base.Http`."""
        sent = None if body is None else json.dumps(body, default=float).encode()
        told = {"Content-Type": "application/json", **headers}
        return self._send(Outgoing(method, path, told, keep_body=True, body=sent, once=True))

    def scopes(self) -> frozenset[str] | None:
        """See `connectors.base.Http`."""
        self._take_token()
        told = self._token.scopes if self._token else None
        return None if told is None else frozenset(told.split())

    def renew(self) -> None:
        """See `connectors.base.Http`."""
        if self._keeper and self._keeper.free():
            used = self._keeper.current()
            self._take_token(refused=used.access if used else "")

    def begin(self, form: Mapping[str, str], minutes: int) -> Token:
        """The first token of a consent, by the form with its code, which lives for `minutes`."""
        assert self._keeper  # noqa: S101 - for the type checker
        self._keeper.failures.minutes = minutes
        self._token = self._again(partial(self._keeper.begin, form))
        return self._token

    def close(self) -> None:
        """Ends the connections and forgets large answers."""
        self._line.close()

    def _token_keeper(self) -> Keeper | None:
        grant = self.config.cls.grant(self.config.values)
        if grant is None:
            return None
        from syncctl.oauth.tokens import GrantFailures, Keeper
        from syncctl.state.tokens import TokenFile

        return Keeper(GrantFailures(grant, self.failures), TokenFile(self.ledger.state), self.run, self._ask_token)

    def _take_token(self, refused: str = "") -> None:
        """Has the token ready that the next call needs; not the `refused` one."""
        if self._keeper:
            fetch = partial(self._keeper.fetched, refused)
            self._token = self._keeper.current(refused) or self._again(fetch)

    def _ask_token(self, form: Mapping[str, str]) -> HttpAnswer:
        """One try of a request for a token."""
        assert self._keeper  # noqa: S101 - for the type checker
        blocked = self.ledger.blocked(self.config.name)
        if blocked:
            raise DeferredError(blocked[1], blocked[0])
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        body = urlencode(form).encode()
        outgoing = Outgoing("POST", self._keeper.grant.url, headers, keep_body=False, body=body, for_token=True)
        return self._try_once(outgoing, self._reserve(outgoing))

    def _send(self, outgoing: Outgoing) -> HttpAnswer:
        """Makes a call of the API; a second time where the first shows that its token is used up."""
        self._take_token()
        try:
            return self._call(outgoing)
        except TokenRefusedError:
            assert self._token  # noqa: S101 - for the type checker
            self._take_token(refused=self._token.access)
            return self._call(outgoing)

    def _call(self, outgoing: Outgoing) -> HttpAnswer:
        reserved: int | None = self._reserve(outgoing)

        def try_once() -> HttpAnswer:
            nonlocal reserved
            call, reserved = reserved or self._reserve(outgoing), None
            return self._try_once(outgoing, call)

        return self._again(try_once)

    def _again(self, work: Callable[[], T]) -> T:
        """Does it again while that may help."""
        try:
            return self._tries()(work)
        except AgainError as error:
            if isinstance(error.cause, DeferredError):
                self.ledger.block(self.config.name, error.cause.until, error.cause.message)
            raise error.cause from None

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

    def _reserve(self, outgoing: Outgoing) -> int:
        """The journal's id of a call that may be made now; sits out a full short window inside the deadline."""
        purpose = Purpose.AUTH if outgoing.for_token else self.run.purpose
        wanted = Reservation(
            self.config.name, self.config.limits, purpose, outgoing.method, outgoing.target, self.run.number
        )
        while True:
            self.run.check()
            try:
                call = self.ledger.reserve(wanted)
            except WindowFullError as full:
                self._sit_out(full)
            else:
                self.calls += not outgoing.for_token
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

    def _try_once(self, outgoing: Outgoing, call: int) -> HttpAnswer:
        began = time.perf_counter()
        try:
            received = self._exchange(outgoing)
        except (RunError, AgainError) as error:
            said = self.failures.shown(told(error))
            self.ledger.finish(call, Outcome(None, _since(began), 0, None, said, self._sent(outgoing)))
            raise (unknown(error, call) if outgoing.once else error) from error
        return self._journalled(outgoing, call, received, _since(began))

    def _journalled(self, outgoing: Outgoing, call: int, received: Received, ms: int) -> HttpAnswer:
        response, failures = received.response, self._failures(outgoing)
        self.received += received.size
        failure = failures.of_answer(response, received.body, call) if response.status_code >= 300 else None
        kept = redacted(received.body, self.secrets) if self._keeps(outgoing, received, failure) else None
        error = failures.shown(told(failure)) if failure and not outgoing.expects(response.status_code) else None
        request_id = next((response.headers[h] for h in _REQUEST_ID_HEADERS if h in response.headers), None)
        sent = self._sent(outgoing)
        self.ledger.finish(call, Outcome(response.status_code, ms, received.size, request_id, error, sent, kept))
        if not outgoing.for_token:
            self._believe(response.headers, response.status_code, accepted=failure is None)
        if failure:
            raise unknown(failure, call) if outgoing.once else failure
        now, body = self.run.clock.now(), received.body
        headers, setting, file = response.headers, failures.setting, received.file
        return HttpAnswer(response.status_code, headers, call, body, now, setting, self.secrets, file, self._blame)

    def _blame(self, call: int, message: str) -> None:
        self.ledger.blame(call, self.failures.shown(message))

    def _failures(self, outgoing: Outgoing) -> Failures:
        return self._keeper.failures if self._keeper and outgoing.for_token else self.failures

    def _sent(self, outgoing: Outgoing) -> bytes | None:
        """What the journal keeps of the request's body."""
        wanted = outgoing.keep_body and not outgoing.for_token and len(outgoing.body or b"") <= MOST_BODY_BYTES
        return redacted(outgoing.body, self.secrets) if outgoing.body and wanted else None

    @staticmethod
    def _keeps(outgoing: Outgoing, received: Received, failure: Exception | None) -> bool:
        wanted = outgoing.keep_body or failure is not None
        return wanted and received.size <= MOST_BODY_BYTES and not outgoing.for_token

    def _believe(self, headers: Mapping[str, str], status: int, *, accepted: bool) -> None:
        """Takes over what the service says of its limits, and that it took the credentials.

        A 429 says for how long nothing is left, and the block lasts as long: to book what others spent as spent now
        would keep us away for a whole window more.
        """
        config = self.config
        limits = {limit.window: limit for limit in config.limits if status != 429}
        for rate in config.cls.rates(headers):
            if limit := limits.get(rate.window):
                self.ledger.correct(config.name, limit, rate.remaining)
                if rate.limit and not config.limits_given:
                    self.ledger.learn(config.name, Limit(rate.limit, rate.window))
        if accepted and not self._accepted:
            self.ledger.accept(self.config.name, self.failures.fingerprint())
            self._accepted = True

    def _exchange(self, outgoing: Outgoing) -> Received:
        """Sends and reads the whole answer; raises `UnavailableError`, or `AgainError` where a repeat may help."""
        patience = self._patience(outgoing)
        try:
            return self._line.send(outgoing, self._auth(outgoing), patience)
        except UnicodeError as error:
            remedy = "Copy them again from the service; quotes and spaces do not belong to them"
            raise AccountError(
                f"{self._failures(outgoing).credentials()}: one holds a character that cannot be sent", remedy
            ) from error
        except OSError as error:  # every error of requests is one
            short = patience if patience < PATIENCE_SECONDS else None
            raise self._failures(outgoing).of_error(error, short) from error

    def _patience(self, outgoing: Outgoing) -> float:
        """How long the service may be silent; --max-seconds cuts it short only where a lost answer does no harm."""
        if outgoing.once or outgoing.for_token:
            return PATIENCE_SECONDS
        return min(PATIENCE_SECONDS, self.run.share())

    def _auth(self, outgoing: Outgoing) -> Auth:
        if self._keeper and outgoing.for_token:
            return self._keeper.auth
        return self._with_token

    def _with_token(self, request: PreparedRequest) -> PreparedRequest:
        prepared = self.config.cls.auth(self.config.values)(request)
        if self._token:
            prepared.headers["Authorization"] = f"Bearer {self._token.access}"
        return prepared


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
