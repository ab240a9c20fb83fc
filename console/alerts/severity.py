"""How bad a group is: one function from its impact to a word.

| what the reclaims leave | critical | user-facing | batch | best effort |
| --- | --- | --- | --- | --- |
| fewer replicas than needed | critical | critical | error | warning |
| a zone empty, less than half of the replicas or spot machines, no disruption budget | error | error | warning | info |
| more than that | error | warning | info | info |

A wave is as bad as the worst of the services that it hits, and at least a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from console.alerts.impact import Hit, Impact
from console.alerts.models.words import Severity
from console.fleet.models import Criticality

HALF = 0.5


class Level(IntEnum):
    """How much of a service is left."""

    ENOUGH = 0
    THIN = 1
    SHORT = 2


TABLE: Mapping[str, tuple[Severity, Severity, Severity]] = MappingProxyType(
    {
        Criticality.CRITICAL.value: (Severity.ERROR, Severity.ERROR, Severity.CRITICAL),
        Criticality.USER_FACING.value: (Severity.WARNING, Severity.ERROR, Severity.CRITICAL),
        Criticality.BATCH.value: (Severity.INFO, Severity.WARNING, Severity.ERROR),
        Criticality.BEST_EFFORT.value: (Severity.INFO, Severity.INFO, Severity.WARNING),
    }
)
"""By class of service: with enough left, with little, below the need."""
ORDER = (Severity.INFO, Severity.WARNING, Severity.ERROR, Severity.CRITICAL)


def rank(severity: str) -> int:
    return ORDER.index(Severity(severity))


def worst(*severities: str) -> Severity:
    return Severity(max(severities, key=rank))


def level_of(hit: Hit) -> Level:
    replicas, share = hit.replicas, hit.share_gone
    if hit.is_short:
        return Level.SHORT
    if share is not None and share >= HALF:
        return Level.THIN
    if replicas is None or not hit.machines:
        return Level.ENOUGH
    is_thin = bool(replicas.empty_zones) or replicas.disruptions_left == 0
    return Level.THIN if is_thin or replicas.ready < HALF * replicas.wanted else Level.ENOUGH


def severity_of(impact: Impact, *, is_wave: bool = False, is_cascade: bool = False) -> Severity:
    """Of a group of reclaims. A cascade of one service counts as leaving little of it."""
    found = [
        TABLE[hit.criticality][max(level_of(hit), Level.THIN if is_cascade else Level.ENOUGH)]
        for hit in impact.hits
    ]
    return worst(*found, *([Severity.WARNING] if is_wave or not found else []))


def why(impact: Impact, severity: Severity) -> str:
    """What made it so, for the line in its history: the worst service and what is left of it."""
    hits = sorted(impact.hits, key=lambda hit: (-rank(TABLE[hit.criticality][level_of(hit)]), -hit.machines))
    return f"{severity.label}: {hits[0].words()}" if hits else severity.label
