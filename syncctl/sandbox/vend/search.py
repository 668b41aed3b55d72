"""x-series-api.lightspeedhq.com/reference/search: products, customers and sales.

The SKU of a product has to be sent in lower case: one with a capital letter finds nothing. How an
e-mail address is compared is unconfirmed by the vendor (`email_search`), as is how soon a new record
is found (`search_lag`). Of the filters of sales, those by the time of day are not copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import wire
from ..store import Query
from .amounts import number
from .answers import bad_request
from .cursor import DEFAULT_SIZE, size_of, unversioned
from .routing import Call, Params, Route, Router
from .sale_checks import moment

if TYPE_CHECKING:
    from ..messages import Response
    from ..switches import Switches
    from .account import Account
    from .records import Records

LARGEST = 1000
Filter = Callable[[Query, list[str]], Query]


@dataclass(frozen=True, slots=True)
class Index:
    """One type that can be searched: its records, the scope, the columns to sort by, and the filters."""

    records: Records
    scope: str
    filters: Mapping[str, Filter]
    orders: Mapping[str, str]


class Search:
    """`GET /search`; its answer has no cursor."""

    def __init__(self, account: Account, products: Records, customers: Records, sales: Records) -> None:
        self._account = account
        times = {"created_at": "pk", "updated_at": "modified"}
        self._indexes = {
            "products": Index(products, "products:read", _PRODUCTS, {**times, "name": "name", "sku": "sort"}),
            "customers": Index(
                customers, "customers:read", _customer_filters(account.switches), {**times, "last_name": "last_name"}
            ),
            "sales": Index(sales, "sales:read", _SALES, {**times, "date": "dated"}),
        }

    def routes(self, router: Router) -> None:
        """Say which path this is; the scope follows from the type."""
        router.add("GET", "/search", Route(self.answer, ()))

    def answer(self, call: Call) -> Response:
        """What the filters leave, or all; a page size beyond 1000 is clamped without a word."""
        index = self._indexes.get(call.params.get("type") or "")
        if index is None:
            raise bad_request(f"type is not one of: {', '.join(self._indexes)}")
        call.demand((index.scope,))
        size = min(size_of(call, DEFAULT_SIZE), LARGEST)
        offset = call.params.whole("offset") or 0
        rows = index.records.table.slice(self._query(index, call.params), max(0, offset), size)
        return unversioned([index.records.text(row, call) for row in rows])

    def _query(self, index: Index, params: Params) -> Query:
        order = index.orders.get(params.get("order_by") or "", "pk")
        query = Query(order=order, descending=params.get("order_direction") == "desc")
        for name, narrowed in index.filters.items():
            if values := params.all(name):
                query = narrowed(query, values)
        if self._account.switches.number("search_lag"):
            query = query.where("visible_from <= ?", self._account.clock.milliseconds())
        return query if params.flag("deleted") else query.without_hidden()


def _among(column: str) -> Filter:
    return lambda query, values: query.where(f"{column} IN ({','.join('?' * len(values))})", *values)


def _folded(column: str) -> Filter:
    return lambda query, values: _among(column)(query, [value.lower() for value in values])


def _each_in(column: str) -> Filter:
    """Every value stands among those that a column joins."""

    def narrowed(query: Query, values: list[str]) -> Query:
        for value in values:
            query = query.where(f"instr({column}, ?)", f" {value.lower()} ")
        return query

    return narrowed


def _customer_filters(switches: Switches) -> dict[str, Filter]:
    """But for the code, all of them without regard to case."""

    def email(query: Query, values: list[str]) -> Query:
        mode, value = switches["email_search"], values[0]
        if mode == "exact":
            return query.where("email = ?", value)
        if mode == "any_case":
            return query.where("email_lower = ?", value.lower())
        return query.where("substr(email_lower, 1, ?) = ?", len(value), value.lower())

    names = ("first_name", "last_name", "company_name", "mobile", "phone")
    return {"email": email, "customer_code": _among("code"), **{name: _folded(name) for name in names}}


def _dated(comparison: str, name: str) -> Filter:
    def narrowed(query: Query, values: list[str]) -> Query:
        moment(values[0], name)
        return query.where(f"dated {comparison} ?", wire.milliseconds(values[0]))

    return narrowed


def _total(query: Query, values: list[str]) -> Query:
    total = number(values[0])
    if total is None:
        raise bad_request("sale_total must be a number")
    return query.where("abs(total - ?) < 0.005", float(total))


def _customer_name(query: Query, values: list[str]) -> Query:
    named = "SELECT id FROM vend_customers WHERE instr(first_name || ' ' || last_name, ?)"
    return query.where(f"customer IN ({named})", values[0].lower())


_PRODUCTS: dict[str, Filter] = {"sku": _among("sort")}
_SALES: dict[str, Filter] = {
    "invoice_number": _among("code"),
    "status": lambda query, values: _among("status")(query, [value.upper() for value in values]),
    "state": _folded("state"),
    "attributes": _each_in("attributes"),
    "product_id": _each_in("products"),
    "payment_type_id": _each_in("payment_types"),
    **{f"{column}_id": _folded(column) for column in ("customer", "user", "outlet", "register")},
    "customer_name": _customer_name,
    "sale_total": _total,
    "date_from": _dated(">=", "date_from"),
    "date_to": _dated("<=", "date_to"),
}
