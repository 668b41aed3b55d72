"""The words that `state`, `outcome` and `cause` may have in JSON, read from the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import syncctl
from syncctl.connectors._vend_refusals import UNKNOWN  # which are no causes yet
from syncctl.state.outbox import NO_ANSWER, UNCLEAR, OutboxState
from syncctl.state.stopped import STOPPED
from syncctl.tally import BY_HAND

_CODE = Path(syncctl.__file__).parent
_MADE_BY = {"Hold": 0, "HeldError": 0, "drop": 2}  # the argument of these that is a cause
_ENDED_BY = {"Ended": 1, "arrived": 2, "note": 1}  # the argument of these that is an outcome
_TABLES = ("_REMEDIES", "_CAUSES", "UNKNOWN", "HELD", "TAKEN", "CANCELLED", "TO_COME", "BY_HAND")
_CAUSE = r"[a-z]+(-[a-z]+)*"


def states() -> list[str]:
    return list(get_args(OutboxState))


def outcomes() -> set[str]:
    return {"sending", BY_HAND, NO_ANSWER, UNCLEAR, STOPPED} | {
        word for tree in _trees() for word in _arguments(tree, _ENDED_BY, "outcome")
    }


def causes() -> list[str]:
    told = (word for tree in _trees() for word in (*_arguments(tree, _MADE_BY, ""), *_listed(tree)))
    found = {word for word in told if isinstance(word, str)}
    for name in ("outbox", "queue"):
        found |= set(re.findall(r"cause = '([a-z-]+)'", (_CODE / f"state/{name}.py").read_text()))
    return sorted(word for word in found if re.fullmatch(_CAUSE, word) and word not in UNKNOWN)


def _trees() -> Iterator[ast.Module]:
    parts = [path for part in ("push", "connectors", "state") for path in (_CODE / part).glob("*.py")]
    for path in (_CODE / "decide.py", *parts):
        yield ast.parse(path.read_text())


def _arguments(tree: ast.AST, positions: dict[str, int], keyword: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = positions.get(name)
            given = [node.args[at]] if at is not None and len(node.args) > at else []
            given += [each.value for each in node.keywords if keyword and each.arg == keyword]
            yield from (each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str))


def _listed(tree: ast.Module) -> Iterator[str]:
    """The causes in the tables of refusals: keys of remedies, what a pattern stands for, and constants."""
    for node in tree.body:
        targets = [getattr(each, "id", "") for each in node.targets] if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.Assign) and set(targets) & set(_TABLES):
            value = ast.literal_eval(node.value)
            if targets[0] == "_REMEDIES":
                yield from value
            elif isinstance(value, str):
                yield value
            else:
                rows = value.values() if isinstance(value, dict) else value
                words = (row if isinstance(row, str) else row[-1] for row in rows)
                yield from (word for word in words if isinstance(word, str))
