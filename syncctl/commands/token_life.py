"""How long a refresh token lives that no run uses, in words."""

from __future__ import annotations

from syncctl.clock import span
from syncctl.commands.layout import paint

TOKEN_DAYS = (14, 3)  # before it dies: left for a person to notice, and hardly any


def token_life(connector: str, dies_at: str | None, days: float | None) -> str:
    """A sentence about it, with a warning where its end is near."""
    if dies_at is None or days is None:
        return "nobody knows how long the refresh token lives unused"
    if days < 0:
        told = f"the refresh token died on {dies_at[:10]}, unused: consent again with syncctl auth {connector}"
        return f"{paint('warning', 'wrong')}: {told}"
    told = f"the refresh token dies in {span(days * 86400)} ({dies_at}) unless a run uses it"
    return f"{paint('warning', 'warning')}: {told}" if days < TOKEN_DAYS[0] else told
