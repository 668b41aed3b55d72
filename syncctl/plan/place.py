"""Where the schedule will run, and what is said about each of its lines."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from syncctl.models import Struct
from syncctl.plan.jobs import HOUR, MONTH, Wishes
from syncctl.plan.outlook import spoken
from syncctl.plan.schedule import Entry
from syncctl.settings.config import Config
from syncctl.settings.file import ETC, elsewhere


class Place(Struct):
    """The program, the settings file where cron would not find it, the state, whose it is, and whom cron mails."""

    shop: str
    program: str
    env_file: str | None
    settings: str
    state: str
    user: str
    mail_to: str

    @property
    def options(self) -> tuple[str, ...]:
        """What every line needs to find the settings."""
        return ("--env-file", self.env_file) if self.env_file else ()


def place(config: Config) -> Place:
    """The installation that writes the schedule."""
    mail_to = config.mail.to[0] if config.mail else "you@example.com"
    program = os.path.join(os.path.dirname(sys.executable), "syncctl")
    own, settings = elsewhere(config.env_file), config.env_file or ETC
    return Place(config.shop, program, own, settings, config.state, owner_of(config.state), mail_to)


def owner_of(state: str) -> str:
    """Who owns the state, or the folder where it is to come: the only one whom its runs may be of."""
    import pwd

    there = next(path for path in (state, *map(str, Path(state).absolute().parents)) if os.path.exists(path))
    uid = os.stat(there).st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)  # systemd takes the number, too


def purpose(entry: Entry, wishes: Wishes) -> str:
    """Why a line is there, and what it costs: sentences."""
    every, fresh = "hour" if entry.job.every == HOUR else spoken(entry.job.every * 60), _fresh(entry)
    often = "month" if entry.job.every == MONTH else "week"
    words = {
        "sync-recent": f"Products and stock that changed: every {every}, so that a change shows within {fresh}.",
        "sync-oldest": "The products looked at longest ago, in turn: finds what was deleted or changed without a word.",
        "sync-customers": "Customers that changed: daily, linked to the shop's.",
        "sync-recent --full": f"Everything, once a {often}: finds products that the feed of changes never announced.",
        "post-invoices": f'Orders (README, "Posting orders"): every {every}, at the pace of {wishes.orders:,.0f} a day.'
        " What failed is tried again by the same command when its time has come.",
        "retry-queue": "What failed, tried again when it is due, also where post-invoices is paused or runs seldom.",
    }
    return f"{words[entry.job.key]} {_cost(entry)}"


def _fresh(entry: Entry) -> str:
    return spoken(max(entry.job.every * 60 + entry.jitter + line.seconds for _, line in entry.lines))


def _cost(entry: Entry) -> str:
    """As `Calls a run: 2 at unleashed, 2 at vend.`, in words for people."""
    words = [f"{line.most:,} at {name}" for name, line in entry.lines if line.calls]
    if not words:
        return "No call while nothing waits."
    busy = " in a busy hour" if entry.job.key == "post-invoices" else ""
    return f"Calls a run{busy}: {', '.join(words)}."
