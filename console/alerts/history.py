"""Reclaims told too late to act on: recorded, counted, grouped by episode, and nobody is told.

Their groups are created already resolved (`design.md` section 2, Late and historic messages).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from console.alerts.models import AlertEvent, AlertGroup, EventKind, GroupMember, GroupStatus, Resolution
from console.alerts.opening import add_members, new_group
from console.alerts.reclaims import Reclaim
from console.alerts.settle import refresh
from console.fleet.models import Service
from console.interruptions.models import Episode
from console.runbooks.checklist import start_many
from console.runbooks.models import Execution

EpisodeKey = tuple[str, int, int]
"""Origin, service, and episode (or minus the interruption's own id where it is in none)."""


def join(reclaims: Sequence[Reclaim], services: Mapping[int, Service], *, now: datetime) -> list[AlertGroup]:
    """Put each into the closed group of its episode; groups that are missing are made, closed."""
    if not reclaims:
        return []
    _lock({reclaim.episode_id for reclaim in reclaims if reclaim.episode_id is not None})
    by_episode: dict[EpisodeKey, list[Reclaim]] = defaultdict(list)
    for reclaim in reclaims:
        by_episode[_key(reclaim)].append(reclaim)
    groups = _known(by_episode)
    missing = [key for key in sorted(by_episode) if key not in groups]
    executions = start_many([(services[key[1]], key[0]) for key in missing], now=now)
    fresh = [
        _closed(by_episode[key], services[key[1]], run, now=now)
        for key, run in zip(missing, executions, strict=True)
    ]
    groups |= dict(zip(missing, AlertGroup.objects.bulk_create(fresh), strict=True))
    add_members({groups[key].pk: members for key, members in by_episode.items()}, services, now=now)
    AlertEvent.objects.bulk_create(
        AlertEvent(
            group=groups[key],
            at=now,
            kind=EventKind.TRIGGERED,
            text=f"{len(members)} told too late to act on",
            data={"count": len(members)},
        )
        for key, members in sorted(by_episode.items())
    )
    return refresh([groups[key] for key in sorted(by_episode)], now=now, is_news=False)


def _lock(episode_ids: set[int]) -> None:
    """One worker at a time makes the closed group of an episode."""
    list(Episode.objects.filter(pk__in=episode_ids).order_by("pk").select_for_update())


def lateness(late: Sequence[Reclaim], groups: Sequence[AlertGroup]) -> dict[int, float]:
    """Seconds between the end (or deadline) of a group's reclaims and their first message; the most."""
    worst: dict[tuple[str, int | None], float] = defaultdict(float)
    for reclaim in late:
        seconds = (reclaim.first_received_at - reclaim.over_at).total_seconds()
        key = (reclaim.origin, reclaim.service_id)
        worst[key] = max(worst[key], seconds)
    return {group.pk: worst[group.origin, group.service_id] for group in groups}


def _key(reclaim: Reclaim) -> EpisodeKey:
    return reclaim.origin, reclaim.service_id, reclaim.episode_id or -reclaim.id


def _known(by_episode: Mapping[EpisodeKey, Sequence[Reclaim]]) -> dict[EpisodeKey, AlertGroup]:
    """The closed groups that these episodes have already, locked."""
    episodes = [key[2] for key in by_episode if key[2] > 0]
    places = (
        GroupMember.objects.filter(
            interruption__episode__in=episodes,
            group__status=GroupStatus.RESOLVED,
            group__resolution=Resolution.LATE,
        )
        .order_by("-group_id")
        .values_list("interruption__origin", "interruption__service", "interruption__episode", "group")
        .distinct()
    )
    homes = {(origin, service, episode or 0): group for origin, service, episode, group in places}
    wanted = AlertGroup.objects.filter(pk__in=homes.values()).order_by("pk")
    groups = {group.pk: group for group in wanted.select_related("service").select_for_update(of=("self",))}
    return {key: groups[pk] for key, pk in homes.items() if key in by_episode}


def _closed(
    members: Sequence[Reclaim], service: Service, execution: Execution | None, *, now: datetime
) -> AlertGroup:
    started_at = min(member.started_at for member in members)
    group = new_group(
        service, origin=members[0].origin, execution=execution, triggered_at=started_at, now=now
    )
    group.status = GroupStatus.RESOLVED
    group.resolution = Resolution.LATE
    group.resolved_at = max(started_at, *(member.over_at for member in members))
    return group
