"""From a posted sale to a stored one: what the client left out, the lines' totals and the sale's.

`price` is per unit and without tax, and so is `tax.amount` of its tax (x-series-api.lightspeedhq.com/docs/sales_101).
"""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .. import wire
from .account import stamp
from .amounts import amount, number, plain
from .sale_checks import at, list_in, moment
from .sale_states import ONACCOUNT, VOIDED

if TYPE_CHECKING:
    from ..wire import JsonObject
    from .account import Account

_PLAIN = ("note", "short_code", "customer_id", "invoice_number", "fulfillment_outlet_id", "fulfillment_details")


def blank_sale() -> JsonObject:
    """A sale with every field; one of nobody in particular has no `customer_id`."""
    return {
        "id": None,
        "state": "parked",
        "attributes": [],
        "date": None,
        "source": {"id": None, "type": None, "author": {"id": None}, "outlet_id": None, "register_id": None},
        **dict.fromkeys(("invoice_number", "receipt_number", "note", "short_code", "accounts_transaction_id")),
        "line_items": [],
        "payments": [],
        "taxes": [],
        "totals": {"price": 0, "tax": 0, "price_incl_tax": 0, "surcharge": 0, "loyalty": 0},
        "return": {"is_return": False, "return_sale_ids": []},
        **dict.fromkeys(("created_at", "updated_at", "deleted_at")),
        "_metadata": {"version": None},
    }


class SaleForm:
    """Fills in a sale; what was posted was checked before."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def filled(self, posted: JsonObject, key: str, before: JsonObject | None) -> JsonObject:
        """The sale as it is stored; what a change leaves out stays as it was."""
        now = self._account.now()
        sale = before or {**blank_sale(), "date": now, "created_at": now}
        sale = {**sale, **{name: posted[name] for name in _PLAIN if posted.get(name) is not None}, "id": key}
        sale |= {"state": posted["state"], "attributes": posted.get("attributes") or []}
        sale |= {"date": _date(posted.get("date")) or sale["date"], "source": self._source(posted["source"], sale)}
        if ONACCOUNT in sale["attributes"] and posted.get("accounts_transaction_id"):
            sale["accounts_transaction_id"] = posted["accounts_transaction_id"]
        lines = [self._line(*each) for each in enumerate(self._rows(posted, before, "line_items"))]
        payments = [self._payment(each, sale) for each in self._rows(posted, before, "payments")]
        # Voiding deletes the payments (docs/sales_statuses).
        sale |= {"line_items": lines, "payments": [] if sale["state"] == VOIDED else payments, **_sums(lines)}
        return self._numbered(sale)

    def _source(self, given: JsonObject, sale: JsonObject) -> JsonObject:
        """That a sale without a register is rung up at the first one is the sandbox's own reading."""
        was = sale["source"]
        first = self._account.registers.all_where("hidden = 0")[0]["id"]
        register = str(given.get("register_id") or was["register_id"] or first).lower()
        own = {name: given[name] for name in ("id", "type") if given.get(name) is not None}
        place = {"outlet_id": self._outlet(register), "register_id": register}
        return {**was, **own, "author": {"id": str(given["author_id"]).lower()}, **place}

    def _outlet(self, register: str) -> Any:
        return (self._account.live(self._account.registers, register) or {}).get("outlet_id")

    def _numbered(self, sale: JsonObject) -> JsonObject:
        """The register's next number where none was given; a number may repeat."""
        invoice = sale["invoice_number"] or self._next_number(sale["source"]["register_id"])
        return {**sale, "invoice_number": invoice, "receipt_number": invoice}

    def _next_number(self, key: str) -> str:
        """That counting on is no change of the register which its feed tells is the sandbox's own reading."""
        register = self._account.live(self._account.registers, key) or {}
        sequence = int(amount(register.get("invoice_sequence")))
        counted = wire.dumps({**register, "invoice_sequence": sequence + 1})
        self._account.registers.put({"id": key, "body": counted})
        return f"{register.get('invoice_prefix') or ''}{sequence}{register.get('invoice_suffix') or ''}"

    def _rows(self, posted: JsonObject, before: JsonObject | None, name: str) -> list[JsonObject]:
        """The posted lines or payments over those that their ids name.

        Whether those without an id replace all others or come on top is unconfirmed
        (`sale_lines_without_id`).
        """
        old = {at(each, "id"): each for each in list_in(before or {}, name)}
        if posted.get(name) is None:
            return list(old.values())
        given = [{**each, "id": str(each.get("id") or uuid4()).lower()} for each in posted[name]]
        merged = [wire.merge(old.get(each["id"], {}), each) for each in given]
        if self._account.switches["sale_lines_without_id"] == "replace":
            return merged
        return list((old | {each["id"]: each for each in merged}).values())

    def _line(self, place: int, line: JsonObject) -> JsonObject:
        product = self._account.live(self._account.products, at(line, "product.id")) or {}
        tax = self._account.live(self._account.taxes, at(line, "tax.id")) or {}
        metadata = line["_metadata"] if isinstance(line.get("_metadata"), dict) else {}
        fixed = metadata.get("is_price_override") is True
        price, per_unit = self._prices(line, product, tax, is_fixed=fixed)
        quantity = amount(line["quantity"])
        total_tax = plain(per_unit * quantity)
        rates = [{"rate_id": rate["id"], "total_tax": total_tax} for rate in (tax.get("rates") or [])[:1]]
        return {
            "id": line["id"],
            "product": {"id": str(at(line, "product.id")).lower()},
            "quantity": plain(quantity),
            "pricing": _pricing(line["pricing"], price, quantity, product),
            "tax": {"id": str(line["tax"]["id"]).lower(), "amount": plain(per_unit), "total": total_tax},
            "return": {"is_return": quantity < 0},
            "_metadata": {"sequence": place, **metadata, "is_price_override": fixed, "tax_components": rates},
        }

    def _prices(
        self, line: JsonObject, product: JsonObject, tax: JsonObject, *, is_fixed: bool
    ) -> tuple[Decimal, Decimal]:
        """Price and tax of one unit, from the catalogue unless they are to stay (and `sale_prices`)."""
        sent = amount(line["pricing"]["price"]), amount(line["tax"]["amount"])
        listed = number(product.get("price_excluding_tax"))
        if is_fixed or listed is None or self._account.switches["sale_prices"] == "as_sent":
            return sent
        rate = sum((amount(each.get("rate")) for each in tax.get("rates") or []), Decimal(0))
        return listed, listed * rate

    def _payment(self, payment: JsonObject, sale: JsonObject) -> JsonObject:
        register = str(at(payment, "source.register_id") or sale["source"]["register_id"]).lower()
        kind = self._account.live(self._account.payment_types, at(payment, "type.config_id")) or {}
        return {
            "id": payment["id"],
            "amount": plain(amount(payment["amount"])),
            "date": _date(payment.get("date")) or sale["date"],
            "type": {"config_id": str(at(payment, "type.config_id")).lower(), "name": kind.get("name")},
            "source": {"register_id": register, "outlet_id": self._outlet(register)},
        }


def _date(value: Any) -> str | None:
    found = moment(value, "date")
    return stamp(found.astimezone(UTC)) if found else None


def _pricing(given: JsonObject, price: Decimal, quantity: Decimal, product: JsonObject) -> JsonObject:
    """Amounts of one unit and of all of them; that `price` is what remains after `discount` is unconfirmed."""
    cost = number(given.get("cost"))
    units = {
        "discount": amount(given.get("discount")),
        "cost": amount(product.get("supply_price")) if cost is None else cost,
        "loyalty_amount": amount(given.get("loyalty_amount")),
    }
    totals = {f"{name}_total": plain(value * quantity) for name, value in units.items()}
    unit = {name: plain(value) for name, value in units.items()}
    return {"price": plain(price), "total": plain(price * quantity), **unit, **totals}


def _sums(lines: list[JsonObject]) -> JsonObject:
    price = sum((amount(line["pricing"]["total"]) for line in lines), Decimal(0))
    tax = sum((amount(line["tax"]["total"]) for line in lines), Decimal(0))
    by_rate: dict[str, Decimal] = {}
    for line in lines:
        for part in line["_metadata"]["tax_components"]:
            by_rate[part["rate_id"]] = by_rate.get(part["rate_id"], Decimal(0)) + amount(part["total_tax"])
    totals = {"price": plain(price), "tax": plain(tax), "price_incl_tax": plain(price + tax)}
    return {
        "taxes": [{"id": rate, "tax": plain(total)} for rate, total in by_rate.items()],
        "totals": {**totals, "surcharge": 0, "loyalty": 0},
        "return": {"is_return": any(line["return"]["is_return"] for line in lines), "return_sale_ids": []},
    }
