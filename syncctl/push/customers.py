"""The customer of an order: who it is, where the service has them, and what would be created. Nobody is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncctl.connectors.base import Connector
from syncctl.connectors.declared import Values
from syncctl.decide import Hold
from syncctl.models import Kind
from syncctl.models_push import NewCustomer
from syncctl.push.needs import Answers, Need, called
from syncctl.push.pushing import Pushing
from syncctl.push.resolve import Resolver
from syncctl.session import stand_in
from syncctl.state.order_customer import GUEST, key_of_customer
from syncctl.state.postable import Postable
from syncctl.state.remote_customers import folded
from syncctl.state.remote_links import Links

_ByOrder = Mapping[str, "Need | Hold | str"]


def find_customers(push: Pushing, orders: Sequence[Postable]) -> dict[str, str | Hold]:
    """The remote id of each order's customer by order number ("": none), or what it waits for.

    Nothing for an order whose customer is to be created.
    """
    wanted = _wanted(push, orders)
    found = {number: answer for number, answer in wanted.items() if not isinstance(answer, Need)}
    needs = _needs(wanted)
    _link(push, needs)
    return found | _by_order(wanted, _resolver(push).find(needs))


def create_customers(push: Pushing, orders: Sequence[Postable]) -> dict[str, str | Hold]:
    """The same, for orders whose customer was not found."""
    wanted = _wanted(push, orders)
    return _by_order(wanted, _resolver(push).create(_needs(wanted)))


def _resolver(push: Pushing) -> Resolver:
    return Resolver(push, Kind.CUSTOMERS, _known_customers, _look_up_customer)


def _wanted(push: Pushing, orders: Sequence[Postable]) -> _ByOrder:
    return {postable.number: _customer_need(push, postable) for postable in orders}


def _needs(wanted: _ByOrder) -> dict[str, Need]:
    """Each customer once: as the first order has it."""
    needs: dict[str, Need] = {}
    for need in wanted.values():
        if isinstance(need, Need):
            needs.setdefault(need.key, need)
    return needs


def _by_order(wanted: _ByOrder, answers: Answers) -> dict[str, str | Hold]:
    keys = {number: need.key for number, need in wanted.items() if isinstance(need, Need)}
    return {number: answers[key] for number, key in keys.items() if key in answers}


def _link(push: Pushing, needs: Mapping[str, Need]) -> None:
    """Links customers that the shop has got since the last read to what the mirror has; without a call.

    Only where the mirror is whole: a record that is not read yet may be a second candidate.
    """
    session = push.session
    ids = {need.customer_id for need in needs.values() if need.customer_id is not None}
    unlinked = ids - Links(session.database, session.name).customers(ids).keys()
    if unlinked and _is_whole(push):
        with session.transaction():
            session.customer_linker.decide(sorted(unlinked), session.look(0, "link"))


def _is_whole(push: Pushing) -> bool:
    """Whether the mirror has all customers of the service, as of the last read."""
    session = push.session
    return session.cursors.load(Kind.CUSTOMERS, "delta", session.scope(Kind.CUSTOMERS)).stamp is not None


def _customer_need(push: Pushing, postable: Postable) -> Need | Hold | str:
    connector, guest = push.session.connector, push.session.stand_in
    key, new = customer_key(type(connector), connector.values, postable), new_customer(postable)
    if not key:
        return ""
    setting = connector.values.variable("GUEST")
    if key == GUEST:
        message = "it has neither a customer nor an e-mail address to make one of"
        return Hold("no-customer", message, f"Set {setting} to the code of the customer that stands for guests")
    if guest and postable.customer_id is None:
        message = f"there is no customer {guest}, as {setting} says"
        missing = Hold("guest", message, f"Correct {setting}")
        return Need(key, NewCustomer(guest, guest), postable.placed_at, postable.number, instead=missing)
    return Need(key, new, postable.placed_at, postable.number, postable.customer_id)


def customer_key(cls: type[Connector], values: Values, postable: Postable) -> str:
    """What an order's customer is called in the outbox; "" where it needs none, `GUEST` alone where there is none."""
    if postable.customer_id is not None:
        return str(postable.customer_id)
    if cls.anonymous:
        return ""
    if guest := stand_in(values):
        return f"{GUEST}={guest}"
    new = new_customer(postable)
    return key_of_customer(None, new.code, new.email)


def new_customer(postable: Postable) -> NewCustomer:
    """The customer as entered for the order; code and e-mail from the shop's table, where the order has none."""
    order = postable.order
    assert order is not None  # noqa: S101 - for the type checker
    entered = order.customer
    email = entered.email or postable.customer_email
    name = entered.name or entered.company or email
    addresses = (entered.billing or {}, entered.shipping or {})
    code = entered.code or postable.customer_code
    return NewCustomer(code, name, entered.company, email, entered.phone, *addresses, order.currency)


def _known_customers(push: Pushing, needs: Mapping[str, Need]) -> Answers:
    """By link; a guest, or one whom several records fit, by the records themselves."""
    links = Links(push.session.database, push.session.name)
    linked = links.customers([need.customer_id for need in needs.values() if need.customer_id is not None])
    found: Answers = {}
    whole = _is_whole(push)
    for key, need in needs.items():
        if need.customer_id in linked:
            found[key] = linked[need.customer_id or 0]
            continue
        assert isinstance(need.record, NewCustomer)  # noqa: S101 - for the type checker
        is_guest, keys = need.customer_id is None, (need.record.code, folded(need.record.email))
        candidates = links.candidates(*keys, anybody=need.instead is not None, linked=is_guest)
        if len(candidates) == 1 and is_guest:
            found[key] = candidates[0]
        elif candidates and (whole or (Kind.CUSTOMERS, key) in push.looked_up):
            found[key] = _ambiguous(push, need, candidates)
        elif need.instead is None and _is_nobody(push, need.record.code):
            found[key] = _nobody(push, need.record.code)
        elif apart := links.customer_apart(need.record.code):
            found[key] = apart
    return found


def _is_nobody(push: Pushing, code: str) -> bool:
    """Whether the service has this code for a customer that stands for nobody in particular."""
    connector = push.session.connector
    return bool(code) and (code == push.session.stand_in or code.upper() == connector.walk_in)


def _nobody(push: Pushing, code: str) -> Hold:
    message = f"{code} is in {push.session.name} the customer of sales without one, and nobody in particular"
    return Hold("walk-in", message, "Give the customer another code in the shop")


def _ambiguous(push: Pushing, need: Need, candidates: Sequence[str]) -> Hold:
    name = push.session.name
    message = f"several customers in {name} may be {called(need)}: {', '.join(candidates)}"
    if len(candidates) == 1:
        message = f"{candidates[0]} in {name} may be {called(need)}, and another customer of the shop as well"
    return Hold("ambiguous-customer", message, "Choose with syncctl links add, or mend the records there")


def _look_up_customer(push: Pushing, need: Need) -> Hold | None:
    """By account id, then by e-mail address: one call each, and what comes goes into the mirror."""
    assert isinstance(need.record, NewCustomer)  # noqa: S101 - for the type checker
    session = push.session
    for code, email in ((need.record.code, ""), ("", need.record.email)):
        if not (code or "@" in email):
            continue
        found = session.connector.find_customer(code, email)
        look = session.look(found.call, "manual")
        with session.transaction():
            session.store(found.records, look)
            if need.customer_id is not None:
                session.customer_linker.decide([need.customer_id], look)
        if _known_customers(push, {need.key: need}):
            break
    return None
