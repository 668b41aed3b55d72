"""`syncctl demo`: what somebody sees who has never seen it before, and that it believes no count but the services'."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from syncctl import cli
from syncctl.commands.demo import ended
from syncctl.commands.demo.counting import SERVICES, Wanted, count, customers
from syncctl.commands.demo.stage import Stage
from syncctl.sandbox import Sandbox


@pytest.fixture(scope="module")
def story() -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run(["demo", "--products", "100"])
    assert code == 0, err.getvalue()
    return out.getvalue()


def step(story: str, command: str, number: int = 0) -> str:
    """What a command said, the first or a later time that it was run; those of a mail name the settings file."""
    return (
        re.sub(r" --env-file \S+", "", story).split(f"$ syncctl {command}\n")[number + 1].split("\n\n", maxsplit=1)[0]
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_ghost_is_found_in_each(story: str, name: str) -> None:
    assert re.search(rf"^{name}: .*[^0-9]1 gone", story, re.MULTILINE)


def test_every_call_is_booked(story: str) -> None:
    reached, booked = re.findall(r"(\d+) calls reached the services, and (\d+) are booked", story)[0]
    assert int(reached) == int(booked) > 100


@pytest.mark.parametrize(("name", "new", "changed"), [("unleashed", 16, 0), ("xero", 16, 8), ("vend", 5, 0)])
def test_in_the_end_each_service_has_each_order(story: str, name: str, new: int, changed: int) -> None:
    assert re.search(rf"^{name} +25 +[\d,.]+ +{new} +{changed} +\d+ +\d+\.\d\d$", story, re.MULTILINE), story


def test_an_order_whose_answer_was_lost_is_found_and_not_sent_again(story: str) -> None:
    assert "unleashed: 24 posted, 1 found there" in step(story, "post-invoices -v")


def test_the_refused_order_is_mailed_mended_and_posted(story: str) -> None:
    assert "xero: 24 posted" in step(story, "post-invoices -v")
    assert "(exit code 65: some record needs a person)" in step(story, "post-invoices -v")
    assert "| Subject: syncctl demo: 1 failed (xero: account)\n" in story
    assert "xero: 1 posted; 2 calls" in step(story, "retry-queue -v")
    assert "| Subject: syncctl demo: 1 recovered (xero: account)\n" in story
    told = step(story, "explain order 1020")
    assert re.search(r"refused: Account code '265' is not a valid code.*\n.*posted .*PUT /Invoices", told)


def test_another_run_makes_no_call(story: str) -> None:
    quiet = "".join(f"{name}: 0 posted; 0 calls\n" for name in ("unleashed", "xero", "vend"))
    assert step(story, "post-invoices -v", 1) + "\n" == quiet


def test_it_fails_when_something_is_not_as_it_must_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["vend: order 1 is there 2 times"]) == 70
    assert capsys.readouterr().err == "syncctl: the demo did not go as it must: vend: order 1 is there 2 times\n"


def test_an_interrupt_ends_it_and_nothing_is_left(tmp_path: Path) -> None:
    # A job in the background of a script is born with SIGINT ignored, and so would be what the tests start from it.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{heeding}; from syncctl.cli import main; main(['demo', '--products', '100'])"
    env = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-uc", code], stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("$ syncctl"))
        process.send_signal(signal.SIGINT)
        assert "calls reached the services" not in process.stdout.read()
        assert process.wait(300) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Sandbox(products=0) as sandbox:
        yield Stage(tmp_path, sandbox.url)


DONE: dict[str, tuple[str, dict[str, Any]]] = {
    "unleashed": ("sales_orders", {"SourceId": "demo-1", "Total": 11.5, "OrderStatus": "Placed"}),
    "xero": ("invoices", {"InvoiceNumber": "demo-1", "AmountPaid": 11.5, "Status": "PAID"}),
    "vend": ("sales", {"invoice_number": "demo-1", "state": "closed", "totals": {"price_incl_tax": 11.5}}),
}
IDS = {"unleashed": "Guid", "xero": "InvoiceID", "vend": "id"}
NAMES = {"unleashed": "CustomerName", "xero": "Name", "vend": "company_name"}
"""Of a customer, what no order may change."""


def test_a_command_that_ends_otherwise_is_told(stage: Stage) -> None:
    stage.write_settings({"SYNCCTL_SHOP": "demo"})
    stage.run("sync-recent")
    assert stage.faults == ["syncctl sync-recent ended with 78 and not with 0"]


@pytest.mark.parametrize("name", SERVICES)
def test_an_order_that_is_missing_or_there_twice_is_told(stage: Stage, name: str) -> None:
    kind, record = DONE[name]
    for times in range(3):
        found = count(stage, name, customers(stage, name), Wanted({"1": Decimal("11.50")}, 0, 0))
        assert found.faults == ([] if times == 1 else [f"{name}: order 1 is there {times} times"])
        stage.change(name, kind, [{**record, IDS[name]: str(uuid4())}])


@pytest.mark.parametrize("name", SERVICES)
def test_another_total_or_order_is_told(stage: Stage, name: str) -> None:
    stage.change(name, DONE[name][0], [DONE[name][1]])
    before = customers(stage, name)
    told = count(stage, name, before, Wanted({"1": Decimal("11.51")}, 0, 0)).faults
    assert told == [f"{name}: order 1 comes to 11.50 and not to 11.51"]
    assert count(stage, name, before, Wanted({}, 0, 0)).faults == [
        f"{name}: order 1 is there, and nobody has placed it"
    ]


@pytest.mark.parametrize("name", SERVICES)
def test_a_customer_who_is_made_or_changed_unasked_is_told(stage: Stage, name: str) -> None:
    field = NAMES[name]
    before = customers(stage, name)
    stage.change(name, "customers", [{field: "Somebody"}])
    (made,) = customers(stage, name).keys() - before.keys()
    assert count(stage, name, before, Wanted({}, 0, 0)).faults == [f"{name}: 1 customers were made, and not 0"]
    before = customers(stage, name)
    key = {"unleashed": "Guid", "xero": "ContactID", "vend": "id"}[name]
    stage.change(name, "customers", [{key: made, field: "Somebody else"}], silent=True)
    assert f"{name}: {field} of customer {made} changed" in count(stage, name, before, Wanted({}, 0, 1)).faults
