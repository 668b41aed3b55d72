"""Records that the client creates and overwrites with one verb: products and customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from .. import wire
from ..messages import Response, json_response
from .account import USER
from .answers import Fault, Refused, invalid, unparsable
from .records import Records, column_text

if TYPE_CHECKING:
    from ..wire import JsonObject
    from .routing import Call


class Upserted(Records):
    """A kind whose POST is create-or-update."""

    decimals: ClassVar[frozenset[str]] = frozenset()
    """Fields that the service writes with four decimals."""

    def upsert(self, call: Call) -> Response:
        """Create or overwrite: 201 with the full record either way, what was left out is blanked.

        api.unleashedsoftware.com "Getting started": no partial updates.
        """
        posted = call.posted()
        key = call.key() or str(posted.get("Guid") or uuid4()).lower()
        with self.account.store.transaction():
            stored = self.table.get(key)
            if faults := self.faults(posted, key):
                raise Refused(invalid(faults))
            before = wire.loads(stored["body"]) if stored else None
            record = self.written(posted, key, before)
            self.save(record, **({} if stored else {"visible_from": self.account.shown_from()}))
            self.table.count_write(key)
            self.after_save(record)
        return json_response(wire.dumps(record), 201)

    def written(self, posted: JsonObject, key: str, before: JsonObject | None) -> JsonObject:
        """The record that a posted object becomes; the server's own fields are not the client's to set."""
        record = {**self.defaults(), **self.normalised(posted), "Guid": key}
        origin = before or {"CreatedOn": self.account.now(), "CreatedBy": USER}
        record.update(CreatedOn=origin.get("CreatedOn"), CreatedBy=origin.get("CreatedBy"))
        record.update(LastModifiedOn=self.account.now(), LastModifiedBy=USER)
        return record

    def normalised(self, posted: JsonObject) -> JsonObject:
        """The posted fields as the service writes them: decimals with four places."""
        return {name: self._normal(name, value) for name, value in posted.items()}

    def _normal(self, name: str, value: Any) -> Any:
        if name not in self.decimals or value is None:
            return value
        number = wire.decimal(value)
        if number is None:
            raise Refused(unparsable())
        return wire.four_places(number)

    def faults(self, posted: JsonObject, key: str) -> list[Fault]:
        """What is wrong with a posted record: nothing, unless the kind has rules."""
        return []

    def required(self, posted: JsonObject, names: tuple[str, ...]) -> list[Fault]:
        """A fault for every required field that is missing or blank."""
        return [Fault(name, f"{name} is required") for name in names if posted.get(name) in (None, "")]

    def duplicate(self, posted: JsonObject, key: str) -> list[Fault]:
        """A fault when another record has the same code; its wording is unconfirmed by the vendor."""
        code = column_text(posted.get(self.code_field))
        taken = self.table.all_where("sort = ? AND id <> ?", code.upper(), key)
        return [Fault(self.code_field, f"{self.code_field} '{code}' already exists")] if taken else []
