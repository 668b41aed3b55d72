"""Sends records, and finds out what became of those of which nobody knows.

The intent is committed before a call and the outcome after it. What is found in between, in the state `sending`, was
sent by somebody who is not there any more (the lock is ours): it is asked for, never sent again blindly.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from syncctl.decide import Expected, Hold, Situation, decide
from syncctl.errors import AnswerError, RefusedError, SyncctlError, UnknownOutcomeError
from syncctl.http.failures import ASKED
from syncctl.models import Kind, in_batches
from syncctl.models_push import Completion, Outcome, Outgoing, Seen
from syncctl.push.outcomes import follow_decision, follow_key, give_back, number_of, record, refuse
from syncctl.push.pushing import Parcel, Pushing
from syncctl.state.outbox import EXISTS, Lost, Row

MOST_LOST = 3  # answers in a run: what loses more of them will lose the next ones too


def send(push: Pushing, kind: Kind, parcels: Sequence[Parcel]) -> None:
    """Sends what may be sent, after a look where that is needed. Raises what keeps the service from being called."""
    unsure = [parcel for parcel in parcels if parcel.unsure]
    absent = _absent(push, kind, unsure)
    ready = [parcel for parcel in parcels if not parcel.unsure or parcel.row.id in absent]
    for batch in in_batches(ready, push.session.connector.pushes[kind].batch):
        push.session.run.check()
        failure = _send_batch(push, kind, batch)
        push.lost[kind] = push.lost[kind] + 1 if failure else 0
        if failure and push.lost[kind] >= MOST_LOST:
            raise failure


def _absent(push: Pushing, kind: Kind, parcels: Sequence[Parcel]) -> set[int]:
    """The ids of those rows that the service does not have; what it has is adopted or held."""
    absent = set()
    for batch in in_batches(parcels, push.session.connector.pushes[kind].batch):
        push.session.run.check()
        seen = _sought(push, kind, [parcel.row for parcel in batch], [parcel.outgoing for parcel in batch])
        for parcel, found in zip(batch, seen, strict=False):
            settled_at = push.doubt.restored_at + _settle_ms(push, kind) if push.doubt.restored_at else None
            situation = Situation(push.now(), unsure=True, looked=True, settled_at=settled_at)
            if follow_decision(push, parcel.row, decide(found, parcel.expected, situation)):
                absent.add(parcel.row.id)
    return absent


def _send_batch(push: Pushing, kind: Kind, batch: Sequence[Parcel]) -> UnknownOutcomeError | AnswerError | None:
    """One call. Gives the failure where its outcome is not known; what can be found out at once is."""
    with push.session.transaction():
        rows, expected = [parcel.row for parcel in batch], [parcel.as_json() for parcel in batch]
        push.outbox.begin(rows, expected, push.session.run.number, push.now())
    try:
        outcomes = push.session.connector.push(kind, [parcel.outgoing for parcel in batch])
    except (UnknownOutcomeError, AnswerError) as error:
        settle(push, [parcel.row.id for parcel in batch], Lost(error.message, error.call))
        return error
    except RefusedError as error:
        for parcel in batch:
            refuse(push, parcel.row, Hold("refused", error.message, error.remedy), error.call)
        return None
    except SyncctlError as error:
        for parcel in batch:
            give_back(push, parcel.row, error.message)
        raise
    return _write_down(push, batch, outcomes)


def _write_down(
    push: Pushing, batch: Sequence[Parcel], outcomes: Sequence[Outcome]
) -> UnknownOutcomeError | AnswerError | None:
    unknown = []
    for parcel, outcome in zip(batch, outcomes, strict=True):
        if outcome.result == "unknown":
            unknown.append((parcel.row.id, outcome))
        else:
            record(push, parcel, outcome)
    if not unknown:
        return None
    taken, lost = ([pair for pair in unknown if (pair[1].cause == EXISTS) is exists] for exists in (True, False))
    for some, cause in ((taken, EXISTS), (lost, "")):
        if some:
            settle(push, [row for row, _ in some], Lost(some[0][1].message, some[0][1].call, cause))
    return AnswerError(lost[0][1].message, ASKED) if lost else None  # else no answer was lost


def settle(push: Pushing, ids: Sequence[int] | None = None, lost: Lost | None = None, *, early: bool = False) -> None:
    """Asks for what was sent without a known outcome: these rows now, else all whose time has come, or `early`."""
    rows = push.outbox.sending(None if early or ids is not None else push.now())
    wanted = [row for row in rows if ids is None or row.id in ids]
    if lost:
        with push.session.transaction():
            push.outbox.lose(wanted, lost, push.session.run.number)
        wanted = [row.changed(message=lost.message, cause=lost.cause) for row in wanted]
        push.lost_rows |= {row.id for row in wanted if not lost.cause}
    for kind in dict.fromkeys(row.kind for row in wanted):
        of_kind = [row for row in wanted if row.kind is kind]
        for batch in in_batches(of_kind, push.session.connector.pushes[kind].batch):
            push.session.run.check()
            _settle_batch(push, kind, batch)


def _settle_batch(push: Pushing, kind: Kind, batch: Sequence[Row]) -> None:
    for row, found in zip(batch, _sought(push, kind, batch, [_asked(push, row) for row in batch]), strict=False):
        settled_at = (row.sent_at or 0) + _settle_ms(push, kind)
        situation = Situation(push.now(), unsure=True, looked=True, settled_at=settled_at)
        follow_decision(push, row, decide(found, expected_of(row), situation))


def _sought(push: Pushing, kind: Kind, rows: Sequence[Row], asked: Sequence[Outgoing]) -> Sequence[Seen | None]:
    """What stands there; nothing where the service refuses to tell: these rows stay as they are, and stop no other."""
    try:
        return push.session.connector.seek(kind, asked)
    except RefusedError as error:
        for row in rows:
            push.report(row, f"nobody knows whether it arrived: {error.message}", "Look for it in the service")
        return ()


def _settle_ms(push: Pushing, kind: Kind) -> int:
    return push.session.connector.pushes[kind].settle * 1000


def _asked(push: Pushing, row: Row) -> Outgoing:
    """A row as it is asked for: what follows an order is known by the order's remote id."""
    if row.kind not in (Kind.COMPLETIONS, Kind.PAYMENTS):
        return Outgoing(row.reference, row.guid, None)
    number = number_of(row)
    order = push.outbox.get(Kind.ORDERS, number)
    remote_id = order.remote_id if order else ""
    postable = push.order(number)
    follows = push.follows(postable.order, remote_id) if postable and postable.order else ()
    wanted = (row.kind, row.key)
    record = next((each.record for each in follows if (each.kind, follow_key(number, each.part)) == wanted), None)
    return Outgoing(row.reference, row.guid, record or Completion(remote_id))


def expected_of(row: Row) -> Expected:
    """What was sent for a row."""
    told = row.expected
    total = Decimal(told["total"]) if "total" in told else None
    reference = row.reference if row.kind in (Kind.ORDERS, Kind.PRODUCTS, Kind.CUSTOMERS) else ""
    return Expected(reference, total, told.get("currency", ""), told.get("customer", ""))
