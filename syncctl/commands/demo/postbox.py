"""A mail server of the demo's own, on 127.0.0.1: it takes every mail and sends none on."""

from __future__ import annotations

import email.policy
from email.message import EmailMessage
from email.parser import BytesParser
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from types import TracebackType
from typing import Self

READER = "you@shop.test"


class Postbox:
    """The mails that have come, and the settings that send them here."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Conversation)

    def env(self) -> dict[str, str]:
        """The settings of syncctl that mail to this box."""
        return {
            "SYNCCTL_SMTP_URL": f"smtp://127.0.0.1:{self._server.server_address[1]}",
            "SYNCCTL_MAIL_TO": READER,
        }

    def take(self) -> list[EmailMessage]:
        """The mails since the last time."""
        taken, self._server.mails = self._server.mails, []
        parser: BytesParser[EmailMessage] = BytesParser(policy=email.policy.default)
        return [parser.parsebytes(raw) for raw in taken]

    def __enter__(self) -> Self:
        """Serves until the end."""
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Hangs up."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    mails: list[bytes] = []  # noqa: RUF012 - replaced, never changed


class _Conversation(StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a client that trusts the server needs."""

    server: _Server

    def handle(self) -> None:
        self._answer("220 the demo's own mail server")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self._answer("354 go on")
                self.server.mails = [*self.server.mails, self._mail()]
            self._answer("221 bye" if verb == b"QUIT" else "250 OK")
            if verb == b"QUIT":
                return

    def _mail(self) -> bytes:
        """The lines up to the single dot; a dot that begins a line was doubled on the way."""
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(line.removeprefix(b".") for line in lines)

    def _answer(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())
