"""Counts in the back offices themselves what has become of the orders, and whom that has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from syncctl.commands.demo.stage import Stage

Json = dict[str, Any]
_CENT = Decimal("0.01")
_OURS = "demo-"  # with what our references begin
_AS_ENTERED = frozenset({"EmailAddress", "FirstName", "LastName", "Phones", "Addresses"})
_BY_XERO_ITSELF = frozenset({"UpdatedDateUTC", "IsCustomer"})  # with each change, and with the first invoice


class _Form(NamedTuple):
    """How a service keeps an order and a customer."""

    kind: str
    number: Callable[[Json], Any]
    total: Callable[[Json], Any]
    is_done: Callable[[Json], bool]
    customer_id: str
    email: str
    active: Callable[[Json], bool]
    may_change: frozenset[str] = frozenset()


_FORMS: Mapping[str, _Form] = {
    "unleashed": _Form(
        "sales_orders",
        lambda order: order["SourceId"],
        lambda order: order["Total"],
        lambda order: order["OrderStatus"] == "Placed",
        "Guid",
        "Email",
        lambda customer: not customer["Obsolete"],
    ),
    "xero": _Form(
        "invoices",
        lambda invoice: invoice.get("InvoiceNumber"),
        lambda invoice: invoice["AmountPaid"],  # of an invoice that is paid, that is its total
        lambda invoice: invoice["Status"] == "PAID",
        "ContactID",
        "EmailAddress",
        lambda contact: contact["ContactStatus"] == "ACTIVE",
        _AS_ENTERED | _BY_XERO_ITSELF,
    ),
    "vend": _Form(
        "sales",
        lambda sale: sale["invoice_number"],
        lambda sale: sale["totals"]["price_incl_tax"],
        lambda sale: sale["state"] == "closed",
        "id",
        "email",
        lambda customer: not customer["deleted_at"],
    ),
}
SERVICES = tuple(_FORMS)


class Wanted(NamedTuple):
    """What must be there in the end: the total of each order by its number, customers made, and customers changed."""

    totals: Mapping[str, Decimal]
    made: int
    changed: int


class Count(NamedTuple):
    """What was found in a service, and a sentence about each thing that must not be so."""

    orders: int
    total: Decimal
    made: int
    changed: int
    faults: list[str]


def customers(stage: Stage, service: str) -> dict[str, Json]:
    """The customers that a service has, by their ids."""
    form = _FORMS[service]
    return {each[form.customer_id]: each for each in stage.records(service, "customers")}


def known_to_all(customers: Mapping[str, Mapping[str, Json]]) -> list[str]:
    """The e-mail addresses that one active customer of each service has, and no other."""
    sets = []
    for service, records in customers.items():
        form = _FORMS[service]
        addresses = Counter(str(each.get(form.email) or "").lower() for each in records.values())
        active = (str(each.get(form.email) or "").lower() for each in records.values() if form.active(each))
        sets.append({address for address in active if address and addresses[address] == 1})
    return sorted(set.intersection(*sets))


def count(stage: Stage, service: str, before: Mapping[str, Json], wanted: Wanted) -> Count:
    """Looks for the orders of the shop, and at the customers that there were `before`."""
    form, after = _FORMS[service], customers(stage, service)
    found = [each for each in stage.records(service, form.kind) if str(form.number(each)).startswith(_OURS)]
    changed = {key: _differing(old, after.get(key, {})) for key, old in before.items() if after.get(key) != old}
    made = len(after.keys() - before.keys())
    faults = [*_wrong_orders(form, found, wanted.totals), *_wrong_customers(form, changed)]
    faults += [f"{made} customers were made, and not {wanted.made}"] * (made != wanted.made)
    faults += [f"{len(changed)} customers changed, and not {wanted.changed}"] * (len(changed) != wanted.changed)
    total = sum((_total(form, each) for each in found), Decimal(0))
    return Count(len(found), total, made, len(changed), [f"{service}: {fault}" for fault in faults])


def _wrong_orders(form: _Form, found: list[Json], totals: Mapping[str, Decimal]) -> Iterator[str]:
    numbers = Counter(_number(form, each) for each in found)
    yield from (f"order {each} is there {numbers[each]} times" for each in totals if numbers[each] != 1)
    yield from (f"order {each} is there, and nobody has placed it" for each in numbers if each not in totals)
    for each in found:
        number, total = _number(form, each), _total(form, each)
        if not form.is_done(each):
            yield f"order {number} is not in the state that is wanted"
        if total != totals.get(number, total):
            yield f"order {number} comes to {total} and not to {totals[number]}"


def _wrong_customers(form: _Form, changed: Mapping[str, set[str]]) -> Iterator[str]:
    for key, fields in changed.items():
        if fields - form.may_change:
            yield f"{', '.join(sorted(fields - form.may_change))} of customer {key} changed"


def _number(form: _Form, record: Json) -> str:
    return str(form.number(record)).removeprefix(_OURS)


def _total(form: _Form, record: Json) -> Decimal:
    return Decimal(form.total(record)).quantize(_CENT)


def _differing(old: Json, new: Json) -> set[str]:
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
