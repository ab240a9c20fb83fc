"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.alerts.models.escalation import (
    Escalation,
    EscalationStep,
    StepKind,
)
from console.alerts.models.event import AlertEvent, EventKind
from console.alerts.models.feedback import Feedback, Verdict
from console.alerts.models.group import AlertGroup, AlertGroupQuerySet, GroupEpisode, GroupMember
from console.alerts.models.receipt import Decision, Receipt
from console.alerts.models.regrouping import Regrouping, RegroupingAct
from console.alerts.models.replay import (
    Difference,
    Replay,
    ReplayEpisode,
    ReplayKind,
    ReplayQuerySet,
    ReplayState,
)
from console.alerts.models.rule import Evaluation, Rule, RuleState, RuleVersion, Standing
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
from console.alerts.models.ticket import Ticket, TicketEvent, TicketEventKind, TicketState
from console.alerts.models.undo import Undo, UndoPart
from console.alerts.models.words import EscalationState, GroupKind, GroupStatus, Resolution, Severity

__all__ = [
    "AlertEvent",
    "AlertGroup",
    "AlertGroupQuerySet",
    "Decision",
    "Difference",
    "Escalation",
    "EscalationState",
    "EscalationStep",
    "Evaluation",
    "EventKind",
    "Feedback",
    "GroupEpisode",
    "GroupKind",
    "GroupMember",
    "GroupStatus",
    "OccurrenceQuerySet",
    "Receipt",
    "Regrouping",
    "RegroupingAct",
    "Replay",
    "ReplayEpisode",
    "ReplayKind",
    "ReplayQuerySet",
    "ReplayState",
    "Resolution",
    "Rule",
    "RuleState",
    "RuleVersion",
    "ScopeKind",
    "SetAside",
    "Severity",
    "Standing",
    "StepKind",
    "Suppression",
    "SuppressionHit",
    "SuppressionKind",
    "SuppressionOccurrence",
    "SuppressionQuerySet",
    "SuppressionScope",
    "Ticket",
    "TicketEvent",
    "TicketEventKind",
    "TicketState",
    "Undo",
    "UndoPart",
    "Verdict",
]
