"""What all kinds of record have in common: being stored, listed, read and planted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qsl
from uuid import uuid4

from .. import wire
from ..messages import JSON_TYPE, Response, Spool
from ..service import Listed, Planting
from ..store import Query, Row, Table, Value
from .account import PROVIDER, Account, date
from .answers import Refused, not_found
from .query import Where, ordered, since

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from email.message import Message

    from ..messages import Request
    from ..wire import JsonObject

AT_ONCE = 1000
STAMP = "UpdatedDateUTC"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for a resource asks for."""

    headers: Message
    params: Mapping[str, str]
    key: str | None = None

    @classmethod
    def of(cls, request: Request, key: str | None = None) -> Asked:
        """What a request asks for; names of parameters compare without regard to case."""
        return cls(request.headers, {name.lower(): value for name, value in parse_qsl(request.query)}, key)

    def param(self, name: str) -> str | None:
        """A parameter of the query."""
        return self.params.get(name.lower())


class Records:
    """One resource that is read whole: its table of ready-made JSON, and its rules."""

    resource: ClassVar[str]
    envelope: ClassVar[str]
    id_field: ClassVar[str]
    code_field: ClassVar[str] = "Code"
    has_stamp: ClassVar[bool] = True
    """Whether records say when they were changed; only those know `If-Modified-Since`."""

    def __init__(self, account: Account, table: Table) -> None:
        self.account = account
        self.table = table

    def text(self, body: str, asked: Asked) -> str:
        """The JSON text of a stored record, as this request sees it."""
        return body

    # Reading, by the client

    def answer(self, asked: Asked) -> Response:
        """One record in a list of its own, or the whole list; none of these resources has pages."""
        if asked.key is not None:
            return self._wrapped(self._one(asked.key), asked)
        query = ordered(self._since(asked.headers), asked.param("order"))
        if self.account.switches["nothing_new"] == "304" and self._is_vain(query):
            return Response(304)
        return self._wrapped(self._many(query, asked.param("where")), asked)

    def _since(self, headers: Message) -> Query:
        header = headers.get("If-Modified-Since") if self.has_stamp else None
        return since(Query(), header, self.account.switches)

    def _is_vain(self, query: Query) -> bool:
        return bool(query.conditions) and self.table.count(query) == 0

    def _one(self, key: str) -> list[str]:
        by_code = self.table.all_where("code = ?", key)
        row = self.table.get(key) or next(iter(by_code), None)
        if row is None:
            raise Refused(not_found())
        return [row["body"]]

    def _many(self, query: Query, where: str | None) -> Iterator[str]:
        keeps = Where(where).keeps if where else None
        return (body for body in self._bodies(query) if keeps is None or keeps(body))

    def _bodies(self, query: Query) -> Iterator[str]:
        offset = 0
        while rows := self.table.slice(query, offset, AT_ONCE):
            yield from (row["body"] for row in rows)
            offset += len(rows)

    def _wrapped(self, bodies: Iterable[str], asked: Asked) -> Response:
        """The records in the vendor's envelope, one consistent view of them, never all in memory."""
        spool, separator = Spool(), ""
        with self.account.store.lock:
            spool.write(f'{self._head()},"{self.envelope}":['.encode())
            for body in bodies:
                spool.write((separator + self.text(body, asked)).encode())
                separator = ","
        spool.write(b"]}")
        return Response(200, content_type=JSON_TYPE, spool=spool)

    def _head(self) -> str:
        head = {"Id": str(uuid4()), "Status": "OK", "ProviderName": PROVIDER}
        return wire.dumps({**head, "DateTimeUTC": wire.date(self.account.clock.milliseconds())})[:-1]

    # The control API

    def listed(self, offset: int, limit: int) -> list[Listed]:
        """Some of the records."""
        return [_listed(row) for row in self.table.slice(Query(), offset, limit)]

    def total(self) -> int:
        """How many records there are."""
        return self.table.size()

    def found(self, column: str, value: str) -> list[Listed]:
        """The records whose `id` or `code` is exactly this."""
        return [_listed(row) for row in self.table.all_where(f"{column} = ?", value)]

    def plant(self, record: JsonObject, how: Planting) -> str:
        """Create or change a record as somebody inside the service would, unchecked and verbatim."""
        stored = self._stored(record)
        planted = record if how.replace else wire.merge(stored or self.blank(), record)
        if planted.get(self.id_field) is None:
            planted = {self.id_field: stored[self.id_field] if stored else str(uuid4()), **planted}
        if self.has_stamp and not how.silent and self.moves_stamp(record, stored):
            planted = {**planted, STAMP: date(self.account.clock.milliseconds())}
        return self.save(planted)

    def blank(self) -> JsonObject:
        """What a new record has before anything is said about it."""
        return {STAMP: date(self.account.clock.milliseconds())} if self.has_stamp else {}

    def moves_stamp(self, changes: JsonObject, stored: JsonObject | None) -> bool:
        """Whether these changes show as a change."""
        return True

    def _stored(self, record: JsonObject) -> JsonObject | None:
        if record.get(self.id_field) is not None:
            row = self.table.get(str(record[self.id_field]))
        else:
            code = record.get(self.code_field)
            row = next(iter(self.table.all_where("code = ?", column_text(code))), None) if code else None
        return wire.loads(row["body"]) if row else None

    def save(self, record: JsonObject) -> str:
        """Store a record under its id, its stamp as it stands; returns the id."""
        self.table.put(self.row(record))
        return str(record[self.id_field]).lower()

    def row(self, record: JsonObject) -> dict[str, Value]:
        """A record as a row of the table."""
        code, modified = column_text(record.get(self.code_field)), wire.milliseconds(record.get(STAMP))
        return {
            "id": column_text(record[self.id_field]).lower(),
            "code": code,
            "sort": code.upper(),
            "modified": self.account.clock.milliseconds() if modified is None else modified,
            "body": wire.dumps(record),
        }

    def remove(self, key: str) -> bool:
        """Remove a record for good: it vanishes from the list, and nothing tells."""
        return self.table.delete("id", key) > 0


def column_text(value: object) -> str:
    """A value as an indexed text; SQLite takes no lone surrogates."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def _listed(row: Row) -> Listed:
    return Listed(row["id"], row["body"], row["writes"])
