"""Vend's part of `syncctl doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from syncctl.connectors._checks import clock_check
from syncctl.connectors._fields import text
from syncctl.connectors._vend_posting_checks import (
    POSTING_CHECKS,
    POSTING_SCOPES,
    outlets_of_registers,
    register_check,
    status_check,
)
from syncctl.connectors.base import Answer, Check, Connector
from syncctl.connectors.declared import Values
from syncctl.errors import CredentialsError

_READ = ("products", "inventory", "customers", "outlets", "registers", "retailer", "payment_types")
NEEDED_SCOPES = frozenset(f"{name}:read" for name in _READ)
_ALL = "page_size=200"
SUPPORTED_YEARS = 1  # a version is supported for at least that long


def checks(connector: Connector, path: str, *, posts: bool) -> Iterator[Check]:
    """Two calls: the outlets, whose answer tells how many registers there are, too, and the retailer.

    Five where orders are posted: the registers, which tell of the outlets, too, the retailer, and what sales name.
    """
    values, http = connector.values, connector.http
    answer = http.get(f"{path}/{'registers' if posts else 'outlets'}", _ALL)
    yield Check("ok", "credentials", f"{values.base_url} accepts them")
    yield clock_check(answer)
    yield version_check(values, answer.date() or datetime.now(UTC))
    yield from _scopes(http.scopes(), posts=posts)
    yield from _unless_refused("retailer", lambda: _retailer(values, http.get(f"{path}/retailer"), posts=posts))

    if not posts:
        yield _outlets(connector, _live(answer))
        yield _registers(values, _reckoned_with(connector, answer))
        return

    def listed(kind: str) -> list[Mapping[str, Any]]:
        return _live(http.get(f"{path}/{kind}", _ALL))

    yield from _posting_checks(connector, _live(answer), listed)


def _posting_checks(
    connector: Connector, registers: list[Mapping[str, Any]], listed: Callable[[str], list[Mapping[str, Any]]]
) -> Iterator[Check]:
    values = connector.values
    yield outlets_of_registers(values, connector.locations(values) or (), registers)
    yield _registers(values, len(registers))
    yield register_check(values, connector.locations(values) or (), registers)
    yield from status_check(values)
    for kind in POSTING_CHECKS:
        yield from _unless_refused(kind, partial(_posting_check, values, kind, listed))


def _posting_check(values: Values, kind: str, listed: Callable[[str], list[Mapping[str, Any]]]) -> list[Check]:
    return [POSTING_CHECKS[kind](values, listed(kind))]


def _unless_refused(subject: str, check: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """The credentials were accepted before, so a refusal now is about rights that only the doctor needs."""
    try:
        yield from check()
    except CredentialsError as error:
        needed = "retailer:read and payment_types:read" if subject == "retailer" else f"{subject}:read"
        yield Check("warning", subject, f"cannot be checked ({error.message})", f"Give the token the scope {needed}")


def version_check(values: Values, now: datetime) -> Check:
    """Whether the version is sure to be served: after its end another one answers, and nothing tells so."""
    version, variable = values.get("API_VERSION"), values.variable("API_VERSION")
    year, month = map(int, version.split("-"))
    if (year, month) > (now.year, now.month):
        return Check("warning", "version", f"{version} is not released yet", f"Set {variable} to an earlier version")
    end = f"{year + SUPPORTED_YEARS}-{month:02}"
    if now.strftime("%Y-%m") >= end:
        message = f"{version} is promised until {end} only; after its end another version answers without a word"
        return Check("warning", "version", message, f"Set {variable} to a newer version, after reading its changes")
    return Check("ok", "version", f"{version} is supported until {end} at least")


def _scopes(granted: frozenset[str] | None, *, posts: bool) -> Iterator[Check]:
    """What the token may do, where the service said so (a personal token may do what its user may)."""
    if granted is None:
        return
    missing = sorted((NEEDED_SCOPES | POSTING_SCOPES if posts else NEEDED_SCOPES) - granted)
    if missing:
        remedy = "Consent again, with syncctl auth, or give the application these scopes"
        yield Check("wrong", "scopes", f"the token lacks {', '.join(missing)}", remedy)
    else:
        yield Check("ok", "scopes", "the token has all that is needed")


def _outlets(connector: Connector, outlets: list[Mapping[str, Any]]) -> Check:
    known = {text(outlet.get("id")).lower(): text(outlet.get("name")) for outlet in outlets}
    shown = ", ".join(f"{remote_id} ({name})" for remote_id, name in known.items())
    wanted = connector.locations(connector.values) or ()
    unknown = [remote_id for remote_id in wanted if remote_id not in known]
    if unknown:
        remedy = f"Set {connector.values.variable('OUTLETS')} to ids among {shown}"
        return Check("wrong", "outlets", f"there is no {', '.join(unknown)}", remedy)
    if wanted:
        chosen = ", ".join(known[remote_id] for remote_id in wanted)
        return Check("ok", "outlets", f"stock is that of {chosen}, of all: {shown}")
    return Check("ok", "outlets", f"stock is the sum of all {len(known)}: {shown}")


def _retailer(values: Values, answer: Answer, *, posts: bool) -> Iterator[Check]:
    """The account's name and currency; prices in another one than the setting says would be wrong everywhere."""
    data = answer.json()
    retailer = data.get("data") if isinstance(data, dict) else None
    retailer = retailer if isinstance(retailer, dict) else {}
    currency = retailer.get("currency")
    code = text(currency.get("code") if isinstance(currency, dict) else currency)
    wanted, name = values.get("CURRENCY"), text(retailer.get("name")) or "the account"
    if wanted and code and wanted != code:
        remedy = f"Set {values.variable('CURRENCY')}={code}"
        yield Check("wrong", "retailer", f"{name} has prices in {code}, not {wanted}", remedy)
    else:
        yield Check("ok", "retailer", f"{name}, prices in {code or 'a currency that it does not tell'}")
    if posts and (own := text(retailer.get("discount_product_id"))):
        yield from _discount(values, own)


def _discount(values: Values, own: str) -> Iterator[Check]:
    """The store's own product for discounts; any other is looked for among the products."""
    told = values.get("DISCOUNT")
    if not told:
        remedy = f"Set {values.variable('DISCOUNT')}={own}, the store's own"
        yield Check("warning", "discount", "no product is set for it: orders with a discount are held", remedy)
    elif told.lower() == own.lower():
        yield Check("ok", "discount", f"{told} is the store's own")


def _reckoned_with(connector: Connector, answer: Answer) -> int:
    """With how many registers the service reckons the limit that its answer tells; 0 where it tells none."""
    (base,), (one,) = (connector.allowance({"REGISTERS": str(number)}) for number in (0, 1))
    limit = next((rate.limit for rate in connector.rates(answer.headers)), None) or 0
    return max(0, limit - base.calls) // (one.calls - base.calls)


def _registers(values: Values, live: int) -> Check:
    """The limit grows with the registers; what the service says in its answers is believed over this."""
    told = int(values.get("REGISTERS"))
    if live and live != told:
        message = f"the account has {live}, and the call limit is reckoned with {told}"
        return Check("warning", "registers", message, f"Set {values.variable('REGISTERS')}={live}")
    return Check("ok", "registers", f"{told}, by which the call limit is reckoned")


def _live(answer: Answer) -> list[Mapping[str, Any]]:
    """The records of a list that are not deleted."""
    data = answer.json()
    rows = data.get("data") if isinstance(data, dict) else None
    return [r for r in rows if isinstance(r, dict) and not r.get("deleted_at")] if isinstance(rows, list) else []
