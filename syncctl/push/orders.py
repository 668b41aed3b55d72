"""Which orders are posted, and the way of each: its customer, its products, itself, and what follows it.

What only an order needs is imported when there is one: most runs find nothing to post, and should cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from syncctl.decide import Adopt, Expected, Hold
from syncctl.models import Kind, Problem, from_ms, in_batches, iso
from syncctl.models_push import Sale
from syncctl.push.outcomes import arrived, drop, follow_key, number_of, postpone, refuse, wait
from syncctl.push.pushing import Parcel, Pushing, Wanted
from syncctl.state.outbox import PUT_BACK, TO_COME, Row, differs
from syncctl.tally import BY_HAND

if TYPE_CHECKING:
    from syncctl.state.postable import New, Postable

MOST_AT_ONCE = 50
MOST_AGE_MS = 7 * 86_400_000
MOST_AHEAD_MS = 86_400_000  # the shop's clock, or its idea of UTC, may be wrong by hours
_TOO_FAR_MS = 31 * 86_400_000  # nobody sells so far ahead: the date is mistyped


def post(push: Pushing) -> None:
    """Queues what is new, finds out what is unknown, and sends all that is due."""
    if push.wanted.queue:
        enqueue(push)
    for row in push.outbox.settled_by_hand(Kind.ORDERS):
        arrived(push, row, BY_HAND, Adopt(row.remote_id))
    _settle(push)
    _heed_statuses(push)
    _send_orders(push)
    for kind in (Kind.COMPLETIONS, Kind.PAYMENTS):
        if kind in push.session.connector.pushes:
            _send_what_follows(push, kind)
    if uncreated := push.outbox.uncreated():
        from syncctl.push.unneeded import forget_unneeded

        forget_unneeded(push, uncreated)
    if push.lost_rows:
        _tell_lost(push)
    if push.wanted.numbers:
        from syncctl.push.named import tell_unsent

        tell_unsent(push)
    if push.session.tally.pushed.orders_arrived():
        from syncctl.push.stock import read_sold

        read_sold(push)


def _settle(push: Pushing) -> None:
    if push.outbox.sending():
        from syncctl.push.send import settle

        settle(push, early=push.wanted.now)


def enqueue(push: Pushing) -> None:
    """Queues the orders that are to be posted; older ones are marked as skipped, until a person wants them."""
    with push.session.transaction():
        push.outbox.reconsider(iso(from_ms(push.since)), push.wanted.numbers)
    new = push.orders.new(push.posting.statuses)
    if push.wanted.numbers:
        new = [each for each in new if each.number in push.wanted.numbers]
        _tell_unknown(push)
    fresh = to_queue(new, push.wanted, push.since)
    if is_flood(fresh, push.wanted, push.now()):
        _tell_flood(push, to_queue(new, push.wanted.changed(limit=None), push.since))
        fresh = []
    chosen = {each.number for each in fresh}
    with push.session.transaction():
        for each in new:
            if each.elsewhere:
                names, lately = push.names(Kind.ORDERS, each.number), each.placed_at >= push.since
                push.outbox.adopt(Kind.ORDERS, each.number, names, each.elsewhere, lately=lately)
            elif each.number in chosen:
                push.queue(Kind.ORDERS, each.number)
            elif each.placed_at < push.since:
                names = push.names(Kind.ORDERS, each.number)
                push.outbox.queue(Kind.ORDERS, each.number, names, push.now(), _too_old(push, each.number))
    _tell_old(push, sum(each.placed_at < push.since and each.number not in chosen for each in new))
    _tell_named(push, [each for each in fresh if each.placed_at < push.since])


def _too_old(push: Pushing, number: str) -> tuple[str, str]:
    """Why an order is not posted, and what would post it."""
    from shlex import quote

    setting = push.session.connector.values.variable("POST_SINCE")
    remedy = f"To post it, run syncctl post-invoices --order {quote(number)}, or set {setting} to its day"
    return f"it was placed before {push.minute(push.since)}, and {push.session.name} is posted to since then", remedy


def _tell_old(push: Pushing, old: int) -> None:
    if old:
        setting = push.session.connector.values.variable("POST_SINCE")
        orders = "1 order" if old == 1 else f"{old:,} orders"
        words = f"leaves out {orders} of before {push.minute(push.since)}; {setting} says from when on they are posted"
        push.session.run.reporter.note(f"{push.session.name}: {words}")


def _tell_named(push: Pushing, old: Sequence[New]) -> None:
    """Orders that are posted for the sole reason that a person names them."""
    setting = push.session.connector.values.variable("POST_SINCE")
    for each in old:
        placed, since = push.day(each.placed_at), push.day(push.since)
        words = f"{each.number} of {placed} is posted, as --order names it; others before {since} are not ({setting})"
        push.session.run.reporter.note(f"{push.session.name}: {words}")


def _tell_unknown(push: Pushing) -> None:
    there = push.orders.exist(push.wanted.numbers)
    for number in push.wanted.numbers:
        if number not in there:
            push.session.tally.report(
                [Problem(number, "the shop has no such order", "Import it, or look at the number")]
            )


def to_queue(new: Sequence[New], wanted: Wanted, since: int) -> list[New]:
    """Those of the new orders that a run would post."""
    named = [each for each in new if each.number in wanted.numbers or not wanted.numbers]
    fresh = [each for each in named if each.placed_at >= since or wanted.numbers]
    return [each for each in fresh if not each.elsewhere][: wanted.limit]


def is_flood(fresh: Sequence[New], wanted: Wanted, now: int) -> bool:
    """Whether so many, or so old ones, need a word from a person: a shop's history is never posted by accident."""
    if wanted.yes_all or wanted.numbers or not fresh:
        return False
    return len(fresh) > MOST_AT_ONCE or min(each.placed_at for each in fresh) < now - MOST_AGE_MS


def _tell_flood(push: Pushing, fresh: Sequence[New]) -> None:
    setting = push.session.connector.values.variable("POST_SINCE")
    oldest = min(fresh, key=lambda each: each.placed_at)
    which = f"{oldest.number}, of {push.day(oldest.placed_at)}"
    message = f"{len(fresh)} orders are new, the oldest, {which}: nothing is posted unasked"
    remedy = f"Look at them, then run syncctl post-invoices --yes-all, or set {setting}"
    push.session.tally.report([Problem("", message, remedy)])


def _tell_lost(push: Pushing) -> None:
    """What was sent in this run without an answer, and is not found out yet: one line, as for any failing service."""
    from syncctl.errors import UnavailableError

    lost = [row for row in push.outbox.sending() if row.id in push.lost_rows]
    if not lost:
        return
    when, times = iso(from_ms(min(row.due_at for row in lost))), max(map(push.outbox.unanswered, lost))
    what = "1 record" if len(lost) == 1 else f"{len(lost):,} records"
    often = f", sent without an answer {times} times," if times > 1 else ""
    message = f"Nobody knows whether {what}{often} arrived: {lost[0].message.rstrip('.')}"
    push.session.tally.fail(UnavailableError(message, f"{push.session.name} is asked by the first run after {when}"))


def _heed_statuses(push: Pushing) -> None:
    """Puts back what the shop does not want posted any more, whenever it would be due; and takes up what it wants."""
    statuses = push.posting.statuses
    with push.session.transaction():
        push.outbox.want_again(statuses, push.now())
    for row in push.outbox.unwanted(statuses):
        postable = push.order(row.key)
        status = postable.status if postable else ""
        message = f"its status in the shop is {status}, and such orders are not posted (SYNCCTL_POST_STATUSES)"
        drop(push, row, PUT_BACK, message, "It is posted once the shop gives it one of those statuses again")


def _send_orders(push: Pushing) -> None:
    """What is due; once more what turned out to name a customer or product that is not there any more."""
    _attempt(push, _ready(push, Kind.ORDERS))
    if push.strangers:
        _forget(push)
        _attempt(push, [row for row in _ready(push, Kind.ORDERS) if row.cause.startswith("unknown-")])


def _ready(push: Pushing, kind: Kind) -> list[Row]:
    """What may be sent now of what this run is about."""
    rows = push.outbox.ready(kind, None if push.wanted.now else push.now())
    numbers = push.wanted.numbers
    wanted = [row for row in rows if not numbers or number_of(row) in numbers]
    last = sorted(wanted, key=lambda row: row.state == "waiting")  # what waits uses up no limit, run by run
    return last[: push.wanted.limit]


def _attempt(push: Pushing, rows: Sequence[Row]) -> None:
    """Together where the service takes batches; else order by order, so that few calls still post some."""
    sound = [row for row in rows if (postable := _sound(push, row)) and _fits(push, row, postable)]
    in_one_call = push.session.connector.pushes[Kind.ORDERS].batch
    for some in in_batches(sound, 1 if in_one_call == 1 else max(1, len(sound))):
        _post_together(push, some)


def _post_together(push: Pushing, rows: Sequence[Row]) -> None:
    from syncctl.push.send import send
    from syncctl.push.supply import supplied

    send(push, Kind.ORDERS, [_parcel(push, row, sale) for row, sale in supplied(push, rows)])


def _sound(push: Pushing, row: Row) -> Postable | None:
    """The order, if it can be posted as it stands in the shop's tables now."""
    postable = push.order(row.key)
    if postable is None:
        drop(push, row, "order-gone", "the shop has no such order any more")
    elif postable.elsewhere:
        arrived(push, row, "found", Adopt(postable.elsewhere))
    elif postable.order is None:
        refuse(push, row, Hold("order", postable.fault, postable.remedy))
    elif postable.status in push.posting.statuses:
        if not is_to_come(postable.placed_at, push.now()):
            return postable
        _await(push, row, postable.placed_at)
    return None


def is_to_come(placed_at: int, now: int) -> bool:
    """Whether an order is dated so far ahead that it is not posted yet."""
    return placed_at > now + MOST_AHEAD_MS


def _await(push: Pushing, row: Row, placed_at: int) -> None:
    """Until its day; a date that is mistyped, most likely, is for a person to mend."""
    if placed_at > push.now() + _TOO_FAR_MS:
        message = f"it is dated {push.day(placed_at)}, more than a month ahead"
        refuse(push, row, Hold("order", message, "Correct placed_at in the shop"))
        return
    message = f"it is dated {push.day(placed_at)}, which is to come: it is posted then, and not before"
    postpone(push, row, placed_at, Hold(TO_COME, message, "Correct placed_at in the shop if that is wrong"))


def _fits(push: Pushing, row: Row, postable: Postable) -> bool:
    """Whether it can be written down: nothing is created for an order that is refused for its own sake.

    One that may be there already is looked for first.
    """
    from syncctl.push.customers import customer_key

    order, connector = postable.order, push.session.connector
    if order is None or push.is_unsure(row, postable.placed_at):
        return True
    customer = "?" if customer_key(type(connector), connector.values, postable) else ""
    placed, skus = push.day(postable.placed_at), {line.sku: "?" for line in order.lines if line.sku}
    sale = Sale(order, customer, skus, placed, push.due(placed), newest=False)
    objection = connector.objection(push.parcel(row, sale, Expected(""), postable.placed_at).outgoing)
    if objection:
        refuse(push, row, Hold(objection.cause, objection.message, objection.remedy))
    return objection is None


def _parcel(push: Pushing, row: Row, sale: Sale) -> Parcel:
    postable, order = push.order(row.key), sale.order
    assert postable is not None  # noqa: S101 - for the type checker
    expected = Expected(row.reference, order.total, order.currency, sale.customer)
    return push.parcel(row, sale, expected, postable.placed_at).changed(revision=postable.revision)


def _forget(push: Pushing) -> None:
    """Drops what the service says it does not know: it is looked for, or made, anew."""
    session = push.session
    look = session.look(0, "manual")
    push.looked_up.clear()
    push.created.clear()
    with session.transaction():
        for kind in (Kind.CUSTOMERS, Kind.PRODUCTS):
            push.outbox.reopen(kind, push.strangers, push.now())
        session.mirror.mark_gone(sorted(push.strangers), look)
        session.customers.mark_gone(sorted(push.strangers), look)


def _send_what_follows(push: Pushing, kind: Kind) -> None:
    """Payments and completions of orders that are there."""
    parcels = []
    for row in _ready(push, kind):
        number = number_of(row)
        order, postable = push.outbox.get(Kind.ORDERS, number), push.order(number)
        if order is None or postable is None or postable.order is None:
            drop(push, row, "order-gone", "the shop has no such order any more")
            continue
        if differs(order):
            wait(push, row, Hold(order.cause, f"its order is to be looked at first: {order.message}", order.remedy))
            continue
        follows = push.follows(postable.order, order.remote_id)
        found = next((each for each in follows if (each.kind, follow_key(number, each.part)) == (kind, row.key)), None)
        if found is None:
            drop(push, row, "settings", "the settings do not ask for it any more")
            continue
        parcels.append(push.parcel(row, found.record, Expected(""), postable.placed_at))
    if parcels:
        from syncctl.push.send import send

        send(push, kind, parcels)
