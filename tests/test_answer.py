"""What arrives instead of an answer, over real sockets, and what an answer may hold."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from conftest import Shop

from syncctl.errors import AnswerError
from syncctl.http.answer import HttpAnswer, retry_after
from syncctl.redact import redacted, redacted_text

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "very/secret+key=="


def answer(body: bytes, content_type: str = "application/json") -> HttpAnswer:
    headers = {"Content-Type": content_type, "Date": "Mon, 23 Nov 2026 11:59:00 GMT"}
    return HttpAnswer(200, headers, 7, body, NOON, "SYNCCTL_SHOP_BASE_URL", frozenset({KEY}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><title>Log in</title>",
        b'{"Items": [{"Guid": "1',
        b'\xff\xfe\xfa"',
        b"[" * 100_000,
        b'{"Items": ?}',
    ],
)
def test_what_is_no_json_says_what_came(body: bytes) -> None:
    with pytest.raises(AnswerError, match=r"no JSON \(call 7, application/json\).*Check SYNCCTL_SHOP_BASE_URL"):
        answer(body).json()


def test_what_is_no_json_is_quoted_without_secrets_and_in_one_line() -> None:
    with pytest.raises(AnswerError) as caught:
        answer(f"<p>\nyour key {KEY}\x1b[31m".encode(), "text/html").json()
    assert "text/html): '<p> your key ***\\x1b[31m'" in caught.value.message


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (b"14.50", Decimal("14.50")),
        (b"1e400", Decimal("1e400")),
        (b"NaN", "NaN"),
        (b"1e9999999999999999999", "1e9999999999999999999"),
        (b"9" * 5000, "9" * 5000),
    ],
)
def test_a_number_beyond_measure_harms_only_itself(number: bytes, value: object) -> None:
    assert answer(b'{"Page": 1, "a": 0.5, "Price": ' + number + b"}").json() == {
        "Page": 1, "a": Decimal("0.5"), "Price": value,
    }  # fmt: skip


def test_a_byte_order_mark_is_no_harm() -> None:
    assert answer(b'\xef\xbb\xbf{"Items": []}').json() == {"Items": []}


def test_the_service_tells_its_clock() -> None:
    assert answer(b"{}").skew() == 60
    assert HttpAnswer(200, {"Date": "yesterday"}, 7, b"", NOON).skew() is None


@pytest.mark.parametrize(
    "text",
    [KEY, '{"key": "very\\/secret+key=="}', "?key=very%2Fsecret%2Bkey%3D%3D", '{"Access_Token" : "a\\"b"}'],
)
def test_a_secret_is_hidden_in_every_spelling(text: str) -> None:
    hidden = redacted_text(text, {KEY, "very"})
    assert "***" in hidden
    assert not any(part in hidden for part in ("secret", "very", 'a\\"b'))


def test_bytes_that_are_no_text_are_redacted_too() -> None:
    assert redacted(b"\xff" + KEY.encode(), {KEY}) == b"\xff***"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "0.2"}, 1),
        ({"Retry-After": "-5"}, 1),
        ({"Retry-After": "Mon, 23 Nov 2026 12:00:40 GMT"}, 40),
        ({"Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT"}, 1),
        ({"Retry-After": "Mon, 23 Nov 2026 15:00:40 GMT", "Date": "Mon, 23 Nov 2026 15:00:00 GMT"}, 40),
        ({"Retry-After": "999999999"}, 86400),
        ({"Retry-After": "1e999"}, 86400),
        ({"Retry-After": "Mon, 23 Nov 9999 12:00:40 GMT"}, 86400),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Mon, 99 Nov 2026 12:00:40 GMT"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOON) == seconds


class Plain(BaseHTTPRequestHandler):
    """Answers every GET with what the server was given."""

    def do_GET(self) -> None:
        server: Any = self.server
        self.send_response(server.status)
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silent."""


@contextmanager
def serving(
    body: bytes = b"", status: int = 200, headers: dict[str, str] | None = None, cert: Path | None = None
) -> Iterator[str]:
    """A server that says the same to everybody; its host and port."""
    server: Any = HTTPServer(("127.0.0.1", 0), Plain)
    server.body, server.status, server.headers = body, status, headers or {}
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def told(shop: Shop, base_url: str) -> tuple[int, str]:
    """The exit code and the one line on stderr of a run against another address."""
    result = shop.run("sync-recent", SYNCCTL_UNLEASHED_BASE_URL=base_url)
    assert result.out == ""
    (line,) = result.err.splitlines()
    assert line.startswith("unleashed: ")
    return result.code, line


def test_https_where_plain_http_is_served(shop: Shop) -> None:
    with serving() as host:
        code, line = told(shop, f"https://{host}")
    assert code == 69
    assert f"No trusted TLS connection to https://{host}" in line
    assert "Check SYNCCTL_UNLEASHED_BASE_URL" in line


def test_a_certificate_that_nobody_vouches_for(shop: Shop, tmp_path: Path) -> None:
    openssl, cert = shutil.which("openssl"), tmp_path / "cert.pem"
    if not openssl:
        pytest.skip("needs the openssl command to make a certificate")
    make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"
    subprocess.run(
        [openssl, *make.split(), "-keyout", cert, "-out", tmp_path / "only.pem"], check=True, capture_output=True
    )
    cert.write_text(cert.read_text() + (tmp_path / "only.pem").read_text())
    with serving(cert=cert) as host:
        code, line = told(shop, f"https://{host}")
    assert code == 69
    assert "self-signed certificate" in line
    assert "CA certificates" in line


def test_a_host_that_does_not_exist(shop: Shop) -> None:
    code, line = told(shop, "https://no-such-host.invalid")
    assert code == 69
    assert "The host of https://no-such-host.invalid is not found" in line
    assert "DNS" in line


def test_a_path_that_the_service_does_not_have(shop: Shop) -> None:
    code, line = told(shop, shop.env["SYNCCTL_UNLEASHED_BASE_URL"] + "/v2")
    assert code == 76
    assert "404 Not Found" in line
    assert "Check SYNCCTL_UNLEASHED_BASE_URL" in line


def test_a_redirect_is_not_followed(shop: Shop) -> None:
    with serving(status=301, headers={"Location": "https://elsewhere.example/\x07x"}) as host:
        code, line = told(shop, f"http://{host}")
    assert code == 76
    assert "redirects call 1 to https://elsewhere.example/ x. Correct SYNCCTL_UNLEASHED_BASE_URL" in line


def test_a_login_page(shop: Shop) -> None:
    with serving(b"<title>Log in</title>", headers={"Content-Type": "text/html"}) as host:
        code, line = told(shop, f"http://{host}")
    assert code == 76
    assert "no JSON (call 1, text/html): '<title>Log in</title>'" in line


def test_an_error_page_shows_its_words_without_the_key(shop: Shop) -> None:
    key = shop.env["SYNCCTL_UNLEASHED_API_KEY"]
    page = f"<h1>Not\tfor you</h1>\x1b[2J key={key}".encode()
    with serving(page, status=400) as host:
        code, line = told(shop, f"http://{host}")
    assert code == 76
    assert "with 400 Bad Request: Not for you [2J key=***." in line


def test_another_service_at_that_address(shop: Shop) -> None:
    with serving(b'{"hello": "world"}') as host:
        code, line = told(shop, f"http://{host}")
    assert code == 76
    assert "no list of Items" in line
