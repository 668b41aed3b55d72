"""The settings of mail: all or none, each wrong one named, no secret shown."""

from __future__ import annotations

import pytest

from syncctl.errors import ConfigError
from syncctl.settings.config import load
from syncctl.settings.mail import Mail

GOOD = {
    "SYNCCTL_SHOP": "demo",
    "SYNCCTL_CONNECTORS": "unleashed",
    "SYNCCTL_UNLEASHED_API_ID": "id-1",
    "SYNCCTL_UNLEASHED_API_KEY": "key",
}
URL = "smtp+starttls://me@mail.shop.test"


@pytest.fixture(autouse=True)
def _here(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("here")
    (folder / ".env").touch(mode=0o600)
    monkeypatch.chdir(folder)


def mail(**values: str) -> Mail:
    found = load(environ=GOOD | {f"SYNCCTL_{name}": value for name, value in values.items()}).mail
    assert found
    return found


def problems(**values: str) -> str:
    with pytest.raises(ConfigError) as raised:
        mail(**values)
    return "\n".join(raised.value.problems)


def test_without_settings_nothing_is_mailed() -> None:
    assert load(environ=GOOD).mail is None
    assert load(environ=GOOD | {"SYNCCTL_MAIL_AFTER": "1d"}).mail is None


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("smtp://localhost", ("smtp", "localhost", 25, "", "")),
        ("SMTPS://me:pw@Mail.Shop.test/", ("smtps", "mail.shop.test", 465, "me", "pw")),
        ("smtp+starttls://me:pw@mail.shop.test:2525", ("smtp+starttls", "mail.shop.test", 2525, "me", "pw")),
        ("smtps://me@shop.test:p@s:s/%25@[::1]", ("smtps", "::1", 465, "me@shop.test", "p@s:s/%")),
        ("smtps://me%40shop.test:%C3%A9@h", ("smtps", "h", 465, "me@shop.test", "é")),
    ],
)
def test_the_server(url: str, parts: tuple[object, ...]) -> None:
    found = mail(SMTP_URL=url, MAIL_TO="ops@shop.test")
    assert (found.security, found.host, found.port, found.user, found.password) == parts


@pytest.mark.parametrize(
    ("url", "given", "sender"),
    [
        ("smtps://cron@shop.test:pw@h", {}, "cron@shop.test"),
        ("smtps://cron:pw@h", {}, "ops@shop.test"),
        ("smtp://h", {}, "ops@shop.test"),
        ("smtps://cron@shop.test:pw@h", {"MAIL_FROM": "noreply@shop.test"}, "noreply@shop.test"),
    ],
)
def test_the_sender(url: str, given: dict[str, str], sender: str) -> None:
    assert mail(SMTP_URL=url, MAIL_TO="ops@shop.test", **given).sender == sender


def test_several_recipients() -> None:
    assert mail(SMTP_URL="smtp://h", MAIL_TO="a@x.test, b@x.test,,a@x.test").to == ("a@x.test", "b@x.test")


@pytest.mark.parametrize(("text", "minutes"), [("30m", 30), ("2h", 120), ("1d", 1440), ("0m", 0)])
def test_how_long_an_outage_lasts_first(text: str, minutes: int) -> None:
    assert mail(SMTP_URL="smtp://h", MAIL_TO="a@x.test", MAIL_AFTER=text).after_minutes == minutes


ONE = {"MAIL_TO": "a@x.test"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"SMTP_URL": "smtp://h"}, "SYNCCTL_MAIL_TO is not set, but SYNCCTL_SMTP_URL is"),
        (ONE, "SYNCCTL_SMTP_URL is not set, but SYNCCTL_MAIL_TO is"),
        (ONE | {"SMTP_URL": "mail.shop.test:25"}, "SYNCCTL_SMTP_URL: the value is not of the form smtp"),
        (ONE | {"SMTP_URL": "smtp://h:99999"}, "SYNCCTL_SMTP_URL: the value is not of the form smtp"),
        (ONE | {"SMTP_URL": URL}, "SYNCCTL_SMTP_PASSWORD is not set, but SYNCCTL_SMTP_URL names a user"),
        (ONE | {"SMTP_URL": "smtp://h", "SMTP_PASSWORD": "pw"}, "SYNCCTL_SMTP_URL: there is a password, but no user"),
        (ONE | {"SMTP_URL": "smtps://me:pw@h", "SMTP_PASSWORD": "pw"}, "both hold a password"),
        (ONE | {"SMTP_URL": "smtps://me:p%0Aw@h"}, "must not have control characters"),
        (
            {"SMTP_URL": "smtp://h", "MAIL_TO": "a@x.test, Me <b@x>"},
            'SYNCCTL_MAIL_TO: not a bare address, as me@example.com: "Me <b@x>"',
        ),
        ({"SMTP_URL": "smtp://h", "MAIL_TO": ","}, "SYNCCTL_MAIL_TO: not a bare address"),
        (ONE | {"SMTP_URL": "smtp://h", "MAIL_FROM": "a@x.test,b@x.test"}, "SYNCCTL_MAIL_FROM: not a bare address"),
        (ONE | {"SMTP_URL": "smtp://h", "MAIL_FROM": "a@x.test\r\nBcc: b@x.test"}, "SYNCCTL_MAIL_FROM: "),
        (ONE | {"SMTP_URL": "smtp://h", "MAIL_AFTER": "2 h"}, 'SYNCCTL_MAIL_AFTER: "2 h" does not fit'),
    ],
)
def test_what_is_wrong_is_told(values: dict[str, str], told: str) -> None:
    assert told in problems(**values)


def test_wrong_mail_settings_are_told_with_the_others() -> None:
    found = problems(SHOP="my shop", SMTP_URL="x", MAIL_TO="y")
    assert [line.split(":")[0] for line in found.splitlines()] == [
        "SYNCCTL_SHOP",
        "SYNCCTL_SMTP_URL",
        "SYNCCTL_MAIL_TO",
    ]


def test_no_password_is_shown() -> None:
    values = {"SYNCCTL_SMTP_URL": "smtps://me:hush%2Fhush@h", "SYNCCTL_MAIL_TO": "a@x.test"}
    config = load(environ=GOOD | values)
    assert {"hush/hush", "hush%2Fhush"} <= config.secrets
    assert "hush" not in repr(config) + repr(config.mail)
    assert "hush" not in problems(SMTP_URL="smtps://me:hush@h:x", MAIL_TO="a@x.test")


@pytest.mark.parametrize(("host", "warned"), [("mail.shop.test", True), ("localhost", False)])
def test_an_unencrypted_password_gets_a_warning(host: str, *, warned: bool) -> None:
    values = {"SYNCCTL_SMTP_URL": f"smtp://me:pw@{host}", "SYNCCTL_MAIL_TO": "a@x.test"}
    warnings = load(environ=GOOD | values).warnings
    assert any(f"sends the password to {host} unencrypted" in each for each in warnings) == warned
