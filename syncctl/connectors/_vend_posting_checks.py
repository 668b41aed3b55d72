"""Vend's part of `syncctl doctor` where orders are posted: what the settings name must be there, and fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from syncctl.connectors._fields import number, text
from syncctl.connectors._posting import mapping
from syncctl.connectors.base import Check
from syncctl.connectors.declared import Values

Row = Mapping[str, Any]
POSTING_SCOPES = frozenset(
    {
        "products:write", "customers:read", "customers:write", "sales:read", "sales:write", "taxes:read", "users:read",
    }
)  # fmt: skip


def status_check(values: Values) -> Iterator[Check]:
    """Sales on account are booked in Xero by Vend itself."""
    if values.get("STATUS") == "ONACCOUNT":
        message = "where Vend is connected to Xero it sends sales on account there by itself, each as an invoice"
        yield Check("warning", "status", message, "Do not post the same orders to Xero")


def register_check(values: Values, wanted: Sequence[str], rows: Sequence[Row]) -> Check:
    """Whether there is the register, takes payments, and sells from the `wanted` outlets (none: from any)."""
    row = _named(values, "REGISTER", rows)
    if isinstance(row, Check):
        return row
    if row.get("is_open") is False:
        message = f"{text(row.get('name'))} is closed, and takes no payments"
        return Check("warning", "register", message, "Open it in Vend before orders are posted")
    outlet = text(row.get("outlet_id")).lower()
    if wanted and outlet not in wanted:
        message = f"{text(row.get('name'))} sells from {outlet}, whose stock the shop does not show"
        return Check("warning", "register", message, f"Add it to {values.variable('OUTLETS')}, or set another register")
    return Check("ok", "register", f"{text(row.get('name'))} is there")


def outlets_of_registers(values: Values, wanted: Sequence[str], registers: Sequence[Row]) -> Check:
    """Whether the outlets whose stock is sold are there, as far as their registers tell: that saves a call."""
    known = {text(row.get("outlet_id")).lower() for row in registers} - {""}
    unknown = [outlet for outlet in wanted if outlet not in known]
    if unknown:
        remedy = f"Correct {values.variable('OUTLETS')}; those of the registers are {', '.join(sorted(known))}"
        return Check("warning", "outlets", f"no register stands in {', '.join(unknown)}", remedy)
    return Check(
        "ok", "outlets", f"stock is that of {', '.join(wanted) or f'all outlets ({len(known)} have a register)'}"
    )


def _user_check(values: Values, rows: Sequence[Row]) -> Check:
    row = _named(values, "USER", rows, name="display_name")
    if isinstance(row, Check):
        return row
    if row.get("enabled") is False:
        remedy = f"Enable the user in Vend, or set another {values.variable('USER')}"
        return Check("wrong", "user", f"{text(row.get('display_name'))} is not enabled", remedy)
    return Check("ok", "user", f"sales are those of {text(row.get('display_name'))}")


def _tax_check(values: Values, rows: Sequence[Row]) -> Check:
    """Whether each tax is there and has the rate that it stands for."""
    variable, taxes = values.variable("TAX"), mapping(values.get("TAX"))
    known = {text(row.get("id")).lower(): _rate(row) for row in rows}
    shown = ", ".join(f"{_rate(row)}:{text(row.get('id'))} ({text(row.get('name'))})" for row in rows)
    wrong = [
        f"{code} is {known[code.lower()]} and not {rate}" if code.lower() in known else f"there is no {code}"
        for rate, code in taxes.items()
        if known.get(code.lower()) != Decimal(rate)
    ]
    if wrong or not taxes:
        return Check("wrong", "taxes", "; ".join(wrong) or f"{variable} is not set", f"Set {variable} from {shown}")
    return Check("ok", "taxes", f"{len(taxes)} of {len(rows)} are used")


def _rate(row: Row) -> Decimal:
    """The rate of a tax, which may have parts, as a fraction."""
    rates = row.get("rates")
    told = [number(rate.get("rate")) for rate in rates if isinstance(rate, dict)] if isinstance(rates, list) else []
    return sum((Decimal(rate) for rate in told if isinstance(rate, int | Decimal)), Decimal(0)).normalize() + 0


def _payment_check(values: Values, rows: Sequence[Row]) -> Check:
    variable, types = values.variable("PAYMENTS"), mapping(values.get("PAYMENTS"))
    usable = {text(row.get("id")).lower(): text(row.get("name")) for row in rows if row.get("disabled") is not True}
    shown = ", ".join(f"{remote_id} ({name})" for remote_id, name in usable.items())
    wrong = [f"{remote_id} for {method}" for method, remote_id in types.items() if remote_id.lower() not in usable]
    if wrong:
        remedy = f"Set {variable} to ids among {shown}"
        return Check("wrong", "payment types", f"there is no {', '.join(wrong)}, or it is disabled", remedy)
    if not types:
        message = f"{variable} is not set: orders that tell how they were paid are held"
        return Check("warning", "payment types", message, f"Set {variable} to ids among {shown}")
    return Check("ok", "payment types", ", ".join(f"{m} is {usable[i.lower()]}" for m, i in types.items()))


def _named(values: Values, setting: str, rows: Sequence[Row], name: str = "name") -> Row | Check:
    """The row that a setting names; else what is wrong."""
    variable, wanted = values.variable(setting), values.get(setting)
    row = next((row for row in rows if text(row.get("id")).lower() == wanted.lower()), None)
    if row is not None:
        return row
    shown = ", ".join(f"{text(each.get('id'))} ({text(each.get(name))})" for each in rows)
    message = f"there is no {wanted}" if wanted else f"{variable} is not set, and no order can be posted"
    return Check("wrong", setting.lower(), message, f"Set {variable} to one of {shown}")


POSTING_CHECKS: Mapping[str, Callable[[Values, Sequence[Row]], Check]] = {
    "users": _user_check,
    "taxes": _tax_check,
    "payment_types": _payment_check,
}
