"""Whether the products that settings name for shipping, discounts and the like are there, as far as was read."""

from __future__ import annotations

from collections.abc import Iterator

from syncctl.connectors.base import Check
from syncctl.models import Kind, State
from syncctl.session import Session
from syncctl.state.remote_links import Links

_LINE = "charge"  # stands for a line without a product


def charge_checks(session: Session) -> Iterator[Check]:
    """A finding for each setting that names a product."""
    values = session.connector.values
    named = {setting: values.get(setting) for setting in session.connector.charges}
    named = {setting: product for setting, product in named.items() if product not in ("", _LINE)}
    states = Links(session.database, session.name).states(named.values())
    for setting, product in named.items():
        yield _check(session, setting, product, states.get(product))


def _check(session: Session, setting: str, product: str, state: State | None) -> Check:
    subject, variable, name = setting.lower(), session.connector.values.variable(setting), session.name
    if state is State.ACTIVE:
        return Check("ok", subject, f"the product {product} is there")
    if state is State.INACTIVE:
        message = f"the product {product} is not for sale any more, and orders that need it may be refused"
        return Check("warning", subject, message, f"Name another one in {variable}, or put it on sale again")
    if state is None and Kind.PRODUCTS not in session.kinds():
        return Check("ok", subject, f"the product {product} is not checked, as {name} reads no products")
    if state is None and session.cursors.load(Kind.PRODUCTS, "delta", session.scope(Kind.PRODUCTS)).stamp is None:
        message = f"the product {product} is not checked, as the products of {name} were not read yet"
        return Check("warning", subject, message, "Run syncctl sync-recent, then syncctl doctor")
    remedy = f"Correct {variable}; if the product is new, run syncctl sync-recent first"
    return Check("wrong", subject, f"{variable} names the product {product}, which {name} does not have", remedy)
