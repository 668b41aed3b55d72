"""The Unleashed API as one service: who may call, how often, and which resource answers."""

from __future__ import annotations

import math
from email.utils import formatdate
from typing import TYPE_CHECKING, ClassVar

from ..limits import CalendarMonth, Limits, Rolling, Window
from ..messages import Request, Response
from ..service import RecordKind, Service
from ..switches import Switches
from .account import SWITCHES, Account
from .answers import Refused, forbidden, refusal
from .customers import Customers
from .lookups import CURRENCY, TAXES, Lookups
from .orders import Orders
from .papers import Invoices, Shipments
from .products import Products
from .routing import Router
from .seed import seed_account
from .signature import API_ID, API_KEY, is_signed
from .stock import DEFAULT_WAREHOUSE, Stock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..clock import Clock
    from ..store import Store

MONTHLY_CALLS = 125_000
"""The smallest plan's calls a calendar month; no limit per minute is published."""
LONGEST_QUERY = 2048
"""Classic ASP.NET's default; that Unleashed has it is an inference."""


class Unleashed(Service):
    """A copy of one company's account."""

    name: ClassVar[str] = "unleashed"
    quota_window: ClassVar[str] = "month"

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self.switches = Switches(SWITCHES)
        self.limits = _limits()
        self._account = Account.opened(store, clock, self.switches)
        stock = Stock(self._account)
        products, customers = Products(self._account, stock), Customers(self._account)
        invoices, shipments = Invoices(self._account), Shipments(self._account)
        orders = Orders(self._account, stock, invoices, shipments)
        self._kinds: dict[str, RecordKind] = {
            "products": products,
            "stock": stock,
            "customers": customers,
            "sales_orders": orders,
            "invoices": invoices,
        }
        self._router = Router()
        lookups = Lookups(self.switches)
        for resource in (products, stock, customers, orders, invoices, shipments, lookups):
            resource.routes(self._router)

    @classmethod
    def env(cls, url: str) -> dict[str, str]:
        """The settings of syncctl that point at this copy."""
        settings = {
            "BASE_URL": url,
            "API_ID": API_ID,
            "API_KEY": API_KEY,
            "CLIENT_TYPE": "demo/syncctl",
            "ROLES": "products,stock,customers",
            "CURRENCY": CURRENCY,
        }
        return {f"SYNCCTL_UNLEASHED_{name}": value for name, value in settings.items()}

    @classmethod
    def posting_env(cls) -> dict[str, str]:
        """Shipping, discounts and fees are charge lines by default."""
        settings = {
            "ROLES": "products,stock,customers,invoices",
            "POST_SINCE": "2025-01-01",
            "WAREHOUSE": DEFAULT_WAREHOUSE,
            "TAX": f"0.15:{TAXES[0]['TaxCode']},0:{TAXES[2]['TaxCode']}",
            "GUEST": "create",
            "DUE_DAYS": "7",
            "ROUNDING": "charge",
        }
        return {f"SYNCCTL_UNLEASHED_{name}": value for name, value in settings.items()}

    def seed(self, products: int, seed: int) -> None:
        """Fill the account with an invented homeware shop."""
        seed_account(self._account, products, seed)

    def is_empty(self) -> bool:
        """Whether there is neither product nor customer."""
        return self._account.products.is_empty() and self._account.customers.is_empty()

    def clear(self) -> None:
        """Remove all records, defaults everywhere."""
        self.switches.reset()
        self.limits = _limits()
        for table in self._account.tables:
            table.clear()
        self._account.forget_numbers()

    def kinds(self) -> Mapping[str, RecordKind]:
        """The kinds of record by name."""
        return self._kinds

    def template(self, request: Request) -> str:
        """The path with placeholders."""
        return self._router.template(request.path)

    def handle(self, request: Request) -> Response:
        """Credentials, then limits, then the resource.

        Every call with right credentials counts, failed ones too: the vendor's limit page does not
        exempt them (help article 11582291, "Understanding your API usage limits").
        """
        if not self._is_welcome(request):
            return forbidden()
        if full := self.limits.admit(self._clock.now()):
            return self.refusal(full.window, full.wait)
        if len(request.query) > LONGEST_QUERY:
            return refusal(int(self.switches["too_long"]), "The query string is too long")
        try:
            return self._router.answer(request)
        except Refused as refused:
            return refused.response

    def _is_welcome(self, request: Request) -> bool:
        # Since June 2025 client-type is required by the change log; what a call without it gets is
        # unconfirmed by the vendor.
        if self.switches["client_type"] == "required" and not request.headers.get("client-type"):
            return False
        return is_signed(request, self.switches["signature"])

    def refusal(self, window: str, wait: float | None) -> Response:
        """The answer at a full window; status, body and Retry-After are unconfirmed by the vendor."""
        if window == "month":
            response = refusal(int(self.switches["month_answer"]), "API usage limit reached")
        else:
            response = Response(429)
        form = self.switches["retry_after"]
        if wait is None or form == "absent":
            return response
        seconds = math.ceil(wait)
        dated = formatdate(self._clock.now() + seconds, usegmt=True)
        return response.with_header("Retry-After", dated if form == "date" else str(seconds))


def _limits() -> Limits:
    windows: dict[str, Window] = {"minute": Rolling(60), "month": CalendarMonth()}
    return Limits(windows, {"minute": None, "month": MONTHLY_CALLS})
