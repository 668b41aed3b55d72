"""One connector that is being posted to: its outbox, the terms, and how a row becomes what is sent."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from syncctl.decide import CANCELLED, TAKEN, Expected, Hold
from syncctl.errors import LockedError
from syncctl.models import Kind, Problem, Struct, from_ms, iso, to_ms
from syncctl.models_push import Outgoing, Sending, guid_of, reference_of
from syncctl.state.outbox import Ended, Outbox, Row, subject
from syncctl.state.postable import Orders, Postable
from syncctl.state.unqueued_schema import POSTER

if TYPE_CHECKING:
    from syncctl.models_push import Follow
    from syncctl.session import Session
    from syncctl.settings.posting import PostingTerms
    from syncctl.shop.order import Order
    from syncctl.state.runs import Runs

_MOST_WAITS = 3  # of the pattern, for what was sent without an answer
CONTESTED = frozenset({TAKEN, CANCELLED})


class Wanted(Struct):
    """What a command is asked for: some orders only, at most so many, more than usual at once, what is not due too."""

    numbers: tuple[str, ...] = ()
    limit: int | None = None
    yes_all: bool = False
    queue: bool = True
    now: bool = False


class Doubt(Struct):
    """Since when (ms) this state can vouch for what was posted, and when it was last found to be an older copy."""

    vouches_from: int
    restored_at: int

    def covers(self, placed_at: int, queued_at: int, looked_at: int | None) -> bool:
        """Whether it would know of an order that was posted already: placed, queued and looked for at these times."""
        since = max(self.vouches_from, self.restored_at)
        return since <= placed_at <= queued_at or (looked_at or 0) >= since


class Parcel(Struct):
    """A row with what is sent for it. `unsure`: it may have been sent by somebody whom this state does not know."""

    row: Row
    outgoing: Outgoing
    expected: Expected
    unsure: bool = False
    revision: int | None = None
    order: str = ""  # that needs this customer or product

    def as_json(self) -> dict[str, str]:
        """What the state keeps of it, to compare with what is found in the service, and for `explain`."""
        told = {
            "total": "" if self.expected.total is None else str(self.expected.total),
            "currency": self.expected.currency,
            "customer": self.expected.customer,
            "revision": "" if self.revision is None else str(self.revision),
            "order": self.order,
        }
        return {name: value for name, value in told.items() if value}


@dataclass(slots=True)
class Pushing:
    """What the parts of a posting run share."""

    session: Session
    outbox: Outbox
    orders: Orders
    posting: PostingTerms
    wanted: Wanted
    doubt: Doubt
    since: int
    shop: str
    loaded: dict[str, Postable | None] = field(default_factory=dict)
    fed: dict[Kind, bool] = field(default_factory=dict)  # whether the mirror of a kind is as new as this run
    looked_up: dict[tuple[Kind, str], Hold | None] = field(default_factory=dict)  # in this run, and what is in doubt
    created: set[int] = field(default_factory=set)  # rows of customers and products that had their try in this run
    lost_rows: set[int] = field(default_factory=set)  # ids of rows whose answer was lost in this run
    strangers: set[str] = field(default_factory=set)  # remote ids that were dropped as unknown in this run
    lost: Counter[Kind] = field(default_factory=Counter)  # answers in a row of which nobody knows what they were

    def now(self) -> int:
        """The time in ms."""
        return to_ms(self.session.run.clock.now())

    def order(self, number: str) -> Postable | None:
        """An order of the shop, read once a run."""
        if number not in self.loaded:
            self.loaded[number] = self.orders.load(number)
        return self.loaded[number]

    def day(self, moment: int) -> date:
        """The day of a time where the shop is."""
        return from_ms(moment).astimezone(self.posting.zone).date()

    def minute(self, moment: int) -> str:
        """A time where the shop is, as people write it, to the minute."""
        return f"{from_ms(moment).astimezone(self.posting.zone):%Y-%m-%d %H:%M}"

    def follows(self, order: Order, remote_id: str) -> Sequence[Follow]:
        """What has to be sent once an order is there."""
        return self.session.connector.follow(order, remote_id, lambda moment: self.day(to_ms(moment)))

    def due(self, placed: date) -> date | None:
        """The day on which an order has to be paid."""
        days = self.session.connector.setting("DUE_DAYS")
        return placed + timedelta(days=int(days)) if days else None

    def names(self, kind: Kind, key: str, reference: str = "") -> tuple[str, str]:
        """Reference and guid of a record: the same in every run, for ever."""
        guid = guid_of(self.shop, kind, key)
        return reference or reference_of(self.shop, key), guid

    def queue(self, kind: Kind, key: str, reference: str = "") -> Row:
        """The row of a record, made where it is missing, in the caller's transaction."""
        self.outbox.queue(kind, key, self.names(kind, key, reference), self.now())
        row = self.outbox.get(kind, key)
        assert row is not None  # noqa: S101 - for the type checker
        return row

    def is_unsure(self, row: Row, placed_at: int) -> bool:
        """Whether the record of an order placed then may have been sent although this state does not know of it.

        Also where something strange was found under its reference: it is looked at again before it is sent.
        """
        return not self.doubt.covers(placed_at, row.queued_at, row.looked_at) or row.cause in CONTESTED

    def parcel(self, row: Row, record: Sending, expected: Expected, placed_at: int) -> Parcel:
        """A row that is ready to go, for an order that was placed then; its idempotency key is that of this try."""
        outgoing = Outgoing(row.reference, row.guid, record, f"{row.guid}-{self.now()}")
        return Parcel(row, outgoing, expected, self.is_unsure(row, placed_at))

    def refused(self, row: Row, why: Hold, call: int = 0) -> Ended:
        """What a refusal leads to: another try by the pattern, or none any more."""
        tries, pattern = row.tries + 1, self.posting.retry
        told = {"tries": tries, "call": call, **why.as_dict()}
        if tries > len(pattern):
            return Ended("gave_up", "refused", **told)
        import random  # slow to import, and most runs refuse nothing

        seconds = pattern[tries - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        return Ended("due", "refused", due_at=self.now() + round(seconds * 1000), **told)

    def not_there(self, row: Row, message: str) -> Ended:
        """What it leads to that its answer was lost and the service does not have it: another try, which costs none.

        An outage would use them all up. The first time it is sent again at once, then by the first waits of the
        pattern: the long ones are for what a person has to mend.
        """
        times, pattern = self.outbox.unanswered(row), self.posting.retry
        seconds = pattern[min(times - 2, len(pattern) - 1, _MOST_WAITS - 1)] if times > 1 else 0
        often = f", and it was sent {times} times" if times > 1 else ""
        told = Hold("not-there", f"{message}; the service does not have it{often}", "It is sent again by itself")
        return Ended("due", "not there", due_at=self.now() + seconds * 1000, **told.as_dict())

    def report(self, row: Row, message: str, remedy: str) -> None:
        """Tells the person who runs it."""
        self.session.tally.report([Problem(self.subject(row), message, remedy)])

    def subject(self, row: Row) -> str:
        """See `subject`."""
        return subject(self.session.database, row)

    def tell(self, row: Row, ended: Ended) -> None:
        """Puts down what a person is to be mailed: a failure, that it is given up, that it works again.

        In the transaction of the outcome, so that nothing is told twice or forgotten.
        """
        if self.session.config.mail is None:
            return
        from syncctl.mail.event import Event, retry_command
        from syncctl.state.mailed import Mailed

        mailed, name = Mailed(self.session.database), self.session.name
        if ended.state == "done" and not ended.cause:
            mailed.recover(name, self.subject(row), self.now())
            return
        accept = f"syncctl queue settle {row.id} --remote-id {ended.remote_id} && syncctl retry-queue"
        posted = ended.state == "done"
        look = f"Look at each in {name}; what is to stay as it is, accept with the command beside it"
        event = Event(
            what="gave_up" if ended.state == "gave_up" else "failed",
            connector=name,
            cause=ended.cause,
            record=self.subject(row),
            message=ended.message,
            remedy=look if posted else ended.remedy,
            next_try=from_ms(ended.due_at) if ended.state == "due" else None,
            command=accept if posted else retry_command(row.id),
        )
        mailed.note(event, self.now())

    @contextmanager
    def reading(self) -> Iterator[bool]:
        """Whether the feeds may be read now: not while another run reads them."""
        from syncctl.state.locks import Holder, hold

        session = self.session
        holder = Holder("syncctl post-invoices", os.getpid(), session.run.number, iso(session.run.now()))
        lock = hold(session.database.path, session.name, holder, clock=session.run)
        with ExitStack() as held:
            try:
                held.enter_context(lock)
            except LockedError:
                yield False
            else:
                yield True


def pushing(session: Session, wanted: Wanted) -> Pushing:
    """A connector ready to be posted to."""
    from syncctl.settings.posting import posting_since, posting_terms
    from syncctl.state.runs import Runs

    runs, config = Runs(session.database), session.config
    terms = posting_terms(config)
    own = next(each for each in config.connectors if each.name == session.name)
    since = int(runs.meta(POSTER + session.name) or 0)
    return Pushing(
        session=session,
        outbox=Outbox(session.database, session.name),
        orders=Orders(session.database, session.name),
        posting=terms,
        wanted=wanted,
        doubt=doubt_of(runs),
        since=posting_since(own, terms, since),
        shop=config.shop,
    )


def doubt_of(runs: Runs) -> Doubt:
    """What a state remembers of its own past."""
    return Doubt(int(runs.meta("vouches_from") or 0), int(runs.meta("restored_at") or 0))
