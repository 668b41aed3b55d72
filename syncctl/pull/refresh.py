"""Looks single products up again, for whatever reason: their age, a person who names them, a read that missed them.

What differs although the feed had not said so is drift. What a list does not show is asked for alone before it is
believed to be gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from syncctl.connectors._fields import differs_in_case
from syncctl.connectors.base import Found
from syncctl.errors import RefusedError
from syncctl.models import Kind, Problem, Product, Record, Stock
from syncctl.pull.guards import refuse_loss
from syncctl.session import Session
from syncctl.state.changelog import Look
from syncctl.state.mirror import Stored

_FEW = 10  # calls that need no announcement
_TOO_LONG = frozenset({400, 404, 414})  # how services refuse a list of ids that is too long


@dataclass(slots=True)
class _Lookup:
    """The look-ups of one kind within a command: how long a list may be, and what came of them.

    `call` is the last one; `changed` the products in which something differed; `absent` those that the service said
    of not to have when it was asked for them alone, each with the call.
    """

    session: Session
    kind: Kind
    rule: str
    batch: int
    call: int = 0
    changed: set[str] = field(default_factory=set)
    absent: dict[str, int] = field(default_factory=dict)

    def look(self) -> Look:
        """The circumstances of the last call; that stock is less after our own sale is no drift."""
        if self.rule == "sold":
            return self.session.look(self.call, self.rule)
        return self.session.look_again(self.kind, self.call, self.rule)


def sync_product(session: Session, skus: Iterable[str]) -> None:
    """Reads these products now: known ones in lists, an unknown one by a search for its SKU."""
    session.link_waiting()
    known: dict[str, str] = {}
    found: list[str] = []
    for sku in skus:
        remote_ids = session.gaps.by_sku(sku)
        if len(remote_ids) > 1:
            session.tally.report([_ambiguous(session, sku, remote_ids)])
        elif remote_ids:
            known[remote_ids[0]] = sku
        else:
            found += _search(session, sku)
    gone = verify(session, list(known), "manual", session.kinds())
    session.tally.report([_deleted(session, known[remote_id]) for remote_id in gone])
    verify(session, found, "manual", [kind for kind in session.kinds() if kind is Kind.STOCK])


def verify(session: Session, remote_ids: Sequence[str], rule: str, kinds: Sequence[Kind]) -> list[str]:
    """Looks these products up again, kind by kind, in lists as long as the service takes.

    Gives those that are gone. They are marked after all lists, so that a loss too large to be believed marks none.
    """
    lookups = {kind: _Lookup(session, kind, rule, session.connector.lookups[kind].batch) for kind in kinds}
    size = min((lookup.batch for lookup in lookups.values()), default=1)
    missing: list[str] = []
    for start in range(0, len(remote_ids) if kinds else 0, size):
        session.run.check()
        missing += _verify_some(lookups, list(remote_ids[start : start + size]))
        refuse_loss(session, len(missing), "no longer has", calls=len(missing))
    gone = _confirm(lookups[Kind.PRODUCTS], missing) if missing else []
    there = [remote_id for remote_id in missing if remote_id not in gone]
    if there:
        _stock(lookups, there)
    changed = set().union(*(lookup.changed for lookup in lookups.values()))
    session.tally.verified += len({*remote_ids} - {*gone} - changed) if kinds else 0
    return gone


def _verify_some(lookups: Mapping[Kind, _Lookup], remote_ids: list[str]) -> list[str]:
    """Stores what came of products and stock; gives the products that did not come."""
    missing = _look_up(lookups[Kind.PRODUCTS], remote_ids) if Kind.PRODUCTS in lookups else []
    there = [remote_id for remote_id in remote_ids if remote_id not in missing]
    if there:
        _stock(lookups, there)
    return missing


def _confirm(lookup: _Lookup, missing: list[str]) -> list[str]:
    """Asks for each alone, since a list may leave out what is there; marks those that are gone."""
    session, gone = lookup.session, []
    alone = len(set(missing) - lookup.absent.keys())
    if alone > _FEW:
        words = f"asking for each of {alone:,} products that no list shows, {session.lasting(alone)}"
        session.run.reporter.note(f"{session.name}: {words}")
    for number, remote_id in enumerate(missing):
        session.run.check()
        if alone > _FEW:
            session.run.reporter.progress(f"{session.name} asked for", number + 1, len(missing))
        if remote_id not in lookup.absent and not _look_up(lookup, [remote_id]):
            continue
        gone.append(remote_id)
        look = session.look(lookup.absent[remote_id], lookup.rule)
        with session.transaction():
            session.tally.gone += session.mirror.mark_gone([remote_id], look)
    return gone


def _stock(lookups: Mapping[Kind, _Lookup], remote_ids: list[str]) -> None:
    """Stores the stock; a product without a stock record has none."""
    lookup = lookups.get(Kind.STOCK)
    if lookup is None:
        return
    session = lookup.session
    without = _look_up(lookup, remote_ids)
    look = lookup.look()
    with session.transaction():
        emptied = session.mirror.mark_without_stock(without, look)
    session.tally.changed += len(emptied)
    session.tally.drifted += len(emptied) if look.drifted else 0
    lookup.changed.update(emptied)


def _look_up(lookup: _Lookup, remote_ids: list[str]) -> list[str]:
    """Looks up, stores, and gives the ids that did not come; a list refused as too long is halved."""
    missing: list[str] = []
    waiting = remote_ids
    while waiting:
        part = waiting[: lookup.batch]
        try:
            found = lookup.session.connector.lookup(lookup.kind, part)
        except RefusedError as error:
            if error.status not in _TOO_LONG or len(part) == 1:
                raise
            lookup.batch = (len(part) + 1) // 2
            continue
        waiting = waiting[len(part) :]
        lookup.call = found.call
        lookup.changed.update(_store(lookup, found).changed)
        missing += found.missing
        if len(part) == 1:
            lookup.absent |= dict.fromkeys(found.missing, found.call)
    return missing


def _store(lookup: _Lookup, found: Found) -> Stored:
    session, look = lookup.session, lookup.look()
    with session.transaction():
        stored = session.store(found.records, look)
        if Kind.STOCK in session.brought(lookup.kind)[1:]:
            session.mirror.mark_without_stock(without_stock(found.records), look)
    return stored


def confirm_customers(session: Session, remote_ids: Sequence[str], rule: str) -> None:
    """Asks for each customer alone; marks those that are gone. What comes of the others may lack their contacts."""
    for remote_id in remote_ids:
        session.run.check()
        found = session.connector.lookup(Kind.CUSTOMERS, [remote_id])
        look = session.look(found.call, rule)
        with session.transaction():
            if found.missing:
                session.tally.gone += session.customers.mark_gone([remote_id], look)
            else:
                session.customers.mark_seen(remote_id, look)


def without_stock(records: Iterable[Record | Problem]) -> list[str]:
    """The products whose stock should have come along and did not: they have none."""
    stocked = {record.remote_id for record in records if isinstance(record, Stock)}
    return [r.remote_id for r in records if isinstance(r, Product) and r.remote_id not in stocked]


def _search(session: Session, sku: str) -> list[str]:
    """One call for an SKU that the mirror does not know; the remote id of the one product that has it."""
    found, title = session.connector.find(sku), session.connector.title
    with session.transaction():
        session.store(found.records, session.look(found.call, "manual"))
    if found.missing:
        session.tally.report([differs_in_case(sku, other, title) for other in session.gaps.near_skus(sku)])
        remedy = "Check how it is written there; products that were deleted there cannot be read"
        session.tally.report([Problem(sku, f"{session.name} does not know this SKU", remedy)])
    same = [record.remote_id for record in found.records if isinstance(record, Product)]
    return same if len(same) == 1 else []


def _ambiguous(session: Session, sku: str, remote_ids: Sequence[str]) -> Problem:
    message = f"several products have this SKU in {session.name}: {', '.join(remote_ids)}"
    return Problem(sku, message, "Give each product its own SKU there")


def _deleted(session: Session, sku: str) -> Problem:
    remedy = "It is marked gone and no longer offered; it comes back by itself when it is there again"
    return Problem(sku, f"{session.name} no longer has this product", remedy)
