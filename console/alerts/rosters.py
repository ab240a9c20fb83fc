"""Whose a group is, and who is on call for them at one second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from console.accounts.models import User
from console.alerts.models import AlertGroup
from console.fleet.models import Team
from console.oncall.models import Rotation
from console.oncall.schedule import on_call_at

NOBODY = "Nobody owns this, and no team is marked as the platform's: mark one in Teams"


@dataclass(frozen=True, slots=True)
class Owner:
    """The team that a group is for. None: nobody is named."""

    team: Team | None
    is_platform: bool
    on_call: Sequence[dict[str, Any]] = field(default_factory=tuple)

    def as_roster(self) -> dict[str, Any]:
        """As a receipt keeps it."""
        if self.team is None:
            return {"team": None, "is_platform": True, "note": NOBODY, "on_call": list(self.on_call)}
        named = {"id": self.team.pk, "slug": self.team.slug, "name": self.team.name}
        return {"team": named, "is_platform": self.is_platform, "on_call": list(self.on_call)}


def owners_of(groups: Sequence[AlertGroup], *, at: datetime) -> dict[int, Owner]:
    """By group id: its own team, else the platform team of its origin. Four statements, however many groups."""
    wanted = {team for group in groups if (team := _named(group)) is not None}
    teams = Team.objects.in_bulk(wanted)
    platforms = {team.origin: team for team in Team.objects.filter(is_platform=True).order_by("pk")}
    owners = {}
    for group in groups:
        own = teams.get(_named(group) or 0)
        owners[group.pk] = (
            (own, False) if own and not own.is_platform else (platforms.get(group.origin), True)
        )
    concerned = {team.pk for team, _ in owners.values() if team is not None}
    origins = {group.origin for group in groups}
    on_call = _on_call(concerned, origins, at=at)
    return {
        group.pk: Owner(team, is_platform, _of(group, team, is_platform, on_call))
        for group in groups
        for team, is_platform in [owners[group.pk]]
    }


def _named(group: AlertGroup) -> int | None:
    """The service's team as it is now; of a finding the one it was opened for."""
    if group.service is not None:
        return group.service.team_id
    return None if group.is_wave else group.team_id


def _of(
    group: AlertGroup,
    team: Team | None,
    is_platform: bool,
    on_call: dict[tuple[str, int | None], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    mine = on_call.get((group.origin, team.pk), []) if team else []
    return mine + (on_call.get((group.origin, None), []) if is_platform else [])


def _on_call(
    teams: set[int], origins: set[str], *, at: datetime
) -> dict[tuple[str, int | None], list[dict[str, Any]]]:
    """By origin and team; a rotation without a team is the platform's."""
    rotations = Rotation.objects.filter(
        Q(team__in=teams) | Q(team=None), origin__in=origins, archived_at=None
    )
    rows = list(rotations.order_by("pk"))
    turns = on_call_at([row.pk for row in rows], at=at) if rows else {}
    people = User.objects.in_bulk({turn.person_id for mine in turns.values() for turn in mine})
    found: dict[tuple[str, int | None], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row.origin, row.team_id] += [
            {
                "rotation": row.slug,
                "rotation_id": row.pk,
                "person_id": turn.person_id,
                "person": str(people.get(turn.person_id, "somebody who left")),
                "why": turn.why,
            }
            for turn in turns.get(row.pk, [])
        ] or [{"rotation": row.slug, "rotation_id": row.pk, "person_id": None, "person": "nobody", "why": ""}]
    return found
