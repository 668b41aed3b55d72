"""Xero: items, which are products and stock at once, read in one call however many there are, and contacts.

Facts: developer.xero.com (oauth2/limits, custom-connections, accounting/items, requests-and-responses) and the
vendor's OpenAPI description. What the vendor does not say is handled so that either answer works; the comments name
those places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import syncctl.connectors._xero_answers as answers
from syncctl.connectors._fields import absent, quoted, with_sku
from syncctl.connectors._stamps import OVERLAP_MS, since_text
from syncctl.connectors._xero_answers import DAY_SECONDS, SMALL_DAY
from syncctl.connectors._xero_checks import checks, tenant_check
from syncctl.connectors._xero_contacts import contact_page, search
from syncctl.connectors._xero_items import read_items, set_back, stamp
from syncctl.connectors._xero_settings import APP, POSTING_SETTINGS, SIGN_INS, app_of, consent, wrong_app
from syncctl.connectors.base import Auth, Check, Connector, Found, Page
from syncctl.connectors.declared import (
    Consent,
    Grant,
    Limit,
    Lookup,
    Oldest,
    Pull,
    Push,
    Rate,
    Repeat,
    Setting,
    SignIn,
    Values,
)
from syncctl.errors import RefusedError
from syncctl.models import Kind, Problem, Product, Record, in_batches

if TYPE_CHECKING:
    from datetime import date, datetime

    from requests import PreparedRequest

    from syncctl.connectors._xero_push import Desk
    from syncctl.models_push import Follow, Outcome, Outgoing, Sale, Seen
    from syncctl.shop.order import Order

GRACE_SECONDS = 30 * 60  # for so long a refresh token that was used before is still taken
UNUSED_DAYS = 60  # after so long a refresh token that nobody uses is dead
AUTH_URL = "https://identity.xero.com/connect/token"
CONSENT_URL = "https://login.xero.com/identity/connect/authorize"
_DECIMALS = "unitdp=4"  # without it unit prices come rounded to two decimals
# Codes that are safe in an address. Whether a slash or a plus reaches the service unharmed, and whether what looks
# like an id is taken for a code, nobody has shown.
_PLAIN = r"[\w -]+"
_GUID = r"[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}"


class Xero(Connector):
    """The connector of Xero: for a custom connection, or for an app that a person has consented to."""

    kind: ClassVar[str] = "xero"
    title: ClassVar[str] = "Xero"
    base_url: ClassVar[str] = "https://api.xero.com/api.xro/2.0"
    default_roles: ClassVar[tuple[str, ...]] = ("customers",)
    sign_ins: ClassVar[tuple[SignIn, ...]] = SIGN_INS
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("CLIENT_ID", "client id of the app, from developer.xero.com/app/manage", required=True),
        Setting("CLIENT_SECRET", "client secret, from the same page; an app with PKCE has none", secret=True),
        APP,
        Setting("REFRESH_TOKEN", "a refresh token to begin with, instead of `syncctl auth`", secret=True),
        Setting(
            "TENANT_ID",
            "id of the organisation; a custom connection needs none",
            pattern=_GUID,
            form="an id, as doctor lists them",
        ),
        Setting(
            "CURRENCY",
            "currency of the prices (ISO 4217); the items do not tell it",
            pattern="[A-Z]{3}",
            form="three capital letters, as NZD",
            asked=True,
        ),
        Setting("PAGE_SIZE", "contacts a page, 1-1000", "1000", pattern=r"[1-9]\d{0,2}|1000", form="1-1000"),
        *POSTING_SETTINGS,
        Setting(
            "AUTH_URL", "where tokens are fetched", AUTH_URL, pattern=r"https?://\S+", form="an address, as https://…"
        ),
        Setting(
            "CONSENT_URL",
            "where a person consents",
            CONSENT_URL,
            pattern=r"https?://\S+",
            form="an address, as https://…",
        ),
    )
    # The small day, until the service shows that it is a large one. Whether the day rolls, or begins at an hour of the
    # tenant's, is not documented: what fits into every 24 hours fits into any day.
    limits: ClassVar[tuple[Limit, ...]] = (Limit(60, 60), Limit(SMALL_DAY, DAY_SECONDS))
    # Whether a sale moves the date of a change is not documented: stock takes the full list.
    pulls: ClassVar[Mapping[Kind, Pull]] = {
        Kind.PRODUCTS: Pull(None, brings=(Kind.STOCK,)),
        Kind.CUSTOMERS: Pull(1000),
    }
    lookups: ClassVar[Mapping[Kind, Lookup]] = {Kind.PRODUCTS: Lookup(1)}
    pushes: ClassVar[Mapping[Kind, Push]] = {
        Kind.CUSTOMERS: Push(50, again=2), Kind.PRODUCTS: Push(50, sought=50),
        Kind.ORDERS: Push(50, sought=40), Kind.PAYMENTS: Push(50, sought=40),
    }  # fmt: skip
    oldest: ClassVar[Oldest] = "everything"

    @classmethod
    def wrong(cls, values: Values) -> Iterable[str]:
        """What belongs to the kind of app; only an approved invoice can be paid."""
        yield from wrong_app(values)
        if values.get("PAYMENTS") and values.get("STATUS") != "AUTHORISED":
            payments, status = values.variable("PAYMENTS"), values.variable("STATUS")
            yield f"{payments} is set, but an invoice is paid only as AUTHORISED: unset it, or {status}"

    @classmethod
    def lacking(cls, values: Values) -> Iterable[str]:
        """Without tax types each order would be held."""
        if not values.get("TAX"):
            yield f"{values.variable('TAX')} is not set: name the tax type of each rate, as 0.15:OUTPUT2,0:NONE"

    @classmethod
    def takes_stock(cls, values: Values) -> bool:
        """Quantities follow approved invoices alone."""
        return values.get("STATUS") == "AUTHORISED"

    @classmethod
    def account(cls, values: Values) -> str:
        """The organisation; a custom connection has exactly one, so that its client id will do."""
        if app_of(values) == "custom":
            return values.get("TENANT_ID") or values.settings["CLIENT_ID"]
        return values.get("TENANT_ID")

    @classmethod
    def auth(cls, values: Values) -> Auth:
        """Asks for JSON (the default is XML) and names the organisation, where one is set."""
        tenant = values.get("TENANT_ID")

        def dress(request: PreparedRequest) -> PreparedRequest:
            request.headers["Accept"] = "application/json"
            if tenant:
                request.headers["xero-tenant-id"] = tenant
            return request

        return dress

    @classmethod
    def by_hand(cls, values: Values, query: str) -> Repeat:
        """The organisation too, where one is set."""
        tenant = values.get("TENANT_ID")
        usual = super().by_hand(values, query)
        return usual.changed(headers=(*usual.headers, f"xero-tenant-id: {tenant}")) if tenant else usual

    @classmethod
    def grant(cls, values: Values) -> Grant:
        """By a refresh token, or as a custom connection; without a scope the token gets all that the app has."""
        app, client_id, secret = app_of(values), values.settings["CLIENT_ID"], values.get("CLIENT_SECRET")
        return Grant(
            url=values.settings["AUTH_URL"],
            form={"client_id": client_id} if app == "pkce" else {},
            basic=None if app == "pkce" else (client_id, secret),
            refresh_token=None if app == "custom" else values.get("REFRESH_TOKEN"),
            grace=GRACE_SECONDS,
            unused_days=UNUSED_DAYS,
        )

    @classmethod
    def consent(cls, values: Values, roles: frozenset[str]) -> Consent | str:
        """Nothing for a custom connection."""
        return consent(values, roles)

    def consented(self) -> Iterator[Check]:
        """The organisations, of which the settings name one."""
        yield tenant_check(self)

    @classmethod
    def token_expired(cls, headers: Mapping[str, str], body: str) -> bool:
        """A missing scope and an organisation that is not connected are refused with the same status."""
        return answers.token_expired(headers, body)

    @classmethod
    def rates(cls, headers: Mapping[str, str]) -> Iterable[Rate]:
        """Those of the minute and of the day."""
        return answers.rates(headers)

    @classmethod
    def pause(cls, headers: Mapping[str, str], asked: float | None) -> float | None:
        """By which limit it was."""
        return answers.pause(headers, asked)

    @classmethod
    def service_words(cls, body: str) -> str:
        """The messages of a refused request, or the detail of one that was not let in; else plain text or HTML."""
        return answers.words(body) or super().service_words(body)

    @classmethod
    def remedy(cls, values: Values, headers: Mapping[str, str], body: str) -> str:
        """A missing scope, or a missing organisation."""
        return answers.remedy(values, headers, body)

    def pull(self, kind: Kind, cursor: str | None) -> Page:
        """A page of contacts; of items the one there is: all, or those changed since the stamp that the cursor is."""
        if kind is Kind.CUSTOMERS:
            return contact_page(self, cursor)
        since = int(cursor) if cursor else None
        headers = {} if since is None else {"If-Modified-Since": since_text(since)}
        try:
            answer = self.http.get("/Items", _DECIMALS, headers=headers, keep_body=since is not None)
        except RefusedError as error:
            if error.status == 304 and cursor:  # one of the forms that "nothing changed" may take
                return Page((), cursor, last=True, call=error.call)
            raise
        if settled := set_back(since, answer):
            return Page((), str(settled), last=False, call=answer.call)
        records = read_items(answer.elements("Items"), "the list")
        return Page(records, str(stamp(since, answer)), last=True, call=answer.call)

    def lookup(self, kind: Kind, remote_ids: Sequence[str]) -> Found:
        """An item by its own address."""
        (remote_id,) = remote_ids
        records, call = self._single(remote_id)
        wanted = [record for record in records if isinstance(record, Problem) or record.remote_id == remote_id.lower()]
        return Found(wanted, absent(remote_ids, wanted), call)

    def find(self, sku: str) -> Found:
        """By the address that has the code in it, or in the list of all where it might not arrive as it is."""
        if re.fullmatch(_PLAIN, sku) and not re.fullmatch(_GUID, sku):
            records, call = self._single(sku)
        else:
            answer = self.http.get("/Items", _DECIMALS, keep_body=False)
            records, call = read_items(answer.elements("Items"), "the list"), answer.call
        alike = (record for record in records if isinstance(record, Product) and record.sku.lower() == sku.lower())
        found = with_sku(sku, alike, self.title)
        there = any(isinstance(record, Product) for record in found)
        return Found(found, () if there else [sku], call)

    def find_customer(self, code: str, email: str) -> Found:
        """By a search, which finds no account numbers: those come with the feed."""
        return search(self, code, email)

    def _single(self, key: str) -> tuple[Iterable[Record | Problem], int]:
        """The records at an item's own address, none where it answers 404, and the call."""
        try:
            answer = self.http.get(f"/Items/{quoted(key)}", _DECIMALS, may_miss=True)
        except RefusedError as error:
            if error.status != 404:
                raise
            return (), error.call
        return read_items(answer.elements("Items"), f"item {key}"), answer.call

    def announced(self, kind: Kind, version: int, cursor: str) -> bool:
        """Whether the change lies behind the stamp, less the overlap."""
        return version >= int(cursor) - OVERLAP_MS

    @cached_property
    def _desk(self) -> Desk:
        from syncctl.connectors._xero_push import Desk

        return Desk(self.values, self.http)

    def push(self, kind: Kind, rows: Sequence[Outgoing]) -> Sequence[Outcome]:
        """One call, and few more where something is wrong, or contacts are to be as entered."""
        return self._desk.push(kind, rows)

    def objection(self, row: Outgoing) -> Outcome | None:
        """What the settings or the order itself lack."""
        return self._desk.objection(row)

    def seek(self, kind: Kind, rows: Sequence[Outgoing]) -> Sequence[Seen | None]:
        """One call for up to 40 orders or payments, for all items, or for a thousand contacts."""
        return self._desk.seek(kind, rows)

    def seen(self, remote_id: str) -> Seen | None:
        """By the id that Xero gave it."""
        return self._desk.seeker.by_id(remote_id)

    @classmethod
    def besides(cls, values: Values, sales: Sequence[Sale]) -> int:
        """An update of contacts for each batch with a customer's newest order, where contacts are to be as entered."""
        if values.get("CONTACT") != "as-entered":
            return 0
        from syncctl.connectors._xero_records import tells_news

        batches = in_batches(sales, cls.pushes[Kind.ORDERS].batch)
        return sum(any(map(tells_news, batch)) for batch in batches)

    def follow(self, order: Order, remote_id: str, day: Callable[[datetime], date]) -> Sequence[Follow]:
        """Its payments, where accounts are set for them."""
        if not self.setting("PAYMENTS"):
            return ()
        from syncctl.models_push import Follow, Payment

        return [
            Follow(
                Kind.PAYMENTS,
                str(number),
                Payment(remote_id, paid.method, paid.amount, day(paid.paid_at or order.placed_at)),
            )
            for number, paid in enumerate(order.payments, 1)
            if paid.amount
        ]

    def check(self, *, posts: bool = False) -> Iterator[Check]:
        """What the token may do, with a refresh token the organisations that it opens, then the organisation."""
        return checks(self, posts=posts)


CONNECTOR = Xero
