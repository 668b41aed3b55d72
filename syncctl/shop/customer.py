"""One customer of the shop, as its own list tells it, and as somebody entered it for an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from syncctl.shop.fields import BadLineError, Check, checked, code, country, name, refuse_unknown, within
from syncctl.shop.listing import Cells, Key, Listing

Address: TypeAlias = Mapping[str, str]  # what is known of `ADDRESS`, nothing empty
Field: TypeAlias = str | Address | None

_ADDRESS: dict[str, Check] = {
    **dict.fromkeys(("address1", "address2", "suburb", "city", "region", "postcode"), name),
    "country": country,
    "name": name,
    "phone": name,
}
_ADDRESSES = ("billing", "shipping")


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer's data as entered; the e-mail is free text."""

    code: str | None = None
    name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    billing: Address | None = None
    shipping: Address | None = None


@dataclass(frozen=True, slots=True)
class ShopCustomer:
    """A customer of the list, known by its code, or without one by its e-mail.

    `fields` has only the columns that its line tells; the others keep what is stored.
    """

    line: int
    code: str | None
    email: str
    fields: Mapping[str, Field]

    @property
    def keys(self) -> tuple[Key, ...]:
        """Its code; an e-mail that stands alone must be nobody else's."""
        by_email = (("e-mail", self.email),) if self.email else ()
        return (("code", self.code), *by_email) if self.code else by_email


def address(value: object, column: str) -> Address | None:
    """An address, or None where nothing of it is told. Raises `BadLineError`s."""
    if not isinstance(value, Mapping):
        raise BadLineError(f"{column} is not an object", 'Write it as {"city": "Wellington"}')
    with within(column):
        return {key: part for key, part in checked(value, _ADDRESS).items() if part} or None


_CHECKS: dict[str, Check] = {
    "code": code,
    **dict.fromkeys(("name", "company", "email", "phone"), name),
    **dict.fromkeys(_ADDRESSES, address),
}


def as_entered(value: object, column: str) -> Customer:
    """The customer's data of an order. Raises `BadLineError`s."""
    if not isinstance(value, Mapping):
        raise BadLineError(f"{column} is not an object", 'Write it as {"email": "ann@example.org"}')
    with within(column):
        return Customer(**checked(value, _CHECKS))


def customer(number: int, given: Mapping[str, object]) -> ShopCustomer:
    """The customer of a line. An empty value, or null, takes the stored one away. Raises `BadLineError`s."""
    refuse_unknown(given, _CHECKS)
    found = {
        key: check(given[key], key) if given[key] is not None else None
        for key, check in _CHECKS.items()
        if key in given
    }
    own = found.pop("code", None)
    email = found.get("email") or ""
    if not own and not email:
        raise BadLineError("It has neither code nor e-mail", "Give it one of the two, or leave the line out")
    return ShopCustomer(number, own, email, {key: value or None for key, value in found.items()})


def _from_cells(cells: Cells) -> Cells:
    """Puts `billing_city` and the like together to addresses."""
    found: dict[str, object] = {key: cell for key, cell in cells.items() if key in _CHECKS}
    for kind in _ADDRESSES:
        parts = {part: cells[f"{kind}_{part}"] for part in _ADDRESS if f"{kind}_{part}" in cells}
        if parts:
            found[kind] = parts
    return found


_COLUMNS = (
    *(key for key in _CHECKS if key not in _ADDRESSES),
    *(f"{kind}_{part}" for kind in _ADDRESSES for part in _ADDRESS),
)
CUSTOMERS = Listing(
    customer, '{"code": "C-1", "email": "ann@example.org"}', _COLUMNS, ("code", "email"), from_cells=_from_cells
)
