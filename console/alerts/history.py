"""Reclaims told too late to act on: recorded, counted, grouped by episode, and nobody is told.

Their groups are created already resolved (`design.md` section 2, Late and historic messages).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from console.alerts.models import AlertEvent, AlertGroup, EventKind, GroupMember, GroupStatus, Resolution
from console.alerts.opening import add_members, new_group
from console.alerts.settle import refresh
from console.interruptions.models import Episode, Interruption
from console.runbooks.checklist import start_many
from console.runbooks.models import Execution

EpisodeKey = tuple[str, int, int]
"""Origin, service, and episode (or minus the interruption's own id where it is in none)."""


def join(interruptions: Sequence[Interruption], *, now: datetime) -> list[AlertGroup]:
    """Put each into the closed group of its episode; groups that are missing are made, closed."""
    if not interruptions:
        return []
    _lock({i.episode_id for i in interruptions if i.episode_id is not None})
    by_episode: dict[EpisodeKey, list[Interruption]] = defaultdict(list)
    for interruption in interruptions:
        by_episode[_key(interruption)].append(interruption)
    groups = _known(by_episode)
    missing = [key for key in sorted(by_episode) if key not in groups]
    executions = start_many([(by_episode[key][0].service, key[0]) for key in missing], now=now)
    fresh = [_closed(by_episode[key], run, now=now) for key, run in zip(missing, executions, strict=True)]
    groups |= dict(zip(missing, AlertGroup.objects.bulk_create(fresh), strict=True))
    add_members({groups[key].pk: members for key, members in by_episode.items()}, now=now)
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


def lateness(late: Sequence[Interruption], groups: Sequence[AlertGroup]) -> dict[int, float]:
    """Seconds between the end (or deadline) of a group's reclaims and their first message; the most."""
    worst: dict[tuple[str, int | None], float] = defaultdict(float)
    for interruption in late:
        over_at = interruption.ended_at or interruption.deadline_at or interruption.started_at
        seconds = (interruption.first_received_at - over_at).total_seconds()
        key = (interruption.origin, interruption.service_id)
        worst[key] = max(worst[key], seconds)
    return {group.pk: worst[group.origin, group.service_id] for group in groups}


def _key(interruption: Interruption) -> EpisodeKey:
    return interruption.origin, interruption.service_id, interruption.episode_id or -interruption.pk


def _known(by_episode: dict[EpisodeKey, list[Interruption]]) -> dict[EpisodeKey, AlertGroup]:
    members = GroupMember.objects.filter(
        interruption__episode__in=[key[2] for key in by_episode if key[2] > 0],
        group__status=GroupStatus.RESOLVED,
        group__resolution=Resolution.LATE,
    ).select_related("group__service", "interruption")
    members = members.select_for_update(of=("group",))
    found = {_key(member.interruption): member.group for member in members.order_by("-group_id")}
    return {key: group for key, group in found.items() if key in by_episode}


def _closed(members: Sequence[Interruption], execution: Execution | None, *, now: datetime) -> AlertGroup:
    started_at = min(member.started_at for member in members)
    ended_at = max(member.ended_at or member.deadline_at or member.started_at for member in members)
    first = members[0]
    group = new_group(
        first.service, origin=first.origin, execution=execution, triggered_at=started_at, now=now
    )
    group.status = GroupStatus.RESOLVED
    group.resolution = Resolution.LATE
    group.resolved_at = max(ended_at, started_at)
    return group
