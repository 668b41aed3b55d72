"""What all kinds of record have in common: being stored, listed, read, written and planted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from .. import wire
from ..messages import Response, json_response
from ..service import Listed, Planting
from ..store import Query, Row, Table, Value
from .account import USER, Account
from .answers import Refused, not_found
from .listing import Listing, page_response
from .query import Filter, Params, moment, ordered

if TYPE_CHECKING:
    from ..wire import JsonObject
    from .routing import Call


class Records(ABC):
    """One kind of record: its table of ready-made JSON, and the rules of its resource."""

    code_field: ClassVar[str]
    filters: ClassVar[Mapping[str, Filter]] = {}

    def __init__(self, account: Account, table: Table) -> None:
        self.account = account
        self.table = table

    @abstractmethod
    def defaults(self) -> JsonObject:
        """A record of this kind with every field, as blank as can be."""

    @abstractmethod
    def columns(self, record: JsonObject) -> dict[str, Value]:
        """The columns that the filters of this kind look at."""

    def is_hidden(self, record: JsonObject) -> bool:
        """Whether lists leave the record out unless they are asked for it."""
        return record.get("Obsolete") is True

    def text(self, row: Row, params: Params) -> str:
        """The JSON text of a stored record, as this request sees it in a list."""
        return str(row["body"])

    # Reading, by the client

    def many(self, call: Call) -> Response:
        """One page of the records that the filters of the request leave."""
        query = self.query(call.params)
        listing = Listing(
            self.table.count(query),
            lambda offset, limit: [self.text(row, call.params) for row in self.table.slice(query, offset, limit)],
        )
        return page_response(listing, call, self.account.switches)

    def query(self, params: Params) -> Query:
        """The records that a list shows."""
        query = self.shown(self.since(params.filtered(self.start(), self.filters), params), params)
        return ordered(self.without_lagging(query), params)

    def start(self) -> Query:
        """All records in the default order."""
        return Query()

    def shown(self, query: Query, params: Params) -> Query:
        """Leave hidden records out unless they are asked for."""
        return query if params.flag("includeObsolete") else query.without_hidden()

    def since(self, query: Query, params: Params) -> Query:
        """`modifiedSince`; inclusive or not is unconfirmed by the vendor (a switch)."""
        value = params.get("modifiedSince")
        if value is None:
            return query
        strict = self.account.switches["modified_since"] == "strict"
        return query.where(f"modified {'>' if strict else '>='} ?", self.since_moment(value))

    def since_moment(self, value: str) -> int:
        """The moment that `modifiedSince` means to this resource."""
        return moment(value)

    def without_lagging(self, query: Query) -> Query:
        """Leave out what was created so recently that the search does not know it yet."""
        if not self.account.switches.number("search_lag"):
            return query
        return query.where("visible_from <= ?", self.account.clock.milliseconds())

    def one(self, call: Call) -> Response:
        """The bare record; an unknown id gets a 404 (unconfirmed by the vendor)."""
        return json_response(self.body_of(call.key()))

    def body_of(self, key: str) -> str:
        """The stored JSON text of a record; refuses with 404 when there is none."""
        row = self.table.get(key)
        if row is None:
            raise Refused(not_found())
        return str(row["body"])

    # Writing

    def save(self, record: JsonObject, **extra: Value) -> str:
        """Store a record under its Guid, stamps as they stand in it; returns the id."""
        key, modified = str(record["Guid"]).lower(), wire.milliseconds(record.get("LastModifiedOn"))
        code = column_text(record.get(self.code_field))
        row: dict[str, Value] = {
            "id": key,
            "code": code,
            "sort": code.upper(),
            "hidden": int(self.is_hidden(record)),
            "modified": self.account.clock.milliseconds() if modified is None else modified,
            "created": wire.milliseconds(record.get("CreatedOn")) or 0,
            "body": wire.dumps(record),
            **self.columns(record),
            **extra,
        }
        self.table.put(row)
        return key

    def after_save(self, record: JsonObject) -> None:  # noqa: B027 - most kinds stand alone
        """Bring along what depends on a record that was saved."""

    # The control API

    def listed(self, offset: int, limit: int) -> list[Listed]:
        """Some of the records, hidden ones included."""
        return [_listed(row) for row in self.table.slice(Query(), offset, limit)]

    def total(self) -> int:
        """How many records there are."""
        return self.table.count(Query())

    def found(self, column: str, value: str) -> list[Listed]:
        """The records whose `id` or `code` is exactly this."""
        return [_listed(row) for row in self.table.all_where(f"{column} = ?", value)]

    def plant(self, record: JsonObject, how: Planting) -> str:
        """Create or change a record as somebody inside the service would, unchecked and verbatim."""
        stored = self._stored(record)
        planted = record if how.replace else wire.merge(stored or self._blank(), record)
        if planted.get("Guid") is None:
            planted = {**planted, "Guid": stored["Guid"] if stored else str(uuid4())}
        if not how.silent:
            planted = {**planted, "LastModifiedOn": self.account.now()}
        key = self.save(planted)
        self.after_save(planted)
        return key

    def _blank(self) -> JsonObject:
        now = self.account.now()
        return {**self.defaults(), "CreatedBy": USER, "CreatedOn": now, "LastModifiedOn": now}

    def _stored(self, record: JsonObject) -> JsonObject | None:
        row = None
        if record.get("Guid") is not None:
            row = self.table.get(str(record["Guid"]))
        elif record.get(self.code_field):
            row = next(iter(self.table.all_where("code = ?", column_text(record[self.code_field]))), None)
        return wire.loads(row["body"]) if row else None

    def remove(self, key: str) -> bool:
        """Remove a record for good, so that no feed tells."""
        return self.table.delete("id", key) > 0


def column_text(value: object) -> str:
    """A value as an indexed text; SQLite takes no lone surrogates."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def _listed(row: Row) -> Listed:
    return Listed(row["id"], row["body"], row["writes"])
