"""By when a command should have succeeded again that has done so regularly: its own past tells, as no cron is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from syncctl.models import from_ms, iso, to_ms

if TYPE_CHECKING:
    from syncctl.settings.config import ConnectorConfig
    from syncctl.state.health import Health

PATIENCE = 3  # times the usual distance
_FORGOTTEN = timedelta(days=30)  # without a success it is taken for one that is not to run any more


def regular_commands(config: ConnectorConfig) -> set[str]:
    """What a usual schedule runs for a connector, but for sync-recent, which has a promise of its own to keep."""
    from syncctl.session import kinds_of, reads_customers

    found = {"sync-oldest"} if kinds_of(config.cls, config.roles) else set()
    return found | ({"sync-customers"} if reads_customers(config.cls, config.roles) else set())


def due_by(health: Health, row: Any, now: datetime) -> str | None:
    """Three times the usual distance after the last success of a row of `Health.last_runs`; None without any."""
    gap = health.usual_gap(row["command"], row["success_began"]) if row["success"] else None
    if gap is None or to_ms(now - _FORGOTTEN) > row["success"]:
        return None
    return iso(from_ms(row["success"]) + PATIENCE * timedelta(days=gap))
