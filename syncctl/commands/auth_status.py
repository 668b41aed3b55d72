"""`syncctl auth NAME --status`: what was consented to, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncctl.commands.layout import padded, paint, say
from syncctl.commands.messages import show_json
from syncctl.commands.options import Common
from syncctl.commands.token_life import token_life
from syncctl.models import iso

if TYPE_CHECKING:
    from syncctl.connectors.declared import Consent
    from syncctl.settings.config import Config, ConnectorConfig


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
        for label, text in _lines(connector.name, found):
            say(f"{padded(label, 16)}{text}", indent=16)
    return code


def _life(connector: ConnectorConfig, asked: Consent, token: Any, now: datetime) -> dict[str, Any]:
    from syncctl.oauth.consent import missing
    from syncctl.oauth.grants import belongs, dies_at

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


def _lines(name: str, found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    dead = found["refresh_days"] is not None and found["refresh_days"] < 0
    if found["problem"] and not dead:  # else the line of the token tells it
        yield paint("consent", "wrong"), found["problem"]
    elif not found["access_until"]:
        yield "consent", "the next run begins with the refresh token of the settings"
    if found["access_until"]:
        yield "access token", f"until {found['access_until']}{'' if dead else '; then a run fetches the next one'}"
        yield "refresh token", token_life(name, found["refresh_dies_at"], found["refresh_days"])
        yield "granted", " ".join(found["granted"] or ["the service does not tell"])
    yield from _needs(name, found)


def _needs(name: str, found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if found["missing"]:
        again = f"let the app ask for it, then run syncctl auth {name}"
        yield paint("missing", "wrong"), f"{' '.join(found['missing'])}: {again}"
    elif found["granted"]:
        yield "missing", "nothing"
    else:
        yield "needed", " ".join(found["needed"])
