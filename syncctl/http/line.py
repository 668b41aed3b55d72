"""The connections to one service: sends one request, and reads the whole of what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from syncctl import __version__

if TYPE_CHECKING:
    import requests

    from syncctl.connectors.base import Auth

CONNECT_SECONDS = 10.0
PATIENCE_SECONDS = 90.0  # between two bytes of the answer
MOST_BODY_BYTES = 256 * 1024  # that the journal keeps
MOST_HELD_BYTES = 4 * 1024 * 1024  # of an answer in memory; a larger one goes into a temporary file
MOST_TOKEN_BYTES = 256 * 1024  # no answer with a token in it is that large


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request. `target` stands below the base URL or is a whole address."""

    method: str
    target: str
    headers: Mapping[str, str]
    keep_body: bool
    body: bytes | None = None
    for_token: bool = False  # to the token endpoint: no call of the API
    once: bool = False  # it changes something: not sent again unless it is certain that nothing was done
    may_miss: bool = False  # a 404 says that there is none, and is no failure

    def expects(self, status: int) -> bool:
        """Whether this status of 300 and above is an answer like any other: there is none, or nothing has changed."""
        return status == 304 or (status == 404 and self.may_miss)


@dataclass(frozen=True, slots=True)
class Received:
    """A whole answer; one too large to be held in memory is in `file`, with its beginning in `body`."""

    response: requests.Response
    body: bytes
    size: int
    file: IO[bytes] | None = None


class Line:
    """The connections of one connector in one run; made with the first request."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session: requests.Session | None = None
        self._files = ExitStack()

    def send(self, outgoing: Outgoing, auth: Auth, patience: float = PATIENCE_SECONDS) -> Received:
        """Sends and reads to the end; raises `UnicodeError`, and for all else an `OSError`, as those of requests are.

        `patience` is for how many seconds no byte may come.
        `auth` is told even where it does nothing: without one requests looks into the user's .netrc.
        """
        response = self._connected().request(
            outgoing.method,
            outgoing.target if "://" in outgoing.target else self._base_url + outgoing.target,
            data=outgoing.body,
            headers=outgoing.headers,
            auth=auth,
            timeout=(min(CONNECT_SECONDS, patience), patience),
            allow_redirects=False,
            stream=True,
        )
        return _short(response) if outgoing.for_token else self._whole(response)

    def close(self) -> None:
        """Ends the connections and forgets large answers."""
        self._files.close()
        if self._session:
            self._session.close()

    def _whole(self, response: requests.Response) -> Received:
        """Reads the answer to its end before anything is made of it: what breaks off is not used at all."""
        held = bytearray()
        parts = response.iter_content(65536)
        for part in parts:
            held += part
            if len(held) > MOST_HELD_BYTES:
                return self._spilled(response, bytes(held), parts)
        return Received(response, bytes(held), len(held))

    def _spilled(self, response: requests.Response, begin: bytes, rest: Iterator[bytes]) -> Received:
        import tempfile

        file = self._files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed with the rest
        file.write(begin)
        file.writelines(rest)
        return Received(response, begin[:MOST_BODY_BYTES], file.tell(), file)

    def _connected(self) -> requests.Session:
        import requests

        if self._session is None:
            self._session = requests.Session()
            self._session.headers["User-Agent"] = f"syncctl/{__version__}"
        return self._session


def _short(response: requests.Response) -> Received:
    """An answer of which no more than its beginning can be of use."""
    held = bytearray()
    for part in response.iter_content(65536):
        held += part
        if len(held) > MOST_TOKEN_BYTES:
            response.close()
            break
    return Received(response, bytes(held), len(held))
