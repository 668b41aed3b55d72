"""An order of the shop as an invoice of Xero, with the sums that Xero will come to.

It rounds a unit price to four decimals (with `unitdp=4`), each line to cents, and the tax of each line to cents, halves
up; the sums are those of the rounded lines (developer.xero.com, rounding-in-xero; halves: a staff member's word). No
sums are sent: what becomes of wrong ones is not documented.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from syncctl.connectors._posting import HeldError, cents, difference, gather, mapping, tax_code
from syncctl.connectors._xero_words import plain
from syncctl.models import Struct, money_text
from syncctl.models_push import Payment

if TYPE_CHECKING:
    from syncctl.connectors.declared import Values
    from syncctl.models_push import Outgoing, Sale
    from syncctl.shop.order import Line, Order
    from syncctl.shop.order import Payment as Paid

Json = dict[str, Any]
FINE = Decimal("0.0001")
_MOST_NUMBER = 255
_SETTINGS = {"shipping": "SHIPPING", "discount": "DISCOUNT", "fee": "FEE"}  # of the lines that are no products


class Priced(Struct):
    """A line of the invoice, with its amount and its tax as Xero will compute them."""

    body: Json
    amount: Decimal
    tax: Decimal


def invoice_body(values: Values, row: Outgoing, sale: Sale) -> Json:
    """An element of PUT /Invoices. Raises `HeldError`."""
    order = sale.order
    _check_number(row.reference)
    lines = gather(
        [partial(_priced, values, sale, number, line) for number, line in enumerate(order.lines, 1)],
        [
            partial(_check_paid, values, order),
            *(partial(payment_account, values, payment.method) for payment in _mapped(values, order)),
            *(partial(tax_code, values, line.tax_rate, f"line {n}") for n, line in enumerate(order.lines, 1)),
        ],
    )
    missing = difference(values, order.total, _total(sale, lines), _sums(lines))
    if missing:
        lines.append(_rounding_line(values, missing))
    body: Json = {
        "Type": "ACCREC",
        "Status": values.get("STATUS"),
        "Contact": {"ContactID": sale.customer},  # anything more would overwrite the contact
        "InvoiceNumber": row.reference,
        "Reference": plain(order.number, _MOST_NUMBER),
        "Date": f"{sale.day:%Y-%m-%d}",
        "DueDate": f"{sale.due or sale.day:%Y-%m-%d}",
        "LineAmountTypes": "Inclusive" if order.prices_include_tax else "Exclusive",
        "CurrencyCode": order.currency,
        "LineItems": [line.body for line in lines],
    }
    if order.exchange_rate and order.currency != values.get("CURRENCY"):
        body["CurrencyRate"] = order.exchange_rate.quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return body


def _check_paid(values: Values, order: Order) -> None:
    """Xero takes no payment beyond what is owed."""
    paid = sum((payment.amount for payment in _mapped(values, order) if payment.amount > 0), Decimal(0))
    if paid > order.total:
        message = f"its payments come to {money_text(paid)}, which is more than its total of {money_text(order.total)}"
        raise HeldError("overpaid", message, "Correct its payments in the shop: Xero takes none beyond the total")


def _mapped(values: Values, order: Order) -> Sequence[Paid]:
    """The payments that are to follow: each needs an account, else the invoice would stay unpaid."""
    return order.payments if values.get("PAYMENTS") else ()


def payment_body(values: Values, row: Outgoing) -> Json:
    """An element of PUT /Payments. Raises `HeldError`."""
    payment = row.record
    assert isinstance(payment, Payment)  # noqa: S101 - for the type checker
    if payment.amount < 0:
        message = f"{money_text(-payment.amount)} was given back by {payment.method}, and no refunds are posted"
        raise HeldError("refund", message, "Enter it in Xero, then drop it from the queue")
    return {
        "Invoice": {"InvoiceID": payment.remote_id},
        "Account": {"Code": payment_account(values, payment.method)},
        "Date": f"{payment.day:%Y-%m-%d}",
        "Amount": payment.amount,
        "Reference": row.reference,
    }


def payment_account(values: Values, method: str) -> str:
    """The account that money paid by a method went to. Raises `HeldError`."""
    account = mapping(values.get("PAYMENTS")).get(method)
    if account is None:
        setting = values.variable("PAYMENTS")
        message = f"it was paid by {method}, for which {setting} names no account"
        raise HeldError("payment-unmapped", message, f"Add {method}:ACCOUNT to {setting}")
    return account


def _check_number(reference: str) -> None:
    if len(reference) > _MOST_NUMBER or '"' in reference or "\\" in reference:
        message = f"the invoice number {reference[:60]} is longer than {_MOST_NUMBER} characters, or has quotes in it"
        raise HeldError("number", message, "Give the order another number in the shop")


def _priced(values: Values, sale: Sale, number: int, line: Line) -> Priced:
    quantity, price = (each.quantize(FINE, ROUND_HALF_UP) for each in (line.quantity, line.unit_price))
    if not quantity:
        raise HeldError("quantity", f"line {number} has the quantity 0", "Correct the order in the shop")
    rate, amount = line.tax_rate or Decimal(0), cents(quantity * price)
    body = {
        **_what(values, sale, number, line),
        "Quantity": quantity,
        "UnitAmount": price,
        "TaxType": tax_code(values, line.tax_rate, f"line {number}"),
    }
    tax = cents(amount * rate / (1 + rate) if sale.order.prices_include_tax else amount * rate)
    return Priced(body, amount, tax)


def _what(values: Values, sale: Sale, number: int, line: Line) -> Json:
    """The item, and where its revenue goes; a product without an account takes that of its item."""
    told = line.description or sale.names.get(line.sku or "") or line.sku or line.kind.capitalize()
    words = plain(told, 4000) or str(line.kind)
    setting = _SETTINGS.get(line.kind, "ACCOUNT")
    account = values.get(setting) or values.get("ACCOUNT")
    if line.kind == "product":
        code = sale.codes.get(line.sku or "", line.sku)
        return {"ItemCode": code, "Description": words, **({"AccountCode": account} if account else {})}
    if not account:
        message = f"line {number} is a {line.kind}, and {values.variable(setting)} is not set"
        raise HeldError("settings", message, f"Set {values.variable(setting)} to the code of an account")
    return {"Description": words, "AccountCode": account}


def _rounding_line(values: Values, missing: Decimal) -> Priced:
    body = {
        "Description": "Rounding",
        "Quantity": Decimal(1),
        "UnitAmount": missing,
        "AccountCode": values.get("ROUNDING"),
        "TaxType": tax_code(values, Decimal(0), "the rounding line"),
    }
    return Priced(body, missing, Decimal(0))


def _total(sale: Sale, lines: Sequence[Priced]) -> Decimal:
    amounts = sum((line.amount for line in lines), Decimal(0))
    return amounts if sale.order.prices_include_tax else amounts + sum((line.tax for line in lines), Decimal(0))


def _sums(lines: Sequence[Priced]) -> list[str]:
    amounts, tax = (sum((getattr(line, name) for line in lines), Decimal(0)) for name in ("amount", "tax"))
    return [f"{len(lines)} lines {money_text(amounts)}", f"tax {money_text(tax)}"]
