"""A port for a server that is a process of its own."""

from __future__ import annotations

import contextlib
import os
import socket


def free_port() -> int:
    """A port that nobody else is given meanwhile: below those that are given by chance, and another in each process."""
    for port in range(10_000 + os.getpid() % 10_000, 32_000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")
