"""Starting, stopping, keeping, seeding, and the command."""

import ast
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from ports import free_port

import syncctl.sandbox
from syncctl.commands.sandbox import command
from syncctl.sandbox import PostingSandbox, Sandbox

from .client import Client, Json


def records(sandbox: Sandbox, kind: str = "products") -> list[Json]:
    answer = requests.get(f"{sandbox.url}/_sandbox/records/unleashed/{kind}?limit=5000", timeout=20)
    found: list[Json] = answer.json()["records"]
    return found


def without_times(record: object) -> object:
    if isinstance(record, dict):
        timed = re.compile("On$|Date$")
        return {name: without_times(value) for name, value in record.items() if not timed.search(name)}
    return [without_times(item) for item in record] if isinstance(record, list) else record


@pytest.mark.parametrize("kind", ["products", "stock", "customers", "sales_orders", "invoices"])
def test_the_same_seed_gives_the_same_records(kind: str) -> None:
    with Sandbox(products=300, seed=3) as one, Sandbox(products=300, seed=3) as same, Sandbox(products=300) as other:
        found = without_times(records(one, kind))
        assert found == without_times(records(same, kind))
        assert found != without_times(records(other, kind))


def test_the_seeded_shop_is_plausible() -> None:
    with Sandbox() as sandbox:
        products, stock = records(sandbox), records(sandbox, "stock")
        now = requests.get(f"{sandbox.url}/_sandbox/clock", timeout=20)
        dated = sandbox_time(now.headers["Date"])
    codes = {product["ProductCode"] for product in products}
    assert len(codes) == 1000
    assert {"MUG", "MUG-BLUE", "MUG-BLUE-S", "TEA POT"} <= codes
    assert 10 < sum(product["Obsolete"] for product in products) < 60
    assert 5 < sum(product["DefaultSellPrice"] is None for product in products) < 60
    assert sum(product["SellPriceTier2"]["Value"] is not None for product in products) > 100
    assert 920 < len(stock) < 980
    ages = [dated - int(product["LastModifiedOn"][6:-2]) / 1000 for product in products]
    assert min(ages) > 86_000
    assert max(ages) < 366 * 86_400


def sandbox_time(text: str) -> float:
    from email.utils import parsedate_to_datetime

    return parsedate_to_datetime(text).timestamp()


def test_a_kept_file_keeps_records_and_clock(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    with Sandbox(products=20, db=path) as sandbox, requests.Session() as session:
        client = Client(sandbox, session)
        (guid,) = client.plant("products", {"ProductCode": "KEPT"})
        client.control("POST", "clock", {"advance": 3600})
        before = records(sandbox)
    with Sandbox(products=999, db=path) as sandbox, requests.Session() as session:
        client = Client(sandbox, session)
        assert records(sandbox) == before
        assert client.get(f"/Products/{guid}")["ProductCode"] == "KEPT"
        assert client.control("GET", "clock")["offset"] == 3600


def test_a_sandbox_without_products_is_empty() -> None:
    with Sandbox(products=0) as sandbox:
        assert records(sandbox) == []
        assert records(sandbox, "sales_orders") == []


def test_it_can_be_started_again() -> None:
    sandbox = Sandbox(products=5)
    for _ in range(2):
        sandbox.start()
        assert len(records(sandbox)) == 5
        sandbox.stop()
    sandbox.stop()


def test_stopping_hangs_up_on_open_connections(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.sendall(b"GET /_sandbox/clock HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1)
        sandbox.stop()
        while connection.recv(65536):
            pass


def test_a_request_without_a_length_is_refused(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.url}/unleashed/Products", data=iter([b"{}"]), timeout=20)
    assert answer.status_code == 411


def test_head_has_no_body(sandbox: Sandbox) -> None:
    answer = requests.head(f"{sandbox.url}/_sandbox/clock", timeout=20)
    assert answer.content == b""


def test_it_imports_nothing_of_the_rest_of_syncctl() -> None:
    folder = Path(str(syncctl.sandbox.__file__)).parent
    for path in folder.rglob("*.py"):
        depth = len(path.relative_to(folder).parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level <= depth, path
                assert not (node.module or "").startswith("syncctl"), path


def test_the_command_prints_the_settings() -> None:
    result = CliRunner().invoke(command, ["--print-env"])
    assert result.exit_code == 0
    settings = dict(line.split("=", 1) for line in result.output.splitlines())
    assert settings == PostingSandbox(port=8770).env()
    assert settings["SYNCCTL_UNLEASHED_BASE_URL"] == "http://127.0.0.1:8770/unleashed"


def test_the_command_says_so_when_the_port_is_taken(sandbox: Sandbox) -> None:
    result = CliRunner().invoke(command, ["--port", str(sandbox.port), "--products", "0"])
    assert result.exit_code == 69
    assert f"Port {sandbox.port} cannot be used" in result.output
    assert "Traceback" not in result.output


def test_the_command_says_so_when_the_file_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    path.write_text("this is no database, and long enough to be looked at" * 100)
    port = free_port()
    result = CliRunner().invoke(command, ["--port", str(port), "--db", str(path)])
    assert result.exit_code == 69
    assert "--db" in result.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_a_signal(number: signal.Signals) -> None:
    port = free_port()
    # A job in the background of a script is born with SIGINT ignored, and so would be what the tests start from it.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{heeding}; from syncctl.commands.sandbox import command; command()"
    arguments = ["--port", str(port), "--products", "5"]
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("#"))
        assert f"http://127.0.0.1:{port}" in line
        assert requests.get(f"http://127.0.0.1:{port}/_sandbox/clock", timeout=20).status_code == 200
        process.send_signal(number)
        assert process.wait(300) == 0
