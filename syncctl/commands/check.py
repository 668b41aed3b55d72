"""`syncctl status --check`: one line, performance data and an exit code, as Nagios and Icinga want them of a plugin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from syncctl.clock import span
from syncctl.commands.backlog import OVERDUE_SECONDS
from syncctl.commands.flood import held_words
from syncctl.commands.layout import Level, paint, say
from syncctl.commands.messages import show_json
from syncctl.commands.options import Common
from syncctl.commands.regular import PATIENCE
from syncctl.commands.status import mend_words, overview
from syncctl.commands.token_life import TOKEN_DAYS
from syncctl.errors import SyncctlError
from syncctl.models import Struct

LEVELS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")  # by exit code
_WORST_FIRST = ("CRITICAL", "WARNING", "UNKNOWN", "OK")
_COLOURS: tuple[Level, ...] = ("ok", "warning", "wrong", "wrong")
_EARLY = 0.75  # of the promised time: one hourly run was missed


class Finding(Struct):
    """Something that a monitor should know: a word of `LEVELS`, and a sentence without its full stop."""

    level: str
    message: str


def show_check(common: Common) -> int:
    """Prints the line; the exit code. Whatever goes wrong is UNKNOWN."""
    performance: list[str] = []
    try:
        seen = overview(common.env_file)
        connectors = seen.connectors
        found = [finding for connector in connectors for finding in findings(connector, seen.now)]
        found += [Finding("CRITICAL", problem) for problem in seen.problems]
        performance = [datum for connector in connectors for datum in _performance(connector, seen.now)]
    except SyncctlError as error:
        found = [Finding("UNKNOWN", str(error))]
    except Exception as error:  # a traceback would be no answer; syncctl status shows it
        found = [Finding("UNKNOWN", f"{type(error).__name__}, which syncctl status tells more of")]
    level = next(word for word in _WORST_FIRST if any(finding.level == word for finding in found))
    told = "; ".join(finding.message.rstrip(".") for finding in found if finding.level != "OK" or level == "OK")
    code = LEVELS.index(level)
    if common.as_json:
        show_json("status", exit_code=code, check={"level": level, "findings": [each.as_dict() for each in found]})
    else:
        line = " ".join(told.replace("|", "/").split())
        say(f"SYNCCTL {paint(level, _COLOURS[code])}: {line}" + (f" | {' '.join(performance)}" if performance else ""))
    return code


def findings(connector: dict[str, Any], now: datetime) -> Iterator[Finding]:
    """What is to be said of a connector, the object that status has of it; at least one finding."""
    name = connector["name"]
    if connector["problems"]:
        yield from (Finding("CRITICAL", f"{name}: {problem}") for problem in connector["problems"])
        return
    yield _fresh(connector, now)
    late = (each for each in connector["commands"] if each["due_by"] and _age(each, now) > _patience(each))
    yield from (_stalled(name, each, now) for each in late)
    if connector["blocked"]:
        yield Finding("WARNING", f"{name}: no calls until {connector['blocked']['until']}")
    for each in connector["to_mend"]:
        yield Finding("WARNING", f"{name}: {mend_words(each)[0]}: look at syncctl status")
    yield from (finding for window in connector["windows"] for finding in _budget(name, window))
    yield from _token(name, connector["token"])
    yield from _orders(name, connector["orders"])


def _promise(connector: dict[str, Any]) -> tuple[str, int | None, int | None]:
    """Its name, the age of its data and the promised one, both in seconds; nothing is promised without products."""
    fresh = connector["freshness"]
    return connector["name"], fresh["seconds"], fresh["promised"]


def _fresh(connector: dict[str, Any], now: datetime) -> Finding:
    name, seconds, promised = _promise(connector)
    if promised is None:
        return Finding("OK", f"{name}: its roles want no products read")
    if seconds is None and connector["reading"]:
        return Finding("WARNING", f"{name}: the first read is under way")
    ago = "has never succeeded" if seconds is None else f"last succeeded {_exactly(seconds)} ago"
    words = f"{name}: sync-recent {ago}"
    if seconds is not None and seconds <= promised * _EARLY:
        return Finding("OK", words)
    level = "CRITICAL" if seconds is None or seconds > promised else "WARNING"
    last = next((each for each in connector["commands"] if each["command"] == "sync-recent"), None)
    stalled = f", and changes are to show within {_exactly(promised)}: look at cron and its mails"
    return Finding(level, words + (_in_vain(last, promised * _EARLY, now) or stalled))


def _stalled(name: str, command: dict[str, Any], now: datetime) -> Finding:
    """That a command which used to succeed regularly does so no more."""
    patience = _patience(command)
    days = patience // (PATIENCE * 86_400)
    usual = f", and used to every {'day' if days == 1 else f'{days} days'}: look at cron and its mails"
    words = f"{name}: {command['command']} last succeeded {span(_age(command, now))} ago"
    return Finding("WARNING", words + (_in_vain(command, patience, now) or usual))


def _age(command: dict[str, Any], now: datetime) -> float:
    """How long ago a command last succeeded, in seconds."""
    return (now - datetime.fromisoformat(command["last_success"])).total_seconds()


def _patience(command: dict[str, Any]) -> int:
    """For how many seconds a regular command may do without a success."""
    due, last = (datetime.fromisoformat(command[name]) for name in ("due_by", "last_success"))
    return round((due - last).total_seconds())


def _in_vain(command: dict[str, Any] | None, lately: float, now: datetime) -> str:
    """What keeps a command from success that ran within so many seconds; "" where it did not: cron is to blame."""
    if command is None or not command["last_failure"]:
        return ""
    tried = (now - datetime.fromisoformat(command["last_end"])).total_seconds()
    return f", last tried {span(max(0, tried))} ago: {command['last_failure']}" if tried <= lately else ""


def _exactly(seconds: int) -> str:
    """A length of time with its minutes where an hour more or less decides."""
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if minutes and 0 < hours < 48 else span(seconds)


def _budget(name: str, window: dict[str, Any]) -> Iterator[Finding]:
    forecast, limit = window["forecast"], window["limit"]
    if window["recent_waits_until"]:
        until = window["recent_waits_until"]
        yield Finding(
            "CRITICAL", f"{name}: the calls of the {window['window']} are used up, sync-recent waits until {until}"
        )
    elif forecast is not None and forecast > limit:
        yield Finding("WARNING", f"{name}: at today's pace {forecast:,} calls this {window['window']}, of {limit:,}")


def _token(name: str, token: dict[str, Any] | None) -> Iterator[Finding]:
    if token is None or token["days"] is None:
        if token and token["problem"]:
            yield Finding("UNKNOWN", f"{name}: {token['problem']}")
        return
    early, late = TOKEN_DAYS
    if token["days"] < early:
        level = "CRITICAL" if token["days"] < late else "WARNING"
        dies = f"dies at {token['dies_at']} unless a run uses it"
        died = f"died at {token['dies_at']}, unused: run syncctl auth {name}"
        yield Finding(level, f"{name}: the refresh token {died if token['days'] < 0 else dies}")


def _orders(name: str, orders: dict[str, Any] | None) -> Iterator[Finding]:
    if orders is None:
        return
    if orders["gave_up"]:
        yield Finding("CRITICAL", f"{name}: {orders['gave_up']:,} given up: look at syncctl queue list")
    if orders["differing"]:
        words = f"{orders['differing']:,} orders are posted with another sum or currency: look at syncctl queue list"
        yield Finding("WARNING", f"{name}: {words}")
    age, (early, late) = orders["oldest_seconds"] or 0, OVERDUE_SECONDS
    if age > early or orders["held_back"]:
        words = f"an order, or what follows one, has waited for {span(age)}: look at syncctl queue list and at cron"
        told = held_words(orders["held_back"]) if orders["held_back"] else words
        yield Finding("CRITICAL" if age > late else "WARNING", f"{name}: {told}")


def _performance(connector: dict[str, Any], now: datetime) -> Iterator[str]:
    """`label=value;warning;critical;lowest;highest` each."""
    name, seconds, promised = _promise(connector)
    if promised is not None:
        fresh = "U" if seconds is None else f"{seconds}s"
        yield f"{name}_freshness={fresh};{promised * _EARLY:.0f};{promised};0"
    for each in connector["commands"]:
        if each["due_by"]:
            yield f"{name}_{each['command'].replace('-', '_')}={max(0, _age(each, now)):.0f}s;{_patience(each)};;0"
    if connector["age_seconds"]["oldest"] is not None:
        yield f"{name}_oldest_product={connector['age_seconds']['oldest']:.0f}s;;;0"
    if connector["token"] and connector["token"]["days"] is not None:
        yield f"{name}_token_days={connector['token']['days']};{TOKEN_DAYS[0]}:;{TOKEN_DAYS[1]}:"
    if connector["orders"]:
        orders, (early, late) = connector["orders"], OVERDUE_SECONDS
        waiting = sum(orders[word] for word in ("new", "waiting", "retrying", "rejected"))
        yield f"{name}_orders_waiting={waiting};;;0"
        yield f"{name}_orders_unknown={orders['unknown']};;;0"
        yield f"{name}_orders_gave_up={orders['gave_up']};;0;0"
        yield f"{name}_orders_differing={orders['differing']};0;;0"
        yield f"{name}_oldest_order={orders['oldest_seconds'] or 0}s;{early};{late};0"
    for window in connector["windows"]:
        yield f"{name}_{window['window']}={window['used'] + window['others']};;;0;{window['limit']}"
        if window["forecast"] is not None:
            yield f"{name}_{window['window']}_forecast={window['forecast']};{window['limit']};;0"
