"""Points on which a vendor's documentation is silent: a test proves the client on every reading."""

from __future__ import annotations

from collections.abc import Mapping


class Switches:
    """The switches of one service, each with its allowed values; the first one is the default.

    A switch whose allowed values are empty takes any number from 0 up and starts at 0.
    Values are texts, so that `200` and `"200"` mean the same.
    """

    def __init__(self, allowed: Mapping[str, tuple[str, ...]]) -> None:
        self._allowed = allowed
        self._values: dict[str, str] = {}
        self.reset()

    def __getitem__(self, name: str) -> str:
        """The value of a switch."""
        return self._values[name]

    def number(self, name: str) -> float:
        """The value of a numeric switch."""
        return float(self._values[name])

    def reset(self) -> None:
        """Put every switch back to its default."""
        self._values = {name: next(iter(values), "0") for name, values in self._allowed.items()}

    def set(self, name: str, value: object) -> None:
        """Set a switch; raises ValueError with a sentence naming what is allowed."""
        if name not in self._allowed:
            raise ValueError(f"There is no switch {name!r}; there are {', '.join(sorted(self._allowed))}.")
        if not self._accepts(name, str(value)):
            wanted = ", ".join(self._allowed[name]) or "a number from 0 up"
            raise ValueError(f"Switch {name!r} cannot be {value!r}; allowed: {wanted}.")
        self._values[name] = str(value)

    def _accepts(self, name: str, value: str) -> bool:
        if self._allowed[name]:
            return value in self._allowed[name]
        try:
            return 0 <= float(value) < float("inf")
        except ValueError:
            return False

    def report(self) -> dict[str, dict[str, object]]:
        """Value and allowed values of every switch."""
        return {name: {"value": self._values[name], "allowed": list(values)} for name, values in self._allowed.items()}
