"""Charts: one frozen description, several renderers, so that screen, table and paper can never differ.

A description holds data and words, no pixels and no colours beyond a name: `plotly.py` draws it in the browser,
`table.py` says it in rows, and a static renderer can draw the same on paper.
"""

from __future__ import annotations

from console.lib.charts.description import (
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
)
from console.lib.charts.drawing import Drawing, drawing_of
from console.lib.charts.plotly import figure_of
from console.lib.charts.table import Table, table_of

__all__ = [
    "Bar",
    "Bars",
    "Chart",
    "Colour",
    "Drawing",
    "Mark",
    "Part",
    "Point",
    "Stack",
    "Table",
    "Target",
    "Trend",
    "drawing_of",
    "figure_of",
    "table_of",
]
