"""`syncctl import`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import click

from syncctl.commands.common import Common, common_options, show_json


@click.group("import")
def command() -> None:
    """Bring the shop's own list of products. Makes no call."""
