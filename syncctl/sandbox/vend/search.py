"""x-series-api.lightspeedhq.com/reference/search, as far as products go.

The SKU has to be sent in lower case: one with a capital letter finds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..store import Query
from .answers import bad_request
from .cursor import DEFAULT_SIZE, size_of, unversioned
from .products import NEEDED
from .routing import Call, Route, Router

if TYPE_CHECKING:
    from ..messages import Response
    from .products import Products

LARGEST = 1000
_ORDERS = {"created_at": "pk", "updated_at": "modified", "name": "name", "sku": "sort"}


class Search:
    """`GET /search`; its answer has no cursor."""

    def __init__(self, products: Products) -> None:
        self._products = products

    def routes(self, router: Router) -> None:
        """Say which path this is."""
        router.add("GET", "/search", Route(self.answer, NEEDED))

    def answer(self, call: Call) -> Response:
        """The products with one of the SKUs, or all; a page size beyond 1000 is clamped without a word."""
        if call.params.get("type") != "products":
            raise bad_request("type is not one of: products")
        size = min(size_of(call, DEFAULT_SIZE), LARGEST)
        offset = call.params.whole("offset") or 0
        rows = self._products.table.slice(_query(call), max(0, offset), size)
        return unversioned([self._products.text(row, call) for row in rows])


def _query(call: Call) -> Query:
    order = _ORDERS.get(call.params.get("order_by") or "", "pk")
    query = Query(order=order, descending=call.params.get("order_direction") == "desc")
    if skus := call.params.all("sku"):
        query = query.where(f"sort IN ({','.join('?' * len(skus))})", *skus)
    return query if call.params.flag("deleted") else query.without_hidden()
