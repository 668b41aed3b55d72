"""`syncctl completion`."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(*, shell: str) -> int:
    """Print the script that lets a shell complete commands and options.

    \b
    Examples:
        syncctl completion bash > /etc/bash_completion.d/syncctl
        syncctl completion zsh > "${fpath[1]}/_syncctl"
        syncctl completion fish > ~/.config/fish/completions/syncctl.fish
    """
    from click.shell_completion import get_completion_class

    from syncctl.cli import cli

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - the choice knows no other
    click.echo(found(cli, {}, "syncctl", "_SYNCCTL_COMPLETE").source())
    return 0
