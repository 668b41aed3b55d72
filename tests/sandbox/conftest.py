"""A small sandbox per test, and a client that talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from syncctl.sandbox import Sandbox

from .client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(products=60) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with requests.Session() as session:
        yield Client(sandbox, session)
