"""Sales (x-series-api.lightspeedhq.com/reference/createsale), and what they do to stock.

From 2026-04 on POST creates and PUT updates. For 2026-01 the vendor's pages disagree; here its POST is
create-or-update and answers with the id, as an older page says.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import wire
from .account import column_text
from .amounts import amount
from .answers import Refused, not_found
from .cursor import asked, envelope, page, single
from .records import Records
from .routing import DATED, Call, Route, Router
from .sale_before_dates import before_dates
from .sale_checks import at, check_form, check_payments, check_references, list_in
from .sale_form import SaleForm, blank_sale
from .sale_states import check_transition, status, takes_stock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..messages import Response
    from ..store import Row, Value
    from ..wire import JsonObject
    from .account import Account
    from .inventory import Inventory

READ, WRITE = ("sales:read",), ("sales:write",)
CREATED_ONLY_SINCE = "2026-04"


class Sales(Records):
    """The sales; their version stands in `_metadata`."""

    code_field = "invoice_number"

    def __init__(self, account: Account, inventory: Inventory) -> None:
        super().__init__(account, account.sales)
        self._inventory = inventory
        self._form = SaleForm(account)

    def routes(self, router: Router) -> None:
        """Say which paths these are; 2.0 has no create."""
        router.add("GET", "/sales", Route(self.many, READ))
        router.add("GET", "/sales/{id}", Route(self.one, READ))
        router.add("POST", "/sales", Route(self.create, WRITE, since=DATED[0]))
        router.add("PUT", "/sales/{id}", Route(self.update, WRITE, since=CREATED_ONLY_SINCE))

    # Reading

    def many(self, call: Call) -> Response:
        """A page by version; `deleted` is not for sales, dates mean nothing."""
        switches = self.account.switches
        rows = page(self.table, asked(call, switches).without_hidden(), call, switches)
        return envelope([self.text(row, call) for row in rows], rows)

    def one(self, call: Call) -> Response:
        """One sale; a deleted one is a 404."""
        row = self.table.get(call.key)
        if row is None or row["hidden"]:
            raise not_found("Sale")
        return single(self.text(row, call))

    def text(self, row: Row, call: Call) -> str:
        """The sale in the shape of its version."""
        body = str(row["body"])
        return wire.dumps(before_dates(wire.loads(body))) if call.is_semantic else body

    # Writing

    def create(self, call: Call) -> Response:
        """POST: under the client's own id if there is one.

        What an id that is taken gets is unconfirmed (`sale_repeated`); what is answered the vendor
        tells in two ways (`sale_create_answer`).
        """
        posted = call.posted()
        check_form(posted)
        only_created = call.version >= CREATED_ONLY_SINCE
        with self.account.store.transaction():
            before = self.account.live(self.table, posted.get("id"))
            if before and only_created and self.account.switches["sale_repeated"] == "409":
                raise Refused(409, f"Sale {posted['id']} already exists")
            sale = self.stored_from(posted, str(posted.get("id") or uuid4()).lower(), before)
        return _created(sale, self.account.switches["sale_create_answer"] if only_created else "id")

    def update(self, call: Call) -> Response:
        """PUT: takes what POST takes; lines and payments that are left out stay."""
        posted = call.posted()
        check_form(posted)
        with self.account.store.transaction():
            before = self.account.live(self.table, call.key)
            if before is None:
                raise not_found("Sale")
            sale = self.stored_from(posted, call.key, before)
        return single(wire.dumps(sale))

    def stored_from(self, posted: JsonObject, key: str, before: JsonObject | None) -> JsonObject:
        """The new or changed sale that a posted one becomes; refuses what does not go."""
        if before:
            check_transition(before, posted["state"])
        check_references(self.account, posted, before)
        sale = self._form.filled(posted, key, before)
        check_payments(self.account, sale)
        placed = self.place(sale, before)
        self.table.count_write(key)
        return placed

    def place(self, sale: JsonObject, before: JsonObject | None = None) -> JsonObject:
        """Store a sale with what it does to stock."""
        placed = self.change(sale, is_new=before is None)
        was, will = self._taken(before), self._taken(placed)
        for product, outlet in sorted(was.keys() | will.keys()):
            if by := was.get((product, outlet), Decimal(0)) - will.get((product, outlet), Decimal(0)):
                self._inventory.move(product, outlet, by)
        return placed

    def _taken(self, sale: JsonObject | None) -> dict[tuple[str, str], Decimal]:
        """What a sale has taken out of which outlet, by product and outlet."""
        taken: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        if sale is None or not takes_stock(sale):
            return taken
        outlet = column_text(at(sale, "source.outlet_id")).lower()
        for line in list_in(sale, "line_items"):
            product = self.account.products.get(str(at(line, "product.id")))
            if product is not None and wire.loads(product["body"]).get("has_inventory") is True:
                taken[product["id"], outlet] += amount(line["quantity"])
        return taken

    # Storing

    def defaults(self) -> JsonObject:
        """A blank sale."""
        now = self.account.now()
        return {**blank_sale(), "date": now, "created_at": now}

    def versioned(self, record: JsonObject) -> JsonObject:
        """The version stands in `_metadata`."""
        metadata = record.get("_metadata")
        return metadata if isinstance(metadata, dict) else {}

    def bumped(self, record: JsonObject) -> JsonObject:
        """A new version there, and a new stamp."""
        metadata = {**self.versioned(record), "version": self.account.next_version()}
        return {**record, "updated_at": self.account.now(), "_metadata": metadata}

    def columns(self, record: JsonObject) -> dict[str, Value]:
        """What the search looks at."""
        state, attributes = column_text(record.get("state")), list_in(record, "attributes")
        return {
            "state": state,
            "status": status(state, attributes),
            "attributes": _joined(attributes),
            "customer": column_text(record.get("customer_id")).lower(),
            "user": column_text(at(record, "source.author.id")).lower(),
            "outlet": column_text(at(record, "source.outlet_id")).lower(),
            "register": column_text(at(record, "source.register_id")).lower(),
            "products": _joined(at(line, "product.id") for line in list_in(record, "line_items")),
            "payment_types": _joined(at(each, "type.config_id") for each in list_in(record, "payments")),
            "dated": wire.milliseconds(record.get("date")) or 0,
            "total": float(amount(at(record, "totals.price_incl_tax"))),
        }


def _joined(values: Iterable[object]) -> str:
    """Every value between spaces, so that each is found as a whole."""
    return " ".join(("", *(column_text(value).lower() for value in values), ""))


def _created(sale: JsonObject, form: str) -> Response:
    if form == "full":
        return single(wire.dumps(sale))
    return single(wire.dumps(sale["id"] if form == "text" else {"id": sale["id"]}))
