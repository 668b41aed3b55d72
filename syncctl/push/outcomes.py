"""What became of a record that was sent, found or refused: written down with all that follows from it, in one go."""

from __future__ import annotations

from syncctl.decide import TAKEN, Adopt, Decision, Hold, Later, Post
from syncctl.models import Kind, from_ms, iso, money_text
from syncctl.models_push import Outcome, Updated
from syncctl.push.pushing import Parcel, Pushing
from syncctl.state.outbox import EXISTS, HELD, Ended, Row
from syncctl.tally import BY_HAND


def record(push: Pushing, parcel: Parcel, outcome: Outcome) -> None:
    """A known outcome of a call; where a link turned out to be dead, it is due again at once and costs no try."""
    row = parcel.row
    if outcome.result == "done":
        differs = _difference(push, parcel, outcome)
        arrived(push, row, "posted", Adopt(outcome.remote_id, outcome.call), differs)
        _tell_notes(push, row, outcome, differs)
        if outcome.updated:
            _note_update(push, row, outcome.updated)
    elif outcome.strangers and not push.strangers & set(outcome.strangers):
        push.strangers |= set(outcome.strangers)
        why = Hold(outcome.cause, outcome.message, outcome.remedy)
        _end(push, row, push.refused(row, why, outcome.call).changed(state="due", due_at=push.now(), tries=row.tries))
    else:
        refuse(push, row, Hold(outcome.cause, outcome.message, outcome.remedy), outcome.call)


def refuse(push: Pushing, row: Row, why: Hold, call: int = 0) -> None:
    """A refusal, by the service or by what the settings say: tried again by the pattern, in the end given up."""
    ended = push.refused(row, why, call)
    with push.session.transaction():
        push.outbox.end(row, ended, push.session.run.number, push.now())
        push.tell(row, ended)
    push.report(row, ended.message, ended.remedy)


def wait(push: Pushing, row: Row, answer: Hold) -> None:
    """It waits for another record, and costs no try; what nothing will mend by itself is refused."""
    if answer.cause in HELD:
        refuse(push, row, answer)
    else:
        _wait(push, row, row.due_at, answer)


def postpone(push: Pushing, row: Row, until: int, why: Hold) -> None:
    """Its day (ms) is to come: it waits for that, which costs no try and is no failure."""
    _wait(push, row, until, why)
    push.session.run.reporter.note(f"{push.session.name}: {push.subject(row)}: {why.message}")


def _wait(push: Pushing, row: Row, until: int, why: Hold) -> None:
    with push.session.transaction():
        push.outbox.wait(row, until, why.cause, why.message, why.remedy)


def give_back(push: Pushing, row: Row, message: str) -> None:
    """Nothing was sent, for a reason that is not the record's: it costs no try. What it waited for was there."""
    row = row.changed(cause="", message="", remedy="") if row.state == "waiting" else row
    with push.session.transaction():
        ended = Ended("due", "not sent", due_at=row.due_at, cause=row.cause, remedy=row.remedy)
        ended = ended.changed(message=row.message or message)
        push.outbox.end(row, ended, push.session.run.number, push.now())


def drop(push: Pushing, row: Row, cause: str, message: str, remedy: str = "") -> None:
    """It is not to be sent any more."""
    _end(push, row, Ended("skipped", "skipped", cause=cause, message=message, remedy=remedy))


def follow_decision(push: Pushing, row: Row, decision: Decision) -> bool:
    """Writes down what was decided after a look; whether the record may be sent now."""
    if isinstance(decision, Adopt):
        arrived(push, row, "found", decision)
    elif isinstance(decision, Hold):
        refuse(push, row, decision)
    elif isinstance(decision, Later):
        _look_again(push, row, decision.until)
    elif isinstance(decision, Post) and row.state == "sending" and row.cause == EXISTS:
        refuse(push, row, _hidden(push, row))
    elif isinstance(decision, Post):
        _not_there(push, row)
        return True
    return False


def _hidden(push: Pushing, row: Row) -> Hold:
    name = push.session.name
    message = f"{name} says that {row.reference} is taken ({row.message}), and shows no record of exactly that number"
    return Hold(
        TAKEN, message, f"Look for it in {name} in other capitals, or deleted; else give the order another number"
    )


def _look_again(push: Pushing, row: Row, until: int) -> None:
    """It is too early to tell that it is not there: an answer was lost just now, or the state was restored."""
    run = push.session.run.number
    call = push.outbox.last_call(run)
    restored, later = iso(from_ms(push.doubt.restored_at)), iso(from_ms(until))
    why = f"the state was restored at {restored}, and {push.session.name} does not have it so far (call {call})"
    with push.session.transaction():
        push.outbox.note(row, "not there yet", call, run, push.now())
        push.outbox.look_at(row, until, f"{why}; as searches there lag, it is sent from {later} on")


def _not_there(push: Pushing, row: Row) -> None:
    """It was looked for in vain: one that was sent before is sent again."""
    with push.session.transaction():
        push.outbox.looked(row, push.now())
        if row.state == "sending":
            ended = push.not_there(row, row.message or "its answer was lost")
            push.outbox.end(row, ended, push.session.run.number, push.now())
            if ended.due_at > push.now():
                push.tell(row, ended)


def arrived(push: Pushing, row: Row, word: str, there: Adopt, differs: Hold | None = None) -> None:
    """It is there: `posted` by us now, `found`, or `BY_HAND`; what has to follow it is queued with that.

    `differs` says in what it is not as the shop has it: then that stays to be looked at, and what follows it waits.
    """
    taken = row.kind is Kind.ORDERS and push.session.connector.takes_stock(push.session.connector.values)
    with push.session.transaction():
        told = differs.as_dict() if differs else {"message": word if word == BY_HAND else ""}
        ended = Ended("done", word, remote_id=there.remote_id, call=there.call, taken=taken, **told)
        push.outbox.end(row, ended, push.session.run.number, push.now())
        push.tell(row, ended)
        if row.kind is Kind.ORDERS:
            _queue_what_follows(push, row, there.remote_id)
    push.session.tally.pushed.count(row.kind, word)


def _queue_what_follows(push: Pushing, row: Row, remote_id: str) -> None:
    postable = push.order(row.key)
    if postable and postable.order:
        for follow in push.follows(postable.order, remote_id):
            push.queue(follow.kind, follow_key(row.key, follow.part))


def follow_key(number: str, part: str) -> str:
    """The key of what follows an order: its payments are told apart behind a slash."""
    return f"{number}/{part}" if part else number


def number_of(row: Row) -> str:
    """The number of the order that a row belongs to."""
    return row.key.rpartition("/")[0] if row.kind is Kind.PAYMENTS else row.key


def _end(push: Pushing, row: Row, ended: Ended) -> None:
    with push.session.transaction():
        push.outbox.end(row, ended, push.session.run.number, push.now())


def _difference(push: Pushing, parcel: Parcel, outcome: Outcome) -> Hold | None:
    """That it is there with another sum, or in another currency, than the shop's."""
    there, wanted = outcome.total, parcel.expected.total
    if there is not None and wanted is not None and there != wanted:
        cause, differs = "total-differs", f"comes to {money_text(there)} there and not to {money_text(wanted)}"
    elif outcome.currency and outcome.currency != (parcel.expected.currency or outcome.currency):
        cause, differs = "currency-differs", f"is in {outcome.currency} there and not in {parcel.expected.currency}"
    else:
        return None
    accept = f"syncctl queue settle {parcel.row.id} --remote-id {outcome.remote_id}"
    remedy = f"Look at {outcome.remote_id} in {push.session.name}; if it is to stay as it is, run {accept}"
    return Hold(cause, f"it is posted, but {differs}", remedy)


def _note_update(push: Pushing, row: Row, updated: Updated) -> None:
    """What was written to a customer's record is told of the order and of the customer; no later read brings it."""
    session = push.session
    with session.transaction():
        push.outbox.note(row, "customer updated", updated.call, session.run.number, push.now())
        if updated.record and session.customers.knows(updated.record.remote_id):
            session.customers.store([updated.record], session.look(updated.call, "entered"))
    session.tally.pushed.count(Kind.CUSTOMERS, "updated")


def _tell_notes(push: Pushing, row: Row, outcome: Outcome, differs: Hold | None) -> None:
    """What the service says of it besides, and in what it is not as the shop has it, is for a person to see."""
    if outcome.message:
        push.report(row, f"it is there, but {outcome.message}", outcome.remedy)
    if differs:
        push.report(row, differs.message, differs.remedy)
