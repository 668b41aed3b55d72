"""Finds the customer and the products of orders in the service, and has created what is not there.

By the link; else in the mirror, after one read of the feed; else by single look-ups, where the mirror is not whole;
else they are created. Nothing that is there is ever written to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from syncctl.customers import sync_customers
from syncctl.decide import Expected, Hold
from syncctl.errors import LossError
from syncctl.models import Kind, Problem, Struct
from syncctl.models_push import NewCustomer, NewProduct
from syncctl.pull import read_news
from syncctl.push.pushing import Parcel, Pushing
from syncctl.push.send import send
from syncctl.session import Session, reads_customers
from syncctl.shoporder import Line, LineKind, Order
from syncctl.state.outbox import Row
from syncctl.state.postable import Postable
from syncctl.state.remote_customers import folded
from syncctl.state.remote_links import Links

GUEST = "guest:"


class Need(Struct):
    """A customer or product that orders need: its key in the outbox, and what would be created."""

    key: str
    record: NewCustomer | NewProduct
    placed_at: int  # of the oldest order that needs it
    customer_id: int | None = None
    fixed: bool = False  # it stands for all guests, and is never created


Answers = dict[str, "str | Hold"]


def resolve_customers(push: Pushing, orders: Sequence[Postable]) -> dict[str, str | Hold]:
    """The remote id of each order's customer by order number ("": none), or what it waits for."""
    found: dict[str, str | Hold] = {}
    needs: dict[str, Need] = {}
    wanted: dict[str, str] = {}
    for postable in orders:
        need = _customer_need(push, postable)
        if isinstance(need, Need):
            wanted[postable.number] = need.key
            needs.setdefault(need.key, need)
        else:
            found[postable.number] = need
    answers = _Resolver(push, Kind.CUSTOMERS, _known_customers, _look_up_customer).resolve(needs)
    return found | {number: answers[key] for number, key in wanted.items()}


def resolve_products(push: Pushing, orders: Sequence[Postable]) -> dict[str, str | Hold]:
    """The remote id of each product of the orders by SKU, or what it waits for."""
    needs: dict[str, Need] = {}
    for postable in orders:
        for line in _products(postable.order):
            needs.setdefault(line.sku or "", _product_need(line, postable))
    shop = Links(push.session.database, push.session.name).shop_products(needs)
    for sku, told in shop.items():
        needs[sku] = needs[sku].changed(record=_as_shop_knows(needs[sku].record, told))
    return _Resolver(push, Kind.PRODUCTS, _known_products, _look_up_product).resolve(needs)


class _Resolver:
    """The way that both kinds take."""

    def __init__(
        self,
        push: Pushing,
        kind: Kind,
        known: Callable[[Pushing, Mapping[str, Need]], Answers],
        look_up: Callable[[Pushing, Need], None],
    ) -> None:
        self.push = push
        self.kind = kind
        self.known = known
        self.look_up = look_up

    def resolve(self, needs: Mapping[str, Need]) -> Answers:
        """An answer for each need."""
        found = self._known(needs)
        missing = self._without(needs, found)
        if missing and self._read_feed():
            found |= self._known(missing)
        elif missing:
            self._look_up(missing)
            found |= self._known(missing)
        found |= {key: _no_guest(self.push, need) for key, need in self._without(needs, found).items() if need.fixed}
        missing = self._without(needs, found)
        if missing:
            self._create(missing)
            found |= self._created(missing)
        return found

    def _known(self, needs: Mapping[str, Need]) -> Answers:
        """By link or mirror, else because we created it."""
        found = self.known(self.push, needs)
        rows = self.push.outbox.by_keys(self.kind, self._without(needs, found))
        ours = {key: row.remote_id for key, row in rows.items() if row.state == "done"}
        return {**found, **ours}

    @staticmethod
    def _without(needs: Mapping[str, Need], found: Answers) -> dict[str, Need]:
        return {key: need for key, need in needs.items() if key not in found}

    def _read_feed(self) -> bool:
        """Whether the mirror is whole and as new as this run; reads what changed, once a run."""
        push, session = self.push, self.push.session
        if self.kind in push.fed:
            return True
        wanted = "products" in session.roles
        if self.kind is Kind.CUSTOMERS:
            wanted = reads_customers(type(session.connector), session.roles)
        stamp = session.cursors.load(self.kind, "delta", session.scope(self.kind)).stamp if wanted else None
        if stamp is None or not session.has_delta(self.kind):
            return False
        with push.reading() as may_read:
            if may_read and _has_read(session, self.kind):
                push.fed.add(self.kind)
        return self.kind in push.fed

    def _look_up(self, needs: Mapping[str, Need]) -> None:
        rows = self.push.outbox.by_keys(self.kind, needs)
        for key, need in needs.items():
            if key not in rows or self._is_ready(rows[key]):
                self.push.session.run.check()
                self.look_up(self.push, need)

    def _is_ready(self, row: Row) -> bool:
        return row.state == "due" and (self.push.wanted.now or row.due_at <= self.push.now())

    def _create(self, needs: Mapping[str, Need]) -> None:
        parcels = []
        for need in needs.values():
            with self.push.session.database.transaction():
                row = self.push.queue(self.kind, need.key, _reference(self.push, self.kind, need))
            if self._is_ready(row):
                parcels.append(self._parcel(row, need))
        send(self.push, self.kind, parcels)

    def _parcel(self, row: Row, need: Need) -> Parcel:
        record = need.record
        if isinstance(record, NewCustomer) and not record.code:
            record = record.changed(code=row.reference)
        return self.push.parcel(row, record, Expected(row.reference), need.placed_at)

    def _created(self, needs: Mapping[str, Need]) -> Answers:
        rows = self.push.outbox.by_keys(self.kind, needs)
        return {
            key: rows[key].remote_id if rows[key].state == "done" else _waits(self.kind, need, rows[key])
            for key, need in needs.items()
        }


def _has_read(session: Session, kind: Kind) -> bool:
    """Reads what changed; a read that is not believed is for sync-recent to tell, and stops no order."""
    try:
        if kind is Kind.CUSTOMERS:
            sync_customers(session, full=False)
        else:
            read_news(session, kind)
    except LossError:
        return False
    return True


def _waits(kind: Kind, need: Need, row: Row) -> Hold:
    what = f"customer {_called(need)}" if kind is Kind.CUSTOMERS else f"product {need.key}"
    if row.state == "sending":
        return Hold("unknown", f"nobody knows yet whether its {what} was created", "The next run asks for it")
    why = f": {row.message}" if row.message else ""
    if row.state == "gave_up":
        return Hold("gave-up", f"its {what} could not be created{why}", row.remedy)
    return Hold(row.cause or "due", f"its {what} could not be created yet{why}", row.remedy)


def _called(need: Need) -> str:
    record = need.record
    return (record.code or record.email or record.name) if isinstance(record, NewCustomer) else need.key


def _reference(push: Pushing, kind: Kind, need: Need) -> str:
    """The name under which the service knows it: the customer's code or the SKU, else one of ours."""
    if isinstance(need.record, NewProduct):
        return need.record.sku
    _, guid = push.names(kind, need.key)
    return need.record.code or f"{push.shop}-{guid[:8]}"


def _customer_need(push: Pushing, postable: Postable) -> Need | Hold | str:
    assert postable.order is not None  # noqa: S101 - for the type checker
    new = _new_customer(postable.order, postable)
    if postable.customer_id is not None:
        return Need(str(postable.customer_id), new, postable.placed_at, postable.customer_id)
    if push.session.connector.anonymous:
        return ""
    guest = push.session.connector.setting("GUEST") or "create"
    if guest != "create":
        return Need(f"{GUEST}={guest}", NewCustomer(guest, guest), postable.placed_at, fixed=True)
    if new.code:
        return Need(f"code:{new.code}", new, postable.placed_at)
    if not folded(new.email):
        setting = push.session.connector.values.variable("GUEST")
        message = "it has neither a customer nor an e-mail address to make one of"
        return Hold("no-customer", message, f"Set {setting} to the code of the customer that stands for guests")
    return Need(GUEST + folded(new.email), new, postable.placed_at)


def _new_customer(order: Order, postable: Postable) -> NewCustomer:
    """The customer as entered for the order; code and e-mail from the shop's table, where the order has none."""
    entered = order.customer
    email = entered.email or postable.customer_email
    name = entered.name or entered.company or email
    addresses = (entered.billing or {}, entered.shipping or {})
    code = entered.code or postable.customer_code
    return NewCustomer(code, name, entered.company, email, entered.phone, *addresses)


def _known_customers(push: Pushing, needs: Mapping[str, Need]) -> Answers:
    """By link; a guest, or one whom several records fit, by the records themselves."""
    links = Links(push.session.database, push.session.name)
    linked = links.customers([need.customer_id for need in needs.values() if need.customer_id is not None])
    found: Answers = {}
    for key, need in needs.items():
        if need.customer_id in linked:
            found[key] = linked[need.customer_id or 0]
            continue
        assert isinstance(need.record, NewCustomer)  # noqa: S101 - for the type checker
        candidates = links.candidates(need.record.code, folded(need.record.email))
        if len(candidates) == 1 and need.customer_id is None:
            found[key] = candidates[0]
        elif candidates:
            found[key] = _ambiguous(push, need, candidates)
    return found


def _ambiguous(push: Pushing, need: Need, candidates: Sequence[str]) -> Hold:
    name = push.session.name
    message = f"several customers in {name} may be {_called(need)}: {', '.join(candidates)}"
    return Hold("ambiguous-customer", message, "Choose with syncctl links add, or mend the records there")


def _no_guest(push: Pushing, need: Need) -> Hold:
    setting = push.session.connector.values.variable("GUEST")
    return Hold("guest", f"there is no customer {_called(need)}, as {setting} says", f"Correct {setting}")


def _look_up_customer(push: Pushing, need: Need) -> None:
    """By account id, then by e-mail address: one call each, and what comes goes into the mirror."""
    assert isinstance(need.record, NewCustomer)  # noqa: S101 - for the type checker
    session = push.session
    for code, email in ((need.record.code, ""), ("", need.record.email)):
        if not (code or "@" in email):
            continue
        found = session.connector.find_customer(code, email)
        look = session.look(found.call, "manual")
        with session.database.transaction():
            session.store(found.records, look)
            if need.customer_id is not None:
                session.customer_linker.decide([need.customer_id], look)
        if _known_customers(push, {need.key: need}):
            return


def _products(order: Order | None) -> list[Line]:
    return [line for line in order.lines if line.kind is LineKind.PRODUCT] if order else []


def _product_need(line: Line, postable: Postable) -> Need:
    """What the order knows of it: the shop's own table tells more, where it has the product."""
    sku = line.sku or ""
    includes = postable.order.prices_include_tax if postable.order else None
    new = NewProduct(sku, line.description or sku, None, line.unit_price, includes, line.tax_rate)
    return Need(sku, new, postable.placed_at)


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
    return found


def _look_up_product(push: Pushing, need: Need) -> None:
    session = push.session
    found = session.connector.find(need.key)
    with session.database.transaction():
        session.store(found.records, session.look(found.call, "manual"))
    near = [record for record in found.records if isinstance(record, Problem)]
    session.tally.report(near)
