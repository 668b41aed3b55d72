"""Each module imports only from layers below its own, and libraries stay where they belong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "syncctl"

# The lowest first; a module may import from its own layer and from those before it.
LAYERS = (
    ("errors", "models", "clock", "invocation", "wording", "shop.fields"),
    ("shop.listing",),
    ("shop.customer", "shop.product"),
    ("shop.order",),
    ("shop.order_check",),
    ("models_push",),
    ("mail.event",),
    ("decide",),
    ("connectors.declared",),
    ("connectors.base", "connectors._fields", "connectors._checks", "tally", "run"),
    ("oauth.consent",),
    ("oauth.callback",),
    ("connectors.*",),
    ("connectors", "settings.file", "settings.zone"),
    ("settings.connector", "settings.names"),
    ("settings.mail", "mail.letter"),
    ("settings.general",),
    ("settings.config", "redact", "http.answer", "mail.smtp"),
    ("settings.posting", "settings.env_text"),
    (
        "state.push_schema",
        "state.customer_schema",
        "state.mail_schema",
        "state.outbox_schema",
        "state.unqueued_schema",
        "state.watch_schema",
        "state.keep_schema",
        "state.catalogue_schema",
    ),
    ("state.files",),
    ("state.migrations", "state.locks"),
    ("state.backup",),
    ("state.database",),
    ("state.shop",),
    ("state.*",),
    ("session", "sources", "http.failures", "oauth.grants"),
    ("oauth.tokens", "http.line", "ping"),
    ("http.transport",),
    ("pull.guards", "costs"),
    ("pull.refresh", "forecast"),
    ("pull.feed",),
    ("pull.oldest", "pull.customers", "mail.notify", "mail.waiting"),
    ("push", "push.*"),
    ("report.plots",),
    ("report.page", "report"),
    ("plan", "plan.*"),
    ("app",),
    ("commands.*", "cli", "__main__"),
)
ROOMS = ("syncctl", "commands", "http", "mail", "oauth", "pull", "settings", "shop", "state")  # that hold nothing
HOMES = {
    "click": ("cli", "commands."),
    "requests": ("http.line", "http.failures", "oauth.tokens", "ping"),
    "tenacity": ("http.transport",),
    "sqlite3": ("state.", "sandbox.", "commands.demo", "commands.sandbox"),
    "sqlite_utils": ("state.",),
    "dotenv": ("settings.file",),
    "smtplib": ("mail.smtp",),
}


def modules() -> list[str]:
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in ROOT.rglob("*.py")
        if path.name != "__init__.py" or path.parent.name not in ROOMS
    )


def layer(module: str) -> int:
    """The number of a module's layer; an exact name comes before a pattern."""
    for exact in (True, False):
        for number, names in enumerate(LAYERS):
            for name in names:
                if name == module if exact else (name.endswith("*") and module.startswith(name[:-1])):
                    return number
    raise AssertionError(f"{module} belongs to no layer: add it to LAYERS")


def imports(module: str) -> Iterator[str]:
    """The full names of what a module imports when it runs; what only type checkers see does not count."""
    base = ROOT / Path(*module.split("."))
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    tree = ast.parse(path.read_text())
    typing_only = {id(node) for block in ast.walk(tree) if _is_type_checking(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def own(module: str) -> set[str]:
    """The syncctl modules that a module imports, without the package's name."""
    known = set(modules())
    names = (name.removeprefix("syncctl.") for name in imports(module) if name.startswith("syncctl."))
    return {name for name in names if name in known}


@pytest.mark.parametrize("module", [m for m in modules() if not m.startswith("sandbox")])
def test_a_module_imports_only_from_below(module: str) -> None:
    allowed = layer(module)
    upward = {name for name in own(module) if not name.startswith("sandbox") and layer(name) > allowed}
    assert not upward


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("sandbox")])
def test_the_sandbox_is_a_reading_of_its_own(module: str) -> None:
    assert {name.partition(".")[0] for name in own(module)} <= {"sandbox"}


@pytest.mark.parametrize("module", [m for m in modules() if not m.startswith(("sandbox", "commands"))])
def test_only_commands_know_the_sandbox(module: str) -> None:
    assert not {name for name in own(module) if name.startswith("sandbox")}


@pytest.mark.parametrize("module", modules())
def test_a_library_stays_where_it_belongs(module: str) -> None:
    used = {name.partition(".")[0] for name in imports(module)} & HOMES.keys()
    strangers = {library for library in used if not f"{module}".startswith(HOMES[library])}
    assert not strangers
