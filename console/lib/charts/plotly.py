"""A description as plotly's JSON. Colours are CSS variables, which the browser resolves for its theme."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from console.lib.charts.description import Bars, Chart, Colour, Point, Stack, Trend

Figure = dict[str, Any]
LONGEST_LABEL = 30
FEWEST_ROWS = 4
"""Room is kept for so many, so that one bar alone is no thicker than one of many."""
MOST_MARKERS = 40
"""A longer line is drawn without a dot at each point."""
LONE = timedelta(days=1)
"""Half the width of a band that stands alone."""


def figure_of(chart: Chart) -> Figure:
    """`{"data": […], "layout": {…}}`; fonts, grid and hover boxes are the page's own."""
    match chart:
        case Bars():
            return _bars(chart)
        case Trend():
            return _trend(chart)
        case Stack():
            return _stack(chart)


def _css(colour: Colour | str) -> str:
    return f"var(--{colour})"


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _escaped(text: str) -> str:
    """Plotly reads a little HTML in its texts; names that people give are not HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _bars(chart: Bars) -> Figure:
    bars = chart.drawn
    most = max((bar.value for bar in bars), default=0) or 1
    places = [str(place) for place in range(len(bars))]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": [bar.value for bar in bars],
        "y": places,
        "text": [_escaped(bar.text) for bar in bars],
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "text",
        "hovertext": [f"{_escaped(bar.label)}: {_escaped(bar.text)}" for bar in bars],
        "marker": {"color": [_css(bar.colour) for bar in bars]},
        "textfont": {"color": _css("text-2")},
    }
    layout = {
        "xaxis": {"range": [0, most * 1.3], "visible": False},
        "yaxis": {
            "type": "category",
            "range": [max(len(bars), FEWEST_ROWS) - 0.5, -0.5],
            "tickvals": places,
            "ticktext": [_escaped(_short(bar.label)) for bar in bars],
            "showgrid": False,
            "showline": False,
            "tickfont": {"color": _css("text")},
        },
        "bargap": 0.35,
    }
    return {"data": [trace], "layout": layout}


def _stack(chart: Stack) -> Figure:
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": part.label,
            "x": [part.value],
            "y": [""],
            "hoverinfo": "text",
            "hovertext": f"{part.value:,.0f} {part.label}",
            "marker": {"color": _css(part.colour), "line": {"width": 1, "color": _css("surface")}},
        }
        for part in chart.parts
        if part.value
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0,
        "xaxis": {"visible": False, "range": [0, chart.total or 1]},
        "yaxis": {"visible": False},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "pad": 0},
    }
    return {"data": traces, "layout": layout}


def _trend(chart: Trend) -> Figure:
    over = [point for point in chart.points if not point.is_partial]
    traces = [_band(run, is_hatched=False) for run in _runs(over)]
    traces += [_band(pair, is_hatched=True) for pair in _unfinished(chart.points)]
    traces.append(_line(over, chart))
    traces += [_dotted(pair, chart) for pair in _unfinished(chart.points)]
    if chart.marks:
        traces.append(_marks(chart))
    ticks = chart.points[:: -chart.tick_every]
    layout: Figure = {
        "xaxis": {
            "type": "date",
            "tickvals": [_day(point) for point in ticks],
            "ticktext": [point.label for point in ticks],
            "showgrid": False,
        },
        "yaxis": {
            "range": [_bottom(chart), _top(chart)],
            "rangemode": "tozero",
            "nticks": 5,
            "zeroline": _bottom(chart) < 0,
        },
        "margin": {"l": 8, "r": 16, "t": 12, "b": 8, "pad": 4},
    }
    if chart.target:
        layout |= _target(chart.target.value, chart.target.name)
    return {"data": traces, "layout": layout}


def _day(point: Point) -> str:
    """A point of a day as the day; one within a day as its moment."""
    return _moment(point.at) if point.at.hour or point.at.minute else point.at.date().isoformat()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _marks(chart: Trend) -> Figure:
    """One trace for all of them, each a line over the whole height."""
    low, high = _bottom(chart), _top(chart)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for mark in chart.marks for x in (_moment(mark.at), _moment(mark.at), None)],
        "y": [y for _ in chart.marks for y in (low, high, None)],
        "connectgaps": False,
        "line": {"color": _css("warn-mark"), "width": 1},
        "hoverinfo": "text",
        "hovertext": [
            text for mark in chart.marks for text in (_escaped(mark.name), _escaped(mark.name), "")
        ],
    }


def _bottom(chart: Trend) -> float:
    """Zero, unless something lies below it."""
    least = min((point.value for point in chart.points if point.value is not None), default=0.0)
    return 1.1 * least if least < 0 else 0.0


def _top(chart: Trend) -> float:
    """High enough for every value and the target; a range that is all doubt may leave the picture."""
    values = [point.value for point in chart.points if point.value is not None]
    most = max([*values, chart.target.value if chart.target else 0.0]) or 1.0
    highs = [point.high for point in chart.points if point.high is not None]
    return max(1.2 * most, min(1.05 * max(highs, default=most), 2.5 * most))


def _has_band(point: Point) -> bool:
    return point.low is not None and point.high is not None


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Stretches without a gap."""
    run: list[Point] = []
    for point in points:
        if _has_band(point):
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _unfinished(points: Sequence[Point]) -> list[list[Point]]:
    """The period that is not over, with the one before it where that has a value."""
    if not points or not points[-1].is_partial or points[-1].value is None:
        return []
    before = [point for point in points[-2:-1] if point.value is not None]
    return [[*before, points[-1]]]


def _band(points: Sequence[Point], *, is_hatched: bool) -> Figure:
    dated = [(_day(point), point.low, point.high) for point in points if _has_band(point)]
    if len(dated) == 1:
        point = next(point for point in points if _has_band(point))
        ends = [(point.at - LONE).date().isoformat(), (point.at + LONE).date().isoformat()]
        dated = [(end, point.low, point.high) for end in ends]
    trace: Figure = {
        "type": "scatter",
        "mode": "lines",
        "x": [at for at, _, _ in dated] + [at for at, _, _ in reversed(dated)],
        "y": [low for _, low, _ in dated] + [high for _, _, high in reversed(dated)],
        "fill": "toself",
        "fillcolor": _css("series-band"),
        "line": {"width": 0},
        "hoverinfo": "skip",
    }
    if is_hatched:
        pattern = {
            "shape": "/",
            "size": 6,
            "solidity": 0.25,
            "fgcolor": _css("series-1"),
            "bgcolor": _css("series-band"),
        }
        trace |= {"fillpattern": pattern}
    return trace


def _line(points: Sequence[Point], chart: Trend) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(points) <= MOST_MARKERS else "lines",
        "name": chart.subject,
        "x": [_day(point) for point in points],
        "y": [point.value for point in points],
        "connectgaps": False,
        "line": {"color": _css(chart.colour), "width": 2},
        "marker": {"color": _css(chart.colour), "size": 5},
        "hoverinfo": "text",
        "hovertext": [_escaped(f"{point.label}: {point.text}") for point in points],
    }


def _dotted(points: Sequence[Point], chart: Trend) -> Figure:
    last = len(points) - 1
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [_day(point) for point in points],
        "y": [point.value for point in points],
        "line": {"color": _css(chart.colour), "width": 2, "dash": "dot"},
        "marker": {
            "color": _css("surface"),
            "size": [0] * last + [7],
            "line": {"color": _css(chart.colour), "width": 2},
        },
        "hoverinfo": "text",
        "hovertext": [""] * last + [_escaped(f"{points[-1].label}, not over: {points[-1].text}")],
    }


def _target(value: float, name: str) -> Figure:
    line = {"color": _css("text-3"), "width": 1, "dash": "dash"}
    where = {"xref": "paper", "yref": "y"}
    return {
        "shapes": [{"type": "line", **where, "x0": 0, "x1": 1, "y0": value, "y1": value, "line": line}],
        "annotations": [
            {
                **where,
                "x": 0,
                "y": value,
                "text": _escaped(name),
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "bottom",
                "font": {"size": 11, "color": _css("text-3")},
            }
        ],
    }
