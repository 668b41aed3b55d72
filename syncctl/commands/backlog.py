"""What status, its check and metrics tell of the orders that are not posted, or were changed after that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncctl.clock import span
from syncctl.commands.flood import held_back, held_words
from syncctl.models import from_ms, iso, to_ms
from syncctl.state.backlog import backlog

if TYPE_CHECKING:
    from syncctl.app import App
    from syncctl.settings.config import ConnectorConfig

OVERDUE_SECONDS = (2 * 3600, 24 * 3600)  # of the oldest order: a warning, and worse
_OPEN = {
    "new": "new", "waiting": "waiting", "retrying": "to be tried again", "rejected": "rejected", "unknown": "unknown",
    "gave_up": "given up", "differing": "posted with another sum",
}  # fmt: skip


def figures(app: App, config: ConnectorConfig, now: datetime) -> dict[str, Any] | None:
    """The object of `--json`; null for a connector that is not posted to."""
    if "invoices" not in config.roles:
        return None
    statuses = [part.strip() for part in app.config.posting["POST_STATUSES"].split(",")]
    found = backlog(app.database, config.name, statuses, iso(from_ms(app.posted_since(config))), now)
    held = len(held_back(app.config, app.database, config, now)) if found.counts["new"] else 0
    age = None if found.since is None else max(0, (to_ms(now) - found.since) // 1000)
    first = [{"number": row.key, "remote_id": row.remote_id} for row in found.first_altered]
    return {
        **{name: found.counts[name] for name in (*_OPEN, "skipped")},
        "held_back": held,
        "oldest_seconds": age,
        "changed": found.altered,
        "changed_orders": first,
    }


def lines(orders: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Labels and texts for people."""
    if orders is None:
        return
    told = ", ".join(f"{orders[name]:,} {word}" for name, word in _OPEN.items() if orders[name])
    oldest = f"; the oldest waits for {span(orders['oldest_seconds'])}" if orders["oldest_seconds"] is not None else ""
    skipped = f"; {orders['skipped']:,} skipped (see syncctl queue list --skipped)" if orders["skipped"] else ""
    yield "orders", (told or ("none waits" if skipped else "all posted")) + oldest + skipped
    if orders["held_back"]:
        yield "", held_words(orders["held_back"])
    if orders["changed"]:
        numbers = ", ".join(each["number"][:30] for each in orders["changed_orders"])
        more = ", …" if orders["changed"] > len(orders["changed_orders"]) else ""
        words = f"{orders['changed']:,} became others in the shop after they were posted: {numbers}{more}"
        yield "", f"{words}; see syncctl queue list --changed"
