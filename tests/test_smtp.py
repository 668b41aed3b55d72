"""Speaking to a mail server: encryption, login, refusals, silence."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import NOON
from postbox import PASSWORD, USER, Postbox, certificate, login, serving

from syncctl.mail.letter import Letter
from syncctl.mail.smtp import MailError, check, message, send
from syncctl.settings.mail import Mail, Security

LETTER = Letter("syncctl demo: 1 failed (unleashed: credentials)", "Café ☕ costs 5 €\n.\nFrom here on\n" + "x" * 2000)


def mail(box: Postbox, security: Security = "smtp", user: str = "", password: str = "") -> Mail:
    return Mail(security, "127.0.0.1", box.port, user, password, "cron@shop.test", ("ops@shop.test",), 120)


def post(settings: Mail) -> str:
    return send(message(LETTER, settings, "demo", NOON), settings)


def refusal(settings: Mail) -> MailError:
    with pytest.raises(MailError) as raised:
        post(settings)
    return raised.value


@pytest.fixture
def box() -> Iterator[Postbox]:
    with serving(Postbox()) as running:
        yield running


@contextlib.contextmanager
def encrypted(
    security: Security, folder: Path, monkeypatch: pytest.MonkeyPatch, host: str = "127.0.0.1"
) -> Iterator[Postbox]:
    """A server that takes nothing without TLS and login."""
    context, authority = certificate(folder, host)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    options: dict[str, Any] = {"tls_context": context, "require_starttls": True, "auth_required": True}
    if security == "smtps":  # aiosmtpd sees the encryption of STARTTLS only
        options = {"ssl_context": context, "auth_require_tls": False}
    with serving(Postbox(), authenticator=login, **options) as running:
        yield running


def test_a_mail_arrives_as_it_was_written(box: Postbox) -> None:
    assert post(mail(box)) == ""
    arrived = box.only()
    assert arrived.get_content().splitlines() == LETTER.body.splitlines()
    assert arrived["Subject"] == LETTER.subject
    assert (arrived["From"], arrived["To"]) == ("syncctl demo <cron@shop.test>", "ops@shop.test")
    assert arrived["Date"].datetime == NOON
    assert arrived["Message-ID"].endswith("@shop.test>")
    assert arrived["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("security", ["smtp+starttls", "smtps"])
def test_encrypted_and_logged_in(security: Security, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with encrypted(security, tmp_path, monkeypatch) as box:
        assert "login of me@shop.test accepted" in check(mail(box, security, USER, PASSWORD))
        assert not box.take(), "a check sends nothing"
        post(mail(box, security, USER, PASSWORD))
        assert box.only()["Subject"] == LETTER.subject


@pytest.mark.parametrize("security", ["smtp+starttls", "smtps"])
def test_a_refused_login(security: Security, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with encrypted(security, tmp_path, monkeypatch) as box:
        error = refusal(mail(box, security, USER, "wrong"))
        assert "refuses the login of me@shop.test: 535 " in error.message
        assert "wrong" not in error.message
        assert not box.take()


@pytest.mark.parametrize("security", ["smtp+starttls", "smtps"])
def test_nothing_is_told_to_a_server_of_another_name(
    security: Security, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with encrypted(security, tmp_path, monkeypatch, "mail.shop.test") as box:
        error = refusal(mail(box, security, USER, PASSWORD))
        assert "certificate that is not trusted" in error.message
        assert "SSL_CERT_FILE" in error.remedy


def test_starttls_is_never_done_without(box: Postbox) -> None:
    assert "STARTTLS" in refusal(mail(box, "smtp+starttls", USER, PASSWORD)).message
    assert not box.take()


def test_a_refused_recipient_does_not_keep_the_mail_from_the_others(box: Postbox) -> None:
    box.refused = {"boss@shop.test"}
    both = mail(box).changed(to=("ops@shop.test", "boss@shop.test"))
    assert post(both) == "boss@shop.test: 550 5.1.1 nobody of that name"
    assert len(box.take()) == 1
    assert "refuses boss@shop.test: 550" in refusal(both.changed(to=("boss@shop.test",))).message


def test_a_server_that_is_not_there(box: Postbox) -> None:
    with socket.socket() as deaf:  # nobody else gets its port meanwhile
        deaf.bind(("127.0.0.1", 0))
        assert "Connection refused" in refusal(mail(box).changed(port=deaf.getsockname()[1])).message


@pytest.mark.parametrize("security", ["smtp", "smtp+starttls", "smtps"])
def test_a_server_that_says_nothing(security: Security, box: Postbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings = mail(box, security).changed(port=mute.getsockname()[1], timeout_seconds=0.2)
        assert refusal(settings).message.endswith("does not answer within 0.2 s")
