"""The command line: commands that load only when they are called, and errors as one sentence and an exit code."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from syncctl import __version__
from syncctl.errors import EXIT_CODES
from syncctl.invocation import Given

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# what people come for -> name -> (module, one-line help); the line stands here so that --help need not import every
# command
GROUPS = {
    "Sync": {
        "sync-recent": ("sync_recent", "Pull the products and stock that changed since the last run."),
        "sync-oldest": ("sync_oldest", "Read the products again that were looked at longest ago."),
        "sync-product": ("sync_product", "Read single products now, by SKU, and show what changed."),
        "sync-customers": ("sync_customers", "Read the customers that changed, and link them to the shop's."),
        "import": ("import_", "Bring the shop's own products, customers and orders."),
        "links": ("links", "Show which records belong together, and set links by hand."),
    },
    "Post": {
        "post-invoices": ("post_invoices", "Post the shop's orders to the back office, each exactly once."),
        "retry-queue": ("retry_queue", "Try again what could not be posted, and find out what is unknown."),
        "queue": ("queue", "Show and manage what waits to be posted."),
    },
    "See and explain": {
        "status": ("status", "Show freshness, budgets, drift, ghosts and orders of each connector."),
        "explain": ("explain", "Tell where a value came from: every change, and the call that brought it."),
        "log": ("log", "Show the journal: calls, runs and changes, the newest last."),
        "budget": ("budget", "Show how full each call window is, by what, and where it will end."),
        "metrics": ("metrics", "Show the numbers of status for Prometheus, or write them for its node exporter."),
        "report": ("report", "Write a page of how the last days went: freshness, calls, queue, drift and errors."),
    },
    "Set up": {
        "init": ("init", "Write a commented .env and make the state file, by asking or from options."),
        "auth": ("auth", "Let a person consent on the service's page, once, for the connector NAME."),
        "plan": ("plan", "Reckon the calls of a schedule that keeps the promise, and write it for cron or systemd."),
        "doctor": ("doctor", "Check this machine, the settings and each service: 1-2 calls each, up to 5 for posting."),
        "completion": ("completion", "Print the script that lets a shell complete commands and options."),
        "sandbox": ("sandbox", "Serve a local copy of the back offices, to try syncctl without any account."),
        "demo": ("demo", "Run the main job on a local sandbox, and say what it costs."),
    },
    "Keep": {
        "backup": ("backup", "Copy the state to FILE while syncctl and the shop go on, and check the copy."),
        "restore": ("restore", "Put the state back to a backup, and say what has happened since."),
        "state": ("state", "Check the state file."),
        "prune": ("prune", "Forget what is old and explains nothing any more, as runs do once a day."),
    },
}
COMMANDS = {name: entry for group in GROUPS.values() for name, entry in group.items()}
_EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."


class LazyGroup(click.Group):
    """Knows its commands by name and one line, and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of `GROUPS`: what people come for first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"syncctl.commands.{COMMANDS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The one-line helps, from the table, in one column over all groups."""
        width = max(map(len, COMMANDS))
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), line) for name, (_, line) in group.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands from the table, and the options."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Adds a suggestion to the message for a mistyped command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            raise click.UsageError(error.message + (f" Did you mean {near[0]}?" if near else ""), ctx) from None


@click.group(cls=LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="syncctl")
def cli() -> None:
    """Keep an online shop and its back office in step, within the API calls that its plan sells.

    Settings come from a .env file and the environment; state is one SQLite file. Start with

    \b
        syncctl demo          see it work, no account needed
        syncctl init          write your settings
        syncctl doctor        check them
        syncctl sync-recent   pull what changed
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: runs a command and leaves with its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    args = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(args))


def run(args: list[str]) -> int:
    """Runs a command; its exit code. Never raises."""
    before, Given.env_file = Given.env_file, None
    try:
        return _run(args)
    except (BrokenPipeError, SystemExit):  # whoever read it, as `head` does, has seen enough; click exits then
        _mute()
        return 0
    except OSError as error:
        _mute()
        click.echo(f"syncctl: {error}. Look at the disk, and at where the output goes.", err=True)
        return 74
    finally:
        Given.env_file = before


def _run(args: list[str]) -> int:
    try:
        result: Any = cli.main(args=args, prog_name="syncctl", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return _told(args, error.exit_code, error.format_message())
    except (click.Abort, KeyboardInterrupt):
        from syncctl.commands.messages import end_line

        end_line()
        click.echo("syncctl: interrupted; what was read so far is kept", err=True)
        return _told(args, 130, "Interrupted")
    except OSError:
        raise
    except Exception as error:
        return _failed(error, args)
    return result if isinstance(result, int) else 0


def _failed(error: Exception, args: list[str]) -> int:
    """One sentence for an expected error; a bug keeps its traceback, which whoever mends it will want."""
    from syncctl.commands.messages import show_failure
    from syncctl.errors import SyncctlError

    if isinstance(error, SyncctlError):
        show_failure(error, args)
        return error.exit_code
    import traceback

    traceback.print_exc()
    click.echo(f"syncctl: this is a bug in syncctl {__version__}; please report it with the lines above", err=True)
    return _told(args, 70, f"A bug in syncctl {__version__}: {error!r}")


def _told(args: list[str], code: int, message: str) -> int:
    """The exit code, after a program that asked for JSON was told, too."""
    from syncctl.commands.messages import show_json_failure
    from syncctl.models import Problem

    show_json_failure(args, code, [Problem("", message)])
    return code


def _mute() -> None:
    from syncctl.commands.messages import mute

    mute()
