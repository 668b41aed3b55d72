"""`/_sandbox/`: what a test says to the sandbox behind the client's back, JSON in and JSON out.

Record bodies are read and written with every number token as it stands, so `NaN` and `1e400` can
be planted as such; everything else is plain JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from . import wire
from .messages import Response, json_response
from .service import Listed, Planting, RecordKind, Service

if TYPE_CHECKING:
    from .frame import Frame

LISTED_AT_ONCE = 1000


class Unusable(Exception):  # noqa: N818 - the sentence is the answer, not an accident
    """A control request that makes no sense; carries the status and a sentence."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Order:
    """One control request: what follows its first path segment, its query and its body."""

    rest: tuple[str, ...]
    query: dict[str, str]
    text: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; raises :class:`Unusable` when it is something else."""
        return _object(_parsed(json.loads, self.text or b"{}"))

    def flag(self, name: str) -> bool:
        """Whether a query parameter is set."""
        return self.query.get(name, "0").lower() in {"1", "true", "yes"}

    def number(self, name: str, default: int) -> int:
        """A query parameter that is a whole number."""
        try:
            return int(self.query.get(name, default))
        except ValueError:
            raise Unusable(f"{name!r} is a whole number, not {self.query[name]!r}.") from None


class Control:
    """The control API over one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._routes: dict[tuple[str, str], Callable[[Order], str]] = {
            ("GET", "calls"): self._calls,
            ("DELETE", "calls"): self._forget_calls,
            ("GET", "records"): self._list_records,
            ("POST", "records"): self._plant_records,
            ("DELETE", "records"): self._remove_record,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._advance,
            ("GET", "switches"): self._switches,
            ("POST", "switches"): self._set_switches,
            ("GET", "limits"): self._limits,
            ("POST", "limits"): self._set_limits,
            ("POST", "quota"): self._set_quota,
            ("POST", "reset"): self._reset,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._plant_fault,
            ("DELETE", "faults"): self._remove_faults,
        }

    def answer(self, method: str, path: str, query: str, text: bytes) -> Response:
        """Answer a control request; `path` is what follows `/_sandbox/`."""
        first, *rest = [segment for segment in path.split("/") if segment] or [""]
        try:
            handler = self._route(method, first)
            order = Order(tuple(rest), dict(parse_qsl(query, keep_blank_values=True)), text)
            return json_response(handler(order))
        except Unusable as error:
            return json_response(json.dumps({"error": str(error)}), error.status)

    def _route(self, method: str, first: str) -> Callable[[Order], str]:
        if handler := self._routes.get((method, first)):
            return handler
        methods = [known for known, name in self._routes if name == first]
        if methods:
            raise Unusable(f"{first!r} takes {', '.join(methods)}, not {method}.", 405)
        names = ", ".join(dict.fromkeys(name for _, name in self._routes))
        raise Unusable(f"There is no /_sandbox/{first}; there are {names}.", 404)

    def _service(self, name: object) -> Service:
        service = self._frame.services.get(str(name))
        if service is None:
            raise Unusable(f"There is no service {name!r}; there are {', '.join(self._frame.services)}.", 404)
        return service

    # Calls and clock

    def _calls(self, order: Order) -> str:
        return json.dumps(self._frame.calls.report(listed=order.flag("list")))

    def _forget_calls(self, order: Order) -> str:
        self._frame.calls.reset()
        return self._calls(order)

    def _clock(self, _: Order) -> str:
        clock = self._frame.clock
        return json.dumps({"now": clock.moment().isoformat(), "offset": clock.offset})

    def _advance(self, order: Order) -> str:
        seconds = order.json().get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise Unusable(f"'advance' is a number of seconds, not {seconds!r}.")
        self._frame.advance(seconds)
        return self._clock(order)

    # Records

    def _kind(self, order: Order) -> RecordKind:
        if len(order.rest) != 2:
            raise Unusable("The path is records/<service>/<kind>.", 404)
        kinds = self._service(order.rest[0]).kinds()
        if order.rest[1] not in kinds:
            raise Unusable(f"There is no kind {order.rest[1]!r}; there are {', '.join(kinds)}.", 404)
        return kinds[order.rest[1]]

    def _list_records(self, order: Order) -> str:
        kind = self._kind(order)
        if "id" in order.query:
            return _records(kind.found("id", order.query["id"].lower()))
        if "sku" in order.query:
            return _records(kind.found("code", order.query["sku"]))
        offset, limit = order.number("offset", 0), order.number("limit", LISTED_AT_ONCE)
        return _records(kind.listed(offset, limit), kind.total())

    def _plant_records(self, order: Order) -> str:
        kind, payload = self._kind(order), _parsed(wire.loads, order.text)
        wrapped = isinstance(payload, dict) and "records" in payload
        options = payload if wrapped else {}
        records = payload["records"] if wrapped else payload
        how = Planting(
            silent=order.flag("silent") or bool(options.get("silent")),
            replace=order.flag("replace") or bool(options.get("replace")),
        )
        return wire.dumps({"ids": self._plant(kind, records, how)})

    def _plant(self, kind: RecordKind, records: Any, how: Planting) -> list[str]:
        objects = [_object(record) for record in (records if isinstance(records, list) else [records])]
        try:
            with self._frame.store.transaction():
                return [kind.plant(record, how) for record in objects]
        except ValueError as error:
            raise Unusable(str(error)) from None

    def _remove_record(self, order: Order) -> str:
        key = order.query.get("id")
        if key is None:
            raise Unusable("Name the record to remove with ?id=.")
        if not self._kind(order).remove(key.lower()):
            raise Unusable(f"There is no record {key!r}.", 404)
        return json.dumps({"removed": key})

    # Switches, limits and quota

    def _switches(self, _: Order) -> str:
        return json.dumps({name: each.switches.report() for name, each in self._frame.services.items()})

    def _set_switches(self, order: Order) -> str:
        for service, values in order.json().items():
            for name, value in _object(values).items():
                try:
                    self._service(service).switches.set(name, value)
                except ValueError as error:
                    raise Unusable(str(error)) from None
        return self._switches(order)

    def _limits(self, _: Order) -> str:
        now = self._frame.clock.now()
        return json.dumps({name: each.limits.report(now) for name, each in self._frame.services.items()})

    def _set_limits(self, order: Order) -> str:
        for name, values in order.json().items():
            limits = self._service(name).limits
            for window, calls in _object(values).items():
                if window not in limits.names():
                    raise Unusable(f"There is no window {window!r}; there are {', '.join(limits.names())}.")
                limits.allow(window, None if calls is None else _count(calls))
        return self._limits(order)

    def _set_quota(self, order: Order) -> str:
        payload = order.json()
        service = self._service(payload.get("service"))
        service.limits.set_used(service.quota_window, self._frame.clock.now(), _count(payload.get("used")))
        return self._limits(order)

    def _reset(self, order: Order) -> str:
        self._frame.reset()
        return self._clock(order)

    # Faults

    def _faults(self, _: Order) -> str:
        return json.dumps({"faults": self._frame.faults.report()})

    def _plant_fault(self, order: Order) -> str:
        if order.rest == ("release",):
            return json.dumps({"released": self._frame.faults.release(_number_of_fault(order))})
        payload = order.json()
        self._service(payload.get("service"))
        try:
            return json.dumps(self._frame.faults.plant(payload).report())
        except ValueError as error:
            raise Unusable(str(error)) from None

    def _remove_faults(self, order: Order) -> str:
        return json.dumps({"removed": self._frame.faults.remove(_number_of_fault(order))})


def _number_of_fault(order: Order) -> int | None:
    return order.number("id", 0) or None


def _parsed(parse: Callable[[bytes], Any], text: bytes) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise Unusable(f"The body is no JSON: {error}.") from None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unusable(f"Expected a JSON object, not {value!r}.")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Unusable(f"Expected a whole number from 0 up, not {value!r}.")
    return value


def _records(listed: list[Listed], total: int | None = None) -> str:
    # Written by hand: the stored text of a record may hold tokens that no JSON library writes.
    bodies = ",".join(each.body for each in listed)
    writes = json.dumps({each.id: each.writes for each in listed})
    return f'{{"total":{len(listed) if total is None else total},"records":[{bodies}],"writes":{writes}}}'
