"""What all kinds of record have in common: being stored, listed, read and planted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from .. import wire
from ..messages import JSON_TYPE, Response, Spool
from ..service import Listed, Planting
from ..store import Query, Row, Table, Value
from .account import PROVIDER, Account, date
from .answers import Refused, not_found, not_implemented
from .asked import Asked, Page
from .query import ordered, since
from .where import Where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from email.message import Message

    from ..wire import JsonObject

AT_ONCE = 1000
STAMP = "UpdatedDateUTC"


class Records:
    """One resource: its table of ready-made JSON, and its rules."""

    resource: ClassVar[str]
    envelope: ClassVar[str]
    id_field: ClassVar[str]
    code_field: ClassVar[str] = "Code"
    has_stamp: ClassVar[bool] = True
    """Whether records say when they were changed; only those know `If-Modified-Since`."""
    paged: ClassVar[bool] = False
    """Whether the list knows pages."""
    start: ClassVar[Query] = Query()
    """The whole list in its usual order."""
    orders: ClassVar[Mapping[str, str]] = {"updateddateutc": "modified", "code": "sort"}
    """What a list can be ordered by: fields in lower case, and their columns."""

    def __init__(self, account: Account, table: Table) -> None:
        self.account = account
        self.table = table

    def text(self, body: str, asked: Asked) -> str:
        """The JSON text of a stored record, as this request sees it."""
        return body

    # Reading, by the client

    def answer(self, asked: Asked) -> Response:
        """One record in a list of its own, one page of the list, or the whole list."""
        if asked.key is not None:
            return self._wrapped([self.text(self.row_of(asked.key)["body"], asked)])
        query = self.narrowed(ordered(self._since(asked.headers), asked.param("order"), self.orders), asked)
        if self.account.switches["nothing_new"] == "304" and self._is_vain(query):
            return Response(304)
        with self.account.store.lock:
            return self._page(query, asked) if self._has_pages(asked) else self._whole(query, asked)

    def narrowed(self, query: Query, asked: Asked) -> Query:
        """`query` as the parameters of this resource narrow it."""
        return query

    def is_found(self, body: str, asked: Asked) -> bool:
        """Whether a record holds what is searched for."""
        return True

    def _has_pages(self, asked: Asked) -> bool:
        return self.paged and (asked.param("page") is not None or asked.flag("summaryOnly"))

    def _since(self, headers: Message) -> Query:
        header = headers.get("If-Modified-Since") if self.has_stamp else None
        return since(self.start, header, self.account.switches)

    def _is_vain(self, query: Query) -> bool:
        return bool(query.conditions) and self.table.count(query) == 0

    def row_of(self, key: str) -> Row:
        """The record with this id or code; refuses with 404 when there is none."""
        row = self.table.get(key) or next(iter(self.table.all_where("code = ?", key)), None)
        if row is None:
            raise Refused(not_found())
        return row

    def _whole(self, query: Query, asked: Asked) -> Response:
        return self._wrapped(self.text(body, asked) for body in self._filtered(self._bodies(query), asked))

    def _page(self, query: Query, asked: Asked) -> Response:
        page = Page.of(asked)
        if asked.param("where") or asked.param("searchTerm"):
            found = list(self._filtered(self._bodies(query), asked))
            total, bodies = len(found), found[page.offset : page.offset + page.size]
        else:
            rows = self.table.slice(query, page.offset, page.size)
            total, bodies = self.table.count(query), [row["body"] for row in rows]
        pagination = page.pagination(total) if asked.param("page") is not None else None
        return self._wrapped((self.text(body, asked) for body in bodies), pagination)

    def _filtered(self, bodies: Iterable[str], asked: Asked) -> Iterator[str]:
        where = asked.param("where")
        keeps = Where(where).keeps if where else None
        return (body for body in bodies if (keeps is None or keeps(body)) and self.is_found(body, asked))

    def _bodies(self, query: Query) -> Iterator[str]:
        offset = 0
        while rows := self.table.slice(query, offset, AT_ONCE):
            yield from (row["body"] for row in rows)
            offset += len(rows)

    def _wrapped(self, texts: Iterable[str], pagination: str | None = None) -> Response:
        """The records in the vendor's envelope, one consistent view of them, never all in memory."""
        spool, separator = Spool(), ""
        with self.account.store.lock:
            pages = f',"pagination":{pagination}' if pagination else ""
            spool.write(f'{self._head()}{pages},"{self.envelope}":['.encode())
            for text in texts:
                spool.write((separator + text).encode())
                separator = ","
        spool.write(b"]}")
        return Response(200, content_type=JSON_TYPE, spool=spool)

    def _head(self) -> str:
        head = {"Id": str(uuid4()), "Status": "OK", "ProviderName": PROVIDER}
        return wire.dumps({**head, "DateTimeUTC": wire.date(self.account.clock.milliseconds())})[:-1]

    # Writing, by the client

    def write(self, asked: Asked) -> Response:
        """What a method that changes something does; a resource that has any knows how."""
        raise Refused(not_implemented())

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
        planted = record if how.replace else self.merged(stored or self.blank(), record)
        if planted.get(self.id_field) is None:
            planted = {self.id_field: stored[self.id_field] if stored else str(uuid4()), **planted}
        if self.has_stamp and not how.silent and self.moves_stamp(record, stored):
            planted = {**planted, STAMP: date(self.account.clock.milliseconds())}
        return self.save(planted)

    def blank(self) -> JsonObject:
        """What a new record has before anything is said about it."""
        return {STAMP: date(self.account.clock.milliseconds())} if self.has_stamp else {}

    def merged(self, stored: JsonObject, changes: JsonObject) -> JsonObject:
        """A record with planted changes over it."""
        return wire.merge(stored, changes)

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
