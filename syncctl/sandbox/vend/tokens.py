"""Who is calling, and what they may do (x-series-api.lightspeedhq.com/docs/authorization).

A personal token never ends by itself. With OAuth a refresh gives a new pair: the old refresh token is
spent and the old access token revoked at once. It begins with a consent, whose code lives for 10 minutes.
"""

from __future__ import annotations

import json
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ..consent import Wish, decision, unusable
from ..messages import Response, json_response

if TYPE_CHECKING:
    from ..clock import Clock
    from ..messages import Request
    from ..store import Store
    from ..switches import Switches
    from ..wire import JsonObject

DOMAIN_PREFIX = "demo"
PERSONAL_TOKEN = "sandbox-personal-token-not-a-secret"  # noqa: S105
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-client-not-a-secret"  # noqa: S105
"""Made up, and fixed so that printed settings stay valid over restarts."""
LIFETIME = 86_400
CODE_LIFETIME = 600
SHORTEST_STATE = 8
COST = "product:cost:view"
"""Without it no supply price and no average cost is shown."""
READABLE = ("products", "inventory", "customers", "sales", "outlets", "registers", "taxes", "payment_types")
WRITABLE = ("products", "customers", "sales")
SCOPES = (*(f"{name}:read" for name in (*READABLE, "retailer", "users")), *(f"{name}:write" for name in WRITABLE), COST)
FORM = "application/x-www-form-urlencoded"
_SETTING = "vend_tokens"
_ORDERS = {"expire", "revoke", "issue", "scope"}


class Tokens:
    """The tokens of one retailer; kept in the store, as the client keeps its own over a restart too."""

    def __init__(self, store: Store, clock: Clock, switches: Switches) -> None:
        self._store = store
        self._clock = clock
        self._switches = switches
        if store.setting(_SETTING) is None:
            self.reset()

    def reset(self) -> None:
        """The first refresh token, no access token, all scopes."""
        self._keep({"chain": 1, "refresh": _token("RT", 1), "access": None, "expires": 0, "personal": True})
        self._keep({**self._kept(), "scope": " ".join(SCOPES)})

    def _kept(self) -> JsonObject:
        kept: JsonObject = json.loads(self._store.setting(_SETTING) or "{}")
        return kept

    def _keep(self, state: JsonObject) -> None:
        self._store.remember(_SETTING, json.dumps(state))

    # Calling

    def scopes_of(self, request: Request) -> frozenset[str] | None:
        """What the bearer of a request may do; None when nobody or nobody known calls."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        kept = self._kept()
        if token == PERSONAL_TOKEN and kept["personal"]:
            # Which scopes a personal token has is unconfirmed by the vendor (`personal_scopes`).
            all_of_them = self._switches["personal_scopes"] == "all"
            return frozenset(SCOPES if all_of_them else kept["scope"].split())
        if token == kept["access"] and self._clock.now() < kept["expires"]:
            return frozenset(kept["scope"].split())
        return None

    # The token endpoint

    def answer(self, request: Request) -> Response:
        """`POST /api/1.0/token`; the error bodies are RFC 6749's, the vendor publishes none."""
        if request.method != "POST" or request.headers.get_content_type() != FORM:
            return _error("invalid_request", "Expected a POST with a form")
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            return _error("invalid_client", "Client authentication failed", 401)
        if form.get("grant_type") == "authorization_code":
            return self._redeemed(form)
        if form.get("grant_type") != "refresh_token":
            return _error("unsupported_grant_type", "Only authorization_code and refresh_token are copied")
        return self._refreshed(form.get("refresh_token"))

    def _redeemed(self, form: dict[str, str]) -> Response:
        with self._store.transaction():
            kept = self._kept()
            code = kept.pop("code", None)
            if not code or form.get("code") != code["code"] or code["expires"] <= self._clock.now():
                return _error("invalid_grant", "The code is invalid, used or expired")
            self._keep(kept)
            if form.get("redirect_uri") != code["redirect"]:
                return _error("invalid_grant", "The redirect_uri is not that of the authorization request")
            self._keep({**kept, "scope": code["scope"]})
            self._give_pair()
        return json_response(json.dumps(_granted(self._kept())))

    def _give_pair(self) -> None:
        kept = self._kept()
        number = kept["chain"] + 1
        pair = {"access": _token("AT", number), "refresh": _token("RT", number)}
        self._keep({**kept, **pair, "chain": number, "expires": int(self._clock.now()) + LIFETIME})

    def _refreshed(self, token: str | None) -> Response:
        with self._store.transaction():
            kept = self._kept()
            if token is None or token != kept["refresh"]:
                return _error("invalid_grant", "The refresh token is invalid, spent or revoked")
            self._give_pair()
        return json_response(json.dumps(_granted(self._kept())))

    # The page where a person lets the app in

    def consent(self, request: Request) -> Response:
        """`GET /connect` of the host that all stores share; the person signs in to a store of theirs there.

        What becomes of a wish that lacks something is not published, but for the scope: it is declined.
        """
        wish = Wish.of(request)
        if wish.client_id != CLIENT_ID or not wish.redirect:
            return unusable("Unknown application, or no redirect_uri")
        if wish.response_type != "code" or len(wish.state) < SHORTEST_STATE:
            return wish.back(error="invalid_request")
        if not wish.scopes or not set(wish.scopes) <= set(SCOPES):
            return wish.back(error="invalid_scope")
        decided = decision(request, self._switches)
        if decided == "page":
            return wish.page(f"Let the app into {DOMAIN_PREFIX}")
        return self._allowed(wish) if decided == "allow" else wish.back(error="access_denied")

    def _allowed(self, wish: Wish) -> Response:
        scope, code = " ".join(wish.granted(self._switches)), token_urlsafe(24)
        until = self._clock.now() + CODE_LIFETIME
        with self._store.transaction():
            kept = {"code": code, "redirect": wish.redirect, "scope": scope, "expires": until}
            self._keep({**self._kept(), "code": kept})
        store = DOMAIN_PREFIX if self._switches["consent_store"] == "same" else f"{DOMAIN_PREFIX}-two"
        return wish.back(code=code, domain_prefix=store, scope=scope)

    # The control API

    def report(self) -> JsonObject:
        """Everything a client could use now."""
        kept = self._kept()
        return {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "personal_token": PERSONAL_TOKEN if kept["personal"] else None,
            "refresh_token": kept["refresh"],
            "access_token": kept["access"],
            "expires": kept["expires"],
            "scope": kept["scope"],
        }

    def change(self, order: JsonObject) -> None:
        """`expire` the access token, `revoke` all tokens, `issue` new ones, or set the `scope`."""
        if not order or set(order) - _ORDERS:
            raise ValueError(f"Expected one of {', '.join(sorted(_ORDERS))}, not {', '.join(order) or 'nothing'}.")
        with self._store.transaction():
            kept = self._kept()
            if order.get("expire"):
                kept["expires"] = 0
            if order.get("revoke"):
                kept.update(access=None, refresh=None, personal=False)
            if order.get("issue"):
                number = kept["chain"] + 1
                kept.update(chain=number, refresh=_token("RT", number), access=None, personal=True)
            if "scope" in order:
                kept["scope"] = str(order["scope"])
            self._keep(kept)


def _token(kind: str, number: int) -> str:
    return f"{kind}-{number:06d}-not-a-secret"


def _granted(kept: JsonObject) -> dict[str, Any]:
    return {
        "access_token": kept["access"],
        "token_type": "Bearer",
        "expires": kept["expires"],
        "expires_in": LIFETIME,
        "refresh_token": kept["refresh"],
        "domain_prefix": DOMAIN_PREFIX,
        "scope": kept["scope"],
    }


def _error(code: str, description: str, status: int = 400) -> Response:
    return json_response(json.dumps({"error": code, "error_description": description}), status)
