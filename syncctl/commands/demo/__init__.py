"""`syncctl demo`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

EXIT_BUG = 70


@click.command("demo")
@click.option("--products", type=click.IntRange(100), default=1000, show_default=True, help="Size of the catalogue.")
@click.option("--keep", is_flag=True, help="Keep the folder with the state file, to look around in it.")
def command(*, products: int, keep: bool) -> int:
    """Run the main job on a local sandbox, and say what it costs.

    Needs no account and no network: copies of the three services are served on 127.0.0.1 while the real commands run
    against them, one after the other. First products, prices and stock come from there into the shop, then 25 orders
    go the other way. In the end these are counted in the copies themselves; a wrong count is exit code 70.

    \b
    Example:
        syncctl demo --keep
    """
    folder = Path(tempfile.mkdtemp(prefix="syncctl-demo-"))
    try:
        faults = _play(folder, products)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if keep:
        click.echo(f"\nSettings and state are in {folder}; open syncctl.db with sqlite3 or datasette.")
    return ended(faults)


def ended(faults: Sequence[str]) -> int:
    """Tells what did not go as it must; the exit code."""
    for fault in faults:
        click.echo(f"syncctl: the demo did not go as it must: {fault}", err=True)
    return EXIT_BUG if faults else 0


def _play(folder: Path, products: int) -> list[str]:
    """The whole story; what did not go as it must."""
    from syncctl.commands.demo.postbox import Postbox
    from syncctl.commands.demo.posting import post_orders
    from syncctl.commands.demo.pulling import pull_products
    from syncctl.commands.demo.stage import Stage
    from syncctl.sandbox import PostingSandbox

    with ExitStack() as running:
        running.enter_context(_no_settings_of_this_shell())
        stage = Stage(folder)
        stage.say(
            f"Serving copies of Unleashed, Xero and Vend with {products:,} products each, on this machine alone. What"
            " begins with $ is the real command, as a shop would run it."
        )
        sandbox = running.enter_context(PostingSandbox(port=0, products=products))
        postbox = running.enter_context(Postbox())
        stage.url = sandbox.url
        stage.write_settings(sandbox.env() | postbox.env())
        pull_products(stage)
        post_orders(stage, postbox)
        stage.close()
    return stage.faults


@contextmanager
def _no_settings_of_this_shell() -> Iterator[None]:
    """The settings of the demo are those in its own `.env`."""
    before = {name: value for name, value in os.environ.items() if name.startswith("SYNCCTL_")}
    for name in before:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)
