"""Which escalation policy holds for what, and its wording frozen for one escalation.

The policy of a service wins over that of its team, and that over the default of the origin. Where none is set
the policy built in here holds: nobody is left untold because nobody set one up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db.models import Q

from console.fleet.models import Service, Team
from console.lib.origin import Origin
from console.oncall.models import EscalationLevel, EscalationPolicy, PolicyUse


class Target(msgspec.Struct, frozen=True):
    """A name on a level. Kinds besides those of `TargetKind`: `managers` and `administrators`, without an id."""

    kind: str
    id: int
    name: str


class Level(msgspec.Struct, frozen=True):
    """Who is told together, and how long they have. Minutes."""

    wait_minutes: int
    targets: tuple[Target, ...]

    @property
    def names(self) -> str:
        return ", ".join(target.name for target in self.targets)


class Frozen(msgspec.Struct, frozen=True):
    """One version of a policy as an escalation keeps it, whatever is edited meanwhile."""

    name: str
    levels: tuple[Level, ...]
    repeats: int = 0
    acknowledged_minutes: int = 30
    policy_id: int | None = None
    """Null: built in."""
    version: int = 0

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Frozen:
        return msgspec.convert(data, cls)

    @property
    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = msgspec.to_builtins(self)
        return told


MANAGERS = Target("managers", 0, "Every manager")
ADMINISTRATORS = Target("administrators", 0, "Every administrator")
LAST_RESORT = Frozen("Last resort", (Level(10, (ADMINISTRATORS,)),))
"""Where a policy reaches nobody at all."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The policy that holds, and why it is this one."""

    policy: Frozen
    why: str


Whose = tuple[Service | None, Team | None]
"""Of which service, and of which team, where there is one: what a policy is chosen by."""


def choose(wanted: Collection[Whose], *, origin: str) -> dict[Whose, Chosen]:
    """The policy that holds for each. Services need `owner` selected along. Four queries at most.

    What is not live and has no default of its own takes the live one.
    """
    services = [service.pk for service, _ in wanted if service]
    teams = [team.pk for _, team in wanted if team]
    is_default = Q(service=None, team=None, origin__in={origin, Origin.LIVE.value})
    uses = list(
        PolicyUse.objects.filter(Q(service__in=services) | Q(team__in=teams) | is_default)
        .filter(policy__archived_at=None)
        .order_by("pk")
    )
    frozen = freeze({use.policy_id for use in uses})
    by_service = {use.service_id: use for use in uses if use.service_id is not None}
    by_team = {use.team_id: use for use in uses if use.team_id is not None}
    defaults = {use.origin: use for use in uses if use.service_id is None and use.team_id is None}
    default = defaults.get(origin) or defaults.get(Origin.LIVE.value)
    chosen: dict[Whose, Chosen] = {}
    for service, team in set(wanted):
        if service and (use := by_service.get(service.pk)):
            found = Chosen(frozen[use.policy_id], f"the policy of {service.name}")
        elif team and (use := by_team.get(team.pk)):
            found = Chosen(frozen[use.policy_id], f"the policy of the team {team.name}")
        elif default:
            found = Chosen(frozen[default.policy_id], "the platform's default policy")
        else:
            found = Chosen(built_in(service, team), "no policy is set, so the one that is built in holds")
        chosen[service, team] = found
    return chosen


def default_policy(origin: str) -> Frozen | None:
    """The platform's default, if one is set."""
    uses = PolicyUse.objects.filter(service=None, team=None, policy__archived_at=None)
    found = {use.origin: use for use in uses.filter(origin__in={origin, Origin.LIVE.value})}
    use = found.get(origin) or found.get(Origin.LIVE.value)
    return freeze([use.policy_id])[use.policy_id] if use else None


def built_in(service: Service | None, team: Team | None) -> Frozen:
    """The owner of the service and whoever the team has on call; then every manager and administrator."""
    first: list[Target] = []
    if service and service.owner_id and service.owner:
        first.append(Target("person", service.owner_id, str(service.owner)))
    if team:
        first.append(Target("team", team.pk, team.name))
    everyone = Level(10, (MANAGERS, ADMINISTRATORS))
    levels = (Level(10, tuple(first)), everyone) if first else (everyone,)
    return Frozen("Built in", levels, repeats=1)


def freeze(policy_ids: Collection[int]) -> dict[int, Frozen]:
    """The current version of these, by id. Three queries."""
    policies = EscalationPolicy.objects.filter(pk__in=policy_ids)
    levels: dict[int, list[Level]] = {pk: [] for pk in policy_ids}
    rows = EscalationLevel.objects.filter(policy__in=policy_ids).order_by("policy", "position")
    named = ("targets__rotation", "targets__person", "targets__team", "targets__channel")
    for level in rows.prefetch_related(*named):
        levels[level.policy_id].append(Level(level.wait_minutes, _targets(level)))
    return {
        policy.pk: Frozen(
            name=policy.name,
            levels=tuple(levels[policy.pk]),
            repeats=policy.repeats,
            acknowledged_minutes=policy.acknowledged_minutes,
            policy_id=policy.pk,
            version=policy.version,
        )
        for policy in policies
    }


def _targets(level: EscalationLevel) -> tuple[Target, ...]:
    found: Sequence[Target] = [
        Target(target.kind, target.named.pk, str(target.named))
        for target in sorted(level.targets.all(), key=lambda target: target.pk)
    ]
    return tuple(found)
