"""Figures with their uncertainty: intervals, dispersion, nearest ranks, and the colour they earn.

Formulas and their sources are in `docs/measures.md`; nothing here knows what is measured.
"""

from __future__ import annotations

from console.lib.statistics.intervals import (
    Z_95,
    Interval,
    chance_within,
    compounded,
    dispersion,
    poisson_rate,
    proportion,
)
from console.lib.statistics.ranks import Percentile, nearest_rank
from console.lib.statistics.verdicts import Status, Verdict, judge

__all__ = [
    "Z_95",
    "Interval",
    "Percentile",
    "Status",
    "Verdict",
    "chance_within",
    "compounded",
    "dispersion",
    "judge",
    "nearest_rank",
    "poisson_rate",
    "proportion",
]
