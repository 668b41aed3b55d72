"""What each kind of fault does to a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .messages import Response

if TYPE_CHECKING:
    from .fault import Fault
    from .faults import Faults
    from .service import Service

Proceed = Callable[[], Response]
"""Does what the request asks for."""

HTML = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a kind of fault needs to happen."""

    faults: Faults
    service: Service
    fault: Fault
    proceed: Proceed

    def around(self, wait: Callable[[], None]) -> Response:
        """Do what is asked with a wait before it, or after it when the fault says `"when": "after"`."""
        if self.fault.options.get("when") == "after":
            response = self.proceed()
            wait()
            return response
        wait()
        return self.proceed()


def _too_many(scene: Scene) -> Response:
    options = scene.fault.options
    response = scene.service.refusal(options.get("window", "minute"), None)
    wanted = options.get("retry_after")
    if wanted is None:
        return response
    value = scene.faults.http_date(options.get("seconds", 60)) if wanted == "date" else str(wanted)
    return response.with_header("Retry-After", value)


def _slow(scene: Scene) -> Response:
    return scene.around(lambda: scene.faults.pause(scene.fault.options.get("seconds", 1)))


def _hold(scene: Scene) -> Response:
    def wait() -> None:
        with scene.faults.counted_as_held(scene.fault):
            scene.fault.released.wait()

    return scene.around(wait)


def _garbage(scene: Scene) -> Response:
    whole = scene.proceed()
    whole.close()
    return Response(200, b'{"Items":[{"broken' + b"?" * max(0, whole.length - 18))


def _broken(scene: Scene) -> Response:
    if scene.fault.options.get("when") == "after":
        scene.proceed().close()
    return scene.service.failure(500, "An error has occurred.")


def _failure(status: int, sentence: str) -> Callable[[Scene], Response]:
    return lambda scene: scene.service.failure(status, sentence)


def _always(response: Response) -> Callable[[Scene], Response]:
    return lambda _: response


ACTIONS: dict[str, Callable[[Scene], Response]] = {
    "429": _too_many,
    "500": _broken,
    "503-text": lambda scene: scene.service.unavailable(),
    "502-html": _always(Response(502, HTML, "text/html; charset=utf-8")),
    "html": _always(Response(200, HTML, "text/html; charset=utf-8")),
    "401": _failure(401, "Unauthorized"),
    "403": _failure(403, "Forbidden"),
    "drop-before": _always(Response(0, delivery="none")),
    "drop-after": lambda scene: scene.proceed().delivered("none"),
    "slow": _slow,
    "hold": _hold,
    "truncated": lambda scene: scene.proceed().delivered("half"),
    "garbage": _garbage,
}
