"""`/api/register_sales`, the sales of 0.9 (x-series-api.lightspeedhq.com/docs/sales_101): POST creates or updates.

A body is turned into that of the date versions, after the table in /v2026.04/docs/sales_migration_guide.
An unknown id is no 404 here but an empty list.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .. import wire
from ..messages import json_response
from .amounts import amount
from .answers import bad_request
from .routing import UNVERSIONED, Call, Route, Router
from .sale_before_dates import before_dates
from .sale_checks import check_form, list_in
from .sale_states import states_of
from .sales import READ, WRITE
from .setup import WALK_IN

if TYPE_CHECKING:
    from ..messages import Response
    from ..wire import JsonObject
    from .sales import Sales

_PLAIN = ("id", "customer_id", "note", "short_code", "invoice_number", "accounts_transaction_id")
_TIME = "%Y-%m-%d %H:%M:%S"


class RegisterSales:
    """The same sales under their old path and names."""

    def __init__(self, sales: Sales) -> None:
        self._sales = sales

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        only = {"since": UNVERSIONED, "until": UNVERSIONED}
        router.add("POST", "/register_sales", Route(self.store, WRITE, **only))
        router.add("GET", "/register_sales/{id}", Route(self.one, READ, **only))

    def one(self, call: Call) -> Response:
        """A list of one sale or none."""
        sale = self._sales.account.live(self._sales.table, call.key)
        return json_response(wire.dumps({"register_sales": [_old(sale)] if sale else []}))

    def store(self, call: Call) -> Response:
        """POST: create or update; lines that are left out are deleted."""
        posted = _dated(call.posted())
        check_form(posted)
        account = self._sales.account
        with account.store.transaction():
            before = account.live(self._sales.table, posted.get("id"))
            sale = self._sales.stored_from(posted, str(posted.get("id") or uuid4()).lower(), before)
        return json_response(wire.dumps({"register_sale": _old(sale)}))


def _dated(posted: JsonObject) -> JsonObject:
    """The body as the date versions take it; a missing register, user or status is a 400."""
    for name in ("register_id", "user_id", "status"):
        if not posted.get(name):
            raise bad_request(f"{name} is required")
    meant = states_of(str(posted["status"]).upper())
    if meant is None:
        raise bad_request(f"status {posted['status']} is not known")
    source = {"author_id": "user_id", "register_id": "register_id", "id": "source_id", "type": "source"}
    dated = {
        **{name: posted[name] for name in _PLAIN if posted.get(name) is not None},
        "state": meant[0],
        "attributes": meant[1],
        "source": _renamed(posted, source),
        "date": _moment(posted.get("sale_date")),
        "line_items": [_line(each) for each in _objects(posted, "register_sale_products")],
    }
    if posted.get("register_sale_payments") is not None:
        dated["payments"] = [_payment(each) for each in _objects(posted, "register_sale_payments")]
    return dated


def _objects(posted: JsonObject, name: str) -> list[JsonObject]:
    found = list_in(posted, name)
    if not all(isinstance(each, dict) for each in found):
        raise bad_request(f"{name} must be a list of objects")
    return found


def _renamed(record: JsonObject, names: dict[str, str]) -> JsonObject:
    return {new: record[old] for new, old in names.items() if record.get(old) is not None}


def _line(line: JsonObject) -> JsonObject:
    prices = {"price": "price", "cost": "cost", "discount": "discount", "loyalty_amount": "loyalty_value"}
    is_set = amount(line.get("price_set")) == 1
    return {
        **_renamed(line, {"id": "id", "quantity": "quantity"}),
        "product": _renamed(line, {"id": "product_id"}),
        "pricing": _renamed(line, prices),
        "tax": _renamed(line, {"id": "tax_id", "amount": "tax"}),
        "_metadata": {**_renamed(line, {"sequence": "sequence"}), "is_price_override": is_set},
    }


def _payment(payment: JsonObject) -> JsonObject:
    return {
        **_renamed(payment, {"id": "id", "amount": "amount"}),
        "type": _renamed(payment, {"config_id": "retailer_payment_type_id"}),
        "date": _moment(payment.get("payment_date")),
        "source": _renamed(payment, {"register_id": "register_id"}),
    }


def _moment(value: Any) -> str | None:
    """A time in UTC that says no zone, as one that does; any other text is left to be refused."""
    if value is None:
        return None
    try:
        return datetime.strptime(str(value), _TIME).replace(tzinfo=UTC).isoformat()
    except ValueError:
        return str(value)


def _old(sale: JsonObject) -> JsonObject:
    """The sale as 0.9 answers it; one of nobody in particular is the walk-in customer's."""
    old = before_dates(sale)
    lines, payments = old.pop("line_items"), old.pop("payments")
    return {
        **old,
        "customer_id": old["customer_id"] or WALK_IN,
        "sale_date": _without_zone(old["sale_date"]),
        "register_sale_products": lines,
        "register_sale_payments": [{**each, "payment_date": _without_zone(each["payment_date"])} for each in payments],
    }


def _without_zone(value: Any) -> Any:
    moment = wire.milliseconds(value)
    return value if moment is None else datetime.fromtimestamp(moment / 1000, UTC).strftime(_TIME)
