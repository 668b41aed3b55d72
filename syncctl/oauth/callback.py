"""Waits for the browser of a consent: on a port of this machine, and for an address that somebody pastes."""

from __future__ import annotations

import os
import queue
import select
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from syncctl.errors import CredentialsError, UnavailableError
from syncctl.oauth.consent import PATH, Wish, answer_in
from syncctl.run import Run

HOST = "127.0.0.1"
MINUTES = 15  # for a person to sign in, perhaps with a second factor
_SLICE_SECONDS = 0.2
_PAGE = "<!doctype html><meta charset=utf-8><title>syncctl</title><p>"
_TAKEN = "syncctl has got the answer. What became of it stands in the terminal; this window can be closed."
_STRANGE = (
    "This is no answer to the try that waits in the terminal, and was not taken: open the address that stands there."
)


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    timeout = 30  # a browser may connect and say nothing
    server_version = "syncctl"
    sys_version = ""

    def do_GET(self) -> None:
        """The browser that comes back, and nothing else."""
        path, _, query = self.path.partition("?")
        found = answer_in(query) if path == PATH else {}
        if not found:
            self._show(404, "Nothing is here.")
            return
        ours = self.server.wish.owns(found)
        self._show(200 if ours else 400, _TAKEN if ours else _STRANGE)
        self.server.answers.put(found)

    def _show(self, status: int, words: str) -> None:
        page = f"{_PAGE}{words}".encode()
        self.send_response(status)
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(page))}
        for name, value in {**headers, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing: the address has the code in it."""


class Listener(ThreadingHTTPServer):
    """Listens for `wish` on this machine alone, between entering and leaving; raises `UnavailableError`.

    `answers` are all that came, those to other wishes, too.
    """

    daemon_threads = True

    def __init__(self, port: int, wish: Wish) -> None:
        self.wish = wish
        self.answers: queue.Queue[dict[str, str]] = queue.Queue()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise UnavailableError(
                f"Port {port} cannot be listened on ({error.strerror or error})",
                "Choose another one with --port, and add its address to the redirect addresses of the app; or paste the"
                " address, with --no-browser",
            ) from error

    def __enter__(self) -> Listener:
        """Begins to listen."""
        threading.Thread(target=self.serve_forever, args=(_SLICE_SECONDS,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends."""
        self.shutdown()
        self.server_close()


class _Lines:
    """Whole lines of standard input, as far as they are there, read past Python's buffer."""

    def __init__(self) -> None:
        self._rest = b""
        try:
            self._file = sys.stdin.fileno()
        except (OSError, ValueError, AttributeError):  # there is none
            self._file = -1

    @property
    def ended(self) -> bool:
        """Whether no more lines will come."""
        return self._file < 0

    def lines(self) -> list[str]:
        """The new ones, after a short wait at most."""
        if not select.select([self._file], [], [], _SLICE_SECONDS)[0]:
            return []
        read = os.read(self._file, 65_536)
        *whole, self._rest = (self._rest + (read or b"\n")).split(b"\n")
        if not read:
            self._file = -1
        return [line.decode("utf-8", "replace") for line in whole if line.strip()]


def wait(wish: Wish, listener: Listener | None, run: Run, complain: Callable[[dict[str, str]], None]) -> dict[str, str]:
    """What the browser brought to the listener, or somebody pasted on standard input, whichever is first.

    `complain` is told of answers to other wishes, and with {} of pasted lines that are none; the waiting goes on.
    Raises `CredentialsError` after `MINUTES`, and what `run.check` does.
    """
    pasted, waited = _Lines(), 0.0
    while waited < MINUTES * 60 and (listener or not pasted.ended):
        run.check()
        for answer, taken in (*_brought(listener, wish), *_pasted(pasted, wish, run)):
            if taken:
                return answer
            complain(answer)
        waited += _SLICE_SECONDS
    raise CredentialsError("Nobody consented" + (f" within {MINUTES} minutes" if listener else ""), "Run it again")


def _brought(listener: Listener | None, wish: Wish) -> Iterator[tuple[dict[str, str], bool]]:
    """What has come to the listener, and whether it is taken."""
    while listener and not listener.answers.empty():
        answer = listener.answers.get()
        yield answer, wish.owns(answer)


def _pasted(pasted: _Lines, wish: Wish, run: Run) -> Iterator[tuple[dict[str, str], bool]]:
    """The same of what was pasted; a person may bring a refusal that has no state."""
    if pasted.ended:
        run.sleep(_SLICE_SECONDS)
        return
    for answer in map(answer_in, pasted.lines()):
        yield answer, wish.owns(answer) or ("error" in answer and "state" not in answer)
