"""Unleashed: products, stock and customers, read by page number and by "modified since".

Facts: apidocs.unleashedsoftware.com (AuthenticationHelp, Products, StockOnHand, Customers, StatusCodes). What the
vendor does not say is handled so that either answer works; the comments name those places.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from syncctl.connectors._fields import absent, quoted, text, whole, with_sku
from syncctl.connectors._stamps import OVERLAP_MS, Cursor, moved, set_back, since_text
from syncctl.connectors._unleashed_lists import check_paging, listed, newest, prefix, query
from syncctl.connectors._unleashed_records import read
from syncctl.connectors._unleashed_settings import CHARGES, SETTINGS, SIGN_INS
from syncctl.connectors.base import Answer, Auth, Check, Connector, Found, Page
from syncctl.connectors.declared import Limit, Lookup, Pull, Push, Repeat, Setting, SignIn, Values
from syncctl.errors import RefusedError
from syncctl.models import SUM, Kind, Problem, Product, Record

if TYPE_CHECKING:
    from datetime import date, datetime

    from requests import PreparedRequest

    from syncctl.connectors._unleashed_push import Desk
    from syncctl.models_push import Follow, Outcome, Outgoing, Sale, Seen
    from syncctl.shop.order import Order

_PATHS = {Kind.PRODUCTS: "/Products", Kind.STOCK: "/StockOnHand", Kind.CUSTOMERS: "/Customers"}


class Unleashed(Connector):
    """The connector of Unleashed."""

    kind: ClassVar[str] = "unleashed"
    title: ClassVar[str] = "Unleashed"
    base_url: ClassVar[str] = "https://api.unleashedsoftware.com"
    default_roles: ClassVar[tuple[str, ...]] = ("products", "stock", "customers")
    sign_ins: ClassVar[tuple[SignIn, ...]] = SIGN_INS
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    # 125,000 a calendar month is the smallest published allowance; no limit a minute is published: 60 is caution.
    limits: ClassVar[tuple[Limit, ...]] = (Limit(60, 60), Limit(125_000, "month"))
    pulls: ClassVar[Mapping[Kind, Pull]] = {Kind.PRODUCTS: Pull(200), Kind.STOCK: Pull(200), Kind.CUSTOMERS: Pull(200)}
    # 50 ids of 37 characters stay below the 2,048 of a classic ASP.NET query string.
    lookups: ClassVar[Mapping[Kind, Lookup]] = {
        Kind.PRODUCTS: Lookup(50),
        Kind.STOCK: Lookup(50),
        Kind.CUSTOMERS: Lookup(1),
    }
    pushes: ClassVar[Mapping[Kind, Push]] = {
        Kind.CUSTOMERS: Push(), Kind.PRODUCTS: Push(), Kind.ORDERS: Push(), Kind.COMPLETIONS: Push(),
    }  # fmt: skip
    quota_status: ClassVar[frozenset[int]] = frozenset({403})
    location_setting: ClassVar[str] = "WAREHOUSE"
    charges: ClassVar[tuple[str, ...]] = CHARGES

    @classmethod
    def takes_stock(cls, values: Values) -> bool:
        """What is available is what is on hand less what is allocated; that parking allocates is told nowhere."""
        return values.get("STATUS") != "Parked"

    @classmethod
    def account(cls, values: Values) -> str:
        """The API id: there is one per company."""
        return values.settings["API_ID"]

    @classmethod
    def price_includes_tax(cls, values: Values) -> bool | None:
        """Prices are kept without tax (help article 13672908)."""
        return False

    @classmethod
    def auth(cls, values: Values) -> Auth:
        """Signs each request; see `signature`."""
        from urllib.parse import urlsplit

        settings = values.settings

        def sign(request: PreparedRequest) -> PreparedRequest:
            request.headers["Accept"] = "application/json"
            request.headers["Content-Type"] = "application/json"
            request.headers["client-type"] = settings["CLIENT_TYPE"]
            request.headers["api-auth-id"] = settings["API_ID"]
            request.headers["api-auth-signature"] = signature(settings["API_KEY"], urlsplit(request.url or "").query)
            return request

        return sign

    @classmethod
    def by_hand(cls, values: Values, query: str) -> Repeat:
        """Each query has a signature of its own; see `signature`."""
        import shlex
        from urllib.parse import unquote

        key = f"${values.variable('API_KEY')}"
        made = f'printf %s "$QUERY" | openssl dgst -sha256 -hmac "{key}" -binary | openssl base64 -A'
        headers = (
            "Accept: application/json",
            "Content-Type: application/json",
            f"client-type: {values.get('CLIENT_TYPE')}",
            f"api-auth-id: {values.get('API_ID')}",
            "api-auth-signature: $SIGNATURE",
        )
        return Repeat(headers, (f"QUERY={shlex.quote(unquote(query))}", f"SIGNATURE=$({made})"))

    @classmethod
    def locations(cls, values: Values) -> tuple[str, ...]:
        """The configured warehouse, else the service's own sum."""
        return (values.settings.get("WAREHOUSE") or SUM,)

    @classmethod
    def service_words(cls, body: str) -> str:
        """The descriptions in an error body; its exact form is not documented, so several are read."""
        try:
            data = json.loads(body)
        except ValueError:
            return super().service_words(body)
        if not isinstance(data, dict):
            return super().service_words(body)
        listed = data.get("Items")
        items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        words = "; ".join(f"{item.get('Field')}: {item.get('Description')}" for item in items)
        return text(words or data.get("Description") or data.get("description") or data.get("Message"))[:300]

    @classmethod
    def scope(cls, values: Values, kind: Kind) -> str:
        """Stock is read for one warehouse, or for the sum."""
        return values.settings.get("WAREHOUSE", "") if kind is Kind.STOCK else ""

    def pull(self, kind: Kind, cursor: str | None) -> Page:
        """One page, by product or customer code: an order that a change of anything else cannot move."""
        at = Cursor.parse(cursor)
        path = f"{_PATHS[kind]}/{at.page}"
        try:
            answer = self.http.get(path, self._page_query(kind, at), keep_body=at.stamp is not None)
        except RefusedError as error:
            if error.status == 404 and at.page > 1:  # one of the forms that a page past the end may take
                return Page((), str(at.after()), last=True, call=error.call)
            raise
        if settled := set_back(at, answer):
            return Page((), str(settled), last=False, call=answer.call)
        items, paging = listed(answer)
        check_paging(at.page, paging, items)
        now = moved(at, answer, newest(items))
        last = not items or at.page >= paging["NumberOfPages"]
        records = self._records(kind, items, f"page {at.page}")
        return Page(records, str(now.after() if last else now), last, answer.call, whole(paging.get("NumberOfItems")))

    def _page_query(self, kind: Kind, at: Cursor) -> str:
        changed = [("modifiedSince", since_text(at.stamp))] if at.stamp is not None else []
        size = ("pageSize", str(self.page_size(self.values, kind)))
        return query(*changed, *self._filters(kind), size)

    def _filters(self, kind: Kind) -> list[tuple[str, str]]:
        if kind is Kind.CUSTOMERS:
            return [("includeAllContacts", "true"), ("includeObsolete", "true")]
        if kind is Kind.PRODUCTS:
            return [("includeObsolete", "true")]
        warehouse = self.setting("WAREHOUSE")
        return [("warehouseCode", warehouse)] if warehouse else []

    def lookup(self, kind: Kind, remote_ids: Sequence[str]) -> Found:
        """A list of ids in one call; a product or customer alone by its own address, where 404 says that it is gone.

        A customer comes without the contacts that the list shows. Stock is always asked for as a list: a product that
        never moved has no row there, which is no error.
        """
        if kind is not Kind.STOCK and len(remote_ids) == 1:
            return self._single(kind, remote_ids[0])
        size = ("pageSize", "1000")
        answer = self.http.get(_PATHS[kind], query(("productId", ",".join(remote_ids)), *self._filters(kind), size))
        wanted = {remote_id.lower() for remote_id in remote_ids}
        records = [
            record
            for record in self._records(kind, listed(answer)[0], "the list")
            if isinstance(record, Problem) or record.remote_id in wanted
        ]
        return Found(records, absent(remote_ids, records), answer.call)

    def _single(self, kind: Kind, remote_id: str) -> Found:
        try:
            answer = self.http.get(f"{_PATHS[kind]}/{quoted(remote_id)}", may_miss=True)
        except RefusedError as error:
            if error.status == 404:
                return Found(missing=[remote_id], call=error.call)
            raise
        return Found(list(self._records(kind, [answer.json()], f"address {remote_id}")), (), answer.call)

    def find(self, sku: str) -> Found:
        """The service's filter is "starts with", so the codes are compared here."""
        start = prefix(sku)
        answer = self._starting(Kind.PRODUCTS, "productCode", sku)
        items, paging = listed(answer)
        records = with_sku(sku, self._records(Kind.PRODUCTS, items, "the list"), self.title)
        if any(isinstance(record, Product) for record in records):
            return Found(records, (), answer.call)
        if start != sku and whole(paging.get("NumberOfPages")) > 1:
            message = f"more products begin with {start!r} than one answer shows, and it is not among the first"
            return Found([*records, Problem(sku, message, "Run syncctl sync-recent --full")], (), answer.call)
        return Found(records, [sku], answer.call)

    def find_customer(self, code: str, email: str) -> Found:
        """The service's filters are "starts with"; whoever asks compares."""
        answer = self._starting(Kind.CUSTOMERS, "customerCode" if code else "contactEmail", code or email)
        items, paging = listed(answer)
        records = list(self._records(Kind.CUSTOMERS, items, "the list"))
        if prefix(code or email) != (code or email) and whole(paging.get("NumberOfPages")) > 1:
            message = "more customers begin like this than one answer shows"
            records.append(Problem(code or email, message, "Run syncctl sync-customers --full"))
        return Found(records, (), answer.call)

    def _starting(self, kind: Kind, name: str, value: str) -> Answer:
        """What begins with a value. The list is in order: the whole code comes before longer ones."""
        size = "200" if prefix(value) == value else "1000"
        asked = query((name, prefix(value)), *self._filters(kind), ("pageSize", size))
        return self.http.get(_PATHS[kind], asked)

    def announced(self, kind: Kind, version: int, cursor: str) -> bool:
        """Whether the change lies behind the stamp, less the overlap."""
        stamp = Cursor.parse(cursor).stamp
        return stamp is None or version >= stamp - OVERLAP_MS

    @cached_property
    def _desk(self) -> Desk:
        from syncctl.connectors._unleashed_push import Desk

        return Desk(self.values, self.http)

    def push(self, kind: Kind, rows: Sequence[Outgoing]) -> Sequence[Outcome]:
        """One call a record."""
        return [self._desk.push(kind, row) for row in rows]

    def objection(self, row: Outgoing) -> Outcome | None:
        """What the settings or the order itself lack."""
        return self._desk.objection(row)

    def seek(self, kind: Kind, rows: Sequence[Outgoing]) -> Sequence[Seen | None]:
        """One call a record, by the guid that we gave it."""
        return [self._desk.seek(kind, row) for row in rows]

    @classmethod
    def besides(cls, values: Values, sales: Sequence[Sale]) -> int:
        """A look at the warehouses where none is set, and at each customer who pays in another currency."""
        foreign = sum(sale.order.currency != values.get("CURRENCY") for sale in sales)
        return foreign + bool(sales and not values.get("WAREHOUSE"))

    def follow(self, order: Order, remote_id: str, day: Callable[[datetime], date]) -> Sequence[Follow]:
        """That it is complete, where orders are to become invoices."""
        if self.setting("STATUS") != "Completed":
            return ()
        from syncctl.models_push import Completion, Follow

        return (Follow(Kind.COMPLETIONS, "", Completion(remote_id)),)

    def check(self, *, posts: bool = False) -> Iterator[Check]:
        """Two calls, up to five where orders are posted."""
        from syncctl.connectors._unleashed_checks import checks

        return checks(self, posts=posts)

    def _records(self, kind: Kind, items: Iterable[Any], where: str) -> Iterator[Record | Problem]:
        return read(kind, items, where, self.setting("WAREHOUSE") or SUM)


def signature(key: str, query: str) -> str:
    """The vendor's signature: base64 HMAC-SHA256 of the percent-decoded query, without path, method or body.

    The key is used as it is shown, though it looks like base64 (apidocs.unleashedsoftware.com/AuthenticationHelp).
    """
    import base64
    import hashlib
    import hmac
    from urllib.parse import unquote

    return base64.b64encode(hmac.digest(key.encode(), unquote(query).encode(), hashlib.sha256)).decode()


CONNECTOR = Unleashed
