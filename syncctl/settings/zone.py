"""Which time zones there are."""

from __future__ import annotations

_SYSTEMS = "/usr/share/zoneinfo"
_MAGIC = b"TZif"


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name.

    Every run checks its settings, and most need no `zoneinfo`: the system's own file is enough where it is there.
    """
    try:
        with open(f"{_SYSTEMS}/{name}", "rb") as file:
            if file.read(len(_MAGIC)) == _MAGIC:
                return True
    except (OSError, ValueError):
        pass
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return False
    return True
