"""What a chart says. Each kind says one thing; texts are the direct labels that a reader sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Colour(StrEnum):
    """A name of the design system's palette; themes give it its colour."""

    FIRST = "series-1"
    SECOND = "series-2"
    THIRD = "series-3"
    FOURTH = "series-4"
    REST = "series-5"
    OK = "ok-mark"
    WARN = "warn-mark"
    DANGER = "danger-mark"
    MUTED = "muted-mark"
    NEUTRAL = "neutral-mark"


@dataclass(frozen=True, slots=True)
class Target:
    """A thin line with its name."""

    value: float
    name: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a ranking. `cells` go into further columns of the table."""

    label: str
    value: float
    text: str = ""
    cells: tuple[str, ...] = ()
    url: str = ""
    colour: Colour = Colour.FIRST


@dataclass(frozen=True, slots=True)
class Bars:
    """A ranking: bars from zero, the longest on top."""

    subject: str
    """What each row is: the first column's name."""
    unit: str
    bars: tuple[Bar, ...]
    columns: tuple[str, ...] = ()
    """Names of the further columns."""
    most: int = 10
    """Drawn at most; the table holds all."""

    @property
    def drawn(self) -> tuple[Bar, ...]:
        return self.bars[: self.most]


@dataclass(frozen=True, slots=True)
class Point:
    """One period. Without a value the line is interrupted, never drawn as zero."""

    at: datetime
    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    text: str = ""
    is_partial: bool = False
    """The period is not over: drawn hatched."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: a thin upright line with its name on hovering."""

    at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A value over time with its range as a band, where it has one."""

    subject: str
    unit: str
    points: tuple[Point, ...]
    target: Target | None = None
    colour: Colour = Colour.FIRST
    marks: tuple[Mark, ...] = ()
    tick_every: int = 3
    """Every so many-th point is named on the axis, the last one first."""

    @property
    def has_bands(self) -> bool:
        return any(point.low is not None and point.high is not None for point in self.points)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a whole."""

    label: str
    value: float
    colour: Colour
    url: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """One whole and its pieces, as one bar."""

    subject: str
    unit: str
    parts: tuple[Part, ...]

    @property
    def total(self) -> float:
        return sum(part.value for part in self.parts)


Chart = Bars | Trend | Stack
