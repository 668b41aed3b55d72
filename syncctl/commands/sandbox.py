"""`syncctl sandbox`: serve local copies of the back offices."""

from __future__ import annotations

import errno
import signal
import sqlite3
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from types import FrameType

    from ..sandbox import Sandbox

EXIT_UNAVAILABLE = 69


class Unavailable(click.ClickException):
    """The sandbox cannot be served."""

    exit_code = EXIT_UNAVAILABLE


@click.command("sandbox")
@click.option("--port", default=8770, show_default=True, type=click.IntRange(1, 65535), help="Port on 127.0.0.1.")
@click.option("--products", default=1000, show_default=True, type=click.IntRange(0), help="Products to invent.")
@click.option("--seed", default=7, show_default=True, type=int, help="Same seed, same records.")
@click.option(
    "--db",
    type=click.Path(dir_okay=False, writable=True),
    help="Keep the records in this file over restarts; without it they are gone at the end.",
)
@click.option(
    "--service",
    "services",
    multiple=True,
    type=click.Choice(["unleashed", "vend", "xero"]),
    help="Serve this one only; may be given again.",
)
@click.option("--print-env", is_flag=True, help="Print the .env lines and exit.")
def command(*, port: int, print_env: bool, **options: Any) -> None:
    """Serve a local copy of the back offices, to try syncctl without any account.

    Prints the .env lines that point syncctl at it, with all that posting orders needs, then serves on 127.0.0.1 until
    Ctrl-C.

    \b
    Example, in two terminals:
        umask 077; syncctl sandbox --print-env > sandbox.env
        syncctl sandbox
        syncctl sync-recent --env-file sandbox.env
    """
    from ..sandbox import PostingSandbox  # the HTTP server is for this command alone
    from ..sandbox.frame import DEFAULT

    options["services"] = options["services"] or DEFAULT
    sandbox = PostingSandbox(port=port, **options)
    if print_env:
        _print_env(sandbox)
    else:
        _serve(sandbox)


def _print_env(sandbox: Sandbox) -> None:
    for name, value in sandbox.env().items():
        click.echo(f"{name}={value}")


def _serve(sandbox: Sandbox) -> None:
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        sandbox.start()
        _print_env(sandbox)
        click.echo(f"# Serving on {sandbox.url} until Ctrl-C.")
        sandbox.serve_forever()
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        reason = f"Port {sandbox.port} cannot be used ({error.strerror}); choose another with --port."
        raise Unavailable(reason) from None
    except sqlite3.DatabaseError as error:
        raise Unavailable(f"The file given with --db cannot be used: {error}.") from None
    except KeyboardInterrupt:
        click.echo("# Stopped.")
    finally:
        sandbox.stop()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
