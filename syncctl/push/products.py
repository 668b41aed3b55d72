"""The products of an order: where the service has them, and what would be created."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from decimal import Decimal

from syncctl.decide import Hold
from syncctl.models import Kind, Problem
from syncctl.models_push import NewCustomer, NewProduct
from syncctl.push.needs import Answers, Need
from syncctl.push.pushing import Pushing
from syncctl.push.resolve import Resolver
from syncctl.shop.order import Line, LineKind, Order
from syncctl.state.postable import Postable
from syncctl.state.remote_links import Links


def find_products(push: Pushing, orders: Sequence[Postable]) -> dict[str, str | Hold]:
    """The remote id of each product of the orders by SKU, or what it waits for; nothing for what is to be created."""
    return _resolver(push).find(_needs(orders))


def create_products(push: Pushing, orders: Sequence[Postable], known: Container[str]) -> dict[str, str | Hold]:
    """The same, for those that were not found; they are described as the shop has them."""
    needs = {sku: need for sku, need in _needs(orders).items() if sku not in known}
    shop = Links(push.session.database, push.session.name).shop_products(needs)
    told = {
        sku: need.changed(record=_as_shop_knows(need.record, shop[sku])) for sku, need in needs.items() if sku in shop
    }
    return _resolver(push).create(needs | told)


def _resolver(push: Pushing) -> Resolver:
    return Resolver(push, Kind.PRODUCTS, _known_products, _look_up_product)


def _needs(orders: Sequence[Postable]) -> dict[str, Need]:
    needs: dict[str, Need] = {}
    for postable in orders:
        for line in products_of(postable.order):
            needs.setdefault(line.sku or "", _product_need(line, postable))
    return needs


def other_codes(push: Pushing, ids: Mapping[str, str]) -> dict[str, str]:
    """By SKU, what the service calls those products that have another code there: they were linked by hand."""
    codes = Links(push.session.database, push.session.name).codes(ids.values())
    return {sku: codes[remote_id] for sku, remote_id in ids.items() if codes.get(remote_id, sku) != sku}


def names_of(push: Pushing, order: Order, ids: Mapping[str, str]) -> dict[str, str]:
    """By SKU, what the products are called that the order names without a description."""
    bare = {line.sku: ids[line.sku] for line in products_of(order) if line.sku and not line.description}
    return Links(push.session.database, push.session.name).names(bare) if bare else {}


def products_of(order: Order | None) -> list[Line]:
    """The lines that name a product."""
    return [line for line in order.lines if line.kind is LineKind.PRODUCT] if order else []


def _product_need(line: Line, postable: Postable) -> Need:
    """What the order knows of it: the shop's own table tells more, where it has the product."""
    sku = line.sku or ""
    includes = postable.order.prices_include_tax if postable.order else None
    new = NewProduct(sku, line.description or sku, None, line.unit_price, includes, line.tax_rate)
    return Need(sku, new, postable.placed_at, postable.number)


def _as_shop_knows(
    new: NewCustomer | NewProduct, told: tuple[str, str, str | None, str | None, int | None]
) -> NewProduct:
    assert isinstance(new, NewProduct)  # noqa: S101 - for the type checker
    _, name, barcode, price, includes = told
    named = new.changed(name=name or new.name, barcode=barcode)
    if price is None:
        return named
    return named.changed(price=Decimal(price), price_includes_tax=None if includes is None else bool(includes))


def _known_products(push: Pushing, needs: Mapping[str, Need]) -> Answers:
    found: Answers = {}
    for sku, ids in Links(push.session.database, push.session.name).products(needs).items():
        if len(ids) == 1:
            (found[sku],) = ids
        else:
            message = f"several products have the SKU {sku} in {push.session.name}: {', '.join(sorted(ids))}"
            found[sku] = Hold("ambiguous-product", message, "Give each product its own SKU there")
    return found | _doubtful(push, [sku for sku in needs if sku not in found])


def _doubtful(push: Pushing, skus: Sequence[str]) -> Answers:
    """What is not there, but nearly; as far as the service has been asked in this run. Nobody is to have it twice."""
    ours = {key for key, row in push.outbox.by_keys(Kind.PRODUCTS, skus).items() if row.state in ("done", "sending")}
    is_fed = push.fed.get(Kind.PRODUCTS)
    asked = [sku for sku in skus if sku not in ours and (is_fed or (Kind.PRODUCTS, sku) in push.looked_up)]
    near = Links(push.session.database, push.session.name).near(asked)
    for sku in asked:
        other = next((other for other in asked if other.lower() == sku.lower()), sku)
        if other != sku:
            near.setdefault(sku, (other, "another order"))
    looked: Answers = {sku: hold for sku in asked if (hold := push.looked_up.get((Kind.PRODUCTS, sku)))}
    return {sku: _differs_in_case(sku, *told) for sku, told in near.items()} | looked


def _differs_in_case(sku: str, other: str, owner: str) -> Hold:
    message = f"the SKU {sku} differs only in case from {other}, which {owner} has"
    return Hold("ambiguous-product", message, "Write it the same in the order and there")


def _look_up_product(push: Pushing, need: Need) -> Hold | None:
    """By its SKU; gives what the service has nearly, or cannot tell for certain."""
    session = push.session
    found = session.connector.find(need.key)
    there = [record for record in found.records if not isinstance(record, Problem)]
    with session.transaction():
        session.store(there, session.look(found.call, "manual"))
    doubt = next((record for record in found.records if isinstance(record, Problem)), None)
    return Hold("ambiguous-product", f"its product {need.key}: {doubt.message}", doubt.remedy) if doubt else None
