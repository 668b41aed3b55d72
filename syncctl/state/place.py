"""Where a state file lies: a copy that was put somewhere else is found out by that."""

from __future__ import annotations

import os

MACHINE = "/etc/machine-id"
_PRIME = 4_294_967_291  # what is left of an id by it tells a quarter of it at most; no library is loaded for that


def place_of(state: str) -> str:
    """The number of the file and a short hash of the machine's id: neither moves with a copy.

    The device is left out: many file systems get another number with each boot.
    """
    return f"{os.stat(state).st_ino}-{int.from_bytes(_machine()) % _PRIME:08x}"


def _machine() -> bytes:
    """The id of this machine; empty where there is none, as in many containers."""
    try:
        file = os.open(MACHINE, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(file, 64)
    finally:
        os.close(file)
