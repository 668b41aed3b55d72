"""State and attributes of a sale (x-series-api.lightspeedhq.com/docs/sales_states_and_attributes).

What a state may follow is told by /docs/sales_statuses: a voided sale is final, a closed one may
only be voided. That the same state again is let through is the sandbox's own reading, as is that
nothing but a pending or closed sale has attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .answers import Refused, bad_request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..wire import JsonObject

PARKED, PENDING, CLOSED, VOIDED = STATES = ("parked", "pending", "closed", "voided")
ONACCOUNT = "onaccount"
_ALONE = {PARKED: "SAVED", PENDING: "OPEN", CLOSED: "CLOSED", VOIDED: "VOIDED"}
_STATUSES = {
    ONACCOUNT: {PENDING: "ONACCOUNT", CLOSED: "ONACCOUNT_CLOSED"},
    "layby": {PENDING: "LAYBY", CLOSED: "LAYBY_CLOSED"},
    "delivery": {PENDING: "AWAITING_DISPATCH", CLOSED: "DISPATCHED_CLOSED"},
    "pickup": {PENDING: "AWAITING_PICKUP", CLOSED: "PICKED_UP_CLOSED"},
    "service": {PENDING: "SERVICE", CLOSED: "SERVICE_CLOSED"},
}
_EXCLUSIVE = ({ONACCOUNT, "layby"}, {"pickup", "delivery"})


def check_state(state: Any, attributes: Any) -> None:
    """Refuse with 400 what is no state or attribute, with 422 what does not go together."""
    if state not in STATES:
        raise bad_request(f"state must be one of: {', '.join(STATES)}")
    if not isinstance(attributes, list) or any(each not in list(_STATUSES) for each in attributes):
        raise bad_request(f"attributes must be a list of: {', '.join(_STATUSES)}")
    if state == PARKED and attributes:
        raise Refused(422, f"A sale that is {state} has no attributes")
    for pair in _EXCLUSIVE:
        if pair <= set(attributes):
            raise Refused(422, f"attributes cannot be both {' and '.join(sorted(pair))}")


def check_transition(before: JsonObject, state: str) -> None:
    """Refuse with 422 to change a sale that is voided, or a closed one but to void it."""
    was = before["state"]
    if was == VOIDED or (was == CLOSED and state not in {CLOSED, VOIDED}):
        raise Refused(422, f"A sale that is {was} cannot become {state}")


def status(state: str, attributes: Sequence[str]) -> str:
    """The one word that older versions have for state and attributes; of several the first in the table counts."""
    words = (by_state[state] for name, by_state in _STATUSES.items() if name in attributes and state in by_state)
    return next(words, _ALONE.get(state, ""))


def states_of(word: str) -> tuple[str, list[str]] | None:
    """State and attributes that an old status stands for, or None when there is no such status."""
    alone = {name: (state, list[str]()) for state, name in _ALONE.items()}
    others = {name: (state, [each]) for each, by_state in _STATUSES.items() for state, name in by_state.items()}
    return (alone | others).get(word)


def takes_stock(sale: JsonObject) -> bool:
    """Whether its products have left the shop: CLOSED and ONACCOUNT reduce inventory."""
    return sale["state"] == CLOSED or (sale["state"] == PENDING and ONACCOUNT in sale["attributes"])
