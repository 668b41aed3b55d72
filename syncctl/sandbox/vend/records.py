"""What all kinds of record have in common: being stored, listed and planted, each write with a new version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import wire
from ..service import Listed, Planting
from ..store import Query, Row, Table, Value
from .account import column_text

if TYPE_CHECKING:
    from ..wire import JsonObject
    from .account import Account
    from .routing import Call


class Records(ABC):
    """One kind of record: its table of ready-made JSON, and the rules of its resource."""

    code_field = "name"

    def __init__(self, account: Account, table: Table) -> None:
        self.account = account
        self.table = table

    @abstractmethod
    def defaults(self) -> JsonObject:
        """A record of this kind with every field, as blank as can be."""

    def columns(self, record: JsonObject) -> dict[str, Value]:
        """The columns that this kind is found by, beyond its code."""
        return {}

    def after_save(self, record: JsonObject) -> None:  # noqa: B027 - most kinds stand alone
        """Bring along what depends on a record that was saved."""

    def text(self, row: Row, call: Call) -> str:
        """The JSON text of a record as this request sees it."""
        return str(row["body"])

    def versioned(self, record: JsonObject) -> JsonObject:
        """The object within a record that holds its version."""
        return record

    def save(self, record: JsonObject, **extra: Value) -> str:
        """Store a record under its id, version as it stands in it if it is one; returns the id."""
        version = _version(self.versioned(record).get("version"))
        key, code = str(record["id"]).lower(), column_text(record.get(self.code_field))
        if version is None:
            version = self._kept_version(key)
        self.account.reach(version)
        row: dict[str, Value] = {
            "id": key,
            "code": code,
            "sort": code.lower(),
            "hidden": int(record.get("deleted_at") is not None),
            "modified": version,
            "body": wire.dumps(record),
            **self.columns(record),
            **extra,
        }
        self.table.put(row)
        return key

    def change(self, record: JsonObject, *, is_new: bool = False) -> JsonObject:
        """Store a new or changed record under a new version; returns it as it is stored."""
        changed = self.bumped(record)
        self.save(changed, **({"visible_from": self.account.shown_from()} if is_new else {}))
        self.after_save(changed)
        return changed

    def write(self, record: JsonObject, *, is_new: bool = False) -> JsonObject:
        """The same for what the client writes, which is counted."""
        written = self.change(record, is_new=is_new)
        self.table.count_write(str(written["id"]).lower())
        return written

    def _kept_version(self, key: str) -> int:
        row = self.table.get(key)
        return int(row["modified"]) if row else self.account.next_version()

    def bumped(self, record: JsonObject) -> JsonObject:
        """The record as a change makes it: with a new version and, if it has one, a new stamp."""
        now = {"updated_at": self.account.now()} if "updated_at" in self.defaults() else {}
        return {**record, **now, "version": self.account.next_version()}

    # The control API

    def listed(self, offset: int, limit: int) -> list[Listed]:
        """Some of the records, deleted ones included."""
        return [as_listed(row) for row in self.table.slice(Query(order="pk"), offset, limit)]

    def total(self) -> int:
        """How many records there are."""
        return self.table.size()

    def found(self, column: str, value: str) -> list[Listed]:
        """The records whose `id` or `code` is exactly this."""
        return [as_listed(row) for row in self.table.all_where(f"{column} = ?", value)]

    def plant(self, record: JsonObject, how: Planting) -> str:
        """Create or change a record as somebody inside the service would, unchecked and verbatim."""
        stored = self.stored(record)
        blank = stored or {**self.defaults(), "id": str(uuid4())}
        planted = record if how.replace else wire.merge(blank, record)
        if planted.get("id") is None:
            planted = {**planted, "id": blank["id"]}
        unstamped = stored is None and not how.replace and "version" not in self.versioned(record)
        if unstamped or not how.silent:
            planted = self.bumped(planted)
        key = self.save(planted)
        self.after_save(planted)
        return key

    def stored(self, record: JsonObject) -> JsonObject | None:
        """The record that a planted one means, by its id or else by its code."""
        row = None
        if record.get("id") is not None:
            row = self.table.get(str(record["id"]))
        elif record.get(self.code_field):
            row = next(iter(self.table.all_where("code = ?", column_text(record[self.code_field]))), None)
        return wire.loads(row["body"]) if row else None

    def remove(self, key: str) -> bool:
        """Remove a record for good, so that no feed tells; setting `deleted_at` is what a feed tells."""
        return self.table.delete("id", key) > 0


def as_listed(row: Row) -> Listed:
    """A stored record for the control API."""
    return Listed(row["id"], row["body"], row["writes"])


def _version(value: object) -> int | None:
    number = wire.decimal(value)
    if number is None or number != int(number) or not 0 <= number < 2**63:
        return None
    return int(number)
