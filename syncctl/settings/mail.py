"""The settings of mail: the server, the sender and whom to tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, cast

from syncctl.connectors.declared import Setting
from syncctl.models import Struct
from syncctl.settings.connector import LOCAL, Findings, shortened
from syncctl.settings.file import PREFIX

Security = Literal["smtp", "smtp+starttls", "smtps"]

MAIL_SETTINGS = (
    Setting(
        "SMTP_URL",
        "the server that mails what needs a person: `smtp+starttls://user@host:587`, `smtps://user@host:465`, or"
        " without encryption `smtp://host:25`; unset, nothing is mailed",
        secret=True,
    ),
    Setting("SMTP_PASSWORD", "password of its user, unless the URL holds it (percent-encoded)", secret=True),
    Setting("MAIL_TO", "whom to mail, addresses comma separated; required with the server"),
    Setting("MAIL_FROM", "the sender's address; by default the server's user if it is one, else the first of MAIL_TO"),
    Setting(
        "MAIL_AFTER",
        "how long a service must be out of reach before that is mailed: minutes, hours or days, as `30m`, `2h`, `1d`",
        "2h",
        pattern="[0-9]{1,4}[mhd]",
        form="minutes, hours or days, as 30m, 2h or 1d",
    ),
)

_URL = r"(smtp|smtp\+starttls|smtps)://(?:(.*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?/?"
_FORM = "smtp+starttls://user@host:587, smtps://user@host:465 or smtp://host:25"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+"
_ADDRESS = rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}


class Mail(Struct):
    """How to mail, and whom; `sender` and `to` are bare addresses, `after_minutes` delays what may pass by itself."""

    security: Security
    host: str
    port: int
    user: str
    password: str
    sender: str
    to: tuple[str, ...]
    after_minutes: int
    timeout_seconds: float = 20.0

    def __repr__(self) -> str:
        return f"<mail by {self.host}:{self.port}>"  # without the password


class _Server(Struct):
    """What the address of the server says."""

    security: Security
    host: str
    port: int
    user: str
    password: str


def read_mail(values: Mapping[str, str], findings: Findings) -> Mail | None:
    """The settings of mail; None where there are none. What is wrong is added to the problems."""
    given = [name for name in ("SMTP_URL", "SMTP_PASSWORD", "MAIL_TO", "MAIL_FROM") if name in values]
    if not given:
        return None
    before = len(findings.problems)
    findings.problems += _missing(values, given)
    server = _server(values, findings)
    to = tuple(dict.fromkeys(_addresses("MAIL_TO", values, findings)))
    sender = [*_addresses("MAIL_FROM", values, findings), *_login_address(server), *to]
    if len(findings.problems) > before or server is None:
        return None
    return Mail(**server.as_dict(), sender=sender[0], to=to, after_minutes=_minutes(values["MAIL_AFTER"]))


def _missing(values: Mapping[str, str], given: list[str]) -> Iterator[str]:
    for needed in ("SMTP_URL", "MAIL_TO"):
        if needed not in values:
            yield f"{PREFIX}{needed} is not set, but {PREFIX}{given[0]} is; mail needs both, or neither"


def _server(values: Mapping[str, str], findings: Findings) -> _Server | None:
    """The parts of the address; the password joins the secrets."""
    from urllib.parse import unquote

    variable = f"{PREFIX}SMTP_URL"
    if "SMTP_URL" not in values:
        return None
    match = re.fullmatch(_URL, values["SMTP_URL"], re.IGNORECASE)
    if not match or not 0 < int(match[4] or 1) <= 65_535:
        findings.problems.append(f"{variable}: the value is not of the form {_FORM}")
        return None
    security = cast("Security", match[1].lower())
    name, _, inside = (match[2] or "").partition(":")
    user, password = unquote(name), values.get("SMTP_PASSWORD", unquote(inside))
    findings.secrets.update(filter(None, (inside, password)))
    findings.problems += _wrong_login(user, password, both=bool(inside) and "SMTP_PASSWORD" in values)
    host = match[3].lower()
    if security == "smtp" and password and host not in LOCAL:
        findings.warnings.append(f"{variable}: smtp sends the password to {host} unencrypted; use smtp+starttls")
    return _Server(security, host.strip("[]"), int(match[4] or _PORTS[security]), user, password)


def _wrong_login(user: str, password: str, *, both: bool) -> Iterator[str]:
    url, variable = f"{PREFIX}SMTP_URL", f"{PREFIX}SMTP_PASSWORD"
    if both:
        yield f"{url} and {variable} both hold a password: take one away"
    elif password and not user:
        yield f"{url}: there is a password, but no user; write it as in smtp+starttls://user@host:587"
    elif user and not password:
        yield f"{variable} is not set, but {url} names a user; set it, or take the user away"
    if not (user + password).isprintable():
        yield f"{url}: user and password must not have control characters"


def _addresses(name: str, values: Mapping[str, str], findings: Findings) -> Iterator[str]:
    """The addresses in a setting; a sender is one."""
    text = values.get(name)
    if text is None:
        return
    parts = [part.strip() for part in text.split(",")] if name == "MAIL_TO" else [text]
    wrong = [part for part in filter(None, parts) if not re.fullmatch(_ADDRESS, part)]
    if wrong or not any(parts):
        shown = ", ".join(map(shortened, wrong)) or "the list names none"
        findings.problems.append(f"{PREFIX}{name}: not a bare address, as me@example.com: {shown}")
    yield from (part for part in parts if part and part not in wrong)


def _login_address(server: _Server | None) -> list[str]:
    return [server.user] if server and re.fullmatch(_ADDRESS, server.user) else []


def _minutes(text: str) -> int:
    """`2h` in minutes."""
    return int(text[:-1]) * _MINUTES[text[-1]]
