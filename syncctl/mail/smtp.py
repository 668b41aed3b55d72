"""Speaks to the mail server: sends one plain text, or only looks whether it would be taken."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from syncctl.mail.letter import Letter
from syncctl.settings.mail import Mail
from syncctl.wording import one_line


class MailError(Exception):
    """The mail, or what `reached` says of it, cannot be sent: why, and what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def message(letter: Letter, mail: Mail, shop: str, now: datetime) -> EmailMessage:
    """The mail itself; a header that would hold more than one line is refused with `ValueError`."""
    made = EmailMessage()
    made["From"] = _address(mail.sender, f"syncctl {shop}")
    made["To"] = tuple(map(_address, mail.to))
    made["Subject"] = letter.subject.replace("=?", "= ?")  # else Python decodes what is in it, line feeds too
    made["Date"] = format_datetime(now)
    made["Message-ID"] = make_msgid("syncctl", mail.sender.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.body, cte="quoted-printable")
    return made


def _address(address: str, name: str = "") -> Address:
    user, _, domain = address.rpartition("@")
    return Address(name, user, domain)


def send(made: EmailMessage, mail: Mail) -> str:
    """Sends; which of several recipients are refused, "" for none. Raises `MailError` if nobody gets it."""
    with _explained(mail), _session(mail) as server:
        return _refusals(server.sendmail(mail.sender, mail.to, made.as_bytes(policy=SMTP)))


def check(mail: Mail) -> str:
    """Connects and logs in as for a mail; what that found. Raises `MailError`."""
    with _explained(mail), _session(mail):
        how = {"smtp": "without encryption", "smtp+starttls": "with STARTTLS", "smtps": "with TLS"}[mail.security]
        login = f", login of {mail.user} accepted" if mail.user else ""
        return f"{mail.host}:{mail.port} answers {how}{login}; mail goes to {', '.join(mail.to)}"


@contextmanager
def _session(mail: Mail) -> Iterator[smtplib.SMTP]:
    """A connection that is encrypted and logged in as far as the settings ask for it, never less."""
    server = _connected(mail)
    try:
        if mail.security == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        server.ehlo_or_helo_if_needed()
        if mail.user:
            server.login(mail.user, mail.password)
        yield server
        with suppress(OSError):  # what was accepted stays accepted, however the server takes its leave
            server.quit()
    finally:
        server.close()


def _connected(mail: Mail) -> smtplib.SMTP:
    if mail.security == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=mail.timeout_seconds, context=context)
    return smtplib.SMTP(mail.host, mail.port, timeout=mail.timeout_seconds)


@contextmanager
def _explained(mail: Mail) -> Iterator[None]:
    """Turns whatever a mail server and the way to it can do into a `MailError`."""
    try:
        yield
    except (OSError, ValueError) as error:
        what, remedy = _why(error, mail)
        raise MailError(f"{mail.host}:{mail.port} {what}", remedy) from error


def _why(error: Exception, mail: Mail) -> tuple[str, str]:
    """What is wrong, and what to do."""
    remedy = "Check host, port and encryption in SYNCCTL_SMTP_URL"
    match error:
        case smtplib.SMTPAuthenticationError():
            what = f"refuses the login of {mail.user}: {_answer(error.smtp_code, error.smtp_error)}"
            remedy = "Check the user in SYNCCTL_SMTP_URL and the password"
        case smtplib.SMTPRecipientsRefused():
            what, remedy = f"refuses {_refusals(error.recipients)}", "Check SYNCCTL_MAIL_TO"
        case smtplib.SMTPSenderRefused():
            what = f"refuses the sender {mail.sender}: {_answer(error.smtp_code, error.smtp_error)}"
            remedy = "Check SYNCCTL_MAIL_FROM"
        case smtplib.SMTPResponseException():
            what = f"answers {_answer(error.smtp_code, error.smtp_error)}"
        case ssl.SSLCertVerificationError():
            what = f"has a certificate that is not trusted: {error.verify_message}"
            remedy = "Name the server as its certificate does; for an authority of your own set SSL_CERT_FILE"
        case _ if TimeoutError in (type(error), type(error.__context__)):
            what = f"does not answer within {mail.timeout_seconds:g} s"
        case _:
            what = f"cannot be used: {one_line(getattr(error, 'strerror', None) or str(error))}"
    return what, remedy


def _refusals(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{address}: {_answer(*told)}" for address, told in refused.items())


def _answer(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return one_line(f"{code} {text}", 200)
