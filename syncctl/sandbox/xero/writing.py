"""What all writes have in common: elements in, and for each of them a record or a complaint out.

developer.xero.com/documentation/api/accounting/requests-and-responses. The good elements of a request
are stored although others make it a 400, and that 400 tells of the bad ones only
(github.com/XeroAPI/xero-ruby/issues/247); with `summarizeErrors=false` the answer is 200 and tells all.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from .. import wire
from .account import date
from .answers import Refused, bad_data, invalid, no_data, not_implemented, server_error
from .asked import Asked
from .records import STAMP, Records
from .shapes import Shape, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..messages import Response
    from ..wire import JsonObject

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The id of an element that was not created."""


class Complaint(Exception):  # noqa: N818 - an answer, not an accident
    """Ends the work on one element; the others go on."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = messages


def complain(messages: Iterable[str]) -> None:
    """End the work on an element when there is anything to complain about."""
    if found := tuple(messages):
        raise Complaint(*found)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one element: a stored record, or an echo with complaints."""

    record: JsonObject
    warnings: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """The element's own status."""
        return "ERROR" if self.complaints else "WARNING" if self.warnings else "OK"


class Written(Records):
    """A resource that the client creates and changes, many elements at once."""

    shape: ClassVar[Shape]
    error_flag: ClassVar[str] = "HasValidationErrors"

    @abstractmethod
    def written(self, given: JsonObject, asked: Asked) -> Outcome:
        """Store what one element asks for; raises :class:`Complaint` before anything is stored."""

    def write(self, asked: Asked) -> Response:
        """`PUT` and `POST` of one element or many."""
        if asked.method not in {"PUT", "POST"} or (asked.key is not None and asked.method == "PUT"):
            raise Refused(not_implemented())
        elements = self._elements(asked)
        fails = self.account.switches["batch_500"]
        with self.account.store.transaction():
            stored = elements[: len(elements) // 2] if fails == "half" else elements
            outcomes = [self._outcome(element, asked) for element in stored]
        return self._told(outcomes, asked) if fails == "no" else server_error()

    def _elements(self, asked: Asked) -> list[JsonObject]:
        """The posted elements: a list under the resource's name, or a single object."""
        posted = _parsed(asked.body)
        found = posted.get(self.envelope, posted)
        elements = [
            read(self.shape, each, f"{self.envelope}[{index}]")
            for index, each in enumerate(found if isinstance(found, list) else [found])
        ]
        if not any(elements):
            raise Refused(no_data(self.envelope))
        if asked.key is None:
            return elements
        return [{**elements[0], self.id_field: self.row_of(asked.key)["id"]}]

    def _outcome(self, given: JsonObject, asked: Asked) -> Outcome:
        try:
            outcome = self.written(given, asked)
        except Complaint as complaint:
            echo = {**given, self.id_field: given.get(self.id_field, NOBODY)}
            return Outcome(echo, complaints=complaint.messages)
        self.table.count_write(str(outcome.record[self.id_field]).lower())
        return outcome

    def stamped(self, record: JsonObject) -> JsonObject:
        """A record as changed now."""
        return {**record, STAMP: date(self.account.clock.milliseconds())}

    # The answer

    def _told(self, outcomes: list[Outcome], asked: Asked) -> Response:
        each_told = (asked.param("summarizeErrors") or "").lower() == "false"
        refused = [self._element(outcome) for outcome in outcomes if outcome.complaints]
        if refused and not each_told:
            return invalid(refused)
        return self._wrapped([self._text(outcome, asked, marked=each_told) for outcome in outcomes])

    def _text(self, outcome: Outcome, asked: Asked, *, marked: bool) -> str:
        if outcome.complaints:
            return wire.dumps(self._misreported(self._element(outcome)))
        record = wire.loads(self.text(wire.dumps(outcome.record), asked))
        marks = {"StatusAttributeString": outcome.status, "ValidationErrors": []} if marked else {}
        warnings = {"Warnings": self._messages(outcome.warnings)} if outcome.warnings else {}
        return wire.dumps({**record, self.error_flag: False, **marks, **warnings})

    def _element(self, outcome: Outcome) -> JsonObject:
        told = {"StatusAttributeString": outcome.status, self.error_flag: True}
        return {**outcome.record, **told, "ValidationErrors": self._messages(outcome.complaints)}

    def _misreported(self, element: JsonObject) -> JsonObject:
        """Elements that were not stored have been seen with an OK (switch `unstored`)."""
        reading = self.account.switches["unstored"]
        if reading == "ERROR":
            return element
        key = None if reading == "OK_null" else element[self.id_field]
        told = {"StatusAttributeString": "OK", self.error_flag: False, "ValidationErrors": []}
        return {**element, **told, self.id_field: key}

    def _messages(self, messages: tuple[str, ...]) -> list[JsonObject]:
        """Under `Message`, though one example of the vendor's has another key (switch `error_key`)."""
        return [{self.account.switches["error_key"]: message} for message in messages]


def _parsed(body: bytes) -> JsonObject:
    try:
        posted: Any = wire.loads(body)
    except ValueError as error:
        raise Refused(bad_data(f"The body is no JSON: {error}.")) from None
    if not isinstance(posted, dict):
        raise Refused(bad_data("The body is no JSON object."))
    return posted
