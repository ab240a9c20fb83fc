"""Who is woken by a page of then: the policy in force, its first level that reaches anybody, the roster of then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.accounts.models import User
from console.alerts.models import AlertGroup
from console.alerts.replay.past import Past
from console.oncall.fairness import is_night
from console.oncall.policies import Frozen, choose
from console.oncall.reaching import Roster

SAME_SHIFT = 5
"""Minutes: a roster is read once for all pages of such a stretch."""


@dataclass(frozen=True, slots=True)
class Called:
    """One person who is paged, and whether it is night where they live."""

    person_id: int
    name: str
    is_night: bool


class Callers:
    """Remembers what it looked up, for both sides of a replay."""

    def __init__(self, past: Past) -> None:
        self.past = past
        self._policies: dict[int | None, Frozen] = {}
        self._reached: dict[tuple[int | None, datetime], list[int]] = {}
        self._people = {person.pk: person for person in User.objects.all()}

    def of(self, group: AlertGroup, *, at: datetime) -> list[Called]:
        stretch = at.replace(minute=at.minute // SAME_SHIFT * SAME_SHIFT, second=0, microsecond=0)
        key = (group.service_id, stretch)
        if key not in self._reached:
            self._reached[key] = self._reach(self._policy(group.service_id), at=at)
        people = [self._people[pk] for pk in self._reached[key] if pk in self._people]
        return [Called(person.pk, str(person), is_night(at, person.zone)) for person in people]

    def _reach(self, policy: Frozen, *, at: datetime) -> list[int]:
        """The first level that reaches anybody is told at once; a channel alone wakes no person."""
        for level in policy.levels:
            if reaches := Roster(level.targets, at=at).reach(level.targets).reaches:
                return [reach.person_id for reach in reaches if reach.person_id is not None]
        return []

    def _policy(self, service_id: int | None) -> Frozen:
        if service_id not in self._policies:
            service = self.past.services.get(service_id or 0)
            whose = (service, service.team if service else None)
            self._policies[service_id] = choose([whose], origin=self.past.origin)[whose].policy
        return self._policies[service_id]
