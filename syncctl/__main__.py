"""`python -m syncctl`."""

from syncctl.cli import main

main()
