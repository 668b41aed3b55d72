"""The page on which a person connects an app to an organisation.

developer.xero.com/documentation/guides/oauth2/auth-flow and .../pkce-flow. It stands on a host of its own
(login.xero.com/identity/connect/authorize); a code is good for one use and five minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..consent import Wish, decision, unusable
from .apps import APPS, NATIVE

if TYPE_CHECKING:
    from ..messages import Request, Response
    from .account import Account
    from .apps import App
    from .tokens import Tokens


class Authorize:
    """`GET /identity/connect/authorize`, and `POST` for the buttons of its page."""

    def __init__(self, account: Account, tokens: Tokens) -> None:
        self._account = account
        self._tokens = tokens

    def answer(self, request: Request) -> Response:
        """The page, or the browser on its way back to the app."""
        wish = Wish.of(request)
        app = next((app for app in APPS if app.client_id == wish.client_id), None)
        if app is None or "authorization_code" not in app.grants:
            return unusable("unauthorized_client: Unknown client or client not enabled")
        if not may_return_to(wish.redirect):
            return unusable("invalid_request: Invalid redirect_uri")
        if error := self._error(wish, app):
            return wish.back(error=error)
        decided = decision(request, self._account.switches)
        if decided == "page":
            return wish.page("Connect to Demo Homeware Ltd")
        return self._allowed(wish, app) if decided == "allow" else wish.back(error="access_denied")

    def _error(self, wish: Wish, app: App) -> str:
        if wish.response_type != "code":
            return "unsupported_response_type"
        if app is NATIVE and (not wish.challenge or wish.method != "S256"):
            return "invalid_request"
        assigned = app.assigned(self._account.switches["app_scopes"])
        return "" if wish.scopes and set(wish.scopes) <= set(assigned) else "invalid_scope"

    def _allowed(self, wish: Wish, app: App) -> Response:
        scopes = wish.granted(self._account.switches)
        with self._account.store.transaction():
            self._account.connect(app)
            code = self._tokens.start_code(app, scopes, wish.redirect, wish.challenge)
        return wish.back(code=code, scope=" ".join(scopes))


def may_return_to(address: str) -> bool:
    """Whether an app may have this redirect address: https, or localhost by its name (not 127.0.0.1)."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
