"""The shop's own list of products, as JSON Lines or CSV: every line becomes a product or a problem with its number.

Nothing is guessed. Of lines that share a SKU none is taken, a key that is not known is a problem, and so is a price
that is not plain digits with a dot. Names may have any length; control characters in them become spaces.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO, Literal, NoReturn, TypeAlias

from syncctl.models import Problem

Form = Literal["jsonl", "csv"]
Field: TypeAlias = str | bool | Decimal | None
COLUMNS = ("sku", "name", "barcode", "price", "price_includes_tax", "currency")

_PRICE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+")  # what a spreadsheet makes of a long number
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class ShopProduct:
    """A product of the list. `fields` has only the columns that its line tells; the others keep what is stored."""

    line: int
    sku: str
    fields: Mapping[str, Field]


Item: TypeAlias = ShopProduct | Problem


class _Bad(Exception):
    """A line that cannot be used: why, and what to do."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class _Number(str):
    """A JSON number as it was written, so that no digit of a price is lost."""

    __slots__ = ()


def read(name: str, file: BinaryIO) -> Iterator[Item]:
    """The lines of a file whose form its content or its name tells."""
    stream = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    start = list(itertools.islice(stream, 1))
    while start and not start[-1].strip() and (more := next(stream, "")):
        start.append(more)
    yield from parse(itertools.chain(start, stream), guess_form(name, start[-1] if start else ""))
    stream.detach()


def guess_form(name: str, first_line: str) -> Form:
    """JSON Lines where the first line that is not blank begins like JSON, or the name says so; else CSV."""
    start = first_line.removeprefix("\ufeff").lstrip()[:1]
    if start in {"{", "["}:
        return "jsonl"
    return "jsonl" if not start and name.lower().endswith((".jsonl", ".ndjson", ".json")) else "csv"


def parse(stream: Iterable[str], form: Form) -> Iterator[Item]:
    """Each product and each problem, in the order of the lines.

    `stream` gives physical lines with their ends; bytes that are not UTF-8 stand in it as surrogates, as the error
    handler `surrogateescape` leaves them.
    """
    lines = _without_mark(stream)
    items = list(_json_items(lines) if form == "jsonl" else _csv_items(lines))
    if not items and form == "jsonl":
        yield Problem("line 1", "There is nothing in the list", "Look at the program that wrote it")
    yield from _without_twins(items)
