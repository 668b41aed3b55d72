"""Which of the assortment are variants of which family (x-series-api.lightspeedhq.com/docs/products_variants).

Mugs: the first of each family is the parent and is sold as well. Bowls: the parent is a record of its
own that nobody sells. Everything else is simple.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..assortment import NOUNS, code_and_name

MEMBERS = 40
"""Variants of one family; the vendor allows 200."""
_SOLD_PARENT, _UNSOLD_PARENT = 0, 1
"""The nouns that come in families, by their place in the assortment."""
OPTIONS = ("Colour", "Size", "Edition")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: what it is called in the shop, and the keys of its family and parent."""

    key: str
    sku: str
    name: str
    variant_name: str
    options: tuple[str, ...] = ()
    family: str = ""
    parent: str | None = None
    has_variants: bool = False
    sold: bool = True


def places(products: int) -> Iterator[Place]:
    """Every record of a catalogue of so many products: parents that are not sold come on top."""
    for number in range(products):
        noun, variant = number % len(NOUNS), number // len(NOUNS)
        if noun == _UNSOLD_PARENT and variant % MEMBERS == 0:
            yield _unsold(number, variant // MEMBERS)
        if noun in (_SOLD_PARENT, _UNSOLD_PARENT):
            yield _variant(number, noun, products)
        else:
            code, name, _ = code_and_name(number)
            yield Place(code, code, name, name)


def _family(noun: int, block: int) -> str:
    name = code_and_name(noun)[1]
    return name if block == 0 else f"{name}, range {block + 1}"


def _unsold(number: int, block: int) -> Place:
    family = _family(_UNSOLD_PARENT, block)
    sku = str(10_000 + number)  # from the shop's SKU sequence, as the vendor does without one
    return Place(f"parent {family}", sku, family, family, family=family, has_variants=True, sold=False)


def _variant(number: int, noun: int, products: int) -> Place:
    code, variant = code_and_name(number)[0], number // len(NOUNS)
    block, first = variant // MEMBERS, number - variant % MEMBERS * len(NOUNS)
    family = _family(noun, block)
    own_parent = noun == _SOLD_PARENT and number == first
    parent = code_and_name(first)[0] if noun == _SOLD_PARENT else f"parent {family}"
    options = tuple(code.split("-")[1:])
    return Place(
        key=code,
        sku=code,
        name=family,
        variant_name=" / ".join((family, *(each.capitalize() for each in options))),
        options=options,
        family=family,
        parent=None if own_parent else parent,
        has_variants=own_parent and first + len(NOUNS) < products,
    )
