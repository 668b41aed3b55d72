"""Bars over time as inline SVG. Only shapes are in it, so that it stretches with the page; text stands round it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from syncctl.models import Struct

_HEIGHT = 100.0  # of the drawing, in its own units; a column is 10 wide, with gaps
_WIDTH = 10
_BAR = 8


class Column(Struct):
    """A point in time: its name, and how much there is of each series, the lowest part of the bar first."""

    label: str
    parts: Mapping[str, float]

    @property
    def height(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


class Plot(Struct):
    """What is drawn: the columns in their order, the unit of their heights, and what a dashed line at `mark` means.

    `until` is the end of the last column, where its name is that of its beginning.
    """

    title: str
    columns: Sequence[Column]
    unit: str = ""
    mark: float | None = None
    mark_means: str = ""
    until: str = ""


def figure(plot: Plot) -> str:
    """A plot with its title, scale and legend; a sentence where there is nothing to draw."""
    title = f"<figcaption>{escape(plot.title)}</figcaption>"
    if not any(column.height for column in plot.columns):
        return f'<figure>{title}<p class="none">Nothing in this time.</p></figure>'
    first, last = plot.columns[0].label, plot.until or plot.columns[-1].label
    return (
        f'<figure>{title}<div class="top">{_shown(_top(plot), plot.unit)}</div>{_drawing(plot)}'
        f'<div class="ends"><span>{escape(first)}</span><span>{escape(last)}</span></div>{_legend(plot)}</figure>'
    )


def _top(plot: Plot) -> float:
    """What the upper edge stands for; a mark far above everything would flatten the bars, and is left out."""
    highest = max(column.height for column in plot.columns)
    return max(highest, plot.mark) if plot.mark and plot.mark <= 3 * highest else highest


def _drawing(plot: Plot) -> str:
    width, top = _WIDTH * len(plot.columns), _top(plot)
    order = series(plot)
    bars = "".join(_bar(column, number, order, plot) for number, column in enumerate(plot.columns))
    line = ""
    if plot.mark and plot.mark <= top:
        y = _HEIGHT * (1 - plot.mark / top)
        line = f'<line class="mark" x1="0" x2="{width}" y1="{y:.1f}" y2="{y:.1f}"/>'
    label = escape(plot.title, quote=True)
    box = f'viewBox="0 0 {width} {_HEIGHT:.0f}" preserveAspectRatio="none"'
    return f'<svg role="img" aria-label="{label}" {box}>{bars}{line}</svg>'


def _bar(column: Column, number: int, order: Sequence[str], plot: Plot) -> str:
    """The parts of a column one above the other, with their numbers for whoever points at it."""
    told = "; ".join(f"{name} {_shown(value, plot.unit)}" for name, value in column.parts.items() if value)
    y, rects = _HEIGHT, []
    for name, value in column.parts.items():
        height = _HEIGHT * value / _top(plot)
        y -= height
        at = f'x="{number * _WIDTH + 1}" y="{y:.2f}" width="{_BAR}" height="{height:.2f}"'
        rects.append(f'<rect class="s{order.index(name)}" {at}/>' if value else "")
    hover = f'<rect class="hover" x="{number * _WIDTH}" y="0" width="{_WIDTH}" height="{_HEIGHT:.0f}"/>'
    return f"<g><title>{escape(column.label)}: {escape(told or 'none')}</title>{''.join(rects)}{hover}</g>"


def series(plot: Plot) -> list[str]:
    """The names of the parts, in the order of their first appearance."""
    return list(dict.fromkeys(name for column in plot.columns for name in column.parts))


def _legend(plot: Plot) -> str:
    items = [f'<span><i class="s{number}"></i>{escape(name)}</span>' for number, name in enumerate(series(plot))]
    if plot.mark:
        above = "" if plot.mark <= _top(plot) else ", above this plot"
        means = f"{escape(plot.mark_means)}: {_shown(plot.mark, plot.unit)}{above}"
        items.append(f'<span><i class="dash"></i>{means}</span>')
    return f'<div class="legend">{"".join(items)}</div>'


def _shown(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:,.1f}"
    return f"{number} {unit}".rstrip()
