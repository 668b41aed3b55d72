"""The shop's own list of products, as JSON Lines or CSV: every line becomes a product or a problem with its number.

Nothing is guessed: of lines that share a SKU none is taken, and a key or column that is not known is a problem.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import BinaryIO, Literal, TypeAlias

from syncctl.models import Problem
from syncctl.shopproduct import COLUMNS, SURROGATE, BadLineError, Number, ShopProduct, product, unknown_names

Form = Literal["jsonl", "csv"]
Item: TypeAlias = ShopProduct | Problem

_OBJECT = 'Write one object a line, as {"sku": "A-1", "price": "12.50"}'


def read(name: str, file: BinaryIO) -> Iterator[Item]:
    """The products and problems of a file whose form its content or its name tells; leaves the file open."""
    stream = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        start = []
        for line in stream:
            start.append(line)
            if line.strip():
                break
        yield from parse(itertools.chain(start, stream), guess_form(name, "".join(start)))
    finally:
        stream.detach()


def guess_form(name: str, start: str) -> Form:
    """JSON Lines where the text begins like JSON, or else the name says so; CSV otherwise."""
    if start.removeprefix("\ufeff").lstrip()[:1] in {"{", "["}:
        return "jsonl"
    return "jsonl" if name.lower().endswith((".jsonl", ".ndjson", ".json")) else "csv"


def parse(stream: Iterable[str], form: Form) -> Iterator[Item]:
    """Each product and each problem, in the order of the lines.

    `stream` gives physical lines with their ends. A byte that is not UTF-8 stands in it as the surrogate that the
    error handler `surrogateescape` leaves, so that it costs its own line only.
    """
    lines = _without_mark(stream)
    items = list(_json_items(lines) if form == "jsonl" else _csv_items(lines))
    return _without_twins(items or ([_empty()] if form == "jsonl" else []))


def clash(product: ShopProduct, stored: str) -> Problem:
    """The problem of a product whose SKU differs only in case from one that is stored."""
    return Problem(
        f"line {product.line}",
        f"SKU {product.sku!r} differs only in case from {stored!r}, which the shop has",
        "Write it as the shop does, or rename one of the two",
    )


def _without_mark(stream: Iterable[str]) -> Iterator[str]:
    """The lines without the byte order mark that some programs begin a file with."""
    lines = iter(stream)
    for first in lines:
        yield first.removeprefix("\ufeff")
        yield from lines


def _without_twins(items: list[Item]) -> Iterator[Item]:
    """Problems instead of all products that share a SKU: nobody knows which of them is meant."""
    seen: defaultdict[str, list[ShopProduct]] = defaultdict(list)
    for item in items:
        if isinstance(item, ShopProduct):
            seen[item.sku.lower()].append(item)
    for item in items:
        twins = seen[item.sku.lower()] if isinstance(item, ShopProduct) else []
        yield item if isinstance(item, Problem) or len(twins) == 1 else _twin(item, twins)


def _twin(product: ShopProduct, twins: list[ShopProduct]) -> Problem:
    other = next(twin for twin in twins if twin is not product)
    how = "stands also in" if other.sku == product.sku else f"differs only in case from {other.sku!r} in"
    return Problem(f"line {product.line}", f"SKU {product.sku!r} {how} line {other.line}", "Keep one of the two")


def _empty() -> Problem:
    return Problem("line 1", "There is nothing in the list", "Look at the program that should have written it")


def _json_items(lines: Iterator[str]) -> Iterator[Item]:
    filled = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    for at, (number, line) in enumerate(filled):
        if at == 0 and line.lstrip().startswith("["):
            yield Problem(f"line {number}", "A JSON array begins here", "Write one object a line, as jq -c '.[]' does")
            return
        yield _item(number, partial(_json_fields, line))


def _json_fields(line: str) -> Mapping[str, object]:
    if SURROGATE.search(line):
        raise _not_utf8()
    try:
        found = json.loads(line, parse_float=Number, parse_int=Number, parse_constant=Number, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise BadLineError(f"This is not JSON: {error.msg} (character {error.colno})", _OBJECT) from error
    except RecursionError as error:
        raise BadLineError("This is not JSON of a product: it is nested too deep", _OBJECT) from error
    if not isinstance(found, dict):
        raise BadLineError("This is not a JSON object", _OBJECT)
    return found


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadLineError("A key stands twice in one object", "Keep one of the two")
    return found


def _csv_items(lines: Iterator[str]) -> Iterator[Item]:
    rows = ((number, row) for number, row in _rows(lines) if isinstance(row, Problem) or any(map(str.strip, row)))
    number, header = next(rows, (1, _empty()))
    try:
        columns = _columns(header) if isinstance(header, list) else []
    except BadLineError as error:
        header = Problem(f"line {number}", str(error), error.remedy)
    if isinstance(header, Problem):
        yield header
        return
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        yield Problem(f"line {number}", unknown_names("column", unknown), "Rename it, or leave it out")
    for number, row in rows:
        yield row if isinstance(row, Problem) else _item(number, partial(_csv_fields, columns, row))


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


def _columns(header: list[str]) -> list[str]:
    """The names in the header line, in any case."""
    if SURROGATE.search("".join(header)):
        raise _not_utf8()
    columns = [name.strip().lower() for name in header]
    if "sku" not in columns:
        raise BadLineError(
            "The header line has no column sku", f"Begin with a line of column names, as {','.join(COLUMNS)}"
        )
    if len(set(columns)) < len(columns):
        raise BadLineError("A column stands twice in the header line", "Keep one of the two")
    return columns


def _csv_fields(columns: list[str], row: list[str]) -> Mapping[str, object]:
    if SURROGATE.search("".join(row)):
        raise _not_utf8()
    if len(row) != len(columns):
        raise BadLineError(
            f"It has {len(row)} cells, the header line {len(columns)}", "Put text that has a comma in quotes"
        )
    return {name: cell for name, cell in zip(columns, row, strict=True) if name in COLUMNS}


def _item(number: int, fields: Callable[[], Mapping[str, object]]) -> Item:
    try:
        return product(number, fields())
    except BadLineError as error:
        return Problem(f"line {number}", str(error), error.remedy)


def _not_utf8() -> BadLineError:
    return BadLineError("This is not UTF-8 text", "Save the list as UTF-8")
