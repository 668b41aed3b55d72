"""Vend's rows, read: a product with its two prices, the stock of a product at one outlet, a customer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from syncctl.connectors._fields import addresses, each, number, text, usable_prices, usable_quantity
from syncctl.models import Customer, Kind, Problem, Product, Record, State, Stock

WALK_IN = "WALKIN"
MOST_VERSION = 2**63 - 1
TAXES = ("including_tax", "excluding_tax")
_BARCODES = frozenset({"EAN", "ISBN", "ITF", "JAN", "UPC"})


def read(kind: Kind, rows: Iterable[Any], where: str) -> Iterator[Record | Problem]:
    """What the rows say, in their order."""
    reads: dict[Kind, Callable[[Mapping[str, Any], str], Record | Problem]] = {
        Kind.PRODUCTS: _product,
        Kind.STOCK: _stock,
        Kind.CUSTOMERS: _customer,
    }
    return each(reads[kind], rows, kind, where, "Vend")


def is_gone(record: Record | Problem) -> bool:
    """Whether a product is there no more."""
    return isinstance(record, Product) and record.state is State.GONE


def version_of(row: object) -> int:
    """The version of a row, a number of 64 bits; 0 where there is none."""
    version = number(row.get("version")) if isinstance(row, dict) else None
    return version if type(version) is int and 0 < version <= MOST_VERSION else 0


def _product(row: Mapping[str, Any], where: str) -> Product | Problem:
    remote_id, sku = _id(row.get("id")), text(row.get("sku")).strip()
    name = text(row.get("variant_name") or row.get("name"))
    if not remote_id:
        return Problem(f"product {sku or '?'} on {where}", "has no id", "Report it to Vend")
    state = _state(row)
    if state is State.GONE:
        return Product(remote_id, sku, name, state, {}, version_of(row))
    offers = {tax: number(row.get(f"price_{tax}")) for tax in TAXES}
    remedy = "Correct it in Vend; the old price stays until then, if there is one"
    prices, problems = usable_prices(sku or remote_id, offers, remedy)
    return Product(
        remote_id=remote_id,
        sku=sku,
        name=name,
        state=state,
        prices=prices,
        version=version_of(row),
        barcode=_barcode(row),
        problems=problems,
    )


def _stock(row: Mapping[str, Any], where: str) -> Stock | Problem:
    """The stock at one outlet; of a deleted row nothing is left."""
    remote_id, outlet = _id(row.get("product_id")), _id(row.get("outlet_id"))
    if not remote_id or not outlet:
        message = f"has no {'outlet_id' if remote_id else 'product_id'}"
        return Problem(f"stock of {remote_id or '?'} on {where}", message, "Report it to Vend")
    level = 0 if row.get("deleted_at") else number(row.get("current_inventory_level"))
    remedy = "Look at its stock in Vend; the old quantity stays until then, if there is one"
    available, problems = usable_quantity(remote_id, level, remedy)
    return Stock(remote_id, outlet, available, version_of(row), problems)


def _customer(row: Mapping[str, Any], where: str) -> Customer | Problem:
    """A customer; the one of anonymous sales stands for nobody in particular."""
    remote_id, code = _id(row.get("id")), text(row.get("customer_code")).strip()
    if not remote_id:
        return Problem(f"customer {code or '?'} on {where}", "has no id", "Report it to Vend")
    return Customer(
        remote_id=remote_id,
        codes=(code,),
        name=text(row.get("name") or row.get("company_name")),
        emails=addresses(row.get("email")),
        state=State.GONE if row.get("deleted_at") else State.ACTIVE,
        version=version_of(row),
        linkable=code.upper() != WALK_IN,
    )


def _state(row: Mapping[str, Any]) -> State:
    """What is not sold is inactive; the parent of variants that is not sold only holds them together.

    A parent may be a variant itself, so one that is active is a product like any other. Both `is_active` and `active`
    occur.
    """
    if row.get("deleted_at"):
        return State.GONE
    active = row["is_active"] if row.get("is_active") is not None else row.get("active")
    if active is not False:
        return State.ACTIVE
    return State.GONE if row.get("has_variants") is True else State.INACTIVE


def _barcode(row: Mapping[str, Any]) -> str | None:
    """The first of the product's codes that is one in print; their types come in either case."""
    codes = row.get("product_codes")
    found = (code for code in codes if isinstance(code, dict)) if isinstance(codes, list) else ()
    return next((text(c.get("code")).strip() for c in found if text(c.get("type")).upper() in _BARCODES), None) or None


def _id(value: object) -> str:
    return text(value).strip().lower()
