"""`syncctl metrics`: the numbers of status in the text format of Prometheus."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from syncctl.commands.messages import show_json, warn
from syncctl.commands.options import Common, common_options
from syncctl.errors import StateError

Sample = tuple[Mapping[str, str], float]

# name -> (type, help); the samples of a name stand together, as the format wants it
_METRICS = {
    "syncctl_settings_ok": ("gauge", "Whether the settings of the connector are usable."),
    "syncctl_freshness_seconds": ("gauge", "Time since the last successful sync-recent began."),
    "syncctl_freshness_promised_seconds": ("gauge", "How soon a change has to show (SYNCCTL_FRESHNESS)."),
    "syncctl_last_success_timestamp_seconds": ("gauge", "When a command last succeeded."),
    "syncctl_last_end_timestamp_seconds": ("gauge", "When a command last ended, whatever its outcome."),
    "syncctl_success_due_timestamp_seconds": ("gauge", "By when a regular command should have succeeded again."),
    "syncctl_products": ("gauge", "Products that the service has."),
    "syncctl_products_never_looked_at": ("gauge", "Products of which the price or the stock was never read."),
    "syncctl_products_gone": ("gauge", "Products that the service no longer has."),
    "syncctl_product_age_seconds": ("gauge", "Time since products were looked at, by percentile; 100 is the oldest."),
    "syncctl_drift_7_days": ("gauge", "Changes of the last 7 days that the feed had not told of."),
    "syncctl_orders": ("gauge", "Orders, payments and completions that are not posted, by where they stand."),
    "syncctl_oldest_order_seconds": ("gauge", "How long the oldest of them waits that is to be posted; 0 without one."),
    "syncctl_orders_changed": ("gauge", "Orders that the shop changed or cancelled after they were posted."),
    "syncctl_errors": ("gauge", "Errors of the last run that touched the connector."),
    "syncctl_blocked": ("gauge", "Whether the service has asked for no calls at the moment."),
    "syncctl_token_expiry_timestamp_seconds": ("gauge", "When the refresh token dies unless a run uses it."),
    "syncctl_calls_total": ("counter", "Calls made, by purpose."),
    "syncctl_window_calls": ("gauge", "Calls that count in a window of the budget, by whom."),
    "syncctl_window_limit_calls": ("gauge", "Calls that a window of the budget has room for."),
    "syncctl_window_forecast_calls": ("gauge", "Calls at the end of the window, at the pace of the last 24 hours."),
}
_PERCENTILES = {"median": "50", "p95": "95", "oldest": "100"}


@click.command("metrics")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write this file, whole or not at all, instead of stdout.",
)
@common_options
def command(*, output: Path | None, common: Common) -> int:
    """Show the numbers of status for Prometheus, or write them for its node exporter. Makes no call.

    \b
    Example, for the textfile collector, every minute by cron:
        syncctl metrics --output /var/lib/node_exporter/textfile/syncctl.prom
    """
    from syncctl.commands.status import overview

    found = overview(common.env_file)
    if output is None:
        warn(found.warnings)
    text = exposition(found.connectors)
    if output:
        replace(output, text)
    if common.as_json:
        show_json("metrics", exit_code=0, metrics=_as_json(found.connectors))
    elif not output:
        click.echo(text, nl=False)
    return 0


def exposition(connectors: Iterable[dict[str, Any]]) -> str:
    """The text format, version 0.0.4."""
    samples = _gathered(connectors)
    lines = []
    for name, (kind, words) in _METRICS.items():
        lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}"] if samples[name] else []
        lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in samples[name]]
    return "\n".join(lines) + "\n"


def _as_json(connectors: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found = _gathered(connectors)
    return [{"name": name, "labels": labels, "value": value} for name in found for labels, value in found[name]]


def _gathered(connectors: Iterable[dict[str, Any]]) -> dict[str, list[Sample]]:
    samples: dict[str, list[Sample]] = {name: [] for name in _METRICS}
    for connector in connectors:
        for name, more, value in _samples(connector):
            if value is not None:
                samples[name].append(({"connector": connector["name"], **more}, value))
    return samples


def _samples(connector: dict[str, Any]) -> Iterator[tuple[str, dict[str, str], float | None]]:
    """Each number of a connector that status tells; None where nobody knows it."""
    ages, token = connector["age_seconds"], connector["token"] or {}
    yield "syncctl_settings_ok", {}, int(not connector["problems"])
    yield "syncctl_freshness_seconds", {}, connector["freshness"]["seconds"]
    yield "syncctl_freshness_promised_seconds", {}, connector["freshness"]["promised"]
    for each in connector["commands"]:
        label = {"command": each["command"]}
        yield "syncctl_last_success_timestamp_seconds", label, _seconds(each["last_success"])
        yield "syncctl_last_end_timestamp_seconds", label, _seconds(each["last_end"])
        yield "syncctl_success_due_timestamp_seconds", label, _seconds(each["due_by"])
    yield "syncctl_products", {}, connector["products"]
    yield "syncctl_products_never_looked_at", {}, ages["never"]
    yield "syncctl_products_gone", {}, connector["gone"]
    for name, percentile in _PERCENTILES.items():
        yield "syncctl_product_age_seconds", {"percentile": percentile}, ages[name]
    yield "syncctl_drift_7_days", {}, connector["drift_7_days"]
    yield "syncctl_errors", {}, len(connector["last_errors"])
    yield "syncctl_blocked", {}, int(connector["blocked"] is not None)
    yield "syncctl_token_expiry_timestamp_seconds", {}, _seconds(token.get("dies_at"))
    if connector["orders"]:
        yield from _orders(connector["orders"])
    for purpose, calls in connector["calls"].items():
        yield "syncctl_calls_total", {"purpose": purpose}, calls
    for window in connector["windows"]:
        label = {"window": window["window"]}
        yield "syncctl_window_calls", label | {"by": "us"}, window["used"]
        yield "syncctl_window_calls", label | {"by": "others"}, window["others"]
        yield "syncctl_window_limit_calls", label, window["limit"]
        yield "syncctl_window_forecast_calls", label, window["forecast"]


def _orders(orders: dict[str, Any]) -> Iterator[tuple[str, dict[str, str], float | None]]:
    for state in ("new", "waiting", "retrying", "rejected", "unknown", "gave_up", "differing", "skipped"):
        yield "syncctl_orders", {"state": state}, orders[state]
    yield "syncctl_oldest_order_seconds", {}, orders["oldest_seconds"] or 0
    yield "syncctl_orders_changed", {}, orders["changed"]


def _seconds(moment: str | None) -> float | None:
    return datetime.fromisoformat(moment).timestamp() if moment else None


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.3f}"


def replace(output: Path, text: str) -> None:
    """Writes a file that another user, as the node exporter, reads: whole or not at all. Raises `StateError`."""
    special = output.exists() and not output.is_file()  # a terminal, a pipe or /dev/null must stay what it is
    fresh = output if special else output.with_name(f".{output.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        if not special:
            fresh.chmod(0o644)
            fresh.replace(output)
    except OSError as error:
        if not special:
            fresh.unlink(missing_ok=True)
        remedy = "Let the user who runs syncctl write its folder"
        raise StateError(f"{output} cannot be written: {error.strerror or error}", remedy) from error
