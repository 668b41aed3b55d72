"""Whether a posted sale is complete, and everything that it names exists.

x-series-api.lightspeedhq.com/reference/createsale says what is required. The statuses are the
sandbox's own reading: 400 for a wrong form, the switch `unknown_reference` for an unknown id, and
404 for a line or payment that an id names and that is not there, as an id means to change it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import wire
from .amounts import amount, number
from .answers import Refused, bad_request, not_found
from .customer_rules import is_text
from .routing import is_uuid
from .sale_states import CLOSED, check_state
from .setup import RETAILER

if TYPE_CHECKING:
    from ..store import Table
    from ..wire import JsonObject
    from .account import Account

_LINE_NUMBERS = ("quantity", "pricing.price", "tax.amount")
_OPTIONAL_NUMBERS = ("pricing.cost", "pricing.discount", "pricing.loyalty_amount")
_TEXTS = ("customer_id", "note", "short_code", "invoice_number", "accounts_transaction_id", "date")


def at(record: Any, path: str) -> Any:
    """What stands at a dotted path in nested objects, or None."""
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def list_in(sale: JsonObject, name: str) -> list[Any]:
    """A list of a sale, lines or payments; none when there is none."""
    found = sale.get(name)
    return found if isinstance(found, list) else []


def check_form(posted: JsonObject) -> None:
    """Refuse with 400 a sale that lacks something or has something of a wrong type."""
    if at(posted, "source.author_id") is None:
        raise bad_request("source.author_id is required")
    check_state(posted.get("state"), posted.get("attributes") or [])
    if posted.get("id") is not None and not is_uuid(str(posted["id"])):
        raise bad_request("id must be a UUID")
    for name in _TEXTS:
        if posted.get(name) is not None and not is_text(posted[name]):
            raise bad_request(f"{name} must be a text")
    moment(posted.get("date"), "date")
    for name in ("line_items", "payments"):
        _check_objects(posted.get(name), name)
    for index, line in enumerate(list_in(posted, "line_items")):
        _check_line(line, f"line_items[{index}]")
    for index, payment in enumerate(list_in(posted, "payments")):
        _check_payment(payment, f"payments[{index}]")


def moment(value: Any, name: str) -> datetime | None:
    """A moment in RFC 3339, or None where there is none; one without a zone is a 400."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is None:
        raise bad_request(f"{name} must be a date and time in RFC 3339")
    return found


def _check_objects(value: Any, name: str) -> None:
    if value is not None and not (isinstance(value, list) and all(isinstance(each, dict) for each in value)):
        raise bad_request(f"{name} must be a list of objects")


def _check_line(line: JsonObject, where: str) -> None:
    for name in ("product.id", "tax.id"):
        if at(line, name) is None:
            raise bad_request(f"{where}.{name} is required")
    for name in (*_LINE_NUMBERS, *_OPTIONAL_NUMBERS):
        value = at(line, name)
        if number(value) is None and not (value is None and name in _OPTIONAL_NUMBERS):
            raise bad_request(f"{where}.{name} must be a number")


def _check_payment(payment: JsonObject, where: str) -> None:
    if at(payment, "type.config_id") is None:
        raise bad_request(f"{where}.type.config_id is required")
    if number(payment.get("amount")) is None:
        raise bad_request(f"{where}.amount must be a number")
    moment(payment.get("date"), f"{where}.date")


def check_references(account: Account, posted: JsonObject, before: JsonObject | None) -> None:
    """Refuse ids of nothing: of users, customers, registers, products, taxes, payment types, lines and payments."""
    named: list[tuple[str, Table, Any]] = [
        ("source.author_id", account.users, at(posted, "source.author_id")),
        ("source.register_id", account.registers, at(posted, "source.register_id")),
        ("customer_id", account.customers, posted.get("customer_id")),
    ]
    for line in list_in(posted, "line_items"):
        named.append(("product.id", account.products, at(line, "product.id")))
        named.append(("tax.id", account.taxes, at(line, "tax.id")))
    for payment in list_in(posted, "payments"):
        named.append(("type.config_id", account.payment_types, at(payment, "type.config_id")))
        named.append(("payments.source.register_id", account.registers, at(payment, "source.register_id")))
    for name, table, key in named:
        # The product of discounts is in no list of products.
        if key not in (None, RETAILER["discount_product_id"]) and account.live(table, key) is None:
            raise Refused(int(account.switches["unknown_reference"]), f"{name} {key} not found")
    for name in ("line_items", "payments"):
        _check_own_ids(posted, before or {}, name)


def _check_own_ids(posted: JsonObject, before: JsonObject, name: str) -> None:
    known = {at(each, "id") for each in list_in(before, name)}
    for each in list_in(posted, name):
        if each.get("id") is not None and str(each["id"]).lower() not in known:
            raise not_found(f"{name} {each['id']}")


def check_payments(account: Account, sale: JsonObject) -> None:
    """A closed register takes no payments; that they must add up is unconfirmed (`payments_must_match`)."""
    for payment in sale["payments"]:
        row = account.registers.get(str(at(payment, "source.register_id")))
        if row is not None and wire.loads(row["body"]).get("is_open") is False:
            raise Refused(422, "The register is closed and takes no payments")
    if sale["state"] != CLOSED or account.switches["payments_must_match"] == "no":
        return
    paid = sum(amount(payment["amount"]) for payment in sale["payments"])
    if round(paid, 2) != round(amount(sale["totals"]["price_incl_tax"]), 2):
        raise Refused(422, "The payments of a closed sale must equal its total")
