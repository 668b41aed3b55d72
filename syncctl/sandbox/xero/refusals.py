"""What a full window answers: 429, in whatever form the vendor may have chosen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..messages import JSON_TYPE, Response
from .answers import HTML_TYPE

if TYPE_CHECKING:
    from ..switches import Switches

_BODIES = {
    "empty": (b"", HTML_TYPE),
    "html": (b"<html><body><h1>Too Many Requests</h1></body></html>", HTML_TYPE),
    "json": (b'{"Title":"Too Many Requests"}', JSON_TYPE),
}
# `minute`, `day` and `concurrent` were seen on the wire; the other spellings occur in clients' code.
_PROBLEMS = {
    "lower": {"minute": "minute", "day": "day", "appminute": "appminute", "concurrent": "concurrent"},
    "words": {"minute": "Minute limit", "day": "Daily", "appminute": "App Minute limit", "concurrent": "Concurrent"},
    "limits": {"minute": "MinLimit", "day": "DayLimit", "appminute": "AppMinLimit", "concurrent": "ConcurrentLimit"},
}
_USUAL_WAIT = {"minute": 37.0, "day": 45_461.0, "appminute": 37.0}
"""Waits as clients have met them: a whole half day is real."""


def too_many(window: str, wait: float | None, switches: Switches) -> Response:
    """The answer at a full window; only the windows of time say how long to wait, in whole seconds."""
    body, content_type = _BODIES[switches["body_429"]]
    response = Response(429, body, content_type)
    response = response.with_header("X-Rate-Limit-Problem", _PROBLEMS[switches["problem"]][window])
    if window == "concurrent" or switches["retry_after"] == "absent":
        return response
    seconds = _USUAL_WAIT[window] if wait is None else wait
    return response.with_header("Retry-After", str(math.ceil(seconds)))
