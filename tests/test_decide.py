"""Whether an order may be sent: the table of cases. Nothing else in syncctl decides that."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncctl.decide import Adopt, Decision, Expected, Hold, Later, Look, Post, Situation, decide
from syncctl.models_push import Seen, guid_of, reference_of

OURS = Expected("shop-1001", Decimal("50.03"), "NZD", "customer-7")
THERE = Seen("so-1", "shop-1001", live=True, total=Decimal("50.0300"), currency="NZD", customer="CUSTOMER-7")
NOW = 1_000_000
FIRST = Situation(NOW)
UNSURE = Situation(NOW, unsure=True)
LOOKED = Situation(NOW, unsure=True, looked=True)
UNSETTLED = LOOKED.changed(settled_at=NOW + 1)
SETTLED = LOOKED.changed(settled_at=NOW)


def outcome(decision: Decision) -> str:
    """The decision in a word, of a hold its cause."""
    return decision.cause if isinstance(decision, Hold) else type(decision).__name__.lower()


@pytest.mark.parametrize(
    ("case", "seen", "situation", "decided"),
    [
        ("never sent", None, FIRST, "post"),
        ("its answer was lost", None, UNSURE, "look"),
        ("it was lost a moment ago, and nothing is there", None, UNSETTLED, "later"),
        ("it was lost long ago, and nothing is there", None, SETTLED, "post"),
        ("placed before the state was born, and nothing is there", None, LOOKED, "post"),
        ("it is there as it was sent", THERE, UNSETTLED, "adopt"),
        ("it is there as it was sent, long ago", THERE, SETTLED, "adopt"),
        ("a first post finds it", THERE, FIRST, "adopt"),
        ("the service does not tell more than the id", Seen("so-1"), LOOKED, "adopt"),
        ("another total", THERE.changed(total=Decimal("50.04")), LOOKED, "number-taken"),
        ("another currency", THERE.changed(currency="AUD"), LOOKED, "number-taken"),
        ("another customer", THERE.changed(customer="customer-8"), LOOKED, "number-taken"),
        ("our guid under another reference", THERE.changed(reference="web-1001"), LOOKED, "number-taken"),
        ("another shop's order of that number", THERE.changed(reference="shop2-1001"), LOOKED, "number-taken"),
        ("voided", THERE.changed(live=False), LOOKED, "cancelled-there"),
        ("archived", THERE.changed(live=False, archived=True), LOOKED, "archived-contact"),
        ("voided, and another total", THERE.changed(live=False, total=Decimal(1)), LOOKED, "cancelled-there"),
        ("an order of no value", THERE.changed(total=Decimal(0)), LOOKED, "number-taken"),
    ],
)
def test_the_table_of_cases(case: str, seen: Seen | None, situation: Situation, decided: str) -> None:
    assert outcome(decide(seen, OURS, situation)) == decided, case


def test_what_is_adopted_is_what_was_found() -> None:
    assert decide(THERE, OURS, LOOKED) == Adopt("so-1")


def test_later_tells_when() -> None:
    assert decide(None, OURS, UNSETTLED) == Later(NOW + 1)


def test_a_post_needs_no_look_where_nothing_speaks_for_one() -> None:
    assert (decide(None, OURS, FIRST), decide(None, OURS, UNSURE)) == (Post(), Look())


def test_a_hold_tells_both_sides_and_what_to_do() -> None:
    held = decide(THERE.changed(total=Decimal("9.5"), currency="AUD"), OURS, LOOKED)
    assert isinstance(held, Hold)
    assert "9.50 and not 50.03" in held.message
    assert "AUD and not NZD" in held.message
    assert held.remedy


def test_what_is_not_known_is_not_compared() -> None:
    blind = Expected("shop-1001")
    assert isinstance(decide(THERE, blind, LOOKED), Adopt)
    assert isinstance(decide(THERE.changed(total=None), OURS, LOOKED), Adopt)


def test_two_shops_with_the_same_numbers_meet_nowhere() -> None:
    assert reference_of("north", "1001") != reference_of("south", "1001")
    assert guid_of("north", "orders", "1001") != guid_of("south", "orders", "1001")
    assert guid_of("north", "orders", "1001") != guid_of("north", "customers", "1001")
    assert guid_of("north", "orders", "1001") == guid_of("north", "orders", "1001")
