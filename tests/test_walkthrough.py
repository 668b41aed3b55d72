"""Somebody's first order on the sandbox, as the README has it: the very lines, in a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from ports import free_port
from test_readme import block

PLACES = {
    "unleashed": ("sales_orders", "SourceId"),
    "xero": ("invoices", "InvoiceNumber"),
    "vend": ("sales", "invoice_number"),
}


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A shell without settings, in which `syncctl` is found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCCTL_", "XDG_"))}
    return kept | {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def lines(name: str, port: int) -> str:
    """A part of the walk-through, on another port and with fewer products, to be quick."""
    text = block("walk-through", name).removeprefix("```sh\n").removesuffix("```\n")
    assert "syncctl sandbox" in text
    return text.replace("syncctl sandbox", f"syncctl sandbox --port {port} --products 30")


@pytest.fixture
def sandbox(port: int, env: dict[str, str], tmp_path: Path) -> Iterator[str]:
    shell = ["bash", "-c", f"exec {lines('sandbox', port)}"]
    with subprocess.Popen(shell, env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield next(line for line in process.stdout if line.startswith("# Serving"))
        process.terminate()


def test_the_first_order_arrives_in_all_three(sandbox: str, port: int, env: dict[str, str], tmp_path: Path) -> None:
    shell = ["bash", "-e", "-c", lines("order", port)]
    done = subprocess.run(shell, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1001 in the shop: paid, 28.75 NZD")
    assert done.stdout.count(" order 1001: done as ") == 3
    url = f"http://127.0.0.1:{port}/_sandbox/records"
    for service, (kind, number) in PLACES.items():
        there = requests.get(f"{url}/{service}/{kind}?limit=1000", timeout=20).json()["records"]
        assert Counter(each[number] for each in there)["demo-1001"] == 1, service
