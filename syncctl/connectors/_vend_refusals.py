"""What Vend's refusals mean. Neither their words nor their statuses are documented, so both are read in any form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncctl.connectors.declared import Values
    from syncctl.errors import RefusedError

UNKNOWN = {"customer": "unknown-customer", "product": "unknown-product"}
_TAKEN = r"taken|already|unique|duplicate|in use|(?<!not )exists"
# What the service says -> the cause; the first that fits.
_CAUSES = (
    (r"post(al)?[ _]?code|\bzip", "postcode"),
    (r"register.*(closed|not open)|closed register", "register-closed"),
    (r"register", "register"),
    (r"tax", "tax-code"),
    (r"payments?\b.*(total|equal|match|sum)", "payments"),
    (r"payment|config_id", "payment-type"),
    (r"author|\buser\b", "user"),
    (r"customer", "customer"),
    (r"product", "product"),
    (r"\bdate\b", "date"),
)
_REMEDIES = {
    "postcode": "Correct the post code in the shop's order: Vend checks it by the rules of the country",
    "register-closed": "Open the register in Vend, or set {REGISTER} to one that is open",
    "register": "Correct {REGISTER}, as syncctl doctor tells",
    "tax-code": "Correct {TAX}, as syncctl doctor tells",
    "payments": "Give the order all its payments, or set {STATUS} to one for orders that are not paid",
    "payment-type": "Correct {PAYMENTS}, as syncctl doctor tells",
    "user": "Correct {USER}, as syncctl doctor tells",
    "code-taken": "Look in Vend for the customer that has this code, also among the deleted ones",
    "sku-taken": "Look in Vend for the product that has this SKU or name, also among the deleted ones",
    "date": "Correct the date of the order in the shop",
    "refused": "Correct it in the shop or in Vend; it is tried again by itself",
}


def cause_of(error: RefusedError) -> str:
    """The word for why it is refused; `customer` or `product` where it has to do with one."""
    words = error.message.lower()
    return next((cause for pattern, cause in _CAUSES if re.search(pattern, words)), "refused")


def is_taken(error: RefusedError) -> bool:
    """Whether something like it is there already."""
    return error.status == 409 or bool(re.search(_TAKEN, error.message.lower()))


def remedy_of(values: Values, cause: str) -> str:
    """What to do about a refusal."""
    names = {name: values.variable(name) for name in ("REGISTER", "TAX", "STATUS", "PAYMENTS", "USER")}
    return _REMEDIES.get(cause, _REMEDIES["refused"]).format(**names)
