"""What a dry run announces, next to the calls that the run then spends."""

from __future__ import annotations

import re

import pytest
from offices import Office
from posting import Json, customer, line, moment, order, place

LINKED: list[tuple[str, dict[str, str]]] = [
    ("unleashed", {}),
    ("unleashed", {"STATUS": "Completed"}),
    ("unleashed", {"WAREHOUSE": ""}),
    ("unleashed", {"GUEST": "C-1"}),
    ("vend", {}),
    ("vend", {"STATUS": "ONACCOUNT"}),
    ("xero", {}),
    ("xero", {"CONTACT": "link-only"}),
    ("xero", {"PAYMENTS": ""}),
]


def announced(office: Office, *args: str) -> Json:
    """What the dry run says, which makes no call."""
    before = office.upstream.calls()
    told = office.shop.run(*args, "--dry-run", "--json").only()
    assert office.upstream.calls() == before
    return told


def spent(office: Office, *args: str) -> int:
    calls: int = office.shop.run(*args, "--json").only()["calls"]
    return calls


def of_known(office: Office, *numbers: str, **more: str) -> None:
    """Orders of a customer whom both sides know, paid by card in two parts."""
    who = office.shop.value("SELECT id FROM customers WHERE code = 'C-1'")
    parts = [{"method": "card", "amount": "5.75"}] * 2
    entered = {"code": "C-1", "email": "c@shop.test", "name": "Ann Lee"}
    made = (order(number, line("PLATE"), customer=entered, customer_id=who, payments=parts) for number in numbers)
    place(office.shop, *(each | more for each in made))


@pytest.fixture
def linked(office: Office) -> Office:
    """A shop that has sold to its customer before, and has read everything since."""
    customer(office.shop, code="C-1", email="c@shop.test")
    of_known(office, "before")
    assert office.run().only()["posted"] == 1
    office.read()
    office.shop.extra["SYNCCTL_READ_SOLD"] = "no"  # what is read again afterwards is no part of posting
    return office


@pytest.mark.parametrize(("office", "settings"), LINKED, indirect=["office"], ids=str)
def test_with_everything_linked_the_calls_are_told_exactly(linked: Office, settings: dict[str, str]) -> None:
    linked.shop.extra |= linked.settings(**settings)
    of_known(linked, "1", "2", "3")
    told = announced(linked, "post-invoices")
    assert told["minimum"] == told["expected"] == spent(linked, "post-invoices")
    assert set(linked.arrived()) == {"before", "1", "2", "3"}


@pytest.mark.parametrize(
    ("office", "settings"),
    [("unleashed", {"STATUS": "Completed"}), ("vend", {}), ("xero", {})],
    indirect=["office"],
    ids=str,
)
def test_orders_that_are_looked_for_first_cost_the_look(linked: Office, settings: dict[str, str]) -> None:
    of_known(linked, "1", "2", placed_at=moment(days=2))
    linked.shop.extra |= linked.settings(POST_SINCE=moment(days=5)[:10], **settings)
    told = announced(linked, "post-invoices")
    assert told["minimum"] == told["expected"] == spent(linked, "post-invoices")
    assert set(linked.arrived()) == {"before", "1", "2"}


@pytest.mark.parametrize(
    ("args", "posted"),
    [
        (("post-invoices", "--order", "2"), 1),
        (("post-invoices", "--limit", "2"), 2),
        (("post-invoices",), 0),
        (("post-invoices", "--yes-all"), 51),
        (("retry-queue",), 0),
    ],
    ids=str,
)
def test_what_would_not_be_posted_is_not_announced(linked: Office, args: tuple[str, ...], posted: int) -> None:
    """Only so many, only that one; none where so many need a word from a person, or where none are queued."""
    of_known(linked, *(str(number) for number in range(51)))
    told = announced(linked, *args)
    assert told["minimum"] == told["expected"] == spent(linked, *args)
    assert len(linked.arrived()) == 1 + posted


@pytest.mark.parametrize("office", ["unleashed"], indirect=True)
@pytest.mark.parametrize(("args", "posted"), [(("--order", "1"), 1), (("--yes-all",), 2)], ids=str)
def test_orders_that_were_too_old_are_announced_once_they_are_wanted(
    linked: Office, args: tuple[str, ...], posted: int
) -> None:
    of_known(linked, "1", "2", placed_at=moment(days=9))
    assert spent(linked, "post-invoices") == 0
    if "--yes-all" in args:
        linked.shop.extra |= linked.settings(POST_SINCE=moment(days=20)[:10])
    told = announced(linked, "post-invoices", *args)
    assert told["minimum"] == told["expected"] == spent(linked, "post-invoices", *args)
    assert len(linked.arrived()) == 1 + posted


@pytest.mark.parametrize("roles", ["products,stock,customers,invoices", "invoices"])
def test_with_what_is_unknown_the_most_is_told(linked: Office, roles: str) -> None:
    linked.shop.extra |= linked.settings(ROLES=roles)
    for number in ("1", "2", "3"):
        entered = {"code": f"N-{number}", "email": f"{number}@shop.test", "name": f"Jo {number}"}
        new = line(f"NEW-{number}", price="10.00")
        place(linked.shop, order(number, new, customer=entered, customer_id=customer(linked.shop, code=f"N-{number}")))
    told = announced(linked, "post-invoices")
    assert told["minimum"] < spent(linked, "post-invoices") <= told["expected"]
    assert len(linked.arrived()) == 4


def test_a_pull_costs_what_was_announced_within_a_page(office: Office) -> None:
    for args in (("sync-recent",), ("sync-recent", "--full"), ("sync-customers",), ("sync-customers", "--full")):
        told = announced(office, *args)
        assert abs(told["expected"] - spent(office, *args)) <= 1


@pytest.mark.parametrize(("office", "settings"), LINKED, indirect=["office"], ids=str)
def test_people_are_told_what_each_call_is_for(linked: Office, settings: dict[str, str]) -> None:
    linked.shop.extra |= linked.settings(**settings)
    of_known(linked, "1", "2", "3")
    all_, *parts = map(int, re.findall(r"(\d+) (?:calls?|for|to)\b", linked.shop.run("post-invoices", "--dry-run").out))
    assert all_ == sum(parts)


def test_people_are_told_the_most_that_it_can_be(office: Office) -> None:
    """Also where the customer's name is taken, as here in Xero."""
    new, held = order("1", line("PLATE"), line("NEW-1"), total="23.00"), order("2", line(rate="0.2"), total="12.00")
    place(office.shop, new, held)
    told = office.shop.run("post-invoices", "--dry-run").out
    (most,) = re.findall(r"at most (\d+) calls", told)
    assert spent(office, "post-invoices") <= int(most)
