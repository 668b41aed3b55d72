"""A real mail server for the tests, over a real socket, with TLS, login and refusals as wanted."""

from __future__ import annotations

import asyncio
import email.policy
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from threading import Thread
from typing import Any

import trustme
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import AuthResult, LoginPassword

USER, PASSWORD = "me@shop.test", "s3cret%of the/server"


class Postbox:
    """What has arrived, and how the server behaves."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.refused: set[str] = set()
        self.hangs_up = False  # after it has taken a mail, before it says so
        self.port = 0

    @property
    def mails(self) -> list[EmailMessage]:
        parser: BytesParser[EmailMessage] = BytesParser(policy=email.policy.default)
        return [parser.parsebytes(raw) for raw in self.raw]

    def take(self) -> list[EmailMessage]:
        """The mails since the last time."""
        mails = self.mails
        self.raw.clear()
        return mails

    def only(self) -> EmailMessage:
        """The one mail since the last time."""
        (mail,) = self.take()
        return mail

    def env(self) -> dict[str, str]:
        """Settings that mail here, without encryption."""
        return {"SYNCCTL_SMTP_URL": f"smtp://127.0.0.1:{self.port}", "SYNCCTL_MAIL_TO": "ops@shop.test,boss@shop.test"}

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.raw.append(envelope.content)
        if self.hangs_up:
            server.transport.close()
        return "250 OK"


@contextmanager
def serving(box: Postbox, **options: Any) -> Iterator[Postbox]:
    """Serves until the end; `options` are those of aiosmtpd."""
    loop = asyncio.new_event_loop()
    controller = UnthreadedController(box, "127.0.0.1", 0, loop=loop, **options)
    controller.begin()  # type: ignore[no-untyped-call]
    assert isinstance(controller.server, asyncio.Server)
    box.port = controller.server.sockets[0].getsockname()[1]
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        controller.end()  # type: ignore[no-untyped-call]
        loop.close()


def login(*_: object) -> AuthResult:
    """What aiosmtpd asks; the last value is what the client gave."""
    given = _[-1]
    assert isinstance(given, LoginPassword)
    return AuthResult(success=given == LoginPassword(USER.encode(), PASSWORD.encode()), handled=False)


def certificate(folder: Path, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS, and the file of the authority that it is to be trusted by."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    return context, folder / "authority.pem"
