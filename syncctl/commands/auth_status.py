"""`syncctl auth NAME --status`: what was consented to, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from syncctl.commands.messages import show_json
from syncctl.commands.options import Common
from syncctl.models import iso

if TYPE_CHECKING:
    from syncctl.config import Config, ConnectorConfig
    from syncctl.connectors.declared import Consent


def show_status(config: Config, connector: ConnectorConfig, asked: Consent, common: Common) -> int:
    """What the token file knows; the exit code."""
    from syncctl.clock import SystemClock
    from syncctl.state.tokens import TokenFile

    token = TokenFile(config.state).read().get(connector.name)
    found = _life(connector, asked, token, SystemClock().now())
    code = 77 if found["problem"] or found["missing"] else 0
    if common.as_json:
        show_json("auth", exit_code=code, connector=connector.name, consent_needed=True, **found)
    else:
        for label, text in _lines(found):
            click.echo(f"{label:16}{text}")
    return code


def _life(connector: ConnectorConfig, asked: Consent, token: Any, now: datetime) -> dict[str, Any]:
    from syncctl.consent import missing
    from syncctl.grants import belongs, dies_at

    grant = connector.cls.grant(connector.values)
    kept = token if token and grant and belongs(token, grant) else None
    dies = dies_at(grant, kept) if grant else None
    problem = None
    if kept is None and grant and not grant.refresh_token:
        problem = f"nobody has consented yet: run syncctl auth {connector.name}"
    elif dies and dies <= now:
        problem = f"the refresh token has died unused: run syncctl auth {connector.name}"
    return {
        "problem": problem,
        "access_until": iso(kept.expires_at) if kept else None,
        "refresh_dies_at": iso(dies) if dies else None,
        "refresh_days": round((dies - now).total_seconds() / 86400, 1) if dies else None,
        "granted": kept.scopes.split() if kept and kept.scopes else None,
        "needed": list(asked.scopes),
        "missing": missing(asked.scopes, kept.scopes) if kept else [],
    }


def _lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if found["problem"]:
        yield "consent", found["problem"]
    elif not found["access_until"]:
        yield "consent", "the next run begins with the refresh token of the settings"
    if found["access_until"]:
        yield "access token", f"until {found['access_until']}; then a run fetches the next one"
        days, dies = found["refresh_days"], found["refresh_dies_at"]
        told = (
            f"dies in {days:.0f} days ({dies}) unless a run uses it"
            if dies
            else "nobody knows how long it lives unused"
        )
        yield "refresh token", told
        yield "granted", " ".join(found["granted"] or ["the service does not tell"])
    yield "needed", " ".join(found["needed"])
    if found["missing"]:
        yield "missing", " ".join(found["missing"])
