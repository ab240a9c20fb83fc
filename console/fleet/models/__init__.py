"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.fleet.models.machine import IdKind, Machine, MachineAlias, Pool, RunningInterval
from console.fleet.models.service import AttributionRule, Service, Team
from console.fleet.models.words import (
    UNATTRIBUTED,
    AttributedBy,
    Criticality,
    Lifecycle,
    Statefulness,
    WorkloadKind,
)
from console.fleet.models.workload import WorkloadStatus

__all__ = [
    "UNATTRIBUTED",
    "AttributedBy",
    "AttributionRule",
    "Criticality",
    "IdKind",
    "Lifecycle",
    "Machine",
    "MachineAlias",
    "Pool",
    "RunningInterval",
    "Service",
    "Statefulness",
    "Team",
    "WorkloadKind",
    "WorkloadStatus",
]
