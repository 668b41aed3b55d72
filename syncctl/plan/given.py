"""What a person tells a plan; a module of its own, since --help needs no more."""

from __future__ import annotations

from syncctl.models import Struct


class Given(Struct):
    """What whoever plans says, before what settings and state have; `freshness` in seconds."""

    freshness: int | None = None
    products: int | None = None
    orders: float | None = None
    changes: float | None = None
