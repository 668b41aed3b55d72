"""`syncctl status`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from syncctl.clock import span, window_words
from syncctl.commands.layout import Level, ended, padded, paint, plural, say
from syncctl.commands.messages import show_json, warn
from syncctl.commands.options import Common, common_options
from syncctl.commands.token_life import token_life
from syncctl.models import Struct, from_ms, iso, to_ms
from syncctl.wording import without_call

_WEEK_MS = 7 * 86400 * 1000
_MOST_ERRORS = 5
_CLOCK_SLACK_SECONDS = 60  # by so much a clock is set back in everyday life
_LEVELS: dict[str, Level] = {"setting": "wrong", "blocked": "warning", "to mend": "warning", "last error": "wrong"}

_TO_MEND = {
    "unusable-value": ("product", "with a price or quantity that cannot be used", "syncctl explain product {}"),
    "shared-sku": ("SKU", "of several products", "syncctl links list --ambiguous"),
    "no-sku": ("product", "without a SKU", "give each its own there"),
}


class Overview(Struct):
    """What status tells: of each connector the object of `--json`; `problems` keep a whole command from its work."""

    places: dict[str, str | None]
    connectors: list[dict[str, Any]]
    warnings: tuple[str, ...]
    now: datetime
    problems: tuple[str, ...] = ()


@click.command("status")
@click.option("--check", is_flag=True, help="One line and exit code 0-3 for Nagios, Icinga and scripts.")
@common_options
def command(*, check: bool, common: Common) -> int:
    """Show freshness, budgets, drift, ghosts and orders of each connector. Makes no call.

    \b
    Examples:
        syncctl status
        syncctl status --json
        syncctl status --check
    """
    if check:
        from syncctl.commands.check import show_check

        return show_check(common)
    found = overview(common.env_file)
    warn(found.warnings + found.problems)
    if common.as_json:
        show_json("status", exit_code=0, **found.places, connectors=found.connectors)
    else:
        _print(found.places, found.connectors, found.now)
    return 0


def overview(env_file: str | None) -> Overview:
    """Looks at every connector; raises `ConfigError` and `StateError`."""
    from syncctl.app import App
    from syncctl.settings.posting import posting_problems

    with App.opened(env_file, create=False) as app:
        config, now = app.config, app.clock.now()
        places = {"state": config.state, "env_file": config.env_file}
        connectors = [_connector(app, each, now) for each in config.connectors]
        problems = tuple(f"no order is posted: {problem}" for problem in posting_problems(config))
        return Overview(places, connectors, (*config.warnings, *config.unheard), now, problems)


def _connector(app: Any, config: Any, now: datetime) -> dict[str, Any]:
    from syncctl.commands.backlog import figures
    from syncctl.session import kinds_of
    from syncctl.state.flaws import Flaws
    from syncctl.state.health import Health
    from syncctl.state.pace import Pace
    from syncctl.state.remote_customers import Customers

    health, pace = Health(app.database, config.name), Pace(app.database, config.name, to_ms(now))
    customers = Customers(app.database, config.name)
    ages, runs = health.ages(to_ms(now)), health.last_runs()
    promised = app.config.freshness if kinds_of(config.cls, config.roles) else None
    return {
        "name": config.name,
        "kind": config.kind,
        "problems": list(config.problems),
        "freshness": {"seconds": _freshness(runs, now), "promised": promised},
        "commands": [_command(row) | {"due_by": _due_by(health, config, row, now)} for row in runs],
        "products": ages.products,
        "age_seconds": {"median": ages.median, "p95": ages.p95, "oldest": ages.oldest, "never": ages.never},
        "gone": health.gone(),
        "to_mend": [
            each.as_dict() for each in Flaws(app.database, config.name).standing(stock="stock" in config.roles)
        ],
        "customers": customers.live(),
        "customers_linked": customers.linked(),
        "orders": figures(app, config, now),
        "drift_7_days": health.drift(to_ms(now) - _WEEK_MS),
        "windows": [_window(usage, pace) for usage in app.ledger.usage(config.name, config.limits)],
        "calls": pace.totals(),
        "token": _token(app, config, now),
        "blocked": _blocked(app.ledger.blocked(config.name)),
        "reading": [_reading(row) for row in health.readings()],
        "last_errors": _errors(health.last_errors()),
    }


def _freshness(runs: Any, now: datetime) -> int | None:
    """For how many seconds the feed of changes has not been read: since the last success of sync-recent began."""
    began = next((row["success_began"] for row in runs if row["command"] == "sync-recent"), None)
    return max(0, (to_ms(now) - began) // 1000) if began else None


def _command(row: Any) -> dict[str, Any]:
    success, ended = (iso(from_ms(row[name])) if row[name] else None for name in ("success", "ended"))
    failure = None if row["success"] == row["ended"] else _failure(row)
    return {"command": row["command"], "last_success": success, "last_end": ended, "last_failure": failure}


def _due_by(health: Any, config: Any, row: Any, now: datetime) -> str | None:
    from syncctl.commands.regular import due_by, regular_commands

    return due_by(health, row, now) if row["command"] in regular_commands(config) else None


def _failure(row: Any) -> str | None:
    """What kept the last run of a command from success."""
    if row["deferred_until"]:
        return f"put off until {iso(from_ms(row['deferred_until']))}"
    return next((message for _, message, _ in json.loads(row["errors"])), None)


def _window(usage: Any, pace: Any) -> dict[str, Any]:
    frees = iso(usage.frees_at) if usage.frees_at else None
    from syncctl.state.pace import ends_at

    limit = usage.limit
    return {
        "window": limit.name,
        "limit": limit.calls,
        "used": usage.used,
        "others": usage.others,
        "left": usage.left,
        "frees_at": frees,
        "recent_waits_until": iso(usage.recent_at) if usage.recent_at else None,
        "ends_at": ends_at(limit, pace.now),
        "forecast": pace.forecast(usage),
    }


def _token(app: Any, config: Any, now: datetime) -> dict[str, Any] | None:
    """When the refresh token dies, where the connector has one; null where nobody knows."""
    grant = None if config.problems else config.cls.grant(config.values)
    if grant is None or grant.refresh_token is None:
        return None
    from syncctl.errors import TokenFileError
    from syncctl.oauth.grants import belongs, dies_at
    from syncctl.state.tokens import TokenFile

    try:
        kept = TokenFile(app.config.state).read().get(config.name)
    except TokenFileError as error:
        return {"dies_at": None, "days": None, "problem": error.message}
    if not grant.refresh_token and not (kept and belongs(kept, grant)):
        problem = f"nobody has consented yet: run syncctl auth {config.name}"
        return {"dies_at": None, "days": None, "problem": problem}
    dies = dies_at(grant, kept)
    days = dies and round((dies - now).total_seconds() / 86400, 1)
    return {"dies_at": dies and iso(dies), "days": days, "problem": None}


def _blocked(block: Any) -> dict[str, str] | None:
    return {"until": iso(block[0]), "reason": block[1]} if block else None


def _reading(row: Any) -> dict[str, Any]:
    started = iso(from_ms(row["started_at"])) if row["started_at"] else None
    return {"kind": row["kind"], "feed": row["feed"], "read": row["seen"], "of": row["announced"], "since": started}


def _errors(row: Any) -> list[dict[str, Any]]:
    if row is None:
        return []
    when = {"run": row["run"], "at": iso(from_ms(row["at"]))}
    found = json.loads(row["errors"])
    return [{"record": record, "message": message, "remedy": remedy} | when for record, message, remedy in found]


def _alike(errors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One for each reason, which names the first record and how many more."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in errors:
        groups.setdefault((without_call(each["message"]), each["remedy"]), []).append(each)
    return [
        first | ({"record": f"{first['record']} and {len(more):,} more", "message": message} if more else {})
        for (message, _), (first, *more) in groups.items()
    ]


def _print(places: dict[str, str | None], connectors: list[dict[str, Any]], now: datetime) -> None:
    say(f"state     {places['state']}", indent=10)
    say(f"settings  {places['env_file'] or 'the environment'}", indent=10)
    for connector in connectors:
        say(f"\n{connector['name']}" + (f" ({connector['kind']})" if connector["kind"] != connector["name"] else ""))
        for label, text in _lines(connector, now):
            say(f"  {padded(paint(label, _LEVELS.get(label)), 16)}{text}", indent=18)


def _lines(connector: dict[str, Any], now: datetime) -> list[tuple[str, str]]:
    from syncctl.commands import backlog

    errors = _alike(connector["last_errors"])
    lines = [("setting", problem) for problem in connector["problems"]]
    lines += _runs(connector, now)
    lines += [("products", _products(connector))]
    lines += [("to mend", f"{what}: {more}") for what, more in map(mend_words, connector["to_mend"])]
    lines += [("age", _ages(connector["age_seconds"]))] if connector["products"] else []
    lines += [("customers", _customers(connector))] if connector["customers"] else []
    lines += backlog.lines(connector["orders"])
    lines += [("reading", _progress(each)) for each in connector["reading"]]
    lines += [(f"calls/{window_words(each['window'])}", _used(each)) for each in connector["windows"]]
    lines += [("token", _life(connector["name"], connector["token"]))] if connector["token"] else []
    lines += [("blocked", "until {until}: {reason}".format(**connector["blocked"]))] if connector["blocked"] else []
    lines += [("last error", _error(error, now)) for error in errors[:_MOST_ERRORS]]
    rest = len(errors) - _MOST_ERRORS
    return lines + ([("", f"… and {rest:,} more; --json shows them")] if rest > 0 else [])


def _error(error: dict[str, Any], now: datetime) -> str:
    ago = span(max(0, (now - datetime.fromisoformat(error["at"])).total_seconds()))
    who = f"{error['record']}: " if error["record"] else ""
    told = [error["message"], error["remedy"]]
    return f"{ago} ago, run {error['run']}: {who}" + " ".join(ended(each) for each in told if each)


def _runs(connector: dict[str, Any], now: datetime) -> list[tuple[str, str]]:
    told = [(each["command"], _success(each, now)) for each in connector["commands"]]
    return told or [("runs", "none came to an end so far" if connector["reading"] else "none so far")]


def _life(name: str, token: dict[str, Any]) -> str:
    if token["problem"]:
        return f"{paint('warning', 'wrong')}: {token['problem']}"
    return token_life(name, token["dies_at"], token["days"])


def _success(each: dict[str, Any], now: datetime) -> str:
    if each["last_success"] is None:
        return f"{paint('never succeeded', 'wrong')}; last tried {each['last_end']}"
    ago = (now - datetime.fromisoformat(each["last_success"])).total_seconds()
    later = f"; last tried {each['last_end']}" if each["last_end"] != each["last_success"] else ""
    if ago < -_CLOCK_SLACK_SECONDS:
        odd = f"{span(-ago)} ahead of this machine's clock, which was wrong then or is now"
        return f"succeeded {paint(odd, 'warning')} ({each['last_success']}){later}"
    return f"succeeded {span(ago)} ago ({each['last_success']}){later}"


def _products(connector: dict[str, Any]) -> str:
    drift = plural(connector["drift_7_days"], "drift")
    return f"{connector['products']:,}, and {connector['gone']:,} gone; {drift} in 7 days"


def mend_words(each: dict[str, Any]) -> tuple[str, str]:
    """What is to be mended at the service, and of which records."""
    from shlex import quote

    noun, what, more = _TO_MEND[each["cause"]]
    names, rest = each["first"], each["count"] - len(each["first"])
    listed = ", ".join(name[:40] for name in names) + (f" and {rest:,} more" if rest else "")
    return f"{plural(each['count'], noun)} {what}", f"{listed} ({more.format(quote(names[0]))})"


def _customers(connector: dict[str, Any]) -> str:
    return f"{connector['customers']:,}, of which {connector['customers_linked']:,} are linked to customers of the shop"


def _ages(ages: dict[str, Any]) -> str:
    never = f"; {ages['never']:,} not looked at yet" if ages["never"] else ""
    parts = [
        f"{name} {span(ages[key])}"
        for name, key in (("median", "median"), ("95 %", "p95"), ("oldest", "oldest"))
        if ages[key] is not None
    ]
    return (", ".join(parts) or "unknown") + never


def _progress(each: dict[str, Any]) -> str:
    of = f" of {each['of']:,}" if each["of"] else ""
    return f"{each['kind']} ({each['feed']}): {each['read']:,}{of}, since {each['since']}; the next run goes on"


def _used(each: dict[str, Any]) -> str:
    others = f", {each['others']:,} by others" if each["others"] else ""
    frees = f"; frees {each['frees_at']}" if each["left"] == 0 and each["frees_at"] else ""
    waits = f"; sync-recent waits until {each['recent_waits_until']}" if each["recent_waits_until"] else ""
    return f"{each['used']:,} of {each['limit']:,} used{others}, {each['left']:,} left{frees}{waits}"
