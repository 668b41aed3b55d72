"""What a `Grant` and a kept token mean together: whose chain it is, what is sent, and what an answer gives."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta
from typing import Any

from syncctl.connectors.declared import Grant
from syncctl.state.tokens import Token

USUAL_LIFE_SECONDS = 1800.0  # where the service does not say how long
LONGEST_LIFE_SECONDS = 366 * 86_400.0  # what is longer is a mistake


def chain_of(grant: Grant) -> str:
    """Stands for what began a chain: the app, and after a `.` the refresh token of the settings or the form's scope."""
    app = _digest(grant.url, id_and_secret(grant)[0])
    return f"{app}.{_digest(grant.refresh_token or grant.form.get('scope', ''))}"


def belongs(token: Token, grant: Grant) -> bool:
    """Whether a token of the file is of this grant's chain.

    With another client or refresh token in the settings another chain begins; where the settings have no refresh token
    any more, the chain of this app goes on, whatever began it.
    """
    chain = chain_of(grant)
    if grant.refresh_token == "":
        return bool(token.refresh) and token.chain.partition(".")[0] == chain.partition(".")[0]
    return token.chain == chain


def client_of(grant: Grant) -> str:
    """Stands for id and secret."""
    return _digest(grant.url, *id_and_secret(grant))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def refresh_tokens(grant: Grant, kept: Token, now: datetime) -> list[str]:
    """What to send, one after the other while they are refused; "" alone where the form is enough.

    The one before the newest helps where the newest was lost on the service's side, as long as it takes it.
    """
    if grant.refresh_token is None:
        return [""]
    newest = kept.refresh or grant.refresh_token
    in_time = kept.replaced_at and now - kept.replaced_at < timedelta(seconds=grant.grace)
    return [newest, kept.previous] if kept.previous and in_time else [newest]


def dies_at(grant: Grant, kept: Token | None) -> datetime | None:
    """When the refresh token in the file dies unless it is used; None where nobody knows.

    Where the service never gave another one, it was used last when the access token was fetched, which expires later.
    """
    if kept is None or not belongs(kept, grant) or not kept.refresh or grant.unused_days is None:
        return None
    return (kept.replaced_at or kept.expires_at) + timedelta(days=grant.unused_days)


def form(grant: Grant, refresh_token: str) -> dict[str, str]:
    """The form of a request; what the grant says itself comes before what is usual."""
    if refresh_token:
        return {"grant_type": "refresh_token", **grant.form, "refresh_token": refresh_token}
    return {"grant_type": "client_credentials", **grant.form}


def granted(body: bytes, kept: Token, sent: str, began: datetime) -> Token:
    """The token in an answer to the refresh token `sent` at `began`; raises `ValueError` where there is none."""
    fields = json.loads(body)
    if not isinstance(fields, dict):
        raise ValueError("no object")
    newest = _token_text(fields.get("refresh_token") or sent) if sent else ""
    rotated = sent not in (newest, kept.previous)
    scopes = fields.get("scope")
    return Token(
        chain=kept.chain,
        access=_token_text(fields.get("access_token")),
        expires_at=began + _life(fields.get("expires_in")),
        scopes=scopes if isinstance(scopes, str) else None,
        refresh=newest,
        previous=sent if rotated else kept.previous,
        replaced_at=began if rotated else kept.replaced_at,
    )


def error_of(body: bytes) -> tuple[str, str]:
    """`error` and `error_description` of a refusal (RFC 6749, 5.2), "" each where it has none."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    found = fields if isinstance(fields, dict) else {}
    word, words = found.get("error"), found.get("error_description")
    return word if isinstance(word, str) else "", words if isinstance(words, str) else ""


def id_and_secret(grant: Grant) -> tuple[str, str]:
    """Id and secret, wherever they travel."""
    return grant.basic or (grant.form.get("client_id", ""), grant.form.get("client_secret", ""))


def _token_text(value: Any) -> str:
    """What can stand in a header; raises `ValueError` for all else."""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]{4,}", value):
        raise ValueError("no token")
    return value


def _life(seconds: Any) -> timedelta:
    try:
        told = float(seconds)
    except (TypeError, ValueError, OverflowError):
        told = 0.0
    return timedelta(seconds=told if 0 < told <= LONGEST_LIFE_SECONDS else USUAL_LIFE_SECONDS)
