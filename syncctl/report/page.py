"""The page itself: one file that needs nothing else, neither a script nor the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from syncctl.clock import span, window_words
from syncctl.report.plots import Column, Plot, figure

Json = Mapping[str, Any]
_STYLE = """
:root { --ink: #1d2430; --dim: #5d6878; --paper: #fff; --card: #f4f6f9; --rule: #d9dee6; --bad: #b3261e;
  --warn: #8a5a00; --good: #1b6e3c; --s0: #2f6fb4; --s1: #d98a1f; --s2: #3f9a6b; --s3: #a05fb4; --s4: #7a8797;
  --s5: #c2504a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --dim: #9aa6b6; --paper: #12161c; --card: #1b212a;
  --rule: #323b47; --bad: #ff8a80; --warn: #ffc766; --good: #7bd69b; --s0: #6fa8e6; --s1: #f0b45a; --s2: #6fcf9b;
  --s3: #cf9be0; --s4: #a0adbd; --s5: #ee8a84; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem;
  border-bottom: 1px solid var(--rule); } h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p, ul { margin: .25rem 0; } ul { padding-left: 1.25rem; } .dim, .none, .top, .ends, .legend { color: var(--dim); }
.OK { color: var(--good); } .WARNING, .UNKNOWN { color: var(--warn); } .CRITICAL { color: var(--bad); }
figure { margin: 1.25rem 0; } figcaption { font-weight: 600; }
svg { display: block; width: 100%; height: 9rem; background: var(--card); }
.top, .ends, .legend { font-size: .8rem; } .ends { display: flex; justify-content: space-between; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
.legend i { display: inline-block; width: .7rem; height: .7rem; margin-right: .35rem; }
.legend i.dash { height: 0; border-top: 2px dashed var(--bad); vertical-align: middle; }
.hover { fill: transparent; } g:hover .hover { fill: var(--rule); opacity: .4; }
.mark { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 6 4; vector-effect: non-scaling-stroke; }
.s0 { fill: var(--s0); background: var(--s0); } .s1 { fill: var(--s1); background: var(--s1); }
.s2 { fill: var(--s2); background: var(--s2); } .s3 { fill: var(--s3); background: var(--s3); }
.s4 { fill: var(--s4); background: var(--s4); } .s5 { fill: var(--s5); background: var(--s5); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .25rem 1.25rem .25rem 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; overflow-wrap: normal; } td.n, th.n { text-align: right; white-space: nowrap; }
@media (max-width: 40rem) { body { padding: .5rem; } table { font-size: .75rem; } th, td { padding-right: .5rem; } }
"""
_STATES = {"sending": "unknown", "gave_up": "given up"}  # as `syncctl queue list` calls them
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(figures: Json) -> str:
    """The HTML of the figures, which have the shape of `syncctl report --json`."""
    title = f"syncctl: {figures['shop']}"
    parts = [_head(figures, title), _queue(figures["queue"], figures["posted"])]
    parts += [_connector(connector, figures["generated_at"]) for connector in figures["connectors"]]
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>\n{"".join(parts)}</body></html>\n'


def _head(figures: Json, title: str) -> str:
    when = f"The {figures['days']} days up to {figures['generated_at']}, days in UTC."
    findings = [(connector["name"], finding) for connector in figures["connectors"] for finding in connector["now"]]
    told = "".join(f'<li><b class="{f["level"]}">{f["level"]}</b> {escape(f["message"])}</li>' for _, f in findings)
    return f'<h1>{escape(title)}</h1><p class="dim">{escape(when)}</p><ul>{told}</ul>'


def _queue(rows: Sequence[Json], posted: Sequence[Json]) -> str:
    names = list(dict.fromkeys(name for day in posted for name in day["posted"]))
    columns = [Column(day["day"], {name: day["posted"].get(name, 0) for name in names}) for day in posted]
    plot = figure(Plot("Orders posted per day", columns))
    waiting = [
        (row["connector"], row["kind"], _state(row), row["cause"], row["rows"], f"{span(row['oldest_seconds'])} ago")
        for row in rows
    ]
    table = _table(("connector", "kind", "state", "cause", "#records", "oldest"), waiting, "Nothing waits.")
    return f"<h2>Orders</h2>{plot}<h3>Queue</h3>{table}"


def _state(row: Json) -> str:
    state: str = row["state"]
    return "rejected" if state == "due" and row["cause"] else _STATES.get(state, state)


def _connector(connector: Json, now: str) -> str:
    name = connector["name"]
    if connector["problems"]:
        return f"<h2>{escape(name)}</h2>" + "".join(f"<p>{escape(each)}.</p>" for each in connector["problems"])
    numbers = (
        f"{connector['products']:,} products, {connector['customers']:,} customers,"
        f" {connector['gone']:,} products gone there."
    )
    plots = (*_freshness(connector, now), _calls(connector), _changes(connector["days"]))
    return (
        f'<h2>{escape(name)}</h2><p class="dim">{numbers}</p>{"".join(map(figure, plots))}'
        f"<h3>Budget</h3>{_windows(connector['windows'])}<h3>Slowest endpoints</h3>{_slowest(connector['endpoints'])}"
        f"<h3>Most frequent errors</h3>{_errors(connector['errors'])}"
    )


def _freshness(connector: Json, now: str) -> Iterator[Plot]:
    """Bars that keep the promise, and bars that break it, where there is one."""
    if connector["promised_seconds"] is None:
        return
    promised = connector["promised_seconds"] / 3600
    columns = []
    for each in connector["freshness"]:
        hours = (each["worst_seconds"] or 0) / 3600
        columns.append(Column(each["at"], {"kept": 0.0 if hours > promised else hours,
                                           "broken": hours if hours > promised else 0.0}))  # fmt: skip
    yield Plot("How old the newest data was at worst", columns, "h", promised, "promised", now)


def _calls(connector: Json) -> Plot:
    names = list(dict.fromkeys(name for day in connector["days"] for name in day["calls"]))
    columns = [Column(day["day"], {name: day["calls"].get(name, 0) for name in names}) for day in connector["days"]]
    return Plot("Calls per day, by purpose", columns, "", connector["a_day"], "room for a day")


def _changes(days: Iterable[Json]) -> Plot:
    columns = [Column(day["day"], {"drift": day["drifted"], "ghosts": day["gone"]}) for day in days]
    return Plot("Drift (changes that no feed told of) and ghosts (products gone there)", columns)


def _windows(windows: Iterable[Json]) -> str:
    rows = [
        (window_words(each["window"]), each["used"], each["others"], each["left"], each["limit"],
         "" if each["forecast"] is None else each["forecast"]) for each in windows
    ]  # fmt: skip
    return _table(("window", "#used", "#by others", "#left", "#limit", "#at its end"), rows, "There is no limit.")


def _slowest(endpoints: Iterable[Json]) -> str:
    rows = [(e["endpoint"], e["calls"], e["median"], e["p95"], e["slowest"]) for e in endpoints]
    return _table(("endpoint", "#calls", "#median ms", "#95 % ms", "#slowest ms"), rows, "No calls in this time.")


def _errors(errors: Iterable[Json]) -> str:
    rows = [(f"{_sentence(e['message'])} {_sentence(e['remedy'])}", e["times"], e["last_at"], e["run"]) for e in errors]
    return _table(("what", "#times", "last", "#run"), rows, "None in this time.")


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}." if text else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]], none: str) -> str:
    """A head that begins with # is that of a column of numbers."""
    if not rows:
        return f'<p class="none">{none}</p>'
    numeric = [' class="n"' if head.startswith("#") else "" for head in heads]
    top = "".join(f"<th{mark}>{escape(head.lstrip('#'))}</th>" for head, mark in zip(heads, numeric, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{mark}>{_cell(cell)}</td>" for cell, mark in zip(row, numeric, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else escape(str(value))
