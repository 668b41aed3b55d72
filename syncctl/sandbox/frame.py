"""One table of services by prefix, and around each of them the call log and the faults."""

from __future__ import annotations

from collections.abc import Iterable
from email.message import Message

from .calls import Call, CallLog
from .clock import Clock
from .control import Control
from .faults import Faults
from .messages import Request, Response, json_response
from .service import Service
from .store import Store
from .unleashed import Unleashed
from .vend import Vend
from .xero import Xero

CONTROL = "_sandbox"
SERVICES: dict[str, type[Service]] = {each.name: each for each in (Unleashed, Xero, Vend)}
"""Every service the sandbox copies; a further one is one more entry."""
DEFAULT = tuple(SERVICES)
"""The services that are served unless others are asked for: each of them takes time to seed."""


class Frame:
    """Everything between the HTTP server and the services."""

    def __init__(
        self, store: Store, *, products: int, seed: int, services: Iterable[str] = DEFAULT, posting: bool = False
    ) -> None:
        self.store = store
        self.clock = Clock(float(store.setting("clock_offset") or 0))
        self.calls = CallLog()
        self.faults = Faults(self.clock)
        self.services: dict[str, Service] = {name: SERVICES[name](store, self.clock) for name in services}
        self._size = (products, seed)
        self._posting = posting
        self._control = Control(self)
        self._seed_empty_services()
        store.settle()

    def _seed_empty_services(self) -> None:
        for service in self.services.values():
            if service.is_empty():
                with self.store.transaction():
                    service.seed(*self._size)
                    if self._posting:
                        service.seed_posting()

    def advance(self, seconds: float) -> None:
        """Move the clock; a kept database remembers it, as its stamps follow it."""
        self.clock.advance(seconds)
        self.store.remember("clock_offset", str(self.clock.offset))

    def reset(self) -> None:
        """Back to the seed state: no faults, no calls, default switches and limits, real time."""
        self.faults.remove()
        self.calls.reset()
        self.advance(-self.clock.offset)
        for service in self.services.values():
            service.clear()
        self._seed_empty_services()

    def answer(self, method: str, target: str, headers: Message, body: bytes) -> Response:
        """Answer any request that reaches the server."""
        path, _, query = target.partition("?")
        prefix, _, rest = path.lstrip("/").partition("/")
        if prefix == CONTROL:
            return self._control.answer(method, rest, query, body)
        service = self.services.get(prefix.lower())
        if service is None:
            names = ", ".join(f"/{name}" for name in (*self.services, CONTROL))
            return json_response(f'{{"error":"Nothing is served here; there are {names}."}}', 404)
        return self._serve(service, Request(method, f"/{rest}", query, headers, body))

    def _serve(self, service: Service, request: Request) -> Response:
        call = Call(service.name, request.method, request.target)
        self.calls.arrived(call)
        response = self._answered(service, request)
        status = 0 if response.delivery == "none" else response.status
        self.calls.answered(call, service.template(request), status)
        return response

    def _answered(self, service: Service, request: Request) -> Response:
        if refused := service.enter(request):
            return refused
        try:
            return self.faults.apply(service, request, lambda: service.handle(request))
        finally:
            service.leave(request)
