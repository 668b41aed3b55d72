"""Keeps secrets out of everything that is stored or printed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import quote, quote_plus

from syncctl.connectors.declared import Values

_TOKENS = re.compile(
    rb'("(?:access_token|refresh_token|id_token|client_secret|api_key|password)"\s*:\s*")(?:[^"\\]|\\.)*',
    re.IGNORECASE,
)


def redacted(data: bytes, secrets: Iterable[str]) -> bytes:
    """`data` with every secret value, and every value of a key that names one, replaced by `***`."""
    for secret in sorted(secrets, key=len, reverse=True):  # one may begin with another
        for form in _forms(secret):
            data = data.replace(form, b"***")
    return _TOKENS.sub(rb"\1***", data)


def redacted_text(text: str, secrets: Iterable[str]) -> str:
    """The same for text."""
    return redacted(text.encode("utf-8", "replace"), secrets).decode("utf-8")


@cache
def _forms(secret: str) -> tuple[bytes, ...]:
    """A secret as it may come back: plain, in JSON (where `/` may be escaped, too), and in an address."""
    quoted = json.dumps(secret)[1:-1]
    forms = (secret, quoted, quoted.replace("/", "\\/"), quote(secret, safe=""), quote(secret), quote_plus(secret))
    return tuple(dict.fromkeys(form.encode("utf-8", "replace") for form in forms if form))


def fingerprint(values: Values, names: Iterable[str]) -> str:
    """Tells whether the credentials `names` are the ones that were accepted before, without storing them."""
    known = "\0".join(f"{name}={values.settings.get(name, '')}" for name in sorted(names))
    return hashlib.sha256(f"{values.base_url}\0{known}".encode()).hexdigest()[:16]
