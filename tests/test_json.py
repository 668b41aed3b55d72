"""What `--json` prints is what the README says: each command's object, key by key, with types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import Shop, Upstream
from posting import SETTINGS, customer, line, order, place, post
from seeded import seeded

from syncctl import cli

README = (Path(__file__).parent.parent / "README.md").read_text()
SECTION = README.partition("## Output, and its JSON form\n")[2].partition("\n## ")[0]
BLOCKS = {
    name: block
    for names, block in re.findall(r"<!-- json: (.*?) -->\n```text\n(.*?)```", SECTION, re.DOTALL)
    for name in names.split(", ")
}
SHAPES = dict(re.findall(r"^([A-Z]+) +(.*?)(?=^[A-Z]+ |\Z)", BLOCKS.pop("shapes"), re.DOTALL | re.MULTILINE))
NO_CONSENT = BLOCKS.pop("auth where no consent is needed")
DRY_RUN, FAILED = BLOCKS.pop("any of these with --dry-run"), BLOCKS.pop("failed")
ALWAYS = {"schema_version": "int", "command": "text", "exit_code": "int"}
WORDS: dict[str, Callable[[Any], object]] = {
    "text": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "time": lambda value: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value),
    "day": lambda value: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value),
}


def parsed(text: str) -> Any:
    """A shape as nested dicts and lists of words; `(shape,)` may be null."""
    while set(SHAPES) & set(re.findall(r"[A-Z]+", text)):
        text = re.sub(r"[A-Z]+", lambda match: SHAPES[match[0]].strip(), text)
    tokens = re.findall(r"\w+|[{}\[\]:,?]", text)
    shape = _shape(tokens)
    assert not tokens, f"{text} goes on after its end"
    return shape


def _shape(tokens: list[str]) -> Any:
    token = tokens.pop(0)
    shape: Any = token
    if token == "[":
        shape = [_shape(tokens)]
        assert tokens.pop(0) == "]"
    elif token == "{":
        shape = {}
        while tokens[0] != "}":
            key, colon = tokens.pop(0), tokens.pop(0)
            assert colon == ":", key
            shape[key] = _shape(tokens)
            tokens[:1] = [] if tokens[0] == "," else tokens[:1]
        tokens.pop(0)
    if tokens and tokens[0] == "?":
        tokens.pop(0)
        shape = (shape,)
    return shape


def faults(value: Any, shape: Any, where: str) -> Iterator[str]:
    """Where a value is not of a shape."""
    if isinstance(shape, tuple):
        yield from () if value is None else faults(value, shape[0], where)
    elif isinstance(shape, str):
        if not WORDS[shape](value):
            yield f"{where} is no {shape}: {value!r}"
    elif not isinstance(value, type(shape)):
        yield f"{where} is no {type(shape).__name__}: {value!r}"
    elif isinstance(shape, list):
        for number, each in enumerate(value):
            yield from faults(each, shape[0], f"{where}[{number}]")
    elif shape.keys() == {"text"}:
        for key, each in value.items():
            yield from faults(each, shape["text"], f"{where}.{key}")
    else:
        yield from (f"{where} has {key}" for key in value.keys() - shape.keys())
        yield from (f"{where} has no {key}" for key in shape.keys() - value.keys())
        for key in value.keys() & shape.keys():
            yield from faults(value[key], shape[key], f"{where}.{key}")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One with orders that are posted, refused, found and unknown, a ghost, a change, and customers in doubt."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / ".env").touch(mode=0o600)
    (folder / "list.jsonl").write_text('{"sku": "MUG"}\n{"sku": ""}\n')
    (folder / "nothing.jsonl").touch()
    with seeded("unleashed", products=8) as sandbox:
        env = sandbox.env() | SETTINGS | {"SYNCCTL_UNLEASHED_LIMITS": "100000/minute, 125000/month"}
        shop = Shop(folder, env, Upstream(sandbox.url))
        live(shop)
        yield shop


def live(shop: Shop) -> None:
    for command in ("sync-recent", "sync-customers"):
        shop.ok(command)
    shop.upstream.put("customers", *({"CustomerCode": code, "Email": "two@x.test"} for code in ("TWO-1", "TWO-2")))
    customer(shop, code="TWO", email="two@x.test")
    shop.run("sync-customers")
    customer(shop, code="C-1", email="1@shop.test")
    place(shop, order("1"), order("2", line(rate="0.2"), total="12.00"), order("3"))
    shop.upstream.fault("drop-after", match={"method": "POST", "path": "/SalesOrders"})
    post(shop)
    place(shop, order("4"), order("5"))
    shop.upstream.fault("drop-before", match={"method": "POST", "path": "/SalesOrders"})
    post(shop)
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 3.5})
    shop.ok("sync-recent")
    shop.run("sync-product", "MUG", "NOPE")
    shop.upstream.fault("429", retry_after=3600)
    shop.run("sync-recent")


COMMANDS = [
    ("status",), ("status", "--check"), ("budget",), ("plan",), ("plan", "--systemd", "units"), ("metrics",),
    ("report", "page.html"), ("log", "calls"), ("log", "runs"), ("log", "changes"), ("explain", "product", "MUG"),
    ("explain", "customer", "two@x.test"), ("explain", "customer", "1@shop.test"), ("explain", "order", "1"),
    ("explain", "order", "2"), ("explain", "call", "1"), ("explain", "call", "10"), ("queue", "list"),
    ("queue", "list", "--skipped"), ("queue", "show", "2"), ("links", "list"), ("links", "show", "customer", "TWO"),
    ("links", "show", "product", "MUG"), ("links", "remove", "product", "MUG"),
    ("links", "add", "product", "MUG", "{remote}"), ("import", "products", "list.jsonl"),
    ("import", "products", "list.jsonl", "--skip-bad"), ("import", "customers", "nothing.jsonl"),
    ("import", "orders", "nothing.jsonl"), ("queue", "retry", "--all"),
    ("queue", "settle", "{unknown}", "--not-created"),
    ("queue", "drop", "--all"), ("sync-recent",), ("sync-oldest",), ("sync-product", "MUG", "NOPE"),
    ("sync-customers",), ("doctor",), ("post-invoices",), ("retry-queue",), ("prune",), ("prune", "--dry-run"),
    ("state", "check"), ("backup", "copy.db"), ("restore", "copy.db"),
]  # fmt: skip


def name_of(args: tuple[str, ...]) -> str:
    """The README's name of a command."""
    if "--check" in args:
        return "status --check"
    return " ".join(args[:2]) if isinstance(cli.cli.get_command(_context(), args[0]), click.Group) else args[0]


def _context() -> click.Context:
    return cli.cli.make_context("syncctl", [], resilient_parsing=True)


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_a_command_prints_what_is_documented(shop: Shop, args: tuple[str, ...]) -> None:
    unknown = shop.rows("SELECT id FROM outbox WHERE state = 'sending' UNION SELECT max(id) FROM outbox")[0][0]
    remote = shop.value("SELECT remote_id FROM remote_products WHERE sku = 'MUG'")
    result = shop.run(*[arg.format(unknown=unknown, remote=remote) for arg in args], "--json")
    told = json.loads(result.out)
    name = name_of(args)
    assert (told["schema_version"], told["command"]) == (1, name.removesuffix(" --check"))
    assert told["exit_code"] == result.code
    assert not list(faults(told, ALWAYS | parsed(BLOCKS[name]), name)), result


DRY = ["sync-recent", "sync-oldest", "sync-customers", "post-invoices", "retry-queue", "doctor"]


@pytest.mark.parametrize("command", DRY)
def test_so_does_a_dry_run(shop: Shop, command: str) -> None:
    told = shop.run(command, "--dry-run", "--json").json()
    assert not list(faults(told, ALWAYS | parsed(DRY_RUN), command))


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_so_does_a_command_that_fails(shop: Shop, args: tuple[str, ...]) -> None:
    result = shop.run(*[arg.format(unknown=1, remote="x") for arg in args], "--json", SYNCCTL_SHOP="")
    name = name_of(args)
    shape = parsed(BLOCKS[name] if "run: int?" in BLOCKS[name] or "--check" in name else FAILED)
    assert result.code in (2, 3, 78)
    assert not list(faults(result.json(), ALWAYS | shape, name)), result


def test_every_command_is_documented() -> None:
    """And only those; some have a form of their own."""
    found = {"status --check", "auth --status"}
    for name in cli.COMMANDS:
        command = cli.cli.get_command(_context(), name)
        parts = command.commands if isinstance(command, click.Group) else {"": command}
        found |= {
            f"{name} {part}".strip()
            for part, each in parts.items()
            if each and any(parameter.name == "as_json" for parameter in each.params)
        }
    assert found == BLOCKS.keys()
