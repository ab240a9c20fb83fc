"""What the record holds in the end, in words that do not depend on the order of arrival."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from console.fleet.models import Machine
from console.interruptions.models import Episode, Interruption, Move, Observation

TRACKS = (
    "cause", "known_by", "action", "started_at", "deadline_at", "ended_at", "at_risk_at", "notice_at",
    "cordoned_at", "drain_started_at", "shutdown_started_at", "shutdown_completed_at", "terminated_at",
    "evicted_at", "scheduled_at", "running_at", "replacement_launched_at", "has_drain_error",
    "observation_count", "witness_count", "native_id",
)  # fmt: skip
GAP = timedelta(minutes=5)


def interruptions() -> list[dict[str, Any]]:
    """Every interruption with its members and stage times; tombstones left out."""
    members: dict[int, set[str]] = defaultdict(set)
    for row in Observation.objects.exclude(interruption=None).select_related("feed"):
        members[row.interruption_id or 0].add(f"{row.feed.slug}|{row.event_id}|{row.machine_named}")
    found = []
    for one in Interruption.objects.filter(merged_into=None).select_related("service"):
        told = {name: getattr(one, name) for name in TRACKS}
        told |= {"origin": one.origin, "service": one.service.slug, "state": one.state}
        found.append(told | {"members": sorted(members[one.pk])})
    return sorted(found, key=lambda told: (told["origin"], told["started_at"], told["members"]))


def moves() -> list[tuple[str, str, datetime, datetime | None, str]]:
    """Every pod that left a machine, by the time at which its interruption began."""
    return sorted(
        (str(m.interruption and m.interruption.started_at), m.workload, m.evicted_at, m.running_at, m.to_node)
        for m in Move.objects.select_related("interruption")
    )


def unattached() -> list[str]:
    return sorted(Observation.objects.filter(interruption=None).values_list("event_id", flat=True))


def episodes() -> list[tuple[str, str, datetime, datetime, datetime, int]]:
    rows = Episode.objects.select_related("service")
    return sorted(
        (e.origin, e.service.slug, e.started_at, e.last_started_at, e.ended_at, e.interruption_count)
        for e in rows
    )


def naive_episodes() -> list[tuple[str, str, datetime, datetime, datetime, int]]:
    """Runs of counted interruptions of one service, start to start at most five minutes apart."""
    runs: dict[tuple[str, str], list[list[Interruption]]] = defaultdict(list)
    for one in Interruption.objects.counted().select_related("service").order_by("started_at"):
        mine = runs[one.origin, one.service.slug]
        if mine and one.started_at - mine[-1][-1].started_at <= GAP:
            mine[-1].append(one)
        else:
            mine.append([one])
    return sorted(
        (origin, slug, run[0].started_at, run[-1].started_at,
         max(i.ended_at or i.deadline_at or i.started_at for i in run), len(run))
        for (origin, slug), mine in runs.items()
        for run in mine
    )  # fmt: skip


def replacements() -> list[tuple[str, datetime | None]]:
    rows = Interruption.objects.all()
    return sorted((one.key, one.replacement_launched_at) for one in rows)


def naive_replacements() -> list[tuple[str, datetime | None]]:
    """Each launch, in order, serves the earliest interruption of its service and group that has none yet."""
    lost = sorted(
        Interruption.objects.exclude(state__in=["at_risk", "no_action", "cancelled"]), key=_by_time_and_words
    )
    served: dict[str, datetime] = {}
    for machine_id, launch in sorted(_first_launches().items(), key=lambda one: _launch_order(one[1])):
        service_id = Machine.objects.get(pk=machine_id).service_id
        for one in lost:
            over_at = one.ended_at or one.deadline_at or one.started_at
            is_in_time = one.started_at - GAP <= launch.occurred_at <= over_at + 3 * GAP
            is_kin = one.service_id == service_id and one.machine_id != machine_id
            groups = _groups(one)
            if one.key not in served and is_in_time and is_kin and (not groups or launch.group in groups):
                served[one.key] = launch.occurred_at
                break
    return sorted((one.key, served.get(one.key)) for one in Interruption.objects.all())


def _by_time_and_words(one: Interruption) -> tuple[datetime, str]:
    return one.started_at, min(f"{seen.event_id} {seen.machine_named}" for seen in one.observations.all())


def _first_launches() -> dict[int, Observation]:
    launches = Observation.objects.filter(kind="replacement_launched", outcome="ok").order_by("-occurred_at")
    return {seen.machine_id or 0: seen for seen in launches}


def _launch_order(seen: Observation) -> tuple[datetime, str, str]:
    return seen.occurred_at, seen.group, seen.event_id


def _groups(one: Interruption) -> set[str]:
    """The scaling groups that its machine was said to be of, within a day of it."""
    day = timedelta(days=1)
    near = Observation.objects.filter(machine_id=one.machine_id).exclude(group="")
    about = near.filter(occurred_at__range=(one.started_at - day, one.started_at + day))
    return set(about.values_list("group", flat=True))
