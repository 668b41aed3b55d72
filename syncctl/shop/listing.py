"""A list of the shop's own records, as JSON Lines or CSV: every line becomes a record or problems with its number.

Nothing is guessed: of lines that share a key none is taken, and a key or column that is not known is a problem.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Generic, Literal, Protocol, TypeAlias, TypeVar

from syncctl.models import Problem
from syncctl.shop.fields import SURROGATE, BadLineError, flat, json_object, not_utf8, refuse_unknown

Form = Literal["jsonl", "csv"]
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}  # as spreadsheets write them in much of Europe
Key: TypeAlias = tuple[str, str]  # what it is and its value, as ("SKU", "A-1")
Cells: TypeAlias = Mapping[str, object]


class Entry(Protocol):
    """A record of a list. Its first key is what it is found by; by the others it may be meant, too."""

    @property
    def line(self) -> int:
        """The number of its first physical line."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """Its own key, and others that no line may have as its own."""


EntryT = TypeVar("EntryT", bound=Entry)


@dataclass(frozen=True, slots=True)
class Listing(Generic[EntryT]):
    """What a list is of: the check of a line, which raises `BadLineError`s, and the columns that it has as CSV.

    Of `key_columns` a header line must have one. Without columns the list comes as JSON Lines only.
    """

    check: Callable[[int, Cells], EntryT]
    example: str
    columns: tuple[str, ...] = ()
    key_columns: tuple[str, ...] = ()
    from_cells: Callable[[Cells], Cells] = dict


def read(name: str, file: BinaryIO, listing: Listing[EntryT]) -> Iterator[EntryT | Problem]:
    """The records and problems of a file whose form its content or its name tells; leaves the file open."""
    stream = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        start = []
        for line in stream:
            start.append(line)
            if line.strip():
                break
        form = guess_form(name, "".join(start)) if listing.columns else "jsonl"
        yield from parse(itertools.chain(start, stream), form, listing)
    finally:
        stream.detach()


def guess_form(name: str, start: str) -> Form:
    """JSON Lines where the text begins like JSON, or else the name says so; CSV otherwise."""
    if start.removeprefix("\ufeff").lstrip()[:1] in {"{", "["}:
        return "jsonl"
    return "jsonl" if name.lower().endswith((".jsonl", ".ndjson", ".json")) else "csv"


def parse(stream: Iterable[str], form: Form, listing: Listing[EntryT]) -> Iterator[EntryT | Problem]:
    """Each record and each problem, in the order of the lines.

    `stream` gives physical lines with their ends. A byte that is not UTF-8 stands in it as the surrogate that the
    error handler `surrogateescape` leaves, so that it costs its own line only.
    """
    lines = _without_mark(stream)
    return _without_twins(list(_json_items(lines, listing) if form == "jsonl" else _csv_items(lines, listing)))


def clash(entry: Entry, stored: str) -> Problem:
    """The problem of a record whose key differs only in case from one that is stored."""
    what, key = entry.keys[0]
    return Problem(
        f"line {entry.line}",
        f"{what} {key!r} differs only in case from {stored!r}, which the shop has",
        "Write it as the shop does, or rename one of the two",
    )


def _without_mark(stream: Iterable[str]) -> Iterator[str]:
    """The lines without the byte order mark that some programs begin a file with."""
    lines = iter(stream)
    for first in lines:
        yield first.removeprefix("\ufeff")
        yield from lines


def _without_twins(items: list[EntryT | Problem]) -> Iterator[EntryT | Problem]:
    """Problems instead of all records that share a key: nobody knows which of them is meant."""
    seen: defaultdict[Key, list[EntryT]] = defaultdict(list)
    for item in items:
        if not isinstance(item, Problem):
            for key in item.keys:
                seen[_folded(key)].append(item)
    for item in items:
        twins = [] if isinstance(item, Problem) else seen[_folded(item.keys[0])]
        yield item if isinstance(item, Problem) or len(twins) == 1 else _twin(item, twins)


def _folded(key: Key) -> Key:
    what, value = key
    return what, value.lower()


def _twin(entry: EntryT, twins: list[EntryT]) -> Problem:
    what, key = entry.keys[0]
    other = next(twin for twin in twins if twin is not entry)
    others = next(value for name, value in other.keys if name == what)
    how = "stands also in" if others == key else f"differs only in case from {others!r} in"
    return Problem(f"line {entry.line}", f"{what} {key!r} {how} line {other.line}", "Keep one of the two")


def _json_items(lines: Iterator[str], listing: Listing[EntryT]) -> Iterator[EntryT | Problem]:
    filled = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    for at, (number, line) in enumerate(filled):
        if at == 0 and line.lstrip().startswith("["):
            yield Problem(f"line {number}", "A JSON array begins here", "Write one object a line, as jq -c '.[]' does")
            return
        yield from _items(number, partial(json_object, line, listing.example), listing)


def _csv_items(lines: Iterator[str], listing: Listing[EntryT]) -> Iterator[EntryT | Problem]:
    rows = ((number, row) for number, row in _rows(lines) if isinstance(row, Problem) or any(map(str.strip, row)))
    number, header = next(rows, (1, None))
    if header is None:
        return
    try:
        columns = _columns(header, listing) if isinstance(header, list) else []
    except BadLineError as error:
        header = _problem(number, error)
    if isinstance(header, Problem):
        yield header
        return
    try:
        refuse_unknown(columns, listing.columns, "column")
    except BadLineError as error:
        error.remedy += "; with --skip-bad the lines are stored without it"
        yield _problem(number, error)
    for number, row in rows:
        if isinstance(row, Problem):
            yield row
        else:
            yield from _items(number, partial(_csv_fields, columns, row, listing), listing)


def _rows(lines: Iterator[str]) -> Iterator[tuple[int, list[str] | Problem]]:
    """Each row with the number of its first physical line."""
    reader = csv.reader(lines, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            yield start, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lost = f"; nothing up to line {reader.line_num} was read" if reader.line_num > start else ""
            yield (
                start,
                Problem(f"line {start}", f"This is not CSV: {error}{lost}", "Close its quotes, double those inside"),
            )


def _columns(header: list[str], listing: Listing[EntryT]) -> list[str]:
    """The names in the header line, in any case."""
    if SURROGATE.search("".join(header)):
        raise not_utf8()
    columns = [name.strip().lower() for name in header]
    if not set(columns) & set(listing.key_columns):
        _refuse_separators(columns, listing)
        raise BadLineError(
            f"The header line has no column {' or '.join(listing.key_columns)}",
            f"Begin with a line of column names, as {','.join(listing.columns)}",
        )
    if len(set(columns)) < len(columns):
        raise BadLineError("A column stands twice in the header line", "Keep one of the two")
    return columns


def _refuse_separators(columns: list[str], listing: Listing[EntryT]) -> None:
    """Raises `BadLineError` where the columns stand there, but not between commas."""
    for character, name in _SEPARATORS.items():
        if set(listing.key_columns) & {part.strip(' "') for part in ",".join(columns).split(character)}:
            remedy = "Separate them with commas, and put text that has a comma in quotes"
            raise BadLineError(f"The columns are separated with {name}", remedy)


def _csv_fields(columns: list[str], row: list[str], listing: Listing[EntryT]) -> Cells:
    if SURROGATE.search("".join(row)):
        raise not_utf8()
    if len(row) != len(columns):
        few = len(row) < len(columns)
        raise BadLineError(
            f"It has {len(row)} cell{'s' * (len(row) > 1)}, the header line {len(columns)}",
            "Give each line all cells, also those that are empty" if few else "Put text that has a comma in quotes",
        )
    cells = {name: cell for name, cell in zip(columns, row, strict=True) if name in listing.columns}
    return listing.from_cells(cells)


def _items(number: int, fields: Callable[[], Cells], listing: Listing[EntryT]) -> list[EntryT | Problem]:
    """The record of a line, or everything that is wrong with it."""
    found: list[EntryT | Problem] = []
    try:
        found.append(listing.check(number, fields()))
    except* BadLineError as group:
        found += [_problem(number, fault) for fault in flat(group)]
    return found


def _problem(number: int, error: BadLineError) -> Problem:
    return Problem(f"line {number}", str(error), error.remedy)
