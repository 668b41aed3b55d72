"""Whether a record may be sent: the one place where that is decided, without any call and any state.

The promise that each arrives once breaks less by a crash than by a second state file, a restored copy, another
integration, or a number that somebody else uses. So what cannot be known is looked up, and what is found there is
taken for ours only where it agrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncctl.models import Struct, money_text

if TYPE_CHECKING:
    from decimal import Decimal

    from syncctl.models_push import Seen

TAKEN = "number-taken"
CANCELLED = "cancelled-there"


class Expected(Struct):
    """What our own record has; what cannot be compared is None or ""."""

    reference: str
    total: Decimal | None = None
    currency: str = ""
    customer: str = ""


class Situation(Struct):
    """What is known of a record besides what stands in the service.

    `unsure`: it may have been sent already (a lost answer, a dead process, a restored state). `looked`: the service
    has been asked for it. `settled_at` is from when on (ms) it is believed that it is not there, as what was sent may
    still be under way and searches lag behind; None: at once.
    """

    now: int
    unsure: bool = False
    looked: bool = False
    settled_at: int | None = None


class Post(Struct):
    """Send it."""


class Look(Struct):
    """Ask the service first."""


class Adopt(Struct):
    """It is there, and it is ours."""

    remote_id: str
    call: int = 0


class Later(Struct):
    """It is not there yet: ask again from `until` on (ms), and do not send it before."""

    until: int


class Hold(Struct):
    """A person has to look at it."""

    cause: str
    message: str
    remedy: str


Decision = Post | Look | Adopt | Later | Hold


def decide(seen: Seen | None, expected: Expected, situation: Situation) -> Decision:
    """What to do with a record of which `seen` was found under its reference."""
    if seen is not None:
        return _judged(seen, expected)
    if not situation.looked:
        return Look() if situation.unsure else Post()
    if situation.settled_at is not None and situation.now < situation.settled_at:
        return Later(situation.settled_at)
    return Post()


def _judged(seen: Seen, expected: Expected) -> Adopt | Hold:
    if seen.archived:
        message = f"{seen.remote_id} has its reference {expected.reference} there, and is archived"
        remedy = "Restore it there, or link the customer to another record with syncctl links add"
        return Hold("archived-contact", message, remedy)
    if not seen.live:
        message = f"{seen.remote_id} has its reference {expected.reference} there, and is voided or deleted"
        return Hold(CANCELLED, message, "If it should not be posted, drop it from the queue; else restore it there")
    differences = _differences(seen, expected)
    if differences:
        message = f"{seen.remote_id} there has its reference {expected.reference}, but {'; '.join(differences)}"
        return Hold(TAKEN, message, "If it is this order, settle it by hand with that id; else give it another number")
    return Adopt(seen.remote_id, seen.call)


def _differences(seen: Seen, expected: Expected) -> list[str]:
    """What speaks against its being ours. A customer is told by id, whose letters may be of either case."""
    found = []
    if seen.reference and seen.reference != expected.reference:
        found.append(f"is called {seen.reference}")
    if None not in (seen.total, expected.total) and seen.total != expected.total:
        found.append(f"its total is {_money(seen.total)} and not {_money(expected.total)}")
    if seen.currency and expected.currency and seen.currency != expected.currency:
        found.append(f"its currency is {seen.currency} and not {expected.currency}")
    if seen.customer and expected.customer and seen.customer.lower() != expected.customer.lower():
        found.append(f"its customer is {seen.customer} and not {expected.customer}")
    return found


def _money(amount: Decimal | None) -> str:
    return "unknown" if amount is None else money_text(amount)
