"""A sale in the shape of 2.0, as far as /v2026.04/docs/sales_migration_guide maps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .amounts import amount, plain
from .sale_checks import at, list_in
from .sale_states import status

if TYPE_CHECKING:
    from ..wire import JsonObject

_SAME = ("id", "customer_id", "invoice_number", "receipt_number", "note", "short_code", "accounts_transaction_id")
_STAMPS = ("created_at", "updated_at", "deleted_at")


def before_dates(sale: JsonObject) -> JsonObject:
    """The sale with a status and flat fields, its version at the top."""
    totals = sale.get("totals") or {}
    return {
        **{name: sale.get(name) for name in _SAME},
        "outlet_id": at(sale, "source.outlet_id"),
        "register_id": at(sale, "source.register_id"),
        "user_id": at(sale, "source.author.id"),
        "source": at(sale, "source.type"),
        "source_id": at(sale, "source.id"),
        "status": status(str(sale.get("state")), sale.get("attributes") or []),
        "sale_date": sale.get("date"),
        "total_price": totals.get("price"),
        "total_tax": totals.get("tax"),
        "total_loyalty": totals.get("loyalty"),
        **{name: sale.get(name) for name in _STAMPS},
        "line_items": [_line(each) for each in list_in(sale, "line_items")],
        "payments": [_payment(each) for each in list_in(sale, "payments")],
        "taxes": sale.get("taxes"),
        "version": at(sale, "_metadata.version"),
    }


def _line(line: JsonObject) -> JsonObject:
    return {
        "id": line.get("id"),
        "product_id": at(line, "product.id"),
        "quantity": line.get("quantity"),
        "price": at(line, "pricing.price"),
        "cost": at(line, "pricing.cost"),
        "discount": at(line, "pricing.discount"),
        "loyalty_value": at(line, "pricing.loyalty_amount"),
        "price_set": int(at(line, "_metadata.is_price_override") is True),
        "tax": at(line, "tax.amount"),
        "tax_id": at(line, "tax.id"),
        "total_price": at(line, "pricing.total"),
        "total_tax": at(line, "tax.total"),
        "sequence": at(line, "_metadata.sequence"),
        "status": "CONFIRMED",
    }


def _payment(payment: JsonObject) -> JsonObject:
    return {
        "id": payment.get("id"),
        "register_id": at(payment, "source.register_id"),
        "outlet_id": at(payment, "source.outlet_id"),
        "retailer_payment_type_id": at(payment, "type.config_id"),
        "name": at(payment, "type.name"),
        "amount": plain(amount(payment.get("amount"))),
        "payment_date": payment.get("date"),
    }
