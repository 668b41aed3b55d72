"""Vend's sandbox for tests: a shop that is connected to it, and hands that work in it behind syncctl's back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import Shop, Upstream
from contract import connected
from seeded import seeded

from syncctl.clock import Clock
from syncctl.connectors.base import Connector
from syncctl.models import Kind
from syncctl.sandbox import Sandbox

MAIN, HARBOUR = (f"0b5e7a00-1111-4000-8000-00000000000{number}" for number in (1, 2))
PAGE = 40


class VendBench:
    """See `contract.Bench`."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self.shop = shop
        self.upstream = shop.upstream
        self._monkeypatch, self._stack = monkeypatch, stack
        self.connector = self.restarted()

    def restarted(self, clock: Clock | None = None, **settings: str) -> Connector:
        """With further settings, as `PRICE_TIER="…"`."""
        self.shop.extra |= {f"SYNCCTL_VEND_{name}": value for name, value in settings.items()}
        return self._stack.enter_context(connected(self.shop, self._monkeypatch, clock))

    def calls(self) -> int:
        return self.upstream.calls()

    @property
    def url(self) -> str:
        """Where the dated API is."""
        return f"{self.shop.env['SYNCCTL_VEND_BASE_URL']}/api/2026-07"

    def rows(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.upstream.request("GET", f"records/vend/{kind}")["records"]
        return found

    def ids(self, kind: Kind) -> set[str]:
        if kind is Kind.STOCK:
            return {row["product_id"] for row in self.rows("stock")}
        return {row["id"] for row in self.rows("products") if not row["deleted_at"] and not is_frame(row)}

    def add(self, sku: str) -> str:
        remote_id = str(uuid.uuid4())
        self.product(remote_id, sku=sku, name=sku, price_including_tax=10)
        self.stock(remote_id, MAIN, 7)
        return remote_id

    def product(self, remote_id: str, **fields: object) -> None:
        self.upstream.put("products", {"id": remote_id, **fields})

    def stock(self, remote_id: str, outlet: str, level: object) -> None:
        self._post("stock", self._stock_row(remote_id, outlet), json.dumps(level))

    def set_price(self, remote_id: str, token: str) -> None:
        self._post("products", {"id": remote_id, "price_excluding_tax": None}, token, "price_including_tax")

    def set_stock(self, remote_id: str, token: str) -> None:
        self._post("stock", self._stock_row(remote_id, MAIN), token)

    def _stock_row(self, remote_id: str, outlet: str) -> dict[str, object]:
        return {"product_id": remote_id, "outlet_id": outlet}

    def _post(self, kind: str, row: dict[str, object], token: str, field: str = "current_inventory_level") -> None:
        text = f'{json.dumps(row)[:-1]}, "{field}": {token}}}'
        answer = requests.post(f"{self.upstream.url}/records/vend/{kind}", data=text, timeout=30)
        assert answer.ok, answer.text

    def retire(self, remote_id: str) -> None:
        self.product(remote_id, active=False, is_active=False)

    def delete(self, remote_id: str) -> None:
        self.upstream.delete("products", remote_id)

    def settle(self) -> None:
        self.upstream.advance(3600)


def is_frame(row: dict[str, Any]) -> bool:
    """Whether a product only holds variants together."""
    return bool(row["has_variants"]) and not row["is_active"]


class VendTest:
    """The fixtures of a test class."""

    @pytest.fixture
    def sandbox(self, catalogue_size: int) -> Iterator[Sandbox]:
        with seeded("vend", products=catalogue_size) as running:
            yield running

    @pytest.fixture
    def shop(self, sandbox: Sandbox, tmp_path: Path) -> Shop:
        """Its pages are small, so that there are several."""
        (tmp_path / ".env").touch(mode=0o600)
        extra = {"SYNCCTL_VEND_PAGE_SIZE": str(PAGE), "SYNCCTL_VEND_REGISTERS": "2"}
        return Shop(tmp_path, sandbox.env(), Upstream(sandbox.url, "vend"), extra)

    @pytest.fixture
    def bench(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[VendBench]:
        with ExitStack() as stack:
            yield VendBench(shop, monkeypatch, stack)
