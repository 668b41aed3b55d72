"""Reads pages of a kind into the mirror: what changed since the last run, or everything.

A page, what it changes, and how far the read has come are one transaction, so that a killed run goes on where it
stopped. The stamp of the next delta read moves only when the last page is in and nothing slipped through between the
pages: as many different records were seen as the service announced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, islice

from syncctl.connectors.base import Page
from syncctl.errors import AccountError, AnswerError, LossError
from syncctl.models import Kind, Problem, Record, Stock, to_ms
from syncctl.pull.guards import (
    guard_stock,
    refuse_emptiness,
    refuse_empty_place,
    refuse_loss,
    refuse_unknown_location,
    tell_idle_places,
)
from syncctl.pull.refresh import confirm_customers, verify
from syncctl.session import Session
from syncctl.state.changelog import Look
from syncctl.state.cursors import Feed, Reading

_Shown = frozenset[tuple[str, str]]
CHUNK = 500  # records a transaction: a long page is not held in memory as a whole
MOST_PASSES = 3
MOST_BACK = 50  # products that came back, whose stock is asked for at once; the others wait for sync-oldest
STALE_MS = 24 * 3600 * 1000


def sync_recent(session: Session, *, full: bool) -> None:
    """What changed since the last run; with `full`, and at the first time, everything."""
    session.link_waiting()
    for kind in session.kinds():
        read_news(session, kind, full=full)
        if kind is Kind.STOCK:
            refuse_empty_place(session)
            tell_idle_places(session)
            verify(session, session.tally.back[:MOST_BACK], "feed", [kind])  # no feed tells what stock they had


def read_news(session: Session, kind: Kind, *, full: bool = False) -> None:
    """What changed of one kind since it was read last; with `full`, and at the first time, everything."""
    delta = session.cursors.load(kind, "delta", session.scope(kind))
    if full or delta.stamp is None or not session.has_delta(kind):
        read_all(session, kind)
    else:
        _read(session, kind, delta)
        _mark_deleted(session, kind, delta)


def read_all(session: Session, kind: Kind, feed: Feed = "full", *, most: int | None = None) -> None:
    """Everything, of which at most so many pages now; what was not shown in the end is looked up, or marked gone."""
    delta = session.cursors.load(kind, "delta", session.scope(kind))
    reading = session.cursors.load(kind, feed, session.scope(kind))
    if delta.stamp is not None and _is_stale(session, reading):
        reading.forget()
    if not _read(session, kind, reading, most):
        return
    _mark_deleted(session, kind, reading)
    try:
        if kind is Kind.STOCK:
            refuse_unknown_location(session, reading.seen)
        for shown in session.brought(kind):
            if unseen := session.unseen(shown, reading.first_call or 0):
                _sweep(session, shown, reading, unseen)
    except (LossError, AccountError):
        _drop(session, reading)
        raise
    _finish_full(session, reading, delta)


def _mark_deleted(session: Session, kind: Kind, reading: Reading) -> None:
    """What the service says is deleted: not page by page, since only in the end is known how much it is."""
    told = session.gaps.deleted() if kind is Kind.PRODUCTS else {}
    if told:
        refuse_loss(session, sum(map(len, told.values())), "has deleted")
    for call, remote_ids in told.items():
        with session.transaction():
            session.tally.gone += session.mirror.mark_gone(remote_ids, session.look(call, reading.rule))


def _is_stale(session: Session, reading: Reading) -> bool:
    """A full read that stopped long ago would end as a half one; only a first read goes on whatever its age."""
    return reading.feed == "full" and to_ms(session.run.clock.now()) - (reading.started_at or 0) > STALE_MS


def _sweep(session: Session, kind: Kind, reading: Reading, unseen: list[str]) -> None:
    certain = reading.pages == 1 and session.connector.pulls[Kind(reading.kind)].page_size is None
    if kind is Kind.PRODUCTS:
        refuse_loss(session, len(unseen), "does not show", calls=0 if certain else len(unseen))
    elif kind is Kind.STOCK and not session.gaps.stocked(reading.first_call or 0):
        refuse_emptiness(session)
    if kind is Kind.CUSTOMERS:
        confirm_customers(session, unseen, reading.rule)
    elif certain:
        _mark(session, kind, reading, unseen)
    else:
        verify(session, unseen, reading.rule, [kind])


def _mark(session: Session, kind: Kind, reading: Reading, unseen: list[str]) -> None:
    """One answer that shows everything says for certain what is not there."""
    look = session.look(reading.first_call or 0, reading.rule)
    with session.transaction():
        if kind is Kind.PRODUCTS:
            session.tally.gone += session.mirror.mark_gone(unseen, look)
        else:
            session.tally.changed += len(session.mirror.mark_without_stock(unseen, look))


def _drop(session: Session, reading: Reading) -> None:
    """The read is not believed: the next run begins it anew."""
    reading.forget()
    with session.transaction():
        session.cursors.save(reading)


def _finish_full(session: Session, reading: Reading, delta: Reading) -> None:
    """The read is over: deltas start from the stamp that a full one left."""
    now, first_call = to_ms(session.run.clock.now()), reading.first_call or 0
    if reading.feed == "full":
        delta.begin_again()
        delta.stamp, delta.finished_at = reading.stamp, now
    reading.forget()
    reading.finished_at = now
    with session.transaction():
        if Kind.STOCK in session.brought(Kind(reading.kind)):
            session.gaps.close_stock(first_call, now)
        session.cursors.save(delta)
        session.cursors.save(reading)


def _read(session: Session, kind: Kind, reading: Reading, most: int | None = None) -> bool:
    """Reads to the last page, and whether it came to that; again where records slipped through between two pages."""
    if reading.feed != "delta" and reading.stamp is not None:
        return True  # all pages are in already; an earlier run stopped after that
    came: set[tuple[int, int | None]] = set()
    for _ in range(MOST_PASSES):
        if not _read_pages(session, kind, reading, most):
            return False
        result = (reading.seen, reading.announced)
        if _complete(session, kind, reading) or result in came:  # twice the same: the service counts differently
            _close(session, reading)
            return True
        came.add(result)
        reading.begin_again()
        session.run.reporter.note(f"{session.name}: {kind} moved while they were read; reading them again")
    raise AnswerError(
        f"Of {reading.kind} {sorted(came)} (read, announced) came in {MOST_PASSES} readings: they change too fast",
        "Nothing is lost, the next run reads them again; run it at a quieter hour if it stays so",
    )


def _complete(session: Session, kind: Kind, reading: Reading) -> bool:
    """Whether as many came as were announced, or were looked at meanwhile by other commands."""
    if reading.pages <= 1 or reading.announced is None or reading.seen >= reading.announced:
        return True
    return reading.feed != "delta" and session.seen(kind, reading.first_call or 0) >= reading.announced


def _close(session: Session, reading: Reading) -> None:
    """Moves the stamp. A full read keeps `first_call`: what it did not show is still to be looked up."""
    reading.stamp, reading.position = reading.position, None
    if reading.feed == "delta":
        reading.begin_again()
        reading.finished_at = to_ms(session.run.clock.now())
    with session.transaction():
        session.cursors.save(reading)


def _read_pages(session: Session, kind: Kind, reading: Reading, most: int | None) -> bool:
    """One call a page, its records and the new position; whether the last page came before `most` were read."""
    start = reading.stamp if reading.feed == "delta" else None
    before: _Shown = frozenset()
    for number in count() if most is None else range(most):
        page = session.connector.pull(kind, reading.position or start)
        if reading.first_call is None:
            reading.first_call, reading.started_at = page.call, to_ms(session.run.clock.now())
            _announce(session, kind, reading, page)
        elif not number and reading.feed == "full":
            _announce(session, kind, reading, page)
        before = _store_page(session, reading, page, before)
        _show_progress(session, kind, reading)
        if page.last:
            return True
        session.run.check()
    return False


def _store_page(session: Session, reading: Reading, page: Page, before: _Shown) -> _Shown:
    """Stores the page chunk by chunk; the position moves in the transaction of the last one. Gives the page's ids.

    The booking of the next call, or the end of the read, waits for the disk, and for this with it.
    """
    again = reading.feed == "oldest"
    look = _look(session, reading, page.call)
    came: _Shown = frozenset()
    for chunk, last in _chunks(page.records):
        if not page.last:  # else nobody asks, and a list of everything is long
            came |= {_shown(record) for record in chunk if not isinstance(record, Problem)}
        guard_stock(session, page, chunk)
        with session.transaction(quick=True):
            stored = session.store(chunk, look, reading.first_call or page.call)
            reading.seen += stored.fresh
            if last:
                _refuse_repeat(reading, page, bool(came) and came == before)
                _advance(reading, page)
            session.cursors.save(reading)
        session.tally.verified += stored.unchanged if again else 0
    return came


def _shown(record: Record) -> tuple[str, str]:
    """What tells a record of a page from the others: a product has stock at several places."""
    return record.remote_id, record.location if isinstance(record, Stock) else ""


def _look(session: Session, reading: Reading, call: int) -> Look:
    kind = Kind(reading.kind)
    if reading.feed == "oldest":
        return session.look_again(kind, call, reading.rule)
    asked = reading.feed == "full" and session.has_delta(kind)  # else it is what every run reads
    return session.look(call, reading.rule, repeats=asked)


def _advance(reading: Reading, page: Page) -> None:
    reading.position = page.cursor
    reading.pages += 1
    if page.total is not None:
        reading.announced = max(page.total, reading.announced or 0)


def _chunks(records: Iterable[Record | Problem]) -> Iterator[tuple[list[Record | Problem], bool]]:
    """The records in chunks, each with whether it is the last; at least one chunk, if an empty one."""
    iterator = iter(records)
    chunk = list(islice(iterator, CHUNK))
    while following := list(islice(iterator, CHUNK)):
        yield chunk, False
        chunk = following
    yield chunk, True


def _refuse_repeat(reading: Reading, page: Page, same: bool) -> None:
    """A service that shows the same page for ever would be read for ever."""
    if same and not page.last:
        raise AnswerError(
            f"Page {reading.pages + 1} of {reading.kind} shows what the page before it showed (call {page.call})",
            "Run it again; if it stays so, report it to the service",
        )


def _announce(session: Session, kind: Kind, reading: Reading, page: Page) -> None:
    """Says what a long read, or what is left of it, will cost; with that of the kinds that follow it."""
    total, values = max(page.total or 0, reading.announced or 0), session.connector.values
    pages, following = session.connector.pages(values, kind, total), _following(session, kind, reading)
    left = pages - reading.pages + sum(session.connector.pages(values, each, total) for each in following)
    if pages > 1 and left > 1:
        what = "products" if kind is Kind.PRODUCTS else f"records of {kind}"
        also = " and their stock" if following else ""
        done = f" ({reading.seen:,} are in)" if reading.pages else ""
        words = f"reading {total:,} {what}{done}{also} in {left:,} calls, {session.lasting(left)}"
        session.run.reporter.note(f"{session.name}: {words}")
    elif page.total is None and not page.last and reading.feed == "full":
        size = session.connector.page_size(session.connector.values, kind)
        words = f"reading all {kind}, {size:,} a call; the service does not say how many there are"
        session.run.reporter.note(f"{session.name}: {words}")


def _following(session: Session, kind: Kind, reading: Reading) -> list[Kind]:
    """The kinds that are read as a whole after this one, at the first time or with `full`."""
    if reading.feed != "full" or kind not in session.kinds():
        return []
    known = {each: session.cursors.load(each, "delta", session.scope(each)).stamp for each in session.kinds()}
    full = known[kind] is not None and session.has_delta(kind)
    later = session.kinds()[session.kinds().index(kind) + 1 :]
    return [each for each in later if full or known[each] is None]


def _show_progress(session: Session, kind: Kind, reading: Reading) -> None:
    if session.connector.pages(session.connector.values, kind, reading.announced or 0) > 1:
        session.run.reporter.progress(f"{session.name} {kind}", reading.seen, reading.announced or 0)
