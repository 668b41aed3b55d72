"""Where the installed command, and `python -m syncctl`, begin."""

from __future__ import annotations

import gc
import gettext


def main() -> None:
    """Runs the command line, and leaves with its exit code.

    Nearly everything that a short run allocates lasts to its end. Looking through it for garbage, time and again
    while modules load and once more at the exit, would make a quarter of what such a run costs.
    """
    gc.set_threshold(50_000)
    gettext.gettext = lambda message: message  # else click looks on disk for translations that nobody has made
    from syncctl import cli

    try:
        cli.main()
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
