"""Access and refresh tokens: what they are good for, and until when.

developer.xero.com/documentation/guides/oauth2/auth-flow: an access token lives for 30 minutes, an
unused refresh token for 60 days. A refresh token is used once; when the answer got lost it can be
used again for 30 minutes, as often as needed (community.xero.com/developer/discussion/105714701).
A code from a person's consent lives for 5 minutes.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from .. import wire
from ..consent import fits
from .answers import Refused, problem
from .apps import APPS, WEB, App

if TYPE_CHECKING:
    from ..store import Row, Value
    from ..wire import JsonObject
    from .account import Account

MINUTES = 60_000
ACCESS_LIFE = 30 * MINUTES
CODE_LIFE = 5 * MINUTES
GRACE = 30 * MINUTES
REFRESH_LIFE = 60 * 24 * 60 * MINUTES
_LIVES = {"access": ACCESS_LIFE, "refresh": REFRESH_LIFE, "code": CODE_LIFE}
INVALID = "Bearer error=invalid_token"


@dataclass(frozen=True, slots=True)
class Session:
    """What a valid access token stands for."""

    app: App
    scopes: frozenset[str]


class Tokens:
    """All tokens of all apps; they outlive a restart as the records do."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._table = account.tokens

    # Issuing

    def issue(self, app: App, scopes: tuple[str, ...]) -> JsonObject:
        """The answer of the token endpoint, without a refresh token."""
        access = self._access(app, scopes)
        self._keep("access", access, app, {"scope": " ".join(scopes)})
        return {
            "access_token": access,
            "expires_in": ACCESS_LIFE // 1000,
            "token_type": "Bearer",
            "scope": " ".join(scopes),
        }

    def start_chain(self, app: App, scopes: tuple[str, ...]) -> str:
        """A first refresh token, as a person's consent gives it."""
        return self._refresh(app, " ".join(scopes), parent="")

    def start_code(self, app: App, scopes: tuple[str, ...], redirect: str, challenge: str) -> str:
        """A code as the browser brings it back from a consent; it is tied to the redirect address and the challenge."""
        code = token_urlsafe(32)
        self._keep("code", code, app, {"scope": " ".join(scopes), "parent": f"{challenge} {redirect}"})
        return code

    def redeem(self, app: App, form: dict[str, str]) -> JsonObject | str:
        """Take a code for the first tokens; a text is the error instead."""
        row = self._table.get(_key(form.get("code", "")))
        if row is None or row["kind"] != "code" or row["app"] != app.name or row["expires"] <= self._now():
            return "invalid_grant"
        self._table.delete("id", row["id"])
        challenge, _, redirect = row["parent"].partition(" ")
        proved = not challenge or fits(form.get("code_verifier", ""), challenge)
        if not proved or form.get("redirect_uri") != redirect:
            return "invalid_grant"
        granted = tuple(row["scope"].split())
        tokens = self._with_id(app, granted, self.issue(app, granted))
        if "offline_access" in granted:
            tokens["refresh_token"] = self.start_chain(app, granted)
        return tokens

    def _with_id(self, app: App, granted: tuple[str, ...], tokens: JsonObject) -> JsonObject:
        return {"id_token": self._access(app, ()), **tokens} if "openid" in granted else tokens

    def rotate(self, app: App, refresh: str, wanted: tuple[str, ...]) -> JsonObject | str:
        """Take a refresh token for new tokens; a text is the error instead.

        Whether a token that was issued to a lost answer survives the repetition is unconfirmed by
        the vendor (switch `grace_retry`).
        """
        row = self._table.get(_key(refresh))
        if row is None or not self._is_usable(row, app):
            return "invalid_grant"
        granted = tuple(row["scope"].split())
        if not set(wanted) <= set(granted):
            return "invalid_scope"
        if row["used"] and self._account.switches["grace_retry"] == "replaces":
            self._table.delete("parent", row["id"])
        if not row["used"]:
            self._table.put({"id": row["id"], "body": row["body"], "used": self._now()})
        tokens = self.issue(app, wanted or granted)
        tokens["refresh_token"] = self._refresh(app, row["scope"], parent=row["id"])
        return self._with_id(app, granted, tokens)

    def _is_usable(self, row: Row, app: App) -> bool:
        if row["kind"] != "refresh" or row["app"] != app.name or row["expires"] <= self._now():
            return False
        return not row["used"] or self._now() <= row["used"] + GRACE

    def _refresh(self, app: App, scope: str, *, parent: str) -> str:
        token = token_hex(32)
        self._keep("refresh", token, app, {"scope": scope, "parent": parent})
        return token

    def _keep(self, kind: str, token: str, app: App, more: dict[str, Value]) -> None:
        # Rows are found without regard to case, tokens are not: hence the digest.
        row: dict[str, Value] = {"id": _key(token), "kind": kind, "app": app.name, "body": token}
        self._table.put({**row, "expires": self._now() + _LIVES[kind], **more})

    def _access(self, app: App, scopes: tuple[str, ...]) -> str:
        now = self._now() // 1000
        claims = {
            "nbf": now,
            "exp": now + ACCESS_LIFE // 1000,
            "iss": "https://identity.xero.com",
            "client_id": app.client_id,
            "xero_userid": str(uuid5(NAMESPACE_OID, "user")),
            "authentication_event_id": event_of(self._account.connection(app.name)),
            "jti": token_hex(16),
            "scope": list(scopes),
        }
        return f"{_encoded({'alg': 'RS256', 'typ': 'JWT'})}.{_encoded(claims)}.{token_urlsafe(256)}"

    def _now(self) -> int:
        return self._account.clock.milliseconds()

    # Using

    def session(self, authorization: str | None) -> Session:
        """What the header of a call stands for; refuses with 401 when it stands for nothing."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(problem(401, self._account.switches["no_token"]))
        row = self._table.get(_key(token.strip()))
        if row is None or row["kind"] != "access":
            raise Refused(problem(401, self._account.switches["no_token"], INVALID))
        if row["expires"] <= self._now():
            moment = datetime.fromtimestamp(row["expires"] / 1000, UTC)
            raise Refused(problem(401, f"TokenExpired: token expired at {moment:%m/%d/%Y %H:%M:%S}", INVALID))
        app = next(app for app in APPS if app.name == row["app"])
        return Session(app, frozenset(row["scope"].split()))

    # Ending

    def expire(self) -> None:
        """Let every access token expire now."""
        for row in self._table.all_where("kind = 'access' AND expires > ?", self._now()):
            self._table.put({"id": row["id"], "body": row["body"], "expires": self._now()})

    def forget_refresh_tokens(self) -> None:
        """Make every refresh token unknown."""
        self._table.delete("kind", "refresh")

    def owner_of(self, refresh: str) -> str | None:
        """The name of the app that a refresh token was issued to."""
        row = self._table.get(_key(refresh))
        return row["app"] if row is not None and row["kind"] == "refresh" else None

    def newest(self) -> str | None:
        """The refresh token that was issued to the web app last, if it is known still."""
        rows = self._table.all_where("kind = 'refresh' AND app = ?", WEB.name)
        return rows[-1]["body"] if rows else None


def event_of(connection: str) -> str:
    """The id of the consent that made a connection."""
    return str(uuid5(NAMESPACE_OID, f"consent/{connection}"))


def _key(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def _encoded(claims: JsonObject) -> str:
    return base64.urlsafe_b64encode(wire.dumps(claims).encode()).rstrip(b"=").decode()
