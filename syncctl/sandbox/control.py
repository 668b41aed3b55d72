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
class Command:
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
        self._routes: dict[tuple[str, str], Callable[[Command], str]] = {
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
            ("GET", "tokens"): self._tokens,
            ("POST", "tokens"): self._change_tokens,
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
            command = Command(tuple(rest), dict(parse_qsl(query, keep_blank_values=True)), text)
            return json_response(handler(command))
        except Unusable as error:
            return json_response(json.dumps({"error": str(error)}), error.status)

    def _route(self, method: str, first: str) -> Callable[[Command], str]:
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

    def _calls(self, command: Command) -> str:
        return json.dumps(self._frame.calls.report(listed=command.flag("list")))

    def _forget_calls(self, command: Command) -> str:
        self._frame.calls.reset()
        return self._calls(command)

    def _clock(self, _: Command) -> str:
        clock = self._frame.clock
        return json.dumps({"now": clock.moment().isoformat(), "offset": clock.offset})

    def _advance(self, command: Command) -> str:
        seconds = command.json().get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise Unusable(f"'advance' is a number of seconds, not {seconds!r}.")
        self._frame.advance(seconds)
        return self._clock(command)

    # Records

    def _kind(self, command: Command) -> RecordKind:
        if len(command.rest) != 2:
            raise Unusable("The path is records/<service>/<kind>.", 404)
        kinds = self._service(command.rest[0]).kinds()
        if command.rest[1] not in kinds:
            raise Unusable(f"There is no kind {command.rest[1]!r}; there are {', '.join(kinds)}.", 404)
        return kinds[command.rest[1]]

    def _list_records(self, command: Command) -> str:
        kind = self._kind(command)
        if "id" in command.query:
            return _records(kind.found("id", command.query["id"].lower()))
        if "sku" in command.query:
            return _records(kind.found("code", command.query["sku"]))
        offset, limit = command.number("offset", 0), command.number("limit", LISTED_AT_ONCE)
        return _records(kind.listed(offset, limit), kind.total())

    def _plant_records(self, command: Command) -> str:
        kind, payload = self._kind(command), _parsed(wire.loads, command.text)
        wrapped = isinstance(payload, dict) and "records" in payload
        options = payload if wrapped else {}
        records = payload["records"] if wrapped else payload
        how = Planting(
            silent=command.flag("silent") or bool(options.get("silent")),
            replace=command.flag("replace") or bool(options.get("replace")),
        )
        return wire.dumps({"ids": self._plant(kind, records, how)})

    def _plant(self, kind: RecordKind, records: Any, how: Planting) -> list[str]:
        objects = [_object(record) for record in (records if isinstance(records, list) else [records])]
        try:
            with self._frame.store.transaction():
                return [kind.plant(record, how) for record in objects]
        except ValueError as error:
            raise Unusable(str(error)) from None

    def _remove_record(self, command: Command) -> str:
        key = command.query.get("id")
        if key is None:
            raise Unusable("Name the record to remove with ?id=.")
        if not self._kind(command).remove(key.lower()):
            raise Unusable(f"There is no record {key!r}.", 404)
        return json.dumps({"removed": key})

    # Switches, limits, quota and tokens

    def _switches(self, _: Command) -> str:
        return json.dumps({name: each.switches.report() for name, each in self._frame.services.items()})

    def _set_switches(self, command: Command) -> str:
        for service, values in command.json().items():
            for name, value in _object(values).items():
                try:
                    self._service(service).switches.set(name, value)
                except ValueError as error:
                    raise Unusable(str(error)) from None
        return self._switches(command)

    def _limits(self, _: Command) -> str:
        now = self._frame.clock.now()
        return json.dumps({name: each.limits.report(now) for name, each in self._frame.services.items()})

    def _set_limits(self, command: Command) -> str:
        for name, values in command.json().items():
            limits = self._service(name).limits
            for window, calls in _object(values).items():
                if window not in limits.names():
                    raise Unusable(f"There is no window {window!r}; there are {', '.join(limits.names())}.")
                limits.allow(window, None if calls is None else _count(calls))
        return self._limits(command)

    def _set_quota(self, command: Command) -> str:
        payload = command.json()
        service = self._service(payload.get("service"))
        service.limits.set_used(service.quota_window, self._frame.clock.now(), _count(payload.get("used")))
        return self._limits(command)

    def _tokens(self, _: Command) -> str:
        return json.dumps({name: each.tokens() for name, each in self._frame.services.items()})

    def _change_tokens(self, command: Command) -> str:
        order = command.json()
        service = self._service(order.pop("service", None))
        try:
            service.change_tokens(order)
        except ValueError as error:
            raise Unusable(str(error)) from None
        return json.dumps(service.tokens())

    def _reset(self, command: Command) -> str:
        self._frame.reset()
        return self._clock(command)

    # Faults

    def _faults(self, _: Command) -> str:
        return json.dumps({"faults": self._frame.faults.report()})

    def _plant_fault(self, command: Command) -> str:
        if command.rest == ("release",):
            return json.dumps({"released": self._frame.faults.release(_number_of_fault(command))})
        payload = command.json()
        windows = self._service(payload.get("service")).limits.names()
        if payload.get("window", windows[0]) not in windows:
            raise Unusable(f"There is no window {payload['window']!r}; there are {', '.join(windows)}.")
        try:
            return json.dumps(self._frame.faults.plant(payload).report())
        except ValueError as error:
            raise Unusable(str(error)) from None

    def _remove_faults(self, command: Command) -> str:
        return json.dumps({"removed": self._frame.faults.remove(_number_of_fault(command))})


def _number_of_fault(command: Command) -> int | None:
    return command.number("id", 0) or None


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
