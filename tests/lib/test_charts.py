"""Charts: what the description says is what is drawn and what the table holds, and plotly takes it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import plotly.graph_objects as go
import pytest

from console.lib.charts import (
    Bar,
    Bars,
    Chart,
    Colour,
    Mark,
    Part,
    Point,
    Stack,
    Target,
    Trend,
    drawing_of,
    figure_of,
    table_of,
)
from tests.make_fleet import NOON

RANKING = Bars(
    subject="Service",
    unit="reclaims",
    bars=(
        Bar("checkout", 12, "12", ("6.0",)),
        Bar("a <b>bold</b> & long name that goes on and on", 3, "3", ("1.5",)),
    ),
    columns=("per 100 instance-weeks",),
)
WHOLE = Stack(
    "Outcome",
    "reclaims",
    (Part("complete", 35, Colour.OK), Part("failed", 0, Colour.DANGER), Part("partial", 5, Colour.WARN)),
)


def week(number: int, value: float | None, *, is_partial: bool = False) -> Point:
    low, high = (None, None) if value is None else (value - 1, value + 2)
    at = NOON + number * timedelta(days=7)
    return Point(at, f"{at:%-d %b}", value, low, high, f"{value}", is_partial)


TREND = Trend(
    "Week of",
    "per 100",
    (week(0, 4.0), week(1, None), week(2, 5.0), week(3, 6.0), week(4, 3.0, is_partial=True)),
    target=Target(5, "target 5"),
)


@pytest.mark.parametrize(
    "chart", [RANKING, WHOLE, TREND, Bars("A", "b", ()), Stack("A", "b", ()), Trend("A", "b", ())]
)
def test_plotly_takes_every_figure(chart: Chart) -> None:
    figure = figure_of(chart)
    go.Figure(figure)
    assert json.loads(json.dumps(figure)) == figure


def test_plotly_refuses_what_it_does_not_know() -> None:
    figure = figure_of(RANKING)
    figure["data"][0]["colour"] = "red"
    with pytest.raises(ValueError, match="colour"):
        go.Figure(figure)


def test_every_colour_is_left_to_the_theme() -> None:
    for chart in (RANKING, WHOLE, TREND):
        assert all(colour.startswith("var(--") for colour in _colours(figure_of(chart)))


def _colours(node: Any, name: str = "") -> list[str]:
    if isinstance(node, dict):
        return [colour for key, part in node.items() for colour in _colours(part, key)]
    if isinstance(node, list):
        return [colour for part in node for colour in _colours(part, name)]
    return [node] if name in ("color", "fillcolor", "bgcolor", "fgcolor") else []


def test_a_ranking_is_drawn_and_tabled_alike() -> None:
    (trace,) = figure_of(RANKING)["data"]
    table = table_of(RANKING)
    assert table.columns == ("Service", "reclaims", "per 100 instance-weeks")
    assert [float(row[1]) for row in table.rows] == trace["x"] == [12, 3]
    assert figure_of(RANKING)["layout"]["xaxis"]["range"][0] == 0


def test_names_cannot_smuggle_markup_into_a_chart() -> None:
    text = json.dumps(figure_of(RANKING))
    assert "<b>" not in text
    assert "&lt;b&gt;" in text


def test_a_week_without_data_interrupts_the_line_and_the_band() -> None:
    bands = [trace for trace in figure_of(TREND)["data"] if trace.get("fill") == "toself"]
    (line,) = [trace for trace in figure_of(TREND)["data"] if trace.get("name") == "Week of"]
    assert line["y"] == [4.0, None, 5.0, 6.0]
    assert line["connectgaps"] is False
    assert len(bands) == 3  # before the gap, after it, and the hatched one
    assert table_of(TREND).rows[1] == ("18 Mar", "–", "–", "–")


def test_the_last_period_is_hatched_and_said_not_to_be_over() -> None:
    hatched = [trace for trace in figure_of(TREND)["data"] if "fillpattern" in trace]
    assert len(hatched) == 1
    assert hatched[0]["y"] == [5.0, 2.0, 5.0, 8.0]
    assert table_of(TREND).rows[-1][0] == "8 Apr (not over)"


def test_a_target_is_a_thin_named_line() -> None:
    layout = figure_of(TREND)["layout"]
    assert layout["shapes"][0]["y0"] == layout["shapes"][0]["y1"] == 5
    assert layout["annotations"][0]["text"] == "target 5"
    assert layout["yaxis"]["range"][0] == 0


def test_a_whole_is_the_sum_of_its_parts() -> None:
    traces = figure_of(WHOLE)["data"]
    assert sum(trace["x"][0] for trace in traces) == WHOLE.total == 40
    assert table_of(WHOLE).rows == (
        ("complete", "35", "87.5%"),
        ("failed", "0", "0.0%"),
        ("partial", "5", "12.5%"),
    )


def test_a_drawing_says_why_it_is_empty_only_when_it_is() -> None:
    assert drawing_of(RANKING, id="a", title="A", empty="Nothing.").empty == ""
    assert drawing_of(Bars("A", "b", ()), id="a", title="A", empty="Nothing.").empty == "Nothing."
    assert (
        drawing_of(Trend("A", "b", (week(0, None),)), id="a", title="A", empty="Nothing.").empty == "Nothing."
    )


def test_a_trend_may_fall_below_zero_and_marks_what_happened() -> None:
    points = tuple(
        Point(at=NOON + timedelta(hours=6 * n), label=f"p{n}", value=value)
        for n, value in enumerate((100.0, 40.0, None, -20.0))
    )
    chart = Trend(
        "Until", "% left", points, target=Target(0.0, "spent"), marks=(Mark(NOON, "<b>"),), tick_every=2
    )
    figure = figure_of(chart)
    line = next(trace for trace in figure["data"] if trace.get("name") == "Until")
    assert line["x"][1] == "2026-03-11T18:00:00"
    assert line["y"] == [100.0, 40.0, None, -20.0]
    low, high = figure["layout"]["yaxis"]["range"]
    assert (low, high) == (pytest.approx(-22.0), pytest.approx(120.0))
    marks = figure["data"][-1]
    assert (marks["x"][:2], marks["y"][:2]) == (["2026-03-11T12:00:00"] * 2, [low, high])
    assert marks["hovertext"][0] == "&lt;b&gt;"
    assert figure["layout"]["xaxis"]["ticktext"] == ["p3", "p1"]
    table = table_of(chart)
    assert table.columns == ("Until", "% left")
    assert table.rows[2:] == (("p2", "–"), ("p3", "-20.00"))
