"""The Xero API as one service: who may call, how often, and which resource answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from ..messages import Request, Response
from ..service import RecordKind, Service
from ..switches import Switches
from . import answers
from .account import SWITCHES, TENANT_ID, Account
from .answers import Refused
from .apps import APPS, CUSTOM, NATIVE, WEB, opens
from .asked import Asked
from .authorize import Authorize
from .contacts import Contacts
from .idempotency import Replays
from .identity import Identity
from .invoices import Invoices
from .items import Items
from .limits import REMAINING, XeroLimits
from .lookups import ACCOUNTS, ORGANISATION, TAX_RATES, Accounts, Organisation, TaxRates
from .payments import Payments
from .records import Records
from .refusals import too_many
from .routing import Route, route_of, template_of
from .seed import seed_items
from .seed_trade import seed_trade
from .tokens import INVALID, Session, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ..clock import Clock
    from ..store import Store
    from ..wire import JsonObject

LONGEST_TARGET = 2048
"""Path and query in characters; some fifty ids fit (github.com/XeroAPI/Xero-Java/pull/331)."""
_XML = b'<Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><Status>OK</Status></Response>'


class Xero(Service):
    """A copy of one organisation."""

    name: ClassVar[str] = "xero"
    quota_window: ClassVar[str] = "day"

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self.switches = Switches(SWITCHES)
        self.limits: XeroLimits = XeroLimits(self.switches)
        self._account = Account.opened(store, clock, self.switches)
        self._tokens = Tokens(self._account)
        self._identity = Identity(self._account, self._tokens)
        self._authorize = Authorize(self._account, self._tokens)
        self._replays = Replays(clock, self.switches)
        self._kinds: dict[str, Records] = {
            "products": Items(self._account),
            "accounts": Accounts(self._account, self._account.accounts),
            "tax_rates": TaxRates(self._account, self._account.tax_rates),
            "organisation": Organisation(self._account, self._account.organisation),
            "customers": Contacts(self._account),
            "invoices": Invoices(self._account),
            "payments": Payments(self._account),
        }

    @classmethod
    def env(cls, url: str) -> dict[str, str]:
        """The settings of syncctl that point at this copy through the custom connection."""
        settings = {"BASE_URL": f"{url}/api.xro/2.0", "AUTH_URL": f"{url}/connect/token"}
        settings |= {"CONSENT_URL": f"{url}/identity/connect/authorize"}
        settings |= {"CLIENT_ID": CUSTOM.client_id, "CLIENT_SECRET": CUSTOM.secret}
        settings |= {"ROLES": "products,stock,customers", "CURRENCY": "NZD"}
        return {f"SYNCCTL_XERO_{name}": value for name, value in settings.items()}

    @classmethod
    def posting_env(cls) -> dict[str, str]:
        """Accounts and tax rates are among those that are seeded."""
        settings = {
            "ROLES": "products,stock,customers,invoices",
            "POST_SINCE": "2025-01-01",
            "TAX": "0.15:OUTPUT2,0:ZERORATEDOUTPUT",
            "ACCOUNT": "200",
            "SHIPPING": "260",
            "DISCOUNT": "200",
            "FEE": "260",
            "ROUNDING": "860",
            "PAYMENTS": "card:090,cash:882",
            "GUEST": "create",
            "DUE_DAYS": "7",
        }
        return {f"SYNCCTL_XERO_{name}": value for name, value in settings.items()}

    # What the frame asks for

    def seed(self, products: int, seed: int) -> None:
        """Fill the organisation and let somebody consent."""
        seed_items(self._account, products, seed)
        for name, records in (("accounts", ACCOUNTS), ("tax_rates", TAX_RATES), ("organisation", [ORGANISATION])):
            kind = self._kinds[name]
            kind.table.insert_many(kind.row(record) for record in records)
        seed_trade(self._account, products, seed)
        self._consent(WEB.scopes)

    def is_empty(self) -> bool:
        """Whether there is no organisation yet."""
        return self._account.organisation.is_empty()

    def clear(self) -> None:
        """Remove all records and tokens, defaults everywhere."""
        self.switches.reset()
        self.limits = XeroLimits(self.switches)
        self._replays.forget()
        self._account.forget_numbers()
        for table in self._account.tables:
            table.clear()

    def kinds(self) -> Mapping[str, RecordKind]:
        """The kinds of record by name."""
        return self._kinds

    def template(self, request: Request) -> str:
        """The path with placeholders."""
        return template_of(request.path, [each.resource for each in self._kinds.values()])

    # Tokens, from behind

    def tokens(self) -> JsonObject:
        """The newest refresh token, whether the apps are connected, and the settings of those with a person."""
        newest = self._tokens.newest()
        settings = {"CLIENT_ID": WEB.client_id, "CLIENT_SECRET": WEB.secret, "TENANT_ID": TENANT_ID}
        settings |= {"REFRESH_TOKEN": newest} if newest else {}
        return {
            "refresh_token": newest,
            "connected": {app.name: bool(self._account.connection(app.name)) for app in APPS},
            "settings": {f"SYNCCTL_XERO_{name}": value for name, value in settings.items()},
            "native": {"SYNCCTL_XERO_CLIENT_ID": NATIVE.client_id},
        }

    def change_tokens(self, order: JsonObject) -> None:
        """`expire` ends access tokens; `revoke` ends refresh tokens and connections; `consent` begins anew.

        With `consent` a `scope` may say how little the person agreed to.
        """
        unknown = set(order) - {"expire", "revoke", "consent", "scope"}
        if unknown or not set(order) & {"expire", "revoke", "consent"}:
            raise ValueError("Tokens can be told to expire, revoke or consent (with a scope).")
        if order.get("expire"):
            self._tokens.expire()
        if order.get("revoke"):
            self._revoke()
        if order.get("consent"):
            self._consent(tuple(str(order.get("scope", " ".join(WEB.scopes))).split()))

    def _revoke(self) -> None:
        self._tokens.forget_refresh_tokens()
        for app in APPS:
            self._account.disconnect(app.name)

    def _consent(self, scopes: tuple[str, ...]) -> None:
        self._account.connect()
        self._tokens.start_chain(WEB, scopes)

    # Requests

    def enter(self, request: Request) -> Response | None:
        """At most so many calls to the organisation are worked on at once."""
        if route_of(request.path).family != "api" or self.limits.enter():
            return None
        return self._finished(self.refusal("concurrent", None))

    def leave(self, request: Request) -> None:
        """A call has its answer."""
        self._replays.leave(request)
        if route_of(request.path).family == "api":
            self.limits.leave()

    def handle(self, request: Request) -> Response:
        """Do what a request asks for."""
        route = route_of(request.path)
        answer = self._families().get(route.family)
        try:
            response = answer(request, route) if answer else answers.not_found()
        except Refused as refused:
            response = refused.response
        return self._finished(response)

    def _families(self) -> Mapping[str, Callable[[Request, Route], Response]]:
        consent = {"consent": lambda request, _: self._authorize.answer(request)}
        return {"token": self._token, "connections": self._connections, "api": self._api, **consent}

    def _finished(self, response: Response) -> Response:
        return response.with_header("Xero-Correlation-Id", str(uuid4()))

    def _token(self, request: Request, route: Route) -> Response:
        if request.method != "POST":
            return Response(405)
        revokes = route.resource == "revocation"
        return self._identity.revocation(request) if revokes else self._identity.token(request)

    def _connections(self, request: Request, route: Route) -> Response:
        session = self._tokens.session(request.headers.get("Authorization"))
        paid = self.switches["connections_cost"] == "day"
        if full := self._full(("day", "appminute") if paid else ("appminute",)):
            return full
        if request.method == "GET" and route.key is None:
            response = self._identity.connections(session, Asked.of(request).param("authEventId"))
        elif request.method == "DELETE" and route.key is not None:
            response = self._identity.disconnect(session, route.key)
        else:
            response = answers.not_implemented()
        # Without a tenant only the app's own limit is told (github.com/XeroAPI/xero-ruby/issues/128).
        return self._with_remaining(response, ("appminute",))

    def _api(self, request: Request, route: Route) -> Response:
        """Token, tenant, limits, scope, and then the resource.

        Every call that gets as far as the limits counts, failed ones too.
        """
        session = self._tokens.session(request.headers.get("Authorization"))
        self._identity.require_tenant(session, request.headers.get("xero-tenant-id"))
        if full := self._full(tuple(REMAINING)):
            return full
        try:
            response = self._resource(request, route, session)
        except Refused as refused:
            response = refused.response
        return self._with_remaining(response)

    def _resource(self, request: Request, route: Route, session: Session) -> Response:
        resource = next((each for each in self._kinds.values() if each.resource.lower() == route.resource), None)
        if resource is None:
            return answers.not_found()
        if len(request.target) > LONGEST_TARGET:
            return answers.too_long(int(self.switches["too_long"]))
        if not opens(session.scopes, route.resource, request.method):
            return self._out_of_scope()
        response = self._done(resource, request, route, session)
        if response.status != 200 or "application/json" in (request.headers.get("Accept") or "").lower():
            return response
        # XML is the vendor's default; this copy says no more in it than that it is XML.
        response.close()
        return Response(200, _XML, "text/xml; charset=utf-8")

    def _done(self, resource: Records, request: Request, route: Route, session: Session) -> Response:
        asked = Asked.of(request, route.key)
        if request.method == "GET":
            return resource.answer(asked)
        return self._replays.answer(session.app.name, request, lambda: _written(resource, asked))

    def _out_of_scope(self) -> Response:
        challenge = f'Bearer error="{self.switches["scope_challenge"]}"'
        return answers.problem(int(self.switches["missing_scope"]), "AuthorizationUnsuccessful", challenge)

    # Limits

    def _full(self, windows: Collection[str]) -> Response | None:
        full = self.limits.admit(self._clock.now(), windows)
        if full is None:
            return None
        if self.switches["refused_counts"] == "yes":
            self.limits.count(self._clock.now(), windows)
        return self.refusal(full.window, full.wait)

    def refusal(self, window: str, wait: float | None) -> Response:
        """The answer at a full window, with nothing left of it."""
        response = self._with_remaining(too_many(window, wait, self.switches))
        return response.with_header(REMAINING[window], "0") if window in REMAINING else response

    def _with_remaining(self, response: Response, windows: Collection[str] = tuple(REMAINING)) -> Response:
        for name, value in self.limits.remaining(self._clock.now(), windows).items():
            response = response.with_header(name, value)
        return response

    # Planted faults

    def failure(self, status: int, sentence: str) -> Response:
        """An error in the vendor's shape: refusals are JSON, the rest is text."""
        if status == 401:
            return answers.problem(401, "TokenExpired: token expired at 11/20/2026 07:00:40", INVALID)
        return self._with_remaining(answers.forbidden() if status == 403 else answers.server_error())

    def unavailable(self) -> Response:
        """Maintenance."""
        return answers.unavailable()


def _written(resource: Records, asked: Asked) -> Response:
    try:
        return resource.write(asked)
    except Refused as refused:
        return refused.response
