"""What Xero's refusals mean, and what to do about them: it tells in English words only, so the words are recognised."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from syncctl.connectors._fields import text
from syncctl.connectors._posting import mapping
from syncctl.models import Kind
from syncctl.models_push import NewProduct, Outcome, Outgoing, Payment, Sale

if TYPE_CHECKING:
    from syncctl.connectors.declared import Values

EXISTS = {
    Kind.CUSTOMERS: r"contact ?(number|code).*(already|exist|unique)",
    Kind.PRODUCTS: r"item.*already exist",
    Kind.ORDERS: r"^invoice # must be unique|invoice number.*(already|unique)",
}
# The first that fits. The narrower ones come first, as most messages name an account, a contact or an item, too.
_CAUSES = (
    (r"contact name .*(already assigned|unique)", "name-taken"),
    (r"e-?mail", "email"),
    (r"archived", "archived-contact"),
    (r"lock date|locked", "locked-period"),
    (r"exceeds the amount outstanding|payments can only be made against", "overpaid"),
    (r"currency", "currency"),
    (r"tax ?(type|rate)", "tax-code"),
    (r"quantity on hand|(enough|sufficient|available|out of) (stock|quantity)|stock", "no-stock"),
    (r"item.*(not|cannot|invalid|no longer|must)", "unknown-product"),
    (r"account", "account"),
    (r"not of valid status", "status"),
    (r"line total|does not match the expected", "totals"),
    (r"limit|plan|upgrade", "plan-limit"),
    (r"contact.*(not|cannot|invalid|could)", "unknown-customer"),
    (r"date", "date"),
)
_REMEDIES = {
    "name-taken": "Rename one of the two contacts in Xero, or link the customer with syncctl links add",
    "email": "Correct the e-mail address in the shop",
    "archived-contact": "Restore the contact in Xero, or link the customer to another one with syncctl links add",
    "locked-period": "Move the lock date in Xero (Accounting > Financial settings), or enter it there by hand",
    "overpaid": "Look at the invoice in Xero: if it was paid there already, drop the payment from the queue",
    "currency": "Add the currency in Xero (it takes a plan that has several), or correct the order's",
    "tax-code": "Correct {prefix}TAX: it takes tax types of Xero, as OUTPUT2, that go with the account",
    "no-stock": "Bring in the stock of the item in Xero, or stop tracking it there: its stock is kept elsewhere",
    "unknown-product": "Look for the item in Xero; it must be one that is sold",
    "unknown-customer": "Link the customer with syncctl links add",
    "account": "Correct {accounts}: an active account of Xero that takes it",
    "status": "Look at the invoice in Xero",
    "totals": "Report it as a bug of syncctl, with the order",
    "plan-limit": "The Xero plan approves only so many invoices a month: upgrade it, or set {prefix}STATUS=DRAFT",
    "date": "Correct the date of the order",
    "unknown-invoice": "The invoice is not in Xero any more: drop the payment from the queue",
}
_ACCOUNTS = ("ACCOUNT", "SHIPPING", "DISCOUNT", "FEE", "ROUNDING")
_ANY_REMEDY = "Correct it in the shop or in Xero; it is tried again by itself"


def refusal(values: Values, kind: Kind, row: Outgoing, messages: Sequence[str], call: int) -> Outcome:
    """What became of a record that Xero does not take, by its own words."""
    said = "; ".join(messages)[:300] or "Xero does not take it, without a word"
    if kind in EXISTS and re.search(EXISTS[kind], said, re.IGNORECASE):
        return Outcome("unknown", cause="exists", message=said, call=call)  # it may be ours: a look will tell
    cause = _cause(said)
    words = {"prefix": values.variable(""), "accounts": _accounts(values, row, said)}
    remedy = _REMEDIES.get(cause, _ANY_REMEDY).format(**words)
    strangers = _strangers(cause, row, said)
    return Outcome("refused", cause=cause, message=said, remedy=remedy, call=call, strangers=strangers)


def not_found(values: Values, kind: Kind, row: Outgoing, message: str, call: int) -> Outcome:
    """A whole request is answered 404 where it names a contact or an invoice that is not there."""
    cause = {Kind.ORDERS: "unknown-customer", Kind.PAYMENTS: "unknown-invoice"}.get(kind, "refused")
    remedy = _REMEDIES.get(cause, f"Check {values.variable('BASE_URL')}")
    return Outcome(
        "refused", cause=cause, message=message, remedy=remedy, call=call, strangers=_strangers(cause, row, "")
    )


def messages(element: Mapping[str, Any], name: str) -> list[str]:
    """The texts in a list of errors or warnings; the vendor's own examples have them under either of two names."""
    listed = element.get(name)
    found = (each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict))
    return [text(each.get("Message") or each.get("Description")) for each in found]


def _cause(said: str) -> str:
    return next((cause for words, cause in _CAUSES if re.search(words, said, re.IGNORECASE)), "refused")


def _accounts(values: Values, row: Outgoing, said: str) -> str:
    """The settings that name the account which Xero speaks of; all that may, where it names none."""
    if isinstance(row.record, Payment):
        method = row.record.method
        return f"{values.variable('PAYMENTS')} ({method}:{mapping(values.get('PAYMENTS')).get(method, '')})"
    if isinstance(row.record, NewProduct):
        return values.variable("ACCOUNT")
    told = {setting: values.get(setting) for setting in _ACCOUNTS if values.get(setting)}
    named = [setting for setting, code in told.items() if re.search(rf"(?<!\w){re.escape(code)}(?!\w)", said)]
    return " or ".join(values.variable(setting) for setting in named or told or ("ACCOUNT",))


def _strangers(cause: str, row: Outgoing, said: str) -> tuple[str, ...]:
    """The remote ids that Xero says it does not know, as far as that can be told."""
    sale = row.record
    if not isinstance(sale, Sale):
        return ()
    if cause == "unknown-customer":
        return (sale.customer,)
    named = (remote_id for sku, remote_id in sale.products.items() if sale.codes.get(sku, sku) in said)
    return tuple(named) if cause == "unknown-product" else ()
