"""Reads all products of the only connector, and tells how many records came and how much memory that took, in kB.

Run by tests as a process of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

from syncctl.app import App
from syncctl.http.transport import Transport
from syncctl.models import Kind, Purpose
from syncctl.run import Run


def main() -> None:
    """Writes both numbers."""
    with App.opened(None) as app:
        (config,) = app.config.connectors
        run = Run(app.runs.begin("test", 0), Purpose.MANUAL, app.clock)
        transport = Transport(config, app.ledger, run, app.config.secrets)
        page = config.cls(config.values, transport).pull(Kind.PRODUCTS, None)
        records = sum(1 for _ in page.records)
        transport.close()
    status = Path("/proc/self/status").read_text()
    most = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
    sys.stdout.write(f"{records} {most}\n")


if __name__ == "__main__":
    main()
