"""Finds the customers and products of orders in the service, and has created what is not there.

By the link; else in the mirror, after one read of the feed; else by single look-ups, where the mirror is not whole;
else they are created. Nothing that is there is ever written to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from syncctl.decide import Expected, Hold
from syncctl.errors import LossError
from syncctl.models import Kind
from syncctl.models_push import NewCustomer, NewProduct
from syncctl.pull.customers import sync_customers
from syncctl.pull.feed import read_news
from syncctl.push.needs import Answers, Need, apart_from, waits
from syncctl.push.pushing import Parcel, Pushing
from syncctl.push.send import send
from syncctl.session import Session, has_feed
from syncctl.state.outbox import Row
from syncctl.state.remote_links import Links


class Resolver:
    """The way that both kinds take."""

    def __init__(
        self,
        push: Pushing,
        kind: Kind,
        known: Callable[[Pushing, Mapping[str, Need]], Answers],
        look_up: Callable[[Pushing, Need], Hold | None],
    ) -> None:
        self.push = push
        self.kind = kind
        self.known = known
        self.look_up = look_up

    def find(self, needs: Mapping[str, Need]) -> Answers:
        """An answer for each need that is there, or waits for something; none for what is to be created."""
        found = self._known(needs)
        missing = self._without(needs, found)
        if self._is_worth_a_call(missing):
            if not self._read_feed():
                self._look_up(missing)
            found |= self._known(missing)
        found |= {key: need.instead for key, need in self._without(needs, found).items() if need.instead}
        return self._unless_apart(needs, found | self._waiting(self._without(needs, found)))

    def create(self, needs: Mapping[str, Need]) -> Answers:
        """An answer for each need that was not found."""
        parcels = []
        for need in needs.values():
            with self.push.session.transaction():
                row = self.push.queue(self.kind, need.key, _reference(self.push, self.kind, need))
            if self._is_ready(row):
                parcels.append(self._parcel(row, need))
        self.push.created |= {parcel.row.id for parcel in parcels}
        send(self.push, self.kind, parcels)
        return self._unless_apart(needs, self._created(needs))

    def _created(self, needs: Mapping[str, Need]) -> Answers:
        rows = self.push.outbox.by_keys(self.kind, needs)
        made: Answers = {key: row.remote_id for key, row in rows.items() if row.state == "done"}
        return made | self._waiting(self._without(needs, made))

    def _waiting(self, needs: Mapping[str, Need]) -> Answers:
        """Why those that are to be created are not, as far as they may not be sent now."""
        name, rows = self.push.session.name, self.push.outbox.by_keys(self.kind, needs)
        later = {key: row for key, row in rows.items() if not self._is_ready(row)}
        return {key: waits(name, self.kind, needs[key], row) for key, row in later.items()}

    def _known(self, needs: Mapping[str, Need]) -> Answers:
        """By link or mirror, else because we created it."""
        found = self.known(self.push, needs)
        rows = self.push.outbox.by_keys(self.kind, self._without(needs, found))
        ours = {key: row.remote_id for key, row in rows.items() if row.state == "done"}
        return {**found, **ours}

    def _unless_apart(self, needs: Mapping[str, Need], found: Answers) -> Answers:
        """What a person took apart from the shop's record is not used for it, however it was come by."""
        name = self.push.session.name
        used = {key: answer for key, answer in found.items() if isinstance(answer, str)}
        apart = Links(self.push.session.database, name).apart(self.kind, used.values())
        kept = {key: remote_id for key, remote_id in used.items() if remote_id in apart}
        return found | {key: apart_from(name, self.kind, needs[key], remote_id) for key, remote_id in kept.items()}

    @staticmethod
    def _without(needs: Mapping[str, Need], found: Answers) -> dict[str, Need]:
        return {key: need for key, need in needs.items() if key not in found}

    def _is_worth_a_call(self, needs: Mapping[str, Need]) -> bool:
        """Whether any of them is to be dealt with now: orders that wait for one that is tried later ask for nothing."""
        rows = self.push.outbox.by_keys(self.kind, needs)
        later = {key for key, row in rows.items() if row.state in ("due", "sending") and not self._is_ready(row)}
        return bool(needs.keys() - later)

    def _read_feed(self) -> bool:
        """Whether the mirror is whole and as new as this run; reads the news, or the one list of all, once a run."""
        push, session = self.push, self.push.session
        if self.kind not in push.fed:
            stamp = session.cursors.load(self.kind, "delta", session.scope(self.kind)).stamp
            push.fed[self.kind] = False
            if stamp is not None and has_feed(type(session.connector), session.roles, self.kind):
                with push.reading() as may_read:
                    push.fed[self.kind] = may_read and _has_read(session, self.kind)
        return push.fed[self.kind]

    def _look_up(self, needs: Mapping[str, Need]) -> None:
        push, rows = self.push, self.push.outbox.by_keys(self.kind, needs)
        for key, need in needs.items():
            if (self.kind, key) not in push.looked_up and (key not in rows or self._is_ready(rows[key])):
                push.session.run.check()
                push.looked_up[self.kind, key] = self.look_up(push, need)

    def _is_ready(self, row: Row) -> bool:
        """Whether it may be sent: once a run, however many orders need it."""
        due = row.state == "due" and (self.push.wanted.now or row.due_at <= self.push.now())
        return due and row.id not in self.push.created

    def _parcel(self, row: Row, need: Need) -> Parcel:
        record = need.record
        if isinstance(record, NewCustomer) and not record.code:
            record = record.changed(code=row.reference)
        return self.push.parcel(row, record, Expected(row.reference), need.placed_at).changed(order=need.order)


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


def _reference(push: Pushing, kind: Kind, need: Need) -> str:
    """The name under which the service knows it: the customer's code or the SKU, else one of ours."""
    if isinstance(need.record, NewProduct):
        return need.record.sku
    _, guid = push.names(kind, need.key)
    return need.record.code or f"{push.shop}-{guid[:8]}"
