"""Tells a dead man's switch that a run begins and how it ended; the convention is that of healthchecks.io."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from urllib.parse import urlsplit, urlunsplit

from syncctl import __version__
from syncctl.redact import redacted_text

PING_SECONDS = 10
MOST_BYTES = 10_000  # of what is told with the end of a run


class Ping:
    """Sends to the address and below it; that one could not be sent is told to `warn`, and no more than that."""

    def __init__(self, url: str, warn: Callable[[str], None]) -> None:
        self._url = url
        self._warn = warn

    def start(self) -> None:
        """A run begins."""
        self._send("start", "")

    def end(self, code: int, log: str) -> None:
        """A run has ended with this exit code; `log` is what it said."""
        self._send(str(code) if code else "", log)

    def _send(self, what: str, log: str) -> None:
        """In a thread of its own: neither a name server nor a slow answer holds the run up for longer."""
        said: list[str] = []
        thread = Thread(target=self._post, args=(what, log.encode()[-MOST_BYTES:], said), daemon=True)
        thread.start()
        thread.join(PING_SECONDS)
        if not said:
            said.append(f"no answer within {PING_SECONDS} s")
        if said[0]:
            told = redacted_text(said[0], {self._url, self._url.partition("://")[2].partition("/")[2]} - {""})
            self._warn(f"the ping to SYNCCTL_PING_URL failed ({told}); the run goes on")

    def _post(self, what: str, body: bytes, said: list[str]) -> None:
        """Adds to `said` what went wrong, "" where nothing did; nothing where there was no answer in time."""
        import requests

        headers = {"User-Agent": f"syncctl/{__version__}"}
        try:
            answer = requests.post(self._below(what), data=body, headers=headers, timeout=PING_SECONDS)
        except requests.Timeout:
            return  # as where the thread itself outlives its time
        except (OSError, ValueError) as error:  # every error of requests is an OSError
            said.append(_root(error))
        else:
            said.append("" if answer.ok else f"it answers {answer.status_code}")

    def _below(self, what: str) -> str:
        parts = urlsplit(self._url)
        path = f"{parts.path.rstrip('/')}/{what}" if what else parts.path
        return urlunsplit(parts._replace(path=path))


def _root(error: BaseException) -> str:
    """The innermost reason; what is wrapped round it repeats the address."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return " ".join(str(error).split())[:120]
