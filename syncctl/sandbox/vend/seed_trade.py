"""The invented shop's customers, and sales that went through the same code as the client's do."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from ..clock import Clock
from ..people import TOWNS, Person, people
from ..wire import Number
from .customers import Customers
from .inventory import Inventory
from .sale_form import SaleForm
from .sales import Sales
from .setup import KINDS, NO_TAX, WALK_IN, fixed_id

if TYPE_CHECKING:
    from ..wire import JsonObject
    from .account import Account

DAY = 86_400
SALES = 20
_STATES: tuple[tuple[str, list[str]], ...] = (
    *((("closed", list[str]()),) * 3),
    ("pending", ["onaccount"]),
    ("pending", ["delivery"]),
    ("parked", []),
    ("voided", []),
)
_USER, _CARD, _TILLS = fixed_id(41), fixed_id(32), (fixed_id(11), fixed_id(12))


def seed_trade(account: Account, products: int, seed: int) -> None:
    """The walk-in customer, about fifty more, and a few sales when there is anything to sell."""
    random = Random(f"vend trade {seed}")  # noqa: S311
    persons = people(50 + products // 1000, seed)
    customers = [_walk_in(), *(_customer(number, each, random) for number, each in enumerate(persons)), *_odd(random)]
    for given in customers:
        past = _past(account, 1 + random.random() * 364)
        shelf = Customers(past)
        shelf.change(shelf.made(given))
    live = [each for each in customers[1:] if not each.get("deleted_at")]
    for _ in range(SALES if products else 0):
        _sell(_past(account, 1 + random.random() * 60), random.choice(live), random)


def _past(account: Account, days: float) -> Account:
    """The account as it was so many days ago, as far as stamps are concerned."""
    return replace(account, clock=Clock(account.clock.offset - days * DAY))


def _id(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def _walk_in() -> JsonObject:
    """Whom sales of nobody in particular belong to in the oldest shapes."""
    return {"id": WALK_IN, "customer_code": "WALKIN", "first_name": "Walk", "last_name": "In", "enable_loyalty": False}


def _customer(number: int, person: Person, random: Random) -> JsonObject:
    """Every ninth e-mail address is spelled with capitals."""
    return {
        "id": _id(random),
        "first_name": person.first,
        "last_name": person.last,
        "email": person.email.title() if number % 9 == 4 else person.email,
        "physical_address_1": f"{random.randrange(1, 200)} Test St",
        "physical_city": person.town,
        "physical_postcode": TOWNS[person.town],
        "physical_country_id": "NZ",
    }


def _odd(random: Random) -> list[JsonObject]:
    """Two that share an e-mail address, one without name or address, and one deleted."""
    shared = {"first_name": "Sam", "last_name": "Shared", "email": "family@example.test"}
    nobody = {"id": _id(random), "first_name": None, "last_name": None, "customer_code": "UNNAMED-669D"}
    gone = {"first_name": "Gone", "last_name": "Away", "email": "gone@example.test", "deleted_at": _GONE}
    return [{"id": _id(random), **shared}, {"id": _id(random), **shared}, nobody, {"id": _id(random), **gone}]


_GONE = "2026-02-01T08:00:00+00:00"


def _sell(past: Account, customer: JsonObject, random: Random) -> None:
    state, attributes = random.choice(_STATES)
    product = _product(past, random)
    cents, quantity, key = random.randrange(100, 10_000, 20), random.randrange(1, 6), _id(random)
    tax = KINDS["taxes"][0]["id"] if random.random() < 0.9 else NO_TAX
    tax_cents = 0 if tax == NO_TAX else cents * 15 // 100
    line = {
        "id": _id(random),
        "product": {"id": product},
        "quantity": Number(quantity),
        "pricing": {"price": _money(cents)},
        "tax": {"id": tax, "amount": _money(tax_cents)},
        "_metadata": {"is_price_override": True},
    }
    paid = _money((cents + tax_cents) * quantity)
    posted = {
        "state": state,
        "attributes": attributes,
        "customer_id": customer["id"],
        "source": {"author_id": _USER, "register_id": random.choice(_TILLS)},
        "line_items": [line],
        "payments": [{"id": _id(random), "type": {"config_id": _CARD}, "amount": paid}] if state == "closed" else [],
    }
    Sales(past, Inventory(past)).place(SaleForm(past).filled(posted, key, None))


def _product(past: Account, random: Random) -> str:
    while (row := past.products.nth(random.randrange(past.products.size())))["hidden"]:
        pass
    return str(row["id"])


def _money(cents: int) -> Number:
    return Number(f"{cents // 100}.{cents % 100:02d}")
