"""The X-Series API as one service: who may call, how often, and which resource answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Protocol

from ..messages import Request, Response
from ..service import Planting, RecordKind, Service
from ..switches import Switches
from .account import SWITCHES, Account
from .answers import Refused, error_response
from .customers import Customers
from .inventory import Inventory
from .limiter import API, FIVE_MINUTES, TOKEN, calls_allowed, new_limits, too_many, with_headers
from .lookups import Whoami, lookups, seed_lookups
from .product_writes import ProductWrites
from .products import Products
from .register_sales import RegisterSales
from .routing import Router, template
from .sales import Sales
from .search import Search
from .seed import seed_products
from .seed_trade import seed_trade
from .setup import CHARGES, DISCOUNT, FEE, GST, KINDS, NO_TAX, REGISTERS, ROUNDING, SHIPPING
from .tokens import DOMAIN_PREFIX, PERSONAL_TOKEN, Tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..clock import Clock
    from ..store import Store
    from ..wire import JsonObject

TOKEN_PATH = "/api/1.0/token"  # noqa: S105 - a path
CONSENT_PATH = "/connect"


class Resource(Protocol):
    """Something that answers under some paths."""

    def routes(self, router: Router) -> None:
        """Say which paths these are."""


class Vend(Service):
    """A copy of one retailer."""

    name: ClassVar[str] = "vend"
    quota_window: ClassVar[str] = API

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self.switches = Switches(SWITCHES)
        self._account = Account.opened(store, clock, self.switches)
        self._tokens = Tokens(store, clock, self.switches)
        self.limits = new_limits(self.switches, self._registers())
        inventory = Inventory(self._account)
        products, customers = Products(self._account, inventory), Customers(self._account)
        sales = Sales(self._account, inventory)
        self._lookups = lookups(self._account, self._count_registers)
        self._kinds: dict[str, RecordKind] = {
            "products": products,
            "stock": inventory,
            "customers": customers,
            "sales": sales,
            **self._lookups,
        }
        self._router = Router()
        search = Search(self._account, products, customers, sales)
        writes, old_sales = ProductWrites(products, inventory), RegisterSales(sales)
        whoami = Whoami(self._account)
        resources: tuple[Resource, ...] = (products, writes, inventory, customers, sales, old_sales, search, whoami)
        for resource in (*resources, *self._lookups.values()):
            resource.routes(self._router)

    @classmethod
    def env(cls, url: str) -> dict[str, str]:
        """The settings of syncctl that point at this copy."""
        settings = {
            "BASE_URL": url,
            "CONSENT_URL": f"{url}{CONSENT_PATH}",
            "DOMAIN_PREFIX": DOMAIN_PREFIX,
            "TOKEN": PERSONAL_TOKEN,
        }
        settings |= {"ROLES": "products,stock,customers", "CURRENCY": "NZD", "REGISTERS": str(REGISTERS)}
        return {f"SYNCCTL_VEND_{name}": value for name, value in settings.items()}

    @classmethod
    def posting_env(cls) -> dict[str, str]:
        """Register, user, taxes and payment types are among those that are seeded."""
        cash, card = (KINDS["payment_types"][number]["id"] for number in (0, 1))
        settings = {
            "ROLES": "products,stock,customers,invoices",
            "POST_SINCE": "2025-01-01",
            "REGISTER": KINDS["registers"][0]["id"],
            "USER": KINDS["users"][0]["id"],
            "TAX": f"0.15:{GST},0:{NO_TAX}",
            "PAYMENTS": f"card:{card},cash:{cash}",
            "SHIPPING": SHIPPING,
            "DISCOUNT": DISCOUNT,
            "FEE": FEE,
            "ROUNDING": ROUNDING,
        }
        return {f"SYNCCTL_VEND_{name}": value for name, value in settings.items()}

    def seed(self, products: int, seed: int) -> None:
        """Fill the account with the invented homeware shop."""
        seed_products(self._account, products, seed)
        seed_lookups(self._account, self._lookups)
        seed_trade(self._account, products, seed)

    def seed_posting(self) -> None:
        """Add the products that stand for what is no goods."""
        for record in CHARGES:
            self._kinds["products"].plant(record, Planting())

    def is_empty(self) -> bool:
        """Whether there is neither product nor outlet."""
        return self._account.products.is_empty() and self._account.outlets.is_empty()

    def clear(self) -> None:
        """Remove all records, defaults everywhere, the first tokens again."""
        self.switches.reset()
        for table in self._account.tables:
            table.clear()
        self._account.forget_numbers()
        self._tokens.reset()
        self.limits = new_limits(self.switches, 0)

    def kinds(self) -> Mapping[str, RecordKind]:
        """The kinds of record by name."""
        return self._kinds

    def template(self, request: Request) -> str:
        """The path with placeholders."""
        return template(request.path)

    # Limits

    def _registers(self) -> int:
        return len(self._account.registers.all_where("hidden = 0"))

    def _count_registers(self) -> None:
        self.limits.allow(API, calls_allowed(self._registers()))

    def refusal(self, window: str, wait: float | None) -> Response:
        """The documented 429; a wait that is not known is a whole window."""
        return too_many(self._clock, FIVE_MINUTES if wait is None else wait, self.switches["retry_after"])

    # Tokens and faults

    def tokens(self) -> JsonObject:
        """The tokens as they are now."""
        return self._tokens.report()

    def change_tokens(self, order: JsonObject) -> None:
        """Expire, revoke or issue tokens, or set their scope."""
        self._tokens.change(order)

    def failure(self, status: int, sentence: str) -> Response:
        """An error in the shape of the switch."""
        return error_response(status, sentence, self.switches["error_shape"])

    # Answering

    def handle(self, request: Request) -> Response:
        """User-Agent, then credentials, then limits, then the resource."""
        try:
            self._demand_user_agent(request)
            if request.path == CONSENT_PATH:
                return self._tokens.consent(request)
            return self._token(request) if request.path == TOKEN_PATH else self._resource(request)
        except Refused as refused:
            return self._counted(self.failure(refused.status, str(refused)))

    def _demand_user_agent(self, request: Request) -> None:
        # Required by the vendor; what a call without it gets is unconfirmed.
        mode = self.switches["user_agent"]
        if mode != "ignored" and not request.headers.get("User-Agent"):
            raise Refused(int(mode), "User-Agent is required")

    def _resource(self, request: Request) -> Response:
        scopes = self._tokens.scopes_of(request)
        if scopes is None:
            raise Refused(401, "The access token is missing, expired or revoked")
        if full := self.limits.admit(self._clock.now(), {API}):
            return self._counted(self.refusal(full.window, full.wait))
        return self._counted(self._router.answer(request, scopes, self.switches["oldest_version"]))

    def _counted(self, response: Response) -> Response:
        return with_headers(response, self.limits, API, self._clock.now())

    def _token(self, request: Request) -> Response:
        """The token endpoint has a limiter of its own, whose headers also tell when it opens again."""
        now = self._clock.now()
        full = self.limits.admit(now, {TOKEN})
        response = self.refusal(full.window, full.wait) if full else self._tokens.answer(request)
        reset = now + (full.wait if full else FIVE_MINUTES)
        return with_headers(response, self.limits, TOKEN, now).with_header("X-RateLimit-Reset", str(math.ceil(reset)))
