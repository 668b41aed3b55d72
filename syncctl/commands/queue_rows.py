"""How people read a row of the queue, and how `--json` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from syncctl.clock import SystemClock
from syncctl.commands.layout import Level, paint, plural, request_words, say
from syncctl.models import from_ms, iso, to_ms
from syncctl.wording import one_line

if TYPE_CHECKING:
    from syncctl.state.outbox import Row

_WORDS = {
    "due": "due",
    "sending": "unknown",
    "gave_up": "given up",
    "waiting": "waiting",
    "skipped": "skipped",
    "done": "done",
}
_LEVELS: dict[str, Level] = {"rejected": "wrong", "given up": "wrong", "unknown": "warning"}


def as_json(row: Row) -> dict[str, Any]:
    """A row as `--json` prints it."""
    return {
        "id": row.id, "connector": row.connector, "kind": row.kind, "key": row.key, "reference": row.reference,
        "state": row.state, "tries": row.tries, "due_at": iso(from_ms(row.due_at)), "cause": row.cause,
        "message": row.message, "remedy": row.remedy, "call": row.call or None, "remote_id": row.remote_id,
    }  # fmt: skip


def line(row: Row) -> str:
    """`17  unleashed order 1001: rejected (tax-unmapped): why. What to do. Next try 2026-…`."""
    from syncctl.state.outbox import differs

    word = "rejected" if row.state == "due" and row.cause else _WORDS[row.state]
    word = "posted, to look at" if differs(row) else word
    state = paint(word, _LEVELS.get(word))
    cause = f" ({row.cause})" if row.cause else ""
    why = f": {row.message.rstrip('.')}." if row.message else "." if _when(row) or row.state == "skipped" else ""
    told = row.remedy or (f"To post it, run syncctl queue retry {row.id}" if row.state == "skipped" else "")
    remedy = f" {told.rstrip('.')}." if told else ""
    there = f" as {row.remote_id}" if row.state == "done" else ""
    kind = str(row.kind).removesuffix("s")
    return (
        f"{row.id:>5}  {row.connector} {kind} {one_line(row.key, 60)}: {state}{there}{cause}{why}{remedy}{_when(row)}"
    )


def _when(row: Row) -> str:
    """When a run deals with it again."""
    from syncctl.state.outbox import TO_COME

    if row.state not in ("due", "sending") and row.cause != TO_COME:
        return ""
    ahead = row.due_at > to_ms(SystemClock().now())
    next_, now = (
        ("Next look for it there", "looks for it there") if row.state == "sending" else ("Next try", "tries it")
    )
    return f" {next_} {iso(from_ms(row.due_at))}." if ahead else f" The next run {now}."


def print_attempts(attempts: Sequence[dict[str, Any]]) -> None:
    """Each try on a line; of runs that stopped for one reason, one after the other, the first and how many more."""
    for _, several in groupby(enumerate(attempts), _stop):
        (_, each), *others = several
        call = f" (call {each['call']}: {request_words(each['method'], each['path'])})" if each["method"] else ""
        why = f": {each['message']}" if each["message"] else ""
        outcome = "sent, and then cut off" if each["outcome"] == "sending" else each["outcome"]
        say(f"       {each['at']}  run {each['run']}: {outcome}{why}{call}", indent=29)
        if others:
            last = others[-1][1]
            say(f"       {last['at']}  run {last['run']}: the same, {plural(len(others), 'run')} since", indent=29)


def _stop(numbered: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    """The same for runs that stopped for one reason; a try that was made stands for itself."""
    number, each = numbered
    return (-1, each["message"]) if each["outcome"] == "stopped" else (number, "")
