"""The colour of a figure against its target. Colour never speaks alone: pages print the word with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from console.lib.statistics.intervals import Interval


class Status(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"

    @property
    def word(self) -> str:
        return _WORDS[self]


_WORDS = {
    Status.GREEN: "On target",
    Status.AMBER: "At risk",
    Status.RED: "Off target",
    Status.GREY: "No verdict",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    status: Status
    is_low_confidence: bool = False


def judge(
    value: float | None,
    *,
    target: float,
    red: float,
    interval: Interval | None = None,
    is_low_good: bool = True,
    is_enough: bool = True,
) -> Verdict:
    """Grey without enough data; green on target; red past `red` or when the whole interval misses the target."""
    if value is None or not is_enough:
        return Verdict(Status.GREY)
    sign = 1 if is_low_good else -1
    near, far = _ordered(value, interval, sign)
    if sign * value > sign * red or near > sign * target:
        return Verdict(Status.RED)
    if sign * value <= sign * target:
        return Verdict(Status.GREEN, is_low_confidence=far > sign * target)
    return Verdict(Status.AMBER)


def _ordered(value: float, interval: Interval | None, sign: int) -> tuple[float, float]:
    """The better and the worse end of the interval, on a scale where low is good."""
    if interval is None:
        return float("-inf"), sign * value
    ends = sorted((sign * interval.low, sign * interval.high))
    return ends[0], ends[1]
