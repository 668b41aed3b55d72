"""The token endpoint, the revocation endpoint and the connections.

developer.xero.com/documentation/guides/oauth2/auth-flow and .../custom-connections. On the real
service they stand on two other hosts; here they share the port of the API.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from uuid import NAMESPACE_OID, uuid5

from .. import wire
from ..messages import Response, json_response
from .account import OTHER_TENANT, TENANT_ID, TENANT_NAME
from .answers import Refused, forbidden, not_found, oauth_error
from .apps import CUSTOM, App, app_of
from .tokens import event_of

if TYPE_CHECKING:
    from ..messages import Request
    from ..wire import JsonObject
    from .account import Account
    from .tokens import Session, Tokens

_FORM = "application/x-www-form-urlencoded"
_GRANTS = ("client_credentials", "authorization_code", "refresh_token")
_CREATED = datetime(2026, 3, 1, 9, 15, 2, 123456, tzinfo=UTC)


class Identity:
    """Who may do what at the organisation."""

    def __init__(self, account: Account, tokens: Tokens) -> None:
        self._account = account
        self._tokens = tokens

    # /connect

    def token(self, request: Request) -> Response:
        """`POST /connect/token`: client credentials, a code for the first tokens, or a refresh token for the next."""
        form = _form(request)
        app = self._app(request, form)
        grant = form.get("grant_type", "")
        if not grant:
            raise Refused(oauth_error("invalid_request"))
        if grant not in _GRANTS:
            raise Refused(oauth_error("unsupported_grant_type"))
        if grant not in app.grants:
            raise Refused(oauth_error("unauthorized_client"))
        with self._account.store.transaction():
            answer = self._granted(app, form)
        if isinstance(answer, str):
            raise Refused(oauth_error(answer))
        return json_response(wire.dumps(answer)).with_header("Cache-Control", "no-store")

    def _granted(self, app: App, form: dict[str, str]) -> JsonObject | str:
        wanted = tuple(form.get("scope", "").split())
        assigned = app.assigned(self._account.switches["app_scopes"])
        if not set(wanted) <= set(assigned):
            return "invalid_scope"
        if form["grant_type"] == "authorization_code":
            return self._tokens.redeem(app, form)
        if app is not CUSTOM:
            return self._tokens.rotate(app, form.get("refresh_token", ""), wanted)
        revoked = not self._account.connection(app.name)
        if revoked and self._account.switches["revoked_custom"] == "unauthorized_client":
            return "unauthorized_client"
        return self._tokens.issue(app, wanted or assigned)

    def revocation(self, request: Request) -> Response:
        """`POST /connect/revocation`: ends the refresh tokens and every connection of that person."""
        form = _form(request)
        app = self._app(request, form)
        if self._tokens.owner_of(form.get("token", "")) == app.name:
            self._tokens.forget_refresh_tokens()
            self._account.disconnect(app.name)
        # An unknown token is answered in the same way (RFC 7009).
        return Response(200)

    def _app(self, request: Request, form: dict[str, str]) -> App:
        client_id, secret = _credentials(request, form)
        if not client_id:
            raise Refused(oauth_error(self._account.switches["empty_id"]))
        app = app_of(client_id, secret)
        if app is None:
            raise Refused(oauth_error(self._account.switches["wrong_secret"]))
        return app

    # /connections

    def connections(self, session: Session, event: str | None) -> Response:
        """`GET /connections`: a bare array.

        A custom connection's token reaches tenanted endpoints only, says the vendor's guide, though
        some clients did get an answer: switch `connections`.
        """
        if session.app is CUSTOM and self._account.switches["connections"] == "refuse":
            raise Refused(forbidden())
        connection = self._account.connection(session.app.name)
        shown = [_connection(connection)] if connection else []
        if shown and self._account.switches["organisations"] == "2":
            tenant, name = OTHER_TENANT
            shown.append(
                shown[0] | {"id": str(uuid5(NAMESPACE_OID, connection)), "tenantId": tenant, "tenantName": name}
            )
        return json_response(wire.dumps([each for each in shown if event in (None, each["authEventId"])]))

    def disconnect(self, session: Session, key: str) -> Response:
        """`DELETE /connections/{id}`: 204, or 404 when there is no such connection."""
        connection = self._account.connection(session.app.name)
        if not connection or connection != key.lower():
            return not_found()
        self._account.disconnect(session.app.name)
        return Response(204)

    def require_tenant(self, session: Session, header: str | None) -> None:
        """Refuse with 403 unless the call names the organisation; a custom connection need not."""
        may_be_empty = session.app is CUSTOM
        named = (header or "").strip().lower()
        fits = named == TENANT_ID or (may_be_empty and not named)
        if not fits or not self._account.connection(session.app.name):
            raise Refused(forbidden())


def _form(request: Request) -> dict[str, str]:
    if request.headers.get_content_type() != _FORM:
        raise Refused(oauth_error("invalid_request"))
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Id and secret from the Basic header, or from the form where xero-python puts them."""
    scheme, _, encoded = (request.headers.get("Authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    client_id, _, secret = text.partition(":")
    return client_id, secret


def _connection(key: str) -> JsonObject:
    # Seven decimals and no zone, as .NET writes a naive moment.
    moment = f"{_CREATED:%Y-%m-%dT%H:%M:%S.%f}0"
    return {
        "id": key,
        "authEventId": event_of(key),
        "tenantId": TENANT_ID,
        "tenantType": "ORGANISATION",
        "tenantName": TENANT_NAME,
        "createdDateUtc": moment,
        "updatedDateUtc": moment,
    }
