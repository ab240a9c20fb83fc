"""Who is next and when: the plan ahead of an escalation, for the group's page and the API.

The next two levels are read against the roster of their moment; further ones name what stands on them, for who
is on call then may change until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.alerts.escalation.firing import GRACE
from console.alerts.models import AlertGroup, Escalation, EscalationState
from console.oncall.policies import Frozen, Level
from console.oncall.reaching import Roster

READ_AHEAD = 2
State = EscalationState


@dataclass(frozen=True, slots=True)
class Ahead:
    """One thing to come. `at` null: not before something else happens."""

    at: datetime | None
    what: str
    whom: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Where an escalation stands, and what comes, the soonest first."""

    escalation: Escalation
    policy: Frozen
    ahead: list[Ahead]

    @property
    def told(self) -> str:
        """`Level 2 of 3 was told`."""
        if not self.escalation.level:
            return "Nobody was told yet"
        return f"Level {self.escalation.level} of {len(self.policy.levels)} was told last"


def plan_of(group: AlertGroup, *, now: datetime) -> Plan | None:
    """The plan of a group's open escalation, or how its last one stands. None: nobody was ever to be told."""
    escalation = Escalation.objects.newest_of([group.pk]).first()
    if escalation is None or not (escalation.is_paging or escalation.is_open):
        return None
    escalation.group = group
    return Plan(escalation, escalation.frozen, plan_ahead(escalation, now=now))


def plan_ahead(escalation: Escalation, *, now: datetime) -> list[Ahead]:
    at, policy = escalation.next_at, escalation.frozen
    match escalation.state:
        case State.RUNNING if at is not None:
            return _levels(escalation, policy, max(at, now))
        case State.ACKNOWLEDGED:
            return _while_held(escalation, policy)
        case State.SILENCED:
            level = max(escalation.level, 1)
            return [Ahead(at, "The silence ends", f"If it is still open: {_named(policy, level)}")]
        case State.SUPPRESSED:
            return [Ahead(at, "The suppression is looked at again", "If it is over, it goes on")]
        case State.WITH_WAVE:
            return [Ahead(None, "Its wave is told of for it", "If that ends, or it is taken out, it goes on")]
        case _:
            return []


def _levels(escalation: Escalation, policy: Frozen, at: datetime) -> list[Ahead]:
    ahead: list[Ahead] = []
    for place, level in enumerate(policy.levels[escalation.level :], start=escalation.level + 1):
        whom = _reached(level, at=at) if len(ahead) < READ_AHEAD else level.names
        ahead.append(Ahead(at, f"Level {place} of {policy.name}", whom))
        at += timedelta(minutes=level.wait_minutes)
    whole = timedelta(minutes=sum(level.wait_minutes for level in policy.levels))
    if escalation.rounds_left:
        times = "once more" if escalation.rounds_left == 1 else f"{escalation.rounds_left} more times"
        ahead.append(Ahead(at, f"All levels again, {times}", policy.levels[0].names))
        at += escalation.rounds_left * whole
    ahead.append(Ahead(at, "Nobody answered", "Every administrator, and a banner on every board"))
    return ahead


def _while_held(escalation: Escalation, policy: Frozen) -> list[Ahead]:
    holder, at = escalation.group.holder, escalation.next_at
    if at is None:
        return [Ahead(None, "Held by its wave", "As long as somebody has the wave")]
    ahead = []
    if escalation.reminded_at is None:
        ahead.append(Ahead(at, "Reminder", f"{holder}: still on it?"))
        at += GRACE
    goes_on = f", and {_named(policy, max(escalation.level, 1))} is told" if escalation.is_paging else ""
    ahead.append(Ahead(at, "Given back unless answered", f"Nobody has it any more{goes_on}"))
    return ahead


def _named(policy: Frozen, level: int) -> str:
    return policy.levels[min(level, len(policy.levels)) - 1].names


def _reached(level: Level, *, at: datetime) -> str:
    """`Bob (on call in Payments secondary until 17:00 UTC)`, or what on it reaches nobody."""
    reached = Roster(level.targets, at=at).reach(level.targets)
    told = ", ".join(reach.words for reach in reached.reaches)
    return told or f"Nobody: {'; '.join(reached.misses)}. The next level is told at once"
