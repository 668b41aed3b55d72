"""Lines of `syncctl doctor` that several connectors have."""

from __future__ import annotations

from collections.abc import Sequence

from syncctl.connectors.base import Answer, Check
from syncctl.connectors.declared import Values

MOST_CLOCK_SKEW_SECONDS = 300


def clock_check(answer: Answer) -> Check:
    """Whether this machine's clock and the service's agree."""
    skew = answer.skew()
    if skew is None:
        return Check("warning", "clock", "the service does not tell its time")
    if abs(skew) > MOST_CLOCK_SKEW_SECONDS:
        return Check("warning", "clock", f"this machine is {skew:+.0f} s off the service's time", "Start an NTP client")
    return Check("ok", "clock", f"within {MOST_CLOCK_SKEW_SECONDS} s of the service's")


def location_check(values: Values, setting: str, known: Sequence[str]) -> Check:
    """Whether the location that a setting names is one that the service has."""
    subject, wanted = setting.lower(), values.settings.get(setting)
    if not wanted:
        return Check("ok", subject, f"stock is the sum of all {len(known)}: {', '.join(known)}")
    if wanted in known:
        return Check("ok", subject, f"{wanted} exists")
    return Check(
        "wrong", subject, f"there is no {wanted}", f"Set {values.variable(setting)} to one of {', '.join(known)}"
    )
