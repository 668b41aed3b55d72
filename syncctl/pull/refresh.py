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


def sync_product(session: Session, skus: Sequence[str]) -> None:
    """Reads these products now: known ones in lists, others by a search for their SKU.

    Several products of one SKU are all read again, since a person may have mended one, and are told of if they are
    still several. No list but a search shows them where they do not fit into one: it does so in one call.
    """
    session.link_waiting()
    listed: dict[str, str] = {}
    stock: list[str] = []
    for sku in skus:
        remote_ids = session.gaps.by_sku(sku)
        if 0 < len(remote_ids) <= session.connector.lookups[Kind.PRODUCTS].batch:
            listed |= dict.fromkeys(remote_ids, sku)
        else:
            stock += _search(session, sku, remote_ids)
    gone = verify(session, list(listed), "manual", session.kinds())
    lost = [sku for sku in dict.fromkeys(listed[remote_id] for remote_id in gone) if not session.gaps.by_sku(sku)]
    session.tally.report([_deleted(session, sku) for sku in lost])
    session.link([remote_id for sku in skus for remote_id in session.gaps.by_sku(sku)])
    verify(session, stock, "manual", [kind for kind in session.kinds() if kind is Kind.STOCK])


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


def _search(session: Session, sku: str, known: Sequence[str]) -> list[str]:
    """One call for all products of an SKU, then those that were known by it and are not among them.

    Gives the remote id whose stock is still to be read: none where calls went to the latter, so that 2 are enough.
    """
    found = session.connector.find(sku)
    same = [record.remote_id for record in found.records if isinstance(record, Product)]
    others = [remote_id for remote_id in known if remote_id not in same]
    verify(session, others, "manual", [Kind.PRODUCTS])
    if found.missing:
        session.tally.report([_unknown(session, sku, found)])
    else:
        with session.transaction():
            session.store(found.records, session.look(found.call, "manual"))
    if others:
        return []
    return same if len(same) == 1 else session.gaps.linked(sku)


def _unknown(session: Session, sku: str, found: Found) -> Problem:
    """That the service does not know an SKU; with those that differ only in case, by its answer or by the mirror."""
    message, near = f"{session.name} does not know this SKU", session.gaps.near_skus(sku)
    told = [record for record in found.records if isinstance(record, Problem)]
    if near and not told:
        told = [differs_in_case(sku, near, session.connector.title)]
    if told:
        return told[0].changed(message=f"{message}; {told[0].message}")
    remedy = "Check how it is written there; products that were deleted there cannot be read"
    return Problem(sku, message, remedy)


def _deleted(session: Session, sku: str) -> Problem:
    remedy = "It is marked gone and no longer offered; it comes back by itself when it is there again"
    return Problem(sku, f"{session.name} no longer has this product", remedy)
