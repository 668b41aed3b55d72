"""What a failed call means: which error, whether a repeat may help, and what to tell about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncctl.connectors._fields import text
from syncctl.errors import (
    AccountError,
    AnswerError,
    CredentialsError,
    DeferredError,
    RefusedError,
    RunError,
    UnavailableError,
    UnknownOutcomeError,
)
from syncctl.http.answer import retry_after
from syncctl.redact import fingerprint, redacted, redacted_text
from syncctl.settings.config import ConnectorConfig

if TYPE_CHECKING:
    import requests

    from syncctl.clock import Clock
    from syncctl.state.ledger import Ledger

PATIENCE_SECONDS = 90  # a Retry-After up to this long is waited for
UNNAMED_BLOCK = timedelta(minutes=15)  # after repeated 429s that do not say how long
PROBE = timedelta(days=1)  # a used-up quota is tried again once a day
MOST_WORDS_BYTES = 64 * 1024  # of an error's body, to look for what the service says in it
AGAIN = "The next run tries again"
ASKED = "A later run asks the service what became of it, before it is sent again; syncctl queue list says when"


class AgainError(Exception):
    """A try failed in a way that a later one may not; `cause` is what to raise when no try is left."""

    def __init__(self, cause: RunError, wait: float | None = None) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.wait = wait


def unknown(failure: Exception, call: int) -> Exception:
    """What a failure means for a call that changes something: unless it is certain that nothing was done, nobody knows.

    A refusal and a limit are certain.
    """
    cause = failure.cause if isinstance(failure, AgainError) else failure
    if not isinstance(cause, UnavailableError | AnswerError) or getattr(cause, "undone", False):
        return failure
    error = UnknownOutcomeError(cause.message, ASKED)
    error.call = call
    return error


def told(failure: Exception) -> str:
    """What the journal says of a failure.

    What to do about a refusal depends on who asked: many a look-up expects a 404. Where a repeat may help, the same
    run is the next to try.
    """
    if isinstance(failure, AgainError):
        return failure.cause.message
    return failure.message if isinstance(failure, RefusedError) else str(failure)


def _undone(error: UnavailableError) -> UnavailableError:
    """Marks a failure that came before anything was sent."""
    error.undone = True
    return error


class TokenRefusedError(CredentialsError):
    """The service refuses the token of a call; it may accept a new one."""


class Failures:
    """Turns what went wrong with the calls of one connector into errors; learns from them how long to stay away."""

    def __init__(self, config: ConnectorConfig, ledger: Ledger, clock: Clock, secrets: set[str]) -> None:
        self.config = config
        self.cls = config.cls
        self.ledger = ledger
        self.clock = clock
        self.secrets = secrets
        self.url = config.values.base_url
        own = self.url != self.cls.address(config.values.settings)
        self.setting = self.variable("BASE_URL" if own else self.cls.address_setting)  # which the address is from

    def fingerprint(self) -> str:
        """Stands for the credentials; see `redact.fingerprint`."""
        return fingerprint(self.config.values, self._credentials())

    def variable(self, setting: str) -> str:
        """The name of a setting, for a message."""
        return self.config.values.variable(setting)

    def credentials(self) -> str:
        """The names of the settings that make up the credentials."""
        return " and ".join(map(self.variable, self._credentials()))

    def _credentials(self) -> list[str]:
        """What has to be set, and what secrets are; a service may offer several kinds of credentials."""
        values, settings = self.config.values, self.cls.settings
        return [each.name for each in settings if each.required or (each.secret and values.get(each.name))]

    def shown(self, words: str) -> str:
        """What somebody else said, in one harmless line: no secret, no control character."""
        return " ".join(text(redacted_text(words, self.secrets)).split())[:300]

    def of_error(self, error: OSError, short: float | None = None) -> Exception:
        """What kept the answer from coming; what does not mend itself is not tried again.

        `short` is for how many seconds it was waited for, where the run had no more.
        """
        from requests import exceptions

        url, setting, reason = self.url, self.setting, self.shown(_root(error))
        if short is not None and (isinstance(error, exceptions.Timeout) or "Read timed out" in str(error)):
            why = f"{url} was silent for {short:.0f} s, as long as --max-seconds let this run wait for it"
            return UnavailableError(why, f"{AGAIN}; if it stays so, look at the service or allow more time")
        if isinstance(error, exceptions.SSLError):
            remedy = f"Check {setting}, the machine's clock and its CA certificates"
            refused = UnavailableError(f"No trusted TLS connection to {url} ({reason})", remedy)
            return _undone(refused) if "CERTIFICATE_VERIFY_FAILED" in str(error) else refused
        if "NameResolution" in str(error):
            remedy = f"Check {setting}, and the machine's DNS"
            return _undone(UnavailableError(f"The host of {url} is not found ({reason})", remedy))
        if isinstance(error, exceptions.InvalidURL | exceptions.InvalidSchema | exceptions.InvalidHeader):
            return AccountError(f"No call to {url} can be made ({reason})", f"Check {setting} and the proxy settings")
        if not isinstance(error, exceptions.RequestException):
            return UnavailableError(f"{url} cannot be called ({reason})", "Check the CA certificates and the proxy")
        return AgainError(self._interrupted(error, reason))

    def _interrupted(self, error: OSError, reason: str) -> RunError:
        """What a repeat may mend."""
        from requests import exceptions

        url = self.url
        if isinstance(error, exceptions.ConnectTimeout):
            return _undone(UnavailableError(f"{url} does not answer in time", AGAIN))
        if isinstance(error, exceptions.Timeout):
            return UnavailableError(f"{url} does not answer in time", AGAIN)
        if isinstance(error, exceptions.ChunkedEncodingError):
            return UnavailableError(f"The answer of {url} broke off in the middle", AGAIN)
        if isinstance(error, exceptions.ContentDecodingError):
            return AnswerError(f"The answer of {url} cannot be unpacked ({reason})", AGAIN)
        unreachable = UnavailableError(f"{url} cannot be reached ({reason})", f"Check the network. {AGAIN}")
        return _undone(unreachable) if "NewConnectionError" in repr(error) else unreachable

    def of_answer(self, response: requests.Response, body: bytes, call: int) -> Exception:
        """What a status of 300 and above means."""
        status, said = response.status_code, self._said(response, body)
        if status < 400 and status != 304:
            where = self.shown(response.headers.get("Location", "")) or "another place"
            return AnswerError(f"The service redirects call {call} to {where}", f"Correct {self.setting}")
        if status == 429:
            return self._limited(response, said)
        if status in (401, 403):
            return self._quota(said) if self._is_quota(status) else self._not_accepted(response, body, said)
        if status >= 500 or status == 408:
            return self._troubled(response, said)
        message, told = f"The service refuses call {call} with {said}", self._readable(body)
        look = "If it stays so, report it as a bug of syncctl"
        if status in (404, 405):
            look = self.cls.remedy(self.config.values, response.headers, told) or f"Check {self.setting}"
        return RefusedError(message, look, status=status, call=call, body=told)

    def _readable(self, body: bytes) -> str:
        return redacted(body[:MOST_WORDS_BYTES], self.secrets).decode("utf-8", "replace")

    def _said(self, response: requests.Response, body: bytes) -> str:
        """The status and the service's own words."""
        words = self.shown(self._words(self._readable(body)))
        reason = self.shown(response.reason or "")
        status = f"{response.status_code} {reason}".strip()
        if reason and words.casefold().startswith(f"{reason.casefold()}: "):
            words = words[len(reason) + 2 :]  # many say it in the body, too
        return status if words.rstrip(".").casefold() in ("", reason.casefold()) else f"{status}: {words}"

    def _words(self, body: str) -> str:
        return self.cls.service_words(body)

    def _troubled(self, response: requests.Response, said: str) -> Exception:
        """The service has a problem of its own, and may say how long."""
        cause = UnavailableError(f"The service answers {said}", f"It has a problem of its own. {AGAIN}")
        wait = retry_after(response.headers, self.clock.now())
        return cause if wait and wait > PATIENCE_SECONDS else AgainError(cause, wait)

    def _not_accepted(self, response: requests.Response, body: bytes, said: str) -> CredentialsError:
        headers, words = response.headers, self._readable(body)
        remedy = self.cls.remedy(self.config.values, headers, words)
        renewable = response.status_code == 401 and self._is_renewable(headers, words, remedy)
        kind = TokenRefusedError if renewable else CredentialsError
        if remedy:
            return kind(f"The service refuses access with {said}", remedy)
        look = f"Check {self.credentials()}, then run syncctl doctor"
        if response.status_code in self.cls.quota_status and (elsewhere := self._elsewhere()):
            look += f". It may mean a used-up quota, too: {elsewhere}"
        return kind(f"The service refuses the credentials with {said}", look)

    def _is_renewable(self, headers: Mapping[str, str], words: str, remedy: str) -> bool:
        """Whether a new token may help; one that is got by id and secret alone is worth a try in any case."""
        grant = self.cls.grant(self.config.values)
        if grant is None:
            return False
        return grant.refresh_token is None or (not remedy and self.cls.token_expired(headers, words))

    def _is_quota(self, status: int) -> bool:
        name, limits = self.config.name, self.config.limits
        return (
            status in self.cls.quota_status
            and self.ledger.nearly_spent(name, limits)
            and self.ledger.was_accepted(name, self.fingerprint())
        )

    def _quota(self, said: str) -> DeferredError:
        now = self.clock.now()
        month = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return self._block(min(now + PROBE, month), f"The quota of the plan seems used up ({said})")

    def _limited(self, response: requests.Response, said: str) -> Exception:
        now = self.clock.now()
        wait = self._wait(response)
        if wait is None:
            if self.ledger.nearly_spent(self.config.name, self.config.limits):
                return self._quota(said)
            return AgainError(DeferredError(self._limit_words(said), now + UNNAMED_BLOCK))
        until = now + timedelta(seconds=wait)
        if wait <= PATIENCE_SECONDS:
            return AgainError(DeferredError(f"The service says {said}", until), wait)
        return self._block(until, self._limit_words(said))

    def _limit_words(self, said: str) -> str:
        """A limit that the service enforces and does not name, or for long; what is booked here may not explain it."""
        elsewhere = "" if self.ledger.nearly_spent(self.config.name, self.config.limits) else self._elsewhere()
        return f"The service says {said}, though {elsewhere}" if elsewhere else f"The service says {said}"

    def _elsewhere(self) -> str:
        """Who may have used up what is not used up here; "" where no limit is longer than a few minutes."""
        longs = [limit for limit in self.config.limits if not limit.waitable]
        usages = self.ledger.usage(self.config.name, longs)
        if not usages:
            return ""
        fullest = max(usages, key=lambda usage: (usage.used + usage.others) / usage.limit.calls)
        booked, limit = fullest.used + fullest.others, fullest.limit
        return (
            f"only {booked:,} of {limit.calls:,} calls {limit.span} are booked here: look at the account's usage there"
            f" and at {self.variable('LIMITS')}"
        )

    def _wait(self, response: requests.Response) -> float | None:
        """Seconds to wait: no longer than the longest window, where all of them are rolling."""
        wait = self.cls.pause(response.headers, retry_after(response.headers, self.clock.now()))
        windows = [limit.window for limit in self.cls.limits]
        rolling = [window for window in windows if isinstance(window, int)]
        return min(wait, max(rolling)) if wait and len(rolling) == len(windows) else wait

    def _block(self, until: datetime, reason: str) -> DeferredError:
        self.ledger.block(self.config.name, until, reason)
        return DeferredError(reason, until)


def _root(error: BaseException) -> str:
    """The innermost reason, without the layers that urllib3 wraps round it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return " ".join(str(error).split())[:120]
