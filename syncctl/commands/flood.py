"""Orders that no run posts before a person has looked at them, since they are too many or too old."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from syncctl.models import to_ms

if TYPE_CHECKING:
    from syncctl.settings.config import Config, ConnectorConfig
    from syncctl.state.database import Database


def held_back(config: Config, database: Database, poster: ConnectorConfig, now: datetime) -> list[str]:
    """Their numbers, for one connector that is posted to; none where a setting keeps all from being posted."""
    from syncctl.push.forecast import Forecaster
    from syncctl.push.pushing import Wanted
    from syncctl.settings.posting import posting_problems, posting_terms

    if poster.problems or any(posting_problems(config)):
        return []
    return Forecaster(poster, database, Wanted(), to_ms(now)).flood(posting_terms(config))


def held_words(count: int) -> str:
    """What is to be done about them."""
    from syncctl.push.forecast import flood_words

    return f"{flood_words(count)}: look at them, then run syncctl post-invoices --yes-all"
