"""What the accounts of all services have in common: a store, a clock, open points and tables."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from .store import Table

if TYPE_CHECKING:
    from .clock import Clock
    from .store import Store
    from .switches import Switches


@dataclass(frozen=True, slots=True)
class BaseAccount:
    """What every resource of a service works on; a service adds its tables as fields."""

    store: Store
    clock: Clock
    switches: Switches

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in the order of the fields."""
        values = (getattr(self, field.name) for field in fields(self))
        return tuple(value for value in values if isinstance(value, Table))

    def next_in(self, sequence: str) -> int:
        """The next number of one of the account's own sequences, from 1."""
        number = int(self.store.setting(sequence) or 0) + 1
        self.store.remember(sequence, str(number))
        return number

    def shown_from(self) -> int:
        """From when on a search finds a record that the client creates now (switch `search_lag`)."""
        lag = self.switches.number("search_lag")
        return self.clock.milliseconds() + round(lag * 1000) if lag else 0
