"""Looks single products up again: those looked at longest ago, or the ones that a person names.

What differs although the feed had not said so is drift. What a list does not show is asked for alone before it is
believed to be gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncctl.connectors.base import Found
from syncctl.errors import LossError, RefusedError
from syncctl.models import Kind, Problem, Product
from syncctl.session import Session
from syncctl.state.mirror import Look, Stored

MOST_LOSS = 0.2  # of the products at once
_TOO_LONG = frozenset({400, 404, 414})  # how services refuse a list of ids that is too long


@dataclass(slots=True)
class _Lookup:
    """The look-ups of one kind within a command: how long a list may be, and which call was the last."""

    session: Session
    kind: Kind
    rule: str
    batch: int
    call: int = 0

    def look(self) -> Look:
        """The circumstances of the last call; a difference that the feed should have brought is drift."""
        session = self.session
        stamp = session.cursors.load(self.kind, "delta", session.connector.scope(self.kind)).stamp
        if stamp is None:
            return session.look(self.call, self.rule)
        drifted = lambda kind, record: not session.connector.announced(kind, record.version, stamp)  # noqa: E731
        return session.look(self.call, self.rule, drifted)


def sync_oldest(session: Session, limit: int) -> None:
    """Verifies the products looked at longest ago: `limit` of them, and what fits into the same calls."""
    session.link_waiting()
    kinds = session.kinds()
    if Kind.PRODUCTS in kinds:
        batch = session.connector.lookups[Kind.PRODUCTS].batch
        verify(session, session.gaps.oldest(-(-limit // batch) * batch), "oldest", kinds)


def sync_product(session: Session, skus: Iterable[str]) -> None:
    """Reads these products now: known ones in lists, an unknown one by a search for its SKU."""
    session.link_waiting()
    known: list[str] = []
    found: list[str] = []
    for sku in skus:
        remote_ids = session.gaps.by_sku(sku)
        if len(remote_ids) > 1:
            session.tally.report([_ambiguous(session, sku, remote_ids)])
        elif remote_ids:
            known += remote_ids
        else:
            found += _search(session, sku)
    verify(session, known, "manual", session.kinds())
    verify(session, found, "manual", [kind for kind in session.kinds() if kind is Kind.STOCK])


def verify(session: Session, remote_ids: Sequence[str], rule: str, kinds: Sequence[Kind]) -> None:
    """Looks these products up again, kind by kind, in lists as long as the service takes."""
    lookups = {kind: _Lookup(session, kind, rule, session.connector.lookups[kind].batch) for kind in kinds}
    size = min((lookup.batch for lookup in lookups.values()), default=1)
    for start in range(0, len(remote_ids) if kinds else 0, size):
        session.run.check()
        chunk = list(remote_ids[start : start + size])
        changed: set[str] = set()
        gone = _products(lookups[Kind.PRODUCTS], chunk, changed) if Kind.PRODUCTS in lookups else []
        there = [remote_id for remote_id in chunk if remote_id not in gone]
        if Kind.STOCK in lookups and there:
            _stock(lookups[Kind.STOCK], there, changed)
        session.tally.verified += len(set(there) - changed)


def _products(lookup: _Lookup, remote_ids: list[str], changed: set[str]) -> list[str]:
    """Stores the products that are there; gives the ids that are gone for certain, and marks them."""
    session = lookup.session
    suspected = _look_up(lookup, remote_ids, changed)
    refuse_loss(session, session.tally.gone + len(suspected), "no longer has")
    gone = []
    for remote_id in suspected:
        if len(remote_ids) > 1 and not _look_up(lookup, [remote_id], changed):
            continue  # the list had left out what is there
        gone.append(remote_id)
        with session.database.transaction():
            session.tally.gone += session.mirror.mark_gone([remote_id], lookup.look())
    return gone


def _stock(lookup: _Lookup, remote_ids: list[str], changed: set[str]) -> None:
    """Stores the stock; a product without a stock record has none."""
    session = lookup.session
    without = _look_up(lookup, remote_ids, changed)
    with session.database.transaction():
        emptied = session.mirror.mark_without_stock(without, lookup.look())
    session.tally.changed += len(emptied)
    changed.update(emptied)


def _look_up(lookup: _Lookup, remote_ids: list[str], changed: set[str]) -> list[str]:
    """Looks up, stores, and gives the ids that did not come; a list refused as too long is halved."""
    missing: list[str] = []
    waiting = [remote_ids[i : i + lookup.batch] for i in range(0, len(remote_ids), lookup.batch)]
    while waiting:
        part = waiting.pop(0)
        try:
            found = lookup.session.connector.lookup(lookup.kind, part)
        except RefusedError as error:
            if error.status not in _TOO_LONG or len(part) == 1:
                raise
            lookup.batch = half = (len(part) + 1) // 2
            waiting[:0] = [part[:half], part[half:]]
            continue
        lookup.call = found.call
        changed.update(_store(lookup, found).changed)
        missing += found.missing
    return missing


def _store(lookup: _Lookup, found: Found) -> Stored:
    session = lookup.session
    with session.database.transaction():
        stored = session.store(found.records, lookup.look())
    session.tally.drifted += sum(rule == "drift" for rule in stored.changed.values())
    return stored


def _search(session: Session, sku: str) -> list[str]:
    """One call for an SKU that the mirror does not know; the remote id of the one product that has it."""
    found = session.connector.find(sku)
    with session.database.transaction():
        session.store(found.records, session.look(found.call, "manual"))
    if found.missing:
        remedy = "Check how it is written there; products that were deleted there cannot be read"
        session.tally.report([Problem(sku, f"{session.name} does not know this SKU", remedy)])
    same = [record.remote_id for record in found.records if isinstance(record, Product)]
    return same if len(same) == 1 else []


def refuse_loss(session: Session, lost: int, verb: str) -> None:
    """Stops before too much is marked gone at once. Raises `LossError`."""
    known = session.gaps.live() + session.tally.gone if lost else 0
    if lost > MOST_LOSS * known and not session.accept_loss:
        raise LossError(
            f"The service {verb} {lost} of {known} products, so nothing was marked",
            "Look at the products there; if it is right, run the command again with --accept-loss",
        )


def _ambiguous(session: Session, sku: str, remote_ids: Sequence[str]) -> Problem:
    message = f"several products have this SKU in {session.name}: {', '.join(remote_ids)}"
    return Problem(sku, message, "Give each product its own SKU there")
