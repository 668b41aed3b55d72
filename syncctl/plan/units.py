"""The schedule as systemd units: a service and a timer for each of its lines."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from syncctl.plan.place import Place, purpose
from syncctl.plan.planning import Plan

_SERVICE = """\
# Written by `syncctl plan --systemd` for the shop {shop}.
# {why}
[Unit]
Description=syncctl {arguments} ({shop})
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={user}
ExecStart={command}
# Another run holds the lock: nothing is wrong, the next one does it.
SuccessExitStatus=75
# It writes its state, and calls; it needs nothing else of this machine.
ProtectSystem=strict
ReadWritePaths={folder}
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
SystemCallArchitectures=native
"""
_TIMER = """\
# Written by `syncctl plan --systemd` for the shop {shop}.
[Unit]
Description=When syncctl {arguments} runs ({shop})

[Timer]
OnCalendar={calendar}
# Keeps the shops of one service from calling in the same second.
RandomizedDelaySec={jitter}
# What was missed while the machine was off is made up for, once.
Persistent=true

[Install]
WantedBy=timers.target
"""
_HOMES = ("/home", "/root", "/run/user")


def units(plan: Plan, place: Place) -> dict[str, str]:
    """The content of each unit file by its name."""
    found: dict[str, str] = {}
    for entry in plan.entries:
        name = "-".join(["syncctl", place.shop, entry.job.key.replace(" --", "-"), *filter(None, [entry.connector])])
        arguments = " ".join(entry.arguments)
        found[f"{name}.service"] = _SERVICE.format(
            shop=place.shop,
            why=purpose(entry, plan.wishes),
            arguments=arguments,
            user=place.user,
            command=" ".join(map(_quoted, [place.program, *entry.arguments, *place.options])),
            folder=_quoted(os.path.dirname(place.state)),
            home=_home(place),
        )
        found[f"{name}.timer"] = _TIMER.format(
            shop=place.shop, arguments=arguments, calendar=entry.when.calendar(), jitter=entry.jitter
        )
    return found


def write(units: dict[str, str], folder: Path) -> None:
    """Writes the files into a folder, which is made where it alone is missing: a mistyped path is no new one."""
    folder.mkdir(exist_ok=True)
    for name, text in units.items():
        (folder / name).write_text(text, encoding="utf-8")


def strangers(shop: str, folder: Path, written: Iterable[str]) -> list[str]:
    """The timers of the shop that an earlier schedule has left there: they would go on beside the new ones."""
    there = {path.name for path in folder.glob(f"syncctl-{shop}-*.timer")}
    return sorted(there.difference(written))


def _home(place: Place) -> str:
    """Homes are hidden, unless something of syncctl is in one."""
    own = (place.program, place.settings, place.state)
    return "read-only" if any(path.startswith(_HOMES) for path in own) else "yes"


def _quoted(word: str) -> str:
    """As systemd wants it: percent and dollar signs are doubled, a word with anything odd stands in quotes."""
    plain = word.replace("%", "%%").replace("$", "$$")
    if plain and not any(letter in plain for letter in " \t'\"\\;"):
        return plain
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
