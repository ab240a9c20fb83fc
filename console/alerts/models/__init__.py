"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.alerts.models.event import AlertEvent, EventKind
from console.alerts.models.group import AlertGroup, AlertGroupQuerySet, GroupEpisode, GroupMember
from console.alerts.models.receipt import Decision, Receipt
from console.alerts.models.set_aside import SetAside
from console.alerts.models.suppression import (
    OccurrenceQuerySet,
    ScopeKind,
    Suppression,
    SuppressionHit,
    SuppressionKind,
    SuppressionOccurrence,
    SuppressionQuerySet,
    SuppressionScope,
)
from console.alerts.models.words import GroupKind, GroupStatus, Resolution, Severity

__all__ = [
    "AlertEvent",
    "AlertGroup",
    "AlertGroupQuerySet",
    "Decision",
    "EventKind",
    "GroupEpisode",
    "GroupKind",
    "GroupMember",
    "GroupStatus",
    "OccurrenceQuerySet",
    "Receipt",
    "Resolution",
    "ScopeKind",
    "SetAside",
    "Severity",
    "Suppression",
    "SuppressionHit",
    "SuppressionKind",
    "SuppressionOccurrence",
    "SuppressionQuerySet",
    "SuppressionScope",
]
