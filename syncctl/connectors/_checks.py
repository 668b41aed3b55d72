"""Lines of `syncctl doctor` that several connectors have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncctl.connectors.base import Answer, Check, Connector
from syncctl.connectors.declared import Values
from syncctl.models import Customer, State

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


def guest_check(connector: Connector, *, sure: bool = True) -> Iterator[Check]:
    """Whether the customer that stands for all guests is there; one call where `_GUEST` names one.

    `sure`: whether the service's search finds a customer by every code that it may have.
    """
    values = connector.values
    code = values.get("GUEST")
    if code in ("", "create"):
        return
    records = connector.find_customer(code, "").records
    found = [each for each in records if isinstance(each, Customer) and code in each.codes]
    variable = values.variable("GUEST")
    if len(found) == 1 and found[0].state is State.ACTIVE:
        yield Check("ok", "guests", f"orders of guests are those of {found[0].name} ({code})")
    elif found:
        said = "is not in use any more" if len(found) == 1 else f"is the code of {len(found)} customers"
        yield Check("wrong", "guests", f"{code} {said}", f"Name another one in {variable}, or set {variable}=create")
    elif not sure:
        message = f"a search finds no {code}; orders of guests are held unless it is an account number"
        yield Check("warning", "guests", message, f"Run syncctl sync-customers, or set {variable}=create")
    else:
        yield Check("wrong", "guests", f"there is no customer {code}", f"Correct {variable}, or set {variable}=create")
