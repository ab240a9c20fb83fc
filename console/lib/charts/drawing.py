"""A chart ready for `components/_chart.html`: the figure, its table, and how much room it wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from console.lib.charts.description import Bars, Chart, Stack
from console.lib.charts.plotly import figure_of
from console.lib.charts.table import Table, table_of


@dataclass(frozen=True, slots=True)
class Drawing:
    id: str
    title: str
    lead: str
    figure: dict[str, Any]
    table: Table
    size: Literal["", "low", "tall"]
    empty: str = ""
    """Shown instead of the chart."""


def drawing_of(chart: Chart, *, id: str, title: str, lead: str = "", empty: str = "") -> Drawing:
    """`empty` says why there is nothing, and is only kept when there is nothing."""
    return Drawing(
        id, title, lead, figure_of(chart), table_of(chart), _size(chart), empty if _is_empty(chart) else ""
    )


def _is_empty(chart: Chart) -> bool:
    match chart:
        case Bars():
            return not any(bar.value for bar in chart.bars)
        case Stack():
            return not chart.total
    return all(point.value is None for point in chart.points)


def _size(chart: Chart) -> Literal["", "low", "tall"]:
    if isinstance(chart, Stack):
        return "low"
    if isinstance(chart, Bars):
        return "low" if len(chart.drawn) <= 4 else "" if len(chart.drawn) <= 8 else "tall"
    return ""
