"""What Unleashed's refusals mean, and what to do about them: it names fields, and says the rest in English."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from syncctl.connectors._fields import text
from syncctl.connectors._unleashed_sale import CHARGE_SETTINGS
from syncctl.models_push import Outgoing, Sale

if TYPE_CHECKING:
    from syncctl.connectors.declared import Values
    from syncctl.errors import RefusedError
    from syncctl.shop.order import Line

# A word in a field's name or in what the service says of it -> the cause. The first that fits.
_CAUSES = (
    ("customer", "unknown-customer"), ("product", "unknown-product"), ("warehouse", "warehouse"),
    ("currency", "currency"), ("exchangerate", "currency"), ("linetax", "totals"), ("linetotal", "totals"),
    ("subtotal", "totals"), ("taxtotal", "totals"), ("total", "totals"), ("tax", "tax-code"),
    ("orderstatus", "status"), ("date", "date"),
)  # fmt: skip
_REMEDIES = {
    "warehouse": "Set SYNCCTL_{name}_WAREHOUSE to the code of a warehouse that is there",
    "currency": "Enable the currency in Unleashed, or correct the order's",
    "tax-code": "Correct SYNCCTL_{name}_TAX: code and rate must be those in Unleashed under Taxes",
    "totals": "Report it as a bug of syncctl, with the order",
    "name-taken": "Look in Unleashed for the record that has this code, also among the obsolete ones",
    "refused": "Correct it in the shop or in Unleashed; it is tried again by itself",
}


def complaints_of(error: RefusedError) -> list[tuple[str, str]]:
    """What is wrong with which field, as far as the body tells."""
    try:
        body = json.loads(error.body)
    except ValueError:
        return [("", error.message)]
    items = body.get("Items") if isinstance(body, dict) else None
    told = [(text(i.get("Field")), text(i.get("Description"))) for i in (items or ()) if isinstance(i, dict)]
    return told or [("", error.message)]


def exists(complaints: list[tuple[str, str]]) -> bool:
    """Whether it is refused since its guid is there already; how that is put is not documented."""
    return any(
        field.lower() == "guid" or (not field and "guid" in words.lower() and "exist" in words.lower())
        for field, words in complaints
    )


def remedy_of(values: Values, cause: str) -> str:
    """What to do about a refusal."""
    return _REMEDIES.get(cause, _REMEDIES["refused"]).format(name=values.name.upper())


def cause_of(complaints: list[tuple[str, str]]) -> str:
    """The word for why an order is refused."""
    for field, words in complaints:
        where = (field.rpartition(".")[2] or words).lower().replace(" ", "")
        for word, cause in _CAUSES:
            if word in where:
                return cause
    return "refused"


def cause_of_taken(complaints: list[tuple[str, str]]) -> str:
    """The word for why a customer or product is refused."""
    taken = any(field.lower() in ("customercode", "productcode") for field, _ in complaints)
    return "name-taken" if taken else "refused"


def strangers_of(cause: str, row: Outgoing, complaints: list[tuple[str, str]]) -> tuple[str, ...]:
    """The remote ids that the service says it does not know, as far as that can be told."""
    sale = row.record
    if not isinstance(sale, Sale):
        return ()
    if cause == "unknown-customer":
        return (sale.customer,)
    return tuple(_product_of(sale, field) for field, _ in complaints) if cause == "unknown-product" else ()


def charge_setting(values: Values, row: Outgoing, complaints: list[tuple[str, str]]) -> str:
    """The setting and the code in it that the line takes which is complained of; "" for that of a product."""
    sale = row.record
    if not isinstance(sale, Sale):
        return ""
    lines = [line for field, _ in complaints if (line := _line_of(sale, field))]
    kinds = [line.kind for line in lines if line.kind in CHARGE_SETTINGS]
    return f"{values.variable(name)}={values.get(name)}" if kinds and (name := CHARGE_SETTINGS[kinds[0]]) else ""


def _product_of(sale: Sale, field: str) -> str:
    line = _line_of(sale, field)
    return sale.products.get(line.sku or "", "") if line else ""


def _line_of(sale: Sale, field: str) -> Line | None:
    """The line that `SalesOrderLines[2].Product` names."""
    number = "".join(filter(str.isdigit, field.partition("[")[2].partition("]")[0]))
    return sale.order.lines[int(number)] if number and int(number) < len(sale.order.lines) else None
