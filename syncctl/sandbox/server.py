"""The HTTP side: standard library only, on the loopback interface only, silent."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock
from typing import Any

from .clock import Clock
from .messages import Response

HOST = "127.0.0.1"
Answer = Callable[[str, str, Message, bytes], Response]
"""Method, target, headers and body of a request to its answer."""


class Handler(BaseHTTPRequestHandler):
    """One connection; kept open between requests as the real services do."""

    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    # One write per answer, sent at once: Nagle's algorithm would hold the second half for 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or "Transfer-Encoding" in self.headers:
            self.send_error(411)
            return
        body = self.rfile.read(int(length))
        try:
            response = self.server.answer(self.command, self.path, self.headers, body)
        except Exception:
            if self.server.stopping.is_set():
                response = Response(0, delivery="none")
            else:
                report = f"The sandbox itself failed:\n{traceback.format_exc()}"
                response = Response(500, report.encode(), "text/plain; charset=utf-8")
        try:
            self._deliver(response)
        finally:
            response.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def _deliver(self, response: Response) -> None:
        if response.delivery == "none":
            self.close_connection = True
            return
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(response.length))
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        self._write_body(response)

    def _write_body(self, response: Response) -> None:
        if self.command == "HEAD":
            return
        left = response.length
        if response.delivery == "half":
            self.close_connection = True
            left //= 2
        for part in response.parts():
            self.wfile.write(part[:left])
            left = max(0, left - len(part))

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header, by the sandbox's clock."""
        return super().date_time_string(self.server.clock.now() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Stay silent: the calls are counted elsewhere."""


class Server(ThreadingHTTPServer):
    """Serves every connection in a thread of its own until it is closed."""

    daemon_threads = True
    request_queue_size = 128

    clock: Clock
    answer: Answer

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), Handler)
        self.stopping = Event()
        self._lock = Lock()
        self._connections: set[socket.socket] = set()

    def connect(self, clock: Clock, answer: Answer) -> None:
        """Say who answers; requests that came before are waiting in the socket's queue."""
        self.clock = clock
        self.answer = answer

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection, then serve it in a thread."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client goes away in the middle: some tests kill theirs."""

    def close(self, *, serving: bool) -> None:
        """Stop listening and hang up on everybody; `serving` tells whether serve_forever runs."""
        self.stopping.set()
        if serving:  # otherwise nobody would answer the shutdown
            self.shutdown()
        with self._lock:
            for connection in self._connections:
                _hang_up(connection)
        self.server_close()


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster
