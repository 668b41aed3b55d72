"""The text of a mail: one for a run, its events grouped by what and why, so that a hundred orders are one group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from syncctl.mail.event import POSTED, RECORD, Event, cleaned, retry_all
from syncctl.models import Struct, iso
from syncctl.wording import call_in, one_line, without_call

_MOST_LISTED = 20
_WORDS = ("given up", "failed", POSTED, "recovered")  # in this order
_MOST_SUBJECT = 150


class Letter(Struct):
    """What is mailed; the subject is one line."""

    subject: str
    body: str


def letter(events: Sequence[Event], shop: str, host: str, now: datetime) -> Letter:
    """A mail of these events, for people who know the shop and not the program."""
    known = sorted(map(cleaned, _once(events)), key=_group)
    parts = [f"syncctl of the shop {shop}, on {one_line(host)}, {iso(now)}."]
    parts += ["\n".join(_paragraph(sorted(group, key=_name))) for _, group in groupby(known, _group)]
    parts.append("How things stand: syncctl status")
    return Letter(_subject(known, shop), "\n\n".join(parts) + "\n")


def _once(events: Sequence[Event]) -> Iterable[Event]:
    """A record that had failed for several causes recovers once."""
    return {(e.connector, e.record, "" if e.what == "recovered" else (e.what, e.topic)): e for e in events}.values()


def _group(event: Event) -> tuple[int, str, str]:
    return (_WORDS.index(event.word), event.connector, event.cause)


def _name(event: Event) -> list[tuple[int, str]]:
    """Sorts records as people count: 9 comes before 10."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split("([0-9]+)", event.record)]


def _subject(events: Sequence[Event], shop: str) -> str:
    """`syncctl myshop: 100 failed (xero: locked-period), 1 recovered (xero: name-taken)`."""
    counts = []
    for word in _WORDS:
        same = [event for event in events if event.word == word]
        reasons = ", ".join(dict.fromkeys(f"{event.connector}: {event.cause}" for event in same))
        counts += [f"{len(same)} {word} ({reasons})"] if same else []
    return one_line(f"syncctl {shop}: {', '.join(counts)}", _MOST_SUBJECT)


def _paragraph(events: Sequence[Event]) -> Iterator[str]:
    """One group: what all its events share once, then each record with what is its own."""
    first = events[0]
    yield f"{first.connector}: {len(events)} {first.word} ({first.cause})"
    shared = _shared(events)
    if "message" in shared:
        yield f"  {'It had failed with' if first.what == 'recovered' else 'Reason'}: {_reason(events)}"
    if "waits" in shared and first.waits:
        yield f"  Waiting for it: {first.waits}"
    if first.what != "recovered":
        yield from _advice(events, shared)
    for event in events[:_MOST_LISTED] if len(events) > 1 or first.record else ():
        call = call_in(event.message) if "message" in shared and len(events) > 1 else ""
        own = ". ".join(filter(None, (call, *_own(event, shared))))
        yield f"  - {event.record or event.connector}{own and ': ' + own}"
    if len(events) > _MOST_LISTED:
        yield f"  and {len(events) - _MOST_LISTED:,} more"


def _reason(events: Sequence[Event]) -> str:
    """What all were told; the calls that it was told to stand beside their records, where there are several."""
    return events[0].message if len(events) == 1 else without_call(events[0].message)


def _shared(events: Sequence[Event]) -> set[str]:
    """What all of them have in common."""
    names = ("message", "remedy", "command", "waits")
    shared = {name for name in names if len({without_call(getattr(event, name)) for event in events}) == 1}
    if events[0].word == POSTED:
        return shared - {"command"}  # it accepts one alone
    return shared | {"command"} if retry_all(events) else shared


def _advice(events: Sequence[Event], shared: set[str]) -> Iterator[str]:
    first = events[0]
    if "remedy" in shared and first.remedy:
        yield f"  What to do: {first.remedy}"
    when = _next_try(events)
    if when:
        yield f"  Tried next: {when}"
    command = first.command if len(events) == 1 else retry_all(events) or first.command
    if "command" in shared and command:
        yield f"  To try now: {command}"


def _next_try(events: Sequence[Event]) -> str:
    if events[0].what == "gave_up":
        return "not by itself any more"
    if events[0].word == POSTED:
        return ""
    times = sorted(event.next_try for event in events if event.next_try)
    if not times:
        return "" if events[0].cause == RECORD else "with the next run"
    return iso(times[0]) if times[0] == times[-1] else f"from {iso(times[0])} to {iso(times[-1])}"


def _own(event: Event, shared: set[str]) -> Iterator[str]:
    """What a record has not in common with the others of its group."""
    names = ("message",) if event.what == "recovered" else ("message", "remedy", "command")
    begin = {"command": "To accept it: "} if event.word == POSTED else {}
    own = ((name, getattr(event, name).rstrip(".")) for name in names if name not in shared)
    yield from (begin.get(name, "") + told for name, told in own if told)
    if event.waits and "waits" not in shared:
        yield f"Waiting for it: {event.waits}"
