"""Who is calling: API id and signature.

apidocs.unleashedsoftware.com/AuthenticationHelp: the signature is the base64 HMAC-SHA256 of the
query string without `?`, keyed with the API key as it is shown. Whether the query is signed as it
was sent or with its percent escapes undone is not said there; clients that work live show that it
is the latter, and that `+` is left alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from ..messages import Request

API_ID = "11111111-2222-4333-8444-555555555555"
API_KEY = "sandbox-key-not-a-secret=="
"""Made up, and fixed so that printed settings stay valid over restarts."""


def signature(text: str, key: str = API_KEY) -> str:
    """The signature of a query string."""
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def is_signed(request: Request, form: str) -> bool:
    """Whether id and signature are right; `form` is `decoded`, `encoded` or `either`."""
    if request.headers.get("api-auth-id", "").lower() != API_ID:
        return False
    given = request.headers.get("api-auth-signature", "").encode()
    forms = {"decoded": [unquote(request.query)], "encoded": [request.query]}
    accepted = forms.get(form, [unquote(request.query), request.query])
    return any(hmac.compare_digest(given, signature(text).encode()) for text in accepted)
