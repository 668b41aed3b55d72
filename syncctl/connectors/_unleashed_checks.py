"""Unleashed's part of `syncctl doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from syncctl.connectors._checks import clock_check, guest_check, location_check
from syncctl.connectors._fields import number, text
from syncctl.connectors._posting import mapping
from syncctl.connectors._unleashed_lists import listed, query
from syncctl.connectors.base import Answer, Check, Connector
from syncctl.connectors.declared import Values
from syncctl.errors import CredentialsError
from syncctl.models import money_text

Row = Mapping[str, Any]


def checks(connector: Connector, *, posts: bool) -> Iterator[Check]:
    """Two calls, a plain query and one with a colon; up to three more where orders are posted."""
    values, http = connector.values, connector.http
    answer = http.get("/Warehouses", query(("pageSize", "1000")))
    yield Check("ok", "credentials", f"{values.base_url} accepts them")
    yield clock_check(answer)
    yield location_check(values, "WAREHOUSE", [text(row.get("WarehouseCode")) for row in _rows(answer)])
    yield _signature_check(connector)
    if posts:
        yield from _tax_checks(values, _rows(http.get("/Taxes")))
        yield from guest_check(connector)
        yield from _link_check(_rows(http.get("/Customers", query(("pageSize", "200")))))


def _signature_check(connector: Connector) -> Check:
    try:
        connector.http.get("/Products", query(("modifiedSince", "2020-01-01T00:00:00"), ("pageSize", "1")))
    except CredentialsError as error:
        message = f"a query with a colon is refused though others pass ({error.message})"
        return Check("wrong", "signature", message, "Exempt this host from whatever proxy rewrites the query")
    return Check("ok", "signature", "accepted with and without a colon in the query")


def _tax_checks(values: Values, rows: Sequence[Row]) -> Iterator[Check]:
    """Whether each code of `_TAX` is there, may stand on a sale, and has the rate that it stands for."""
    usable = {
        text(row.get("TaxCode")): _rate(row)
        for row in rows
        if row.get("Obsolete") is not True and row.get("CanApplyToRevenue") is not False
    }
    if not values.get("TAX"):
        remedy = f"Set {values.variable('TAX')} from {_listed(usable)}"
        yield Check("wrong", "tax", f"{values.variable('TAX')} is not set, and no order can be posted", remedy)
    for rate, code in mapping(values.get("TAX")).items():
        yield _tax_check(values.variable("TAX"), Decimal(rate), code, usable)


def _tax_check(variable: str, rate: Decimal, code: str, usable: Mapping[str, Decimal | None]) -> Check:
    subject = f"tax {code}"
    if code not in usable:
        if code.upper() == "NONE" and not rate:  # the pseudo code for no tax need not be listed
            return Check("ok", subject, "stands for no tax")
        return Check(
            "wrong", subject, f"{variable} names it, but sales cannot have it", f"Set {variable} from {_listed(usable)}"
        )
    if usable[code] not in (rate, None):
        message = f"its rate is {_shown(usable[code])}, and {variable} says {money_text(rate)}"
        return Check("wrong", subject, message, f"Correct {variable}")
    return Check("ok", subject, f"stands for the rate {money_text(rate)}")


def _listed(usable: Mapping[str, Decimal | None]) -> str:
    return ", ".join(f"{_shown(rate)}:{code}" for code, rate in usable.items())


def _rate(row: Row) -> Decimal | None:
    """The rate as a fraction; None where it is no number."""
    told = number(row.get("TaxRate"))
    return Decimal(told) if isinstance(told, int | Decimal) else None


def _shown(rate: Decimal | None) -> str:
    return "?" if rate is None else money_text(rate)


def _link_check(customers: Sequence[Row]) -> Iterator[Check]:
    """Customers that carry the id of a Xero contact tell that Unleashed exports to Xero by itself."""
    if any(text(row.get("XeroContactId")) for row in customers):
        message = "Unleashed is connected to Xero, and sends its invoices there by itself"
        yield Check("warning", "native link", message, "Do not post the same orders to Xero as well")


def _rows(answer: Answer) -> list[Row]:
    return [row for row in listed(answer)[0] if isinstance(row, dict)]
