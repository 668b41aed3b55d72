"""The schedule as a crontab."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence

from syncctl.plan.jobs import Wishes
from syncctl.plan.outlook import spoken
from syncctl.plan.place import Place, purpose
from syncctl.plan.planning import Plan
from syncctl.plan.schedule import Entry

_HEAD = """\
# syncctl under cron: put this into /etc/cron.d/syncctl, or leave out the user (6th column) and use `crontab -e`.
# Written by `syncctl plan --crontab` for the shop {shop}: {products:,} products, {orders} a day, a change within {fresh}.
#
# cron mails what a command prints. syncctl prints nothing while all is well, so a mail is always about something.
# Settings: {settings}   State: {state}   (see README, "Set up")
# The minutes follow from the shop's name, and --jitter adds a random wait: shops of one service do not call in the same
# second. A run that finds another one at work leaves it alone.

MAILTO={mail_to}
SYNCCTL={program}
"""  # noqa: E501 - as it is printed


def crontab(plan: Plan, place: Place) -> str:
    """A file for /etc/cron.d, with a comment for each line."""
    entries, wishes = plan.entries, plan.wishes
    head = _HEAD.format(
        shop=place.shop,
        products=wishes.products,
        orders="1 order" if round(wishes.orders) == 1 else f"{wishes.orders:,.0f} orders",
        fresh=spoken(wishes.freshness),
        settings=place.settings,
        state=place.state,
        mail_to=place.mail_to,
        program=_escaped([place.program]),
    )
    advice = [f"{fitted.facts.config.name}: {each}" for fitted, outlook in plan.services for each in outlook.advice]
    head += "\n" * bool(advice) + "".join(_comment(f"{sentence}.") for sentence in advice)
    width = max((len(entry.when.cron()) for entry in entries), default=0)
    return head + "".join(_lines(entries, wishes, place, width))


def _lines(entries: Sequence[Entry], wishes: Wishes, place: Place, width: int) -> Iterator[str]:
    """Lines of one command stand together under one comment."""
    before = ""
    for entry in entries:
        if entry.job.key != before or entry.connector:
            yield "\n" + _comment(purpose(entry, wishes))
        before = entry.job.key
        arguments = [*entry.arguments, "--jitter", str(entry.jitter), *place.options]
        yield f"{entry.when.cron():{width}}  {place.user}  $SYNCCTL {_escaped(arguments)}\n"


def _comment(words: str) -> str:
    return textwrap.fill(words, 118, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False) + "\n"


def _escaped(arguments: Sequence[str]) -> str:
    """For the shell; cron takes a percent sign for the end of the line."""
    return shlex.join(arguments).replace("%", "\\%")
