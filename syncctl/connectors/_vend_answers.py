"""What Vend's answers hold, whatever their form: rows in an envelope or without one, the words of an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from syncctl.connectors._fields import text
from syncctl.connectors._vend_records import version_of

if TYPE_CHECKING:
    from syncctl.connectors.base import Answer


def rows_of(answer: Answer) -> tuple[list[Any], int]:
    """The rows, in an envelope or (stock) as they are, and the highest version: as told, else that of the rows."""
    data = answer.json()
    rows = unwrapped(data)
    if not isinstance(rows, list):
        said = f": {words}" if isinstance(data, dict) and (words := words_of(data)) else ""
        remedy = "Look at it with syncctl explain, and at the base URL"
        raise answer.unfit(f"The answer has no list of rows (call {answer.call}){said}", remedy)
    told = data.get("version") if isinstance(data, dict) else None
    highest = version_of({"version": told.get("max")}) if isinstance(told, dict) else 0
    return rows, highest or max(map(version_of, rows), default=0)


def unwrapped(data: Any) -> Any:
    """What is in the envelope of an answer; stock comes without one."""
    return data.get("data") if isinstance(data, dict) else data


def words_of(data: Mapping[str, Any]) -> str:
    """The sentences in an error body: `errors` (a list or an object), or `error` with `message` or `details`."""
    told = [data.get("errors")] if data.get("errors") else [data.get(name) for name in ("error", "message", "details")]
    return ": ".join(part for part in map(_flat, told) if part)


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{text(name)}: {_flat(inner)}" for name, inner in value.items())
    return "; ".join(map(_flat, value)) if isinstance(value, list) else text(value)
