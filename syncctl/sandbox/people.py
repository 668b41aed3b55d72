"""Who buys at the invented homeware shop: the same people in every back office, by their e-mail addresses."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

FIRST = ("Jo", "Mia", "Tama", "Ana", "Zoë", "Liam", "Aroha", "Noah", "Siân", "Kai")
LAST = ("Example", "Sample", "Tester", "Müller", "O'Brien", "Ngata", "Smith", "Smithers")
TOWNS = {"Auckland": "1010", "Wellington": "6011", "Christchurch": "8011", "Dunedin": "9016", "Hamilton": "3204"}
"""Each with its post code."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who bought something."""

    first: str
    last: str
    email: str
    town: str


def people(count: int, seed: int) -> list[Person]:
    """So many people; the same seed gives the same ones, and more of them begin with the same."""
    random = Random(f"people {seed}")  # noqa: S311
    return [
        Person(random.choice(FIRST), random.choice(LAST), f"customer{number}@example.test", random.choice(list(TOWNS)))
        for number in range(1, count + 1)
    ]
