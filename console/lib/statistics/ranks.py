"""Percentiles by nearest rank, where what has not finished counts as longer than anything finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Percentile:
    """A value, or, when the rank lands on something unfinished, the age it has already passed."""

    value: float
    is_unfinished: bool = False

    def exceeds(self, limit: float) -> bool:
        """Whether it lies above the limit. Unfinished counts as infinite."""
        return self.is_unfinished or self.value > limit

    def reaches(self, limit: float) -> bool:
        return self.is_unfinished or self.value >= limit


def nearest_rank(finished: Sequence[float], share: float, *, ages: Sequence[float] = ()) -> Percentile | None:
    """The ⌈share·n⌉-th smallest of sorted `finished` followed by sorted `ages` of the unfinished."""
    count = len(finished) + len(ages)
    if count == 0:
        return None
    if not 0 < share <= 1:
        raise ValueError("a share lies in (0, 1]")
    # The product of a decimal share and n may come out a hair above the whole number it stands for.
    rank = max(1, ceil(round(share * count, 9)))
    if rank <= len(finished):
        return Percentile(finished[rank - 1])
    return Percentile(ages[rank - len(finished) - 1], is_unfinished=True)
