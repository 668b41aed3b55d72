"""A small sandbox per test, and a client that talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from seeded import seeded

from syncctl.sandbox import Sandbox

from .client import Client
from .vend_client import VendClient
from .xero_client import XeroClient

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with seeded("unleashed") as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with requests.Session() as session:
        yield Client(sandbox, session)


@pytest.fixture
def xero() -> Iterator[XeroClient]:
    with seeded("xero") as running, requests.Session() as session:
        yield XeroClient(running, session)


@pytest.fixture
def vend() -> Iterator[VendClient]:
    with seeded("vend") as running, requests.Session() as session:
        yield VendClient(running, session)
