"""SKUs on the command line."""

from __future__ import annotations

import click


def as_skus(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """The callback of an argument that takes several."""
    return tuple(as_sku(ctx, param, each) for each in value)


def as_sku(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """The SKU without blanks around it. Bytes that are no text here are refused: without them it is another SKU."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise click.BadParameter(f"{value!r} is no text in the encoding of this terminal.", ctx, param) from None
    return value.strip()
