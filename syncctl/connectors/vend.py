"""Vend (Lightspeed Retail X-Series): products, stock and customers, read by the version up to which all is known.

Facts: x-series-api.lightspeedhq.com (docs: authorization, pagination, rate_limiting, versioning-strategy; reference of
the date versions 2026-04 and 2026-07). What the vendor does not say is handled so that either answer works; the
comments name those places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from syncctl.connectors._fields import quoted, with_sku
from syncctl.connectors._vend_answers import rows_of, unwrapped, words_of
from syncctl.connectors._vend_records import TAXES, WALK_IN, is_gone, read
from syncctl.connectors._vend_settings import CHARGES, SETTINGS, SIGN_INS, consent, wrong
from syncctl.connectors.base import Answer, Auth, Check, Connector, Found, Page
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
from syncctl.models import Kind, Problem, Product, Struct

if TYPE_CHECKING:
    from requests import PreparedRequest

    from syncctl.connectors._vend_push import Desk
    from syncctl.models_push import Outcome, Outgoing, Seen

WINDOW_SECONDS = 300
MOST_OUTLETS = 1000  # of one product; the list's own default


class Cursor(Struct):
    """Where a read stands: everything up to the version `after` is known.

    `largest` is the longest page that this feed has ever given. `whole`: a read of everything, which ends at an empty
    page only; a delta read also ends at a page shorter than the largest, which saves a call and at worst leaves
    changes to the next run.
    """

    after: int = 0
    largest: int = 0
    whole: bool = True

    @classmethod
    def parse(cls, opaque: str | None) -> Cursor:
        """The cursor from its text; None is the very beginning."""
        return cls(**json.loads(opaque)) if opaque else cls()

    def ends(self, rows: int, size: int) -> bool:
        """Whether a page of so many rows is the last one, where `size` were asked for."""
        return not rows or (not self.whole and rows < min(self.largest, size))

    def __str__(self) -> str:
        return json.dumps(self.as_dict())


class Vend(Connector):
    """The connector of Vend."""

    kind: ClassVar[str] = "vend"
    title: ClassVar[str] = "Vend"
    base_url: ClassVar[str] = "https://{}.retail.lightspeed.app"
    default_roles: ClassVar[tuple[str, ...]] = ("products", "stock", "customers")
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    sign_ins: ClassVar[tuple[SignIn, ...]] = SIGN_INS
    limits: ClassVar[tuple[Limit, ...]] = (Limit(350, WINDOW_SECONDS),)
    # No largest page is published for products: fewer may come than asked for, so a page's length proves nothing.
    # For stock 5,000 is the published one: a first read should be cheap.
    pulls: ClassVar[Mapping[Kind, Pull]] = {
        Kind.PRODUCTS: Pull(200, to_empty=True),
        Kind.STOCK: Pull(5000, to_empty=True),
        Kind.CUSTOMERS: Pull(200, to_empty=True),
    }
    lookups: ClassVar[Mapping[Kind, Lookup]] = {Kind.PRODUCTS: Lookup(1), Kind.STOCK: Lookup(1)}
    # The search for customers lags behind by an unknown time.
    pushes: ClassVar[Mapping[Kind, Push]] = {
        Kind.CUSTOMERS: Push(settle=1800), Kind.PRODUCTS: Push(again=1), Kind.ORDERS: Push(),
    }  # fmt: skip
    anonymous: ClassVar[bool] = True
    walk_in: ClassVar[str] = WALK_IN
    oldest: ClassVar[Oldest] = "pages"
    charges: ClassVar[tuple[str, ...]] = (*CHARGES.values(), "ROUNDING")
    address_setting: ClassVar[str] = "DOMAIN_PREFIX"
    location_setting: ClassVar[str] = "OUTLETS"

    @classmethod
    def address(cls, settings: Mapping[str, str]) -> str:
        """The host of the store."""
        return cls.base_url.format(settings.get("DOMAIN_PREFIX", ""))

    @classmethod
    def allowance(cls, settings: Mapping[str, str]) -> tuple[Limit, ...]:
        """300 calls a register and 50, each five minutes."""
        return (Limit(300 * int(settings.get("REGISTERS") or 1) + 50, WINDOW_SECONDS),)

    @classmethod
    def wrong(cls, values: Values) -> Iterable[str]:
        """One way to sign in, a version that this connector understands, a state that an order can have."""
        return wrong(values)

    @classmethod
    def takes_stock(cls, values: Values) -> bool:
        """Statuses of which it is told that they reduce inventory (docs: sales_statuses)."""
        return values.get("STATUS") in ("CLOSED", "ONACCOUNT")

    @classmethod
    def account(cls, values: Values) -> str:
        """The domain prefix: there is one per retailer."""
        return values.settings["DOMAIN_PREFIX"]

    @classmethod
    def auth(cls, values: Values) -> Auth:
        """The personal token, where there is one."""
        token = values.get("TOKEN")

        def sign(request: PreparedRequest) -> PreparedRequest:
            request.headers["Accept"] = "application/json"
            request.headers["Content-Type"] = "application/json"
            if token:
                request.headers["Authorization"] = f"Bearer {token}"
            return request

        return sign

    @classmethod
    def by_hand(cls, values: Values, query: str) -> Repeat:
        """The personal token, where there is one."""
        token = values.variable("TOKEN") if values.get("TOKEN") else "TOKEN"
        return Repeat(("Accept: application/json", f"Authorization: Bearer ${token}"))

    @classmethod
    def grant(cls, values: Values) -> Grant | None:
        """Refresh with rotation: a refresh token is spent with its first use. The token's address has no date."""
        if values.get("TOKEN"):
            return None
        form = {"client_id": values.get("CLIENT_ID"), "client_secret": values.get("CLIENT_SECRET")}
        return Grant(f"{values.base_url}/api/1.0/token", form, refresh_token=values.get("REFRESH_TOKEN"))

    @classmethod
    def consent(cls, values: Values, roles: frozenset[str]) -> Consent | str:
        """What is read, by the doctor too, and where orders are posted what is written."""
        from syncctl.connectors._vend_checks import NEEDED_SCOPES
        from syncctl.connectors._vend_posting_checks import POSTING_SCOPES

        return consent(values, NEEDED_SCOPES | POSTING_SCOPES if "invoices" in roles else NEEDED_SCOPES)

    @classmethod
    def rates(cls, headers: Mapping[str, str]) -> Iterable[Rate]:
        """What is left of the five minutes."""
        limit, left = (headers.get(f"X-RateLimit-{name}", "") for name in ("Limit", "Remaining"))
        if left.isdecimal():
            yield Rate(WINDOW_SECONDS, int(left), int(limit) if limit.isdecimal() else None)

    @classmethod
    def price_includes_tax(cls, values: Values) -> bool | None:
        """Each product has both prices, and each tier is one of them."""
        return cls.price_tier(values) == TAXES[0]

    @classmethod
    def locations(cls, values: Values) -> tuple[str, ...] | None:
        """The chosen outlets."""
        return tuple(part.strip().lower() for part in values.get("OUTLETS").split(",") if part.strip()) or None

    @classmethod
    def service_words(cls, body: str) -> str:
        """The sentences of an error body. Only that of status 429 is documented, so the forms seen are all read."""
        try:
            data = json.loads(body)
        except ValueError:
            return super().service_words(body)
        return words_of(data)[:300] if isinstance(data, dict) else super().service_words(body)

    @classmethod
    def remedy(cls, values: Values, headers: Mapping[str, str], body: str) -> str:
        """What may be seen depends on the token's scopes; the form of such refusals is not documented."""
        words = cls.service_words(body).lower()
        if "version" in words and "not found" in words:
            return f"Set {values.variable('API_VERSION')} to a version that Vend serves"
        if not re.search("scope|permission|forbidden", words):
            return ""
        return (
            "Authorise again with the scopes products:read, inventory:read and customers:read, and where orders are"
            " posted products:write, customers:write, sales:read and sales:write; a personal token needs a user who may"
        )

    def pull(self, kind: Kind, cursor: str | None) -> Page:
        """One page in order of versions: what changes meanwhile moves behind the page, and comes again."""
        at = Cursor.parse(cursor)
        size = self.page_size(self.values, kind) or 0
        answer = self._ask_page(kind, at, size)
        rows, newest = rows_of(answer)
        if not rows:
            return Page((), str(at.changed(whole=False)), last=True, call=answer.call)
        if newest <= at.after:
            remedy = "Run it again; if it stays so, report it to Vend"
            raise answer.unfit(
                f"Versions after {at.after} were asked for, and {newest} came (call {answer.call})", remedy
            )
        records = read(kind, rows, f"the page after {at.after}")
        last = at.ends(len(rows), size)
        now = Cursor(newest, max(at.largest, len(rows)), at.whole and not last)
        return Page(records, str(now), last, answer.call)

    def _ask_page(self, kind: Kind, at: Cursor, size: int) -> Answer:
        """Deleted rows included, without which they would vanish and stay in the mirror."""
        if kind is not Kind.STOCK:
            query = f"after={at.after}&page_size={size}&deleted=true"
            query += "&include_images=false" if kind is Kind.PRODUCTS else ""
            return self.http.get(self._path(kind), query, keep_body=not at.whole)
        body = {"after": at.after, "size": size, "sort_direction": "asc", "include_deleted": True}  # desc by default
        return self.http.ask(self._path("inventory"), body, keep_body=not at.whole)

    def _path(self, *parts: str) -> str:
        return "/".join(("/api", self.setting("API_VERSION"), *(quoted(part) for part in parts)))

    def lookup(self, kind: Kind, remote_ids: Sequence[str]) -> Found:
        """One product, or its stock at all outlets. A deleted product may come as such, or with 404."""
        (remote_id,) = remote_ids
        try:
            answer = self._ask_one(kind, remote_id)
        except RefusedError as error:
            if error.status != 404:
                raise
            return Found((), remote_ids, error.call)
        rows = [unwrapped(answer.json())] if kind is Kind.PRODUCTS else rows_of(answer)[0]
        came = read(kind, rows, f"the answer for {remote_id}")
        records = [r for r in came if isinstance(r, Problem) or (r.remote_id == remote_id.lower() and not is_gone(r))]
        return Found(records, () if records else remote_ids, answer.call)

    def _ask_one(self, kind: Kind, remote_id: str) -> Answer:
        if kind is Kind.PRODUCTS:
            return self.http.get(self._path("products", remote_id), may_miss=True)
        query = f"page_size={MOST_OUTLETS}&include_deleted=true"
        return self.http.get(self._path("inventory", remote_id), query, may_miss=True)

    def find(self, sku: str) -> Found:
        """The service looks among all codes of a product and ignores every other parameter."""
        answer = self.http.get(self._path("products"), f"sku={quoted(sku)}")
        there = [record for record in read(Kind.PRODUCTS, rows_of(answer)[0], "the list") if not is_gone(record)]
        records = with_sku(sku, there, self.title)
        known = any(isinstance(record, Product) for record in records)
        return Found(records, () if known else [sku], answer.call)

    def find_customer(self, code: str, email: str) -> Found:
        """By the search, whose index may lag, and may compare in other ways than is documented."""
        name = "customer_code" if code else "email"
        query = f"type=customers&{name}={quoted(code or email)}&page_size=1000"
        answer = self.http.get(self._path("search"), query)
        return Found(list(read(Kind.CUSTOMERS, rows_of(answer)[0], "the search")), (), answer.call)

    def announced(self, kind: Kind, version: int, cursor: str) -> bool:
        """Whether the version is above the one up to which everything is known."""
        return version > Cursor.parse(cursor).after

    @cached_property
    def _desk(self) -> Desk:
        from syncctl.connectors._vend_push import Desk

        return Desk(self.values, self.http, self._path)

    def push(self, kind: Kind, rows: Sequence[Outgoing]) -> Sequence[Outcome]:
        """One call a record."""
        return [self._desk.push(row) for row in rows]

    def objection(self, row: Outgoing) -> Outcome | None:
        """What the settings or the order itself lack."""
        return self._desk.objection(row)

    def seek(self, kind: Kind, rows: Sequence[Outgoing]) -> Sequence[Seen | None]:
        """One call a record: a sale by the id that we gave it, a customer by its code, a product by its SKU."""
        return [self._desk.seek(kind, row) for row in rows]

    def check(self, *, posts: bool = False) -> Iterator[Check]:
        """Two calls, outlets and retailer; where orders are posted five: registers, users, taxes and payments, too."""
        from syncctl.connectors._vend_checks import checks

        return checks(self, self._path(), posts=posts)


CONNECTOR = Vend
