"""Writes the table `changes`: each difference with the call that brought it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncctl.models import Kind, Problem, Record

if TYPE_CHECKING:
    import sqlite3

Difference = tuple[str, str | None, str | None]  # field, before, after

_INSERT = """
INSERT INTO changes (at, run, call, connector, kind, remote_id, field, before, after, rule)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True)
class Look:
    """The circumstances under which records were read: the rule is a word of `changes.rule`.

    `drifted` tells whether a difference in this record should have been brought by the feed before. `repeats`: whether
    what is wrong with a record is told again though the record is as it was: a delta shows some records for hours.
    """

    run: int
    call: int
    at: int
    rule: str
    drifted: Callable[[Kind, Record], bool] | None = None
    repeats: bool = True

    def rule_for(self, kind: Kind, record: Record) -> str:
        """The rule by which a difference in `record` is written down."""
        return "drift" if self.drifted and self.drifted(kind, record) else self.rule


def to_tell(record: Record, row: sqlite3.Row | None, look: Look) -> tuple[Problem, ...]:
    """What is wrong with a record, unless it was told when this version of it was read first."""
    told = not look.repeats and row is not None and row["version"] == record.version
    return () if told else record.problems


class Changelog:
    """The changes of one connector's records; writing belongs inside a transaction of the caller."""

    def __init__(self, sql: sqlite3.Connection, connector: str) -> None:
        self.sql = sql
        self.connector = connector

    def write(self, kind: Kind, remote_id: str, found: Iterable[Difference], look: Look, rule: str = "") -> None:
        """One row for each difference; the rule is the look's own where none is given."""
        self.sql.executemany(
            _INSERT,
            [
                (look.at, look.run, look.call, self.connector, kind, remote_id, *difference, rule or look.rule)
                for difference in found
            ],
        )
