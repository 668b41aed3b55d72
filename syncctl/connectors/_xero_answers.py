"""What Xero's refusals and headers mean (developer.xero.com, oauth2/limits and requests-and-responses)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from syncctl.connectors._fields import text
from syncctl.connectors._xero_checks import CONTACT_SCOPES, POSTING_SCOPES, READ_SCOPES
from syncctl.connectors._xero_settings import app_of
from syncctl.connectors.declared import Rate, Values

BRIEF_SECONDS = 3.0  # until one of five calls at once has ended
DAY_SECONDS = 86_400
SMALL_DAY, LARGE_DAY = 1000, 5000  # calls, by plan
PROBE_SECONDS = 3600.0  # how often a day that is used up is tried again, where nothing says when it ends


def token_expired(headers: Mapping[str, str], body: str) -> bool:
    """A missing scope and an organisation that is not connected are refused with the same status."""
    return "TokenExpired" in _detail(body) or "invalid_token" in headers.get("WWW-Authenticate", "")


def rates(headers: Mapping[str, str]) -> Iterable[Rate]:
    """The day counts in either window that `LIMITS` may name; two sizes of it are published."""
    minutes = [_count(headers, "X-MinLimit-Remaining"), _count(headers, "X-AppMinLimit-Remaining")]
    told = [count for count in minutes if count is not None]
    if told:
        yield Rate(60, min(told))
    day = _count(headers, "X-DayLimit-Remaining")
    if day is not None:
        size = LARGE_DAY if day >= SMALL_DAY else None
        yield Rate(DAY_SECONDS, day, size)
        yield Rate("day", day, size)


def pause(headers: Mapping[str, str], asked: float | None) -> float | None:
    """Retry-After comes with the minute and the day only; the spelling of the limit's name varies."""
    problem = headers.get("X-Rate-Limit-Problem", "").strip().lower()
    if problem.startswith("da"):
        return asked or PROBE_SECONDS
    if _count(headers, "X-DayLimit-Remaining") == 0:  # then what is asked for is the end of another limit
        return max(asked or 0, PROBE_SECONDS)
    if problem.startswith("conc"):
        return asked or BRIEF_SECONDS
    return asked or (60.0 if problem.startswith(("min", "app")) else None)


def words(body: str) -> str:
    """The messages of a refused request, or the detail of one that was not let in; else plain text or HTML."""
    data = _object(body)
    refused = _objects(data.get("Elements"))
    errors = [error for element in refused for error in _objects(element.get("ValidationErrors"))]
    words = "; ".join(text(error.get("Message")) for error in errors)
    said = text(words or data.get("Message") or data.get("Detail") or data.get("Title"))
    return said[:300]


def remedy(values: Values, headers: Mapping[str, str], body: str) -> str:
    """A missing scope is told in a header, which the vendor misspells; a missing organisation in the detail."""
    challenge, detail = headers.get("WWW-Authenticate", ""), _detail(body)
    if re.search("insuffici?ent_scope", challenge) or "AuthorizationUnsuccessful" in detail:
        posting = f", or one that posting takes ({', '.join(POSTING_SCOPES)})" if values.get("TAX") else ""
        return (
            f"Most likely the scope {CONTACT_SCOPES[0]} (contacts) or {READ_SCOPES[0]} is missing{posting}: give it to"
            " the app in developer.xero.com/app/manage and have the connection authorised again; else the user who"
            " authorised it may not see this"
        )
    if "AuthenticationUnsuccessful" in detail:
        if app_of(values) == "custom":
            return _custom_remedy(values)
        return (
            f"Check {values.variable('TENANT_ID')}, and in Xero that the organisation is still connected to the"
            " app; syncctl doctor shows the ids to choose from"
        )
    return ""


def _custom_remedy(values: Values) -> str:
    """A custom connection has one organisation, so that there is none to choose."""
    tenant = (
        f"{values.variable('TENANT_ID')} may go, a custom connection needs none. " if values.get("TENANT_ID") else ""
    )
    return (
        f"{tenant}Have the custom connection authorised again in developer.xero.com/app/manage: a change of its scopes"
        " or of its organisation ends it"
    )


def _count(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "").strip()
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else None


def _object(body: str) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def _detail(body: str) -> str:
    return text(_object(body).get("Detail"))
