"""Sandboxes that start from a copy of a prepared file: to seed each anew takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from syncctl.sandbox import Sandbox
from syncctl.sandbox.frame import DEFAULT


@contextmanager
def seeded(*services: str, products: int = 60) -> Iterator[Sandbox]:
    """A sandbox of these services, or of all, that runs, with its records as a seeding left them."""
    services = services or DEFAULT
    with TemporaryDirectory(prefix="seeded-") as folder:
        file = Path(folder) / "sandbox.db"
        file.write_bytes(_prepared(services, products))
        with Sandbox(products=products, db=file, services=services) as running:
            yield running


@cache
def _prepared(services: tuple[str, ...], products: int) -> bytes:
    """The file of a sandbox that has only been seeded."""
    with TemporaryDirectory(prefix="seeded-") as folder:
        file = Path(folder) / "sandbox.db"
        with Sandbox(products=products, db=file, services=services):
            pass
        return file.read_bytes()
