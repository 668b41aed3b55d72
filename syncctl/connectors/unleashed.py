"""Unleashed: products and stock, read by page number and by "modified since".

Facts: apidocs.unleashedsoftware.com (AuthenticationHelp, Products, StockOnHand, StatusCodes). What the vendor does
not say is handled so that either answer works; the comments name those places.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, unquote, urlsplit

from syncctl.connectors.base import (
    Answer,
    Auth,
    Check,
    Connector,
    Found,
    Limit,
    Lookup,
    Page,
    Pull,
    Setting,
    Values,
    price,
    quantity,
    text,
)
from syncctl.errors import AnswerError, CredentialsError, RefusedError
from syncctl.models import SUM, Kind, Problem, Product, Record, State, Stock, from_ms, to_ms

if TYPE_CHECKING:
    from requests import PreparedRequest

OVERLAP_MS = 10 * 60 * 1000  # whether modifiedSince includes its own second is not documented
TIERS = tuple(str(number) for number in range(1, 11))
MOST_CLOCK_SKEW_SECONDS = 300
_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_PATHS = {Kind.PRODUCTS: "/Products", Kind.STOCK: "/StockOnHand"}
# The signature covers the decoded query, so characters that travel as they are cannot be misread. A filter with
# one of the others is signed rightly too, but nobody has shown that the service agrees.
_RAW = "-._~:@,/?!$'()*;"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a read stands. Between reads only `stamp` is set: the newest change that is stored, in ms.

    `ceiling` is the service's clock at the read's first page: what changes while later pages are read may have
    moved behind us, so the stamp never passes it.
    """

    stamp: int | None = None
    page: int = 1
    newest: int = 0
    ceiling: int | None = None

    @classmethod
    def parse(cls, opaque: str | None) -> Cursor:
        """The cursor from its text; None is the very beginning."""
        return cls(**json.loads(opaque)) if opaque else cls()

    def __str__(self) -> str:
        return json.dumps(asdict(self))


class Unleashed(Connector):
    """The connector of Unleashed."""

    kind: ClassVar[str] = "unleashed"
    title: ClassVar[str] = "Unleashed"
    base_url: ClassVar[str] = "https://api.unleashedsoftware.com"
    default_roles: ClassVar[tuple[str, ...]] = ("products", "stock", "customers")
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("API_ID", "API id, from Integration > Unleashed API access", required=True),
        Setting("API_KEY", "API key, from the same page", required=True, secret=True),
        Setting(
            "CLIENT_TYPE",
            "account/app, as the vendor asks of each client",
            "shop/syncctl",
            pattern=r"[a-z0-9_./-]{1,40}",
        ),
        Setting("PRICE_TIER", "sell price tier 1-10; without it the default sell price", pattern="[1-9]|10"),
        Setting("WAREHOUSE", "code of the warehouse that the shop sells from; without it the sum of all"),
        Setting(
            "CURRENCY",
            "currency of the prices (ISO 4217); the product list does not tell it",
            pattern="[A-Z]{3}",
        ),
        Setting("PAGE_SIZE", "products a page, 1-1000", "200", pattern=r"[1-9]\d{0,2}|1000"),
    )
    # 125,000 a calendar month is the smallest published allowance; no limit a minute is published: 60 is caution.
    limits: ClassVar[tuple[Limit, ...]] = (Limit(60, 60), Limit(125_000, "month"))
    pulls: ClassVar[Mapping[Kind, Pull]] = {Kind.PRODUCTS: Pull(200), Kind.STOCK: Pull(200)}
    # 50 ids of 37 characters stay below the 2,048 of a classic ASP.NET query string.
    lookups: ClassVar[Mapping[Kind, Lookup]] = {Kind.PRODUCTS: Lookup(50), Kind.STOCK: Lookup(50)}
    quota_status: ClassVar[frozenset[int]] = frozenset({403})

    @classmethod
    def account(cls, values: Values) -> str:
        """The API id: there is one per company."""
        return values.settings["API_ID"]

    @classmethod
    def auth(cls, values: Values) -> Auth:
        """Signs each request; see `signature`."""
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
    def price_tier(cls, values: Values) -> str:
        """The configured sell price tier, else the default sell price."""
        return values.settings.get("PRICE_TIER") or "default"

    @classmethod
    def locations(cls, values: Values) -> tuple[str, ...]:
        """The configured warehouse, else the service's own sum."""
        return (values.settings.get("WAREHOUSE") or SUM,)

    @classmethod
    def page_size(cls, values: Values, kind: Kind) -> int:
        """The configured page size."""
        return int(values.settings.get("PAGE_SIZE") or cls.pulls[kind].page_size)

    @classmethod
    def service_words(cls, body: str) -> str:
        """The descriptions in an error body; its exact form is not documented, so several are read."""
        try:
            data = json.loads(body)
        except ValueError:
            return super().service_words(body)
        if not isinstance(data, dict):
            return super().service_words(body)
        items = [item for item in data.get("Items") or () if isinstance(item, dict)]
        words = "; ".join(f"{item.get('Field')}: {item.get('Description')}" for item in items)
        return text(words or data.get("Description") or data.get("description") or data.get("Message"))[:300]

    def scope(self, kind: Kind) -> str:
        """Stock is read for one warehouse, or for the sum."""
        return self.setting("WAREHOUSE") if kind is Kind.STOCK else ""

    def pull(self, kind: Kind, cursor: str | None) -> Page:
        """One page, by product code: an order that a change of price or stock cannot move."""
        at = Cursor.parse(cursor)
        try:
            answer = self.http.get(
                f"{_PATHS[kind]}/{at.page}", self._page_query(kind, at), keep_body=at.stamp is not None
            )
        except RefusedError as error:
            if error.status == 404 and at.page > 1:  # one of the forms that a page past the end may take
                return Page((), self._stamp(at), last=True, call=0)
            raise
        items, paging = _listed(answer)
        return self._page(kind, at, answer, (items, paging))

    def _page(self, kind: Kind, at: Cursor, answer: Answer, listed: tuple[list[Any], Mapping[str, Any]]) -> Page:
        items, paging = listed
        _check_page_number(at.page, paging, items)
        newest = max((_moment(item.get("LastModifiedOn")) for item in items if isinstance(item, dict)), default=0)
        now = Cursor(at.stamp, at.page + 1, max(at.newest, newest), self._ceiling(at, answer, newest))
        last = not items or at.page >= _whole(paging.get("NumberOfPages"))
        total = _whole(paging.get("NumberOfItems"))
        records = self._records(kind, items, f"page {at.page}")
        return Page(records, self._stamp(now) if last else str(now), last, answer.call, total)

    def _ceiling(self, at: Cursor, answer: Answer, newest: int) -> int:
        """The service's clock at the first page; without a Date header the newest change which that page shows."""
        if at.ceiling is not None:
            return at.ceiling
        date = answer.date()
        return to_ms(date) if date else newest

    @staticmethod
    def _stamp(at: Cursor) -> str:
        reached = min(at.newest, at.ceiling) if at.ceiling is not None else at.newest
        return str(Cursor(max(reached, at.stamp or 0) or None))

    def _page_query(self, kind: Kind, at: Cursor) -> str:
        since = [("modifiedSince", _since(at.stamp))] if at.stamp is not None else []
        size = ("pageSize", str(self.page_size(self.values, kind)))
        return _query(*since, *self._filters(kind), size)

    def _filters(self, kind: Kind) -> list[tuple[str, str]]:
        if kind is Kind.PRODUCTS:
            return [("includeObsolete", "true")]
        warehouse = self.setting("WAREHOUSE")
        return [("warehouseCode", warehouse)] if warehouse else []

    def lookup(self, kind: Kind, remote_ids: Sequence[str]) -> Found:
        """A list of ids in one call; a product alone by its own address, where 404 says that it is gone.

        Stock is always asked for as a list: a product that never moved has no row there, which is no error.
        """
        if kind is Kind.PRODUCTS and len(remote_ids) == 1:
            return self._single(remote_ids[0])
        size = ("pageSize", "1000")
        answer = self.http.get(_PATHS[kind], _query(("productId", ",".join(remote_ids)), *self._filters(kind), size))
        wanted = {remote_id.lower() for remote_id in remote_ids}
        records = [
            record
            for record in self._records(kind, _listed(answer)[0], "the list")
            if isinstance(record, Problem) or record.remote_id in wanted
        ]
        return Found(records, _missing(remote_ids, records), answer.call)

    def _single(self, remote_id: str) -> Found:
        try:
            answer = self.http.get(f"/Products/{remote_id}")
        except RefusedError as error:
            if error.status == 404:
                return Found(missing=[remote_id], call=error.call)
            raise
        records = list(self._records(Kind.PRODUCTS, [answer.json()], f"product {remote_id}"))
        return Found(records, _missing([remote_id], records), answer.call)

    def find(self, sku: str) -> Found:
        """The service's filter is "starts with", so the codes are compared here."""
        prefix = re.split(r"[&=#%+\"<>]|[^ -~]", sku, maxsplit=1)[0].rstrip() or sku
        size = ("pageSize", "1000" if prefix != sku else "200")
        answer = self.http.get("/Products", _query(("productCode", prefix), ("includeObsolete", "true"), size))
        records = [r for r in self._records(Kind.PRODUCTS, _listed(answer)[0], "the list") if isinstance(r, Product)]
        same = [record for record in records if record.sku == sku]
        near = [
            _case_problem(record, sku) for record in records if record.sku != sku and record.sku.lower() == sku.lower()
        ]
        return Found([*same, *near], [] if same else [sku], answer.call)

    def announced(self, kind: Kind, version: int, cursor: str) -> bool:
        """Whether the change lies behind the stamp, less the overlap."""
        stamp = Cursor.parse(cursor).stamp
        return stamp is None or version >= stamp - OVERLAP_MS

    def check(self) -> Iterator[Check]:
        """Two calls: the warehouses (a plain query), then products by date (a query with a colon)."""
        answer = self.http.get("/Warehouses", _query(("pageSize", "1000")))
        yield Check("ok", "credentials", f"{self.values.base_url} accepts them")
        yield _clock_check(answer)
        yield self._warehouse_check(_listed(answer)[0])
        try:
            self.http.get("/Products", _query(("modifiedSince", "2020-01-01T00:00:00"), ("pageSize", "1")))
        except CredentialsError as error:
            remedy = "Some proxy on the way rewrites the query: exempt this host from it"
            yield Check(
                "wrong",
                "signature",
                f"a query with a colon is refused though others pass ({error.message})",
                remedy,
            )
        else:
            yield Check("ok", "signature", "accepted with and without a colon in the query")

    def _warehouse_check(self, items: list[Any]) -> Check:
        codes = [text(item.get("WarehouseCode")) for item in items if isinstance(item, dict)]
        wanted = self.setting("WAREHOUSE")
        if not wanted:
            return Check("ok", "warehouse", f"stock is the sum of all {len(codes)}: {', '.join(codes)}")
        if wanted in codes:
            return Check("ok", "warehouse", f"{wanted} exists")
        variable = f"SYNCCTL_{self.values.name.upper()}_WAREHOUSE"
        return Check("wrong", "warehouse", f"there is no {wanted}", f"Set {variable} to one of {', '.join(codes)}")

    def _records(self, kind: Kind, items: Iterable[Any], where: str) -> Iterator[Record | Problem]:
        for number, item in enumerate(items, 1):
            if not isinstance(item, dict):
                yield Problem(f"{kind} {number} of {where}", "is not a record", "Report it to Unleashed")
            else:
                yield self._product(item, where) if kind is Kind.PRODUCTS else self._stock(item, where)

    def _product(self, item: Mapping[str, Any], where: str) -> Product | Problem:
        sku = text(item.get("ProductCode")).strip()
        remote_id = text(item.get("Guid")).lower()
        if not remote_id:
            return Problem(f"product {sku or '?'} on {where}", "has no Guid", "Report it to Unleashed")
        prices, problems = _prices(sku or remote_id, item)
        return Product(
            remote_id=remote_id,
            sku=sku,
            name=text(item.get("ProductDescription")),
            state=State.INACTIVE if item.get("Obsolete") is True else State.ACTIVE,
            prices=prices,
            price_includes_tax=False,  # prices are kept without tax (help article 13672908)
            version=_moment(item.get("LastModifiedOn")),
            barcode=text(item.get("Barcode")) or None,
            problems=problems,
        )

    def _stock(self, item: Mapping[str, Any], where: str) -> Stock | Problem:
        sku = text(item.get("ProductCode")).strip()
        remote_id = text(item.get("ProductGuid") or item.get("Guid")).lower()
        if not remote_id:
            return Problem(f"stock of {sku or '?'} on {where}", "has no ProductGuid", "Report it to Unleashed")
        available, problems = _available(sku or remote_id, item.get("AvailableQty"))
        version = _moment(item.get("LastModifiedOn"))
        return Stock(remote_id, self.setting("WAREHOUSE") or SUM, available, version, problems)


def signature(key: str, query: str) -> str:
    """The vendor's signature: base64 HMAC-SHA256 of the percent-decoded query, without path, method or body.

    The key is used as it is shown, though it looks like base64 (apidocs.unleashedsoftware.com/AuthenticationHelp).
    """
    return base64.b64encode(hmac.digest(key.encode(), unquote(query).encode(), hashlib.sha256)).decode()


def _query(*pairs: tuple[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe=_RAW)}" for name, value in pairs)


def _since(stamp: int) -> str:
    """Whole seconds without a zone: fractions and `Z` are not documented. Always UTC."""
    return from_ms(stamp - OVERLAP_MS).strftime("%Y-%m-%dT%H:%M:%S")


def _listed(answer: Answer) -> tuple[list[Any], Mapping[str, Any]]:
    data = answer.json()
    items = data.get("Items") if isinstance(data, dict) else None
    paging = data.get("Pagination") or {} if isinstance(data, dict) else {}
    if not isinstance(items, list) or not isinstance(paging, dict):
        raise AnswerError("The answer has no list of Items", "Look at it with syncctl explain, and at the base URL")
    return items, paging


def _check_page_number(asked: int, paging: Mapping[str, Any], items: list[Any]) -> None:
    """A service that repeats a page would be read for ever. Past the end, some services show the last page again."""
    came = _whole(paging.get("PageNumber")) or asked
    if items and came != asked and asked <= _whole(paging.get("NumberOfPages")):
        raise AnswerError(
            f"Page {asked} was asked for and page {came} came",
            "Run it again; if it stays so, report it to Unleashed",
        )


def _missing(remote_ids: Sequence[str], records: Iterable[Record | Problem]) -> list[str]:
    there = {record.remote_id for record in records if not isinstance(record, Problem)}
    return [remote_id for remote_id in remote_ids if remote_id.lower() not in there]


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _moment(value: object) -> int:
    """Milliseconds of `/Date(1413763969623)/`, which is UTC; 0 for anything else."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) if found else 0


def _prices(record: str, item: Mapping[str, Any]) -> tuple[dict[str, Decimal | None], tuple[Problem, ...]]:
    prices: dict[str, Decimal | None] = {}
    problems = []
    for tier, value in _offered(item):
        try:
            prices[tier] = price(value)
        except ValueError as error:
            label = "its default sell price" if tier == "default" else f"its price in tier {tier}"
            remedy = "The old price stays; correct it in Unleashed"
            problems.append(Problem(record, f"{label} {text(value)[:40]!r} {error}", remedy))
    return prices, tuple(problems)


def _offered(item: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    yield "default", item.get("DefaultSellPrice")
    for tier in TIERS:
        offer = item.get(f"SellPriceTier{tier}")
        yield tier, offer.get("Value") if isinstance(offer, dict) else offer


def _available(record: str, value: object) -> tuple[Decimal | None, tuple[Problem, ...]]:
    try:
        return quantity(value), ()
    except ValueError as error:
        remedy = "The old quantity stays; look at its stock in Unleashed"
        return None, (Problem(record, f"its available quantity {text(value)[:40]!r} {error}", remedy),)


def _case_problem(record: Product, sku: str) -> Problem:
    return Problem(sku, f"Unleashed has {record.sku}, which differs only in case", "Write it the same on both sides")


def _clock_check(answer: Answer) -> Check:
    skew = answer.skew()
    if skew is None:
        return Check("warning", "clock", "the service does not tell its time")
    if abs(skew) > MOST_CLOCK_SKEW_SECONDS:
        return Check("warning", "clock", f"this machine is {skew:+.0f} s off the service's time", "Start an NTP client")
    return Check("ok", "clock", f"within {MOST_CLOCK_SKEW_SECONDS} s of the service's")


CONNECTOR = Unleashed
