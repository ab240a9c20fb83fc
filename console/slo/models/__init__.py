"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.slo.models.counts import PUSHED, RequestHour, RequestMinute
from console.slo.models.episodes import CountState, EpisodeRequests
from console.slo.models.objective import Objective, Source
from console.slo.models.server import PrometheusServer

__all__ = [
    "PUSHED",
    "CountState",
    "EpisodeRequests",
    "Objective",
    "PrometheusServer",
    "RequestHour",
    "RequestMinute",
    "Source",
]
