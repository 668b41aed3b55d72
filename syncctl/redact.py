"""Keeps secrets out of everything that is stored or printed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from syncctl.connectors.base import Values

_TOKENS = re.compile(rb'("(?:access_token|refresh_token|id_token|client_secret|api_key|password)"\s*:\s*")[^"]*')


def redacted(data: bytes, secrets: Iterable[str]) -> bytes:
    """`data` with every secret value, and every value of a key that names one, replaced by `***`."""
    for secret in secrets:
        data = data.replace(secret.encode(), b"***")
    return _TOKENS.sub(rb"\1***", data)


def fingerprint(values: Values) -> str:
    """Tells whether credentials are the ones that were accepted before, without storing them."""
    known = "\0".join(f"{name}={value}" for name, value in sorted(values.settings.items()))
    return hashlib.sha256(f"{values.base_url}\0{known}".encode()).hexdigest()[:16]
