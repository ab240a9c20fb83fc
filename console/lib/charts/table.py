"""The rows of a chart: what stands under it for those who would rather read."""

from __future__ import annotations

from dataclasses import dataclass

from console.lib.charts.description import Bars, Chart, Point, Stack, Trend

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table_of(chart: Chart) -> Table:
    """The same data as the drawing, as text."""
    match chart:
        case Bars():
            return Table(
                (chart.subject, chart.unit, *chart.columns),
                tuple((bar.label, number(bar.value), *bar.cells) for bar in chart.bars),
            )
        case Trend():
            columns = (chart.subject, chart.unit, *(("95 % from", "to") if chart.has_bands else ()))
            return Table(columns, tuple(_trend_row(point, chart) for point in chart.points))
        case Stack():
            return Table(
                (chart.subject, chart.unit, "share"),
                tuple(
                    (
                        part.label,
                        number(part.value),
                        f"{part.value / chart.total:.1%}" if chart.total else NOTHING,
                    )
                    for part in chart.parts
                ),
            )


def _trend_row(point: Point, chart: Trend) -> tuple[str, ...]:
    label = f"{point.label} (not over)" if point.is_partial else point.label
    band = (number(point.low, 2), number(point.high, 2)) if chart.has_bands else ()
    return label, number(point.value, 2), *band


def number(value: float | None, digits: int = 0) -> str:
    """With thousands separated; a dash for what is not known."""
    if value is None:
        return NOTHING
    if digits == 0 and value != int(value):
        digits = 1
    return f"{value:,.{digits}f}"
