"""Which pod took the place of which: pure, from everything a cluster said of one owner's pods.

A pod evicted in an interruption is served by the earliest pod of the same owner that appears on another node from
then until an hour after the interruption is over. Each pod serves one. A pod's node may be known only from what was
said of the pod at another time: that is the map from pod to node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from console.feeds.normalised import Kind
from console.interruptions.seen import EARLY, LATE


class Owner(NamedTuple):
    """What makes pods kin. The owner's name is also the start of theirs, so it is always known."""

    cluster: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class PodSeen:
    """One statement about a pod."""

    kind: str
    at: datetime
    owner: Owner
    owner_uid: str
    pod: str
    pod_uid: str
    machine_id: int | None
    node_name: str
    interruption_id: int | None
    feed_id: int
    received_at: datetime
    observation_id: int = 0
    is_placed: bool = False
    """It named no node: where it was, its pod says."""


@dataclass(frozen=True, slots=True)
class LostNode:
    """An interruption that pods may have been evicted in."""

    id: int
    machine_id: int
    started_at: datetime
    over_at: datetime
    statefulness: str

    def covers(self, at: datetime) -> bool:
        return self.started_at - EARLY <= at <= self.over_at + LATE


@dataclass(frozen=True, slots=True)
class Moved:
    """A pod evicted in an interruption, and what runs in its place."""

    interruption_id: int
    machine_id: int
    owner: Owner
    pod: str
    evicted_at: datetime
    feed_id: int
    received_at: datetime
    statefulness: str
    scheduled_at: datetime | None = None
    running_at: datetime | None = None
    to_node: str = ""


@dataclass(slots=True)
class _Eviction:
    lost: LostNode
    first: PodSeen
    owner_uid: str


@dataclass(slots=True)
class _Arrival:
    pod: str
    machine_id: int
    node_name: str
    owner_uid: str
    scheduled_at: datetime | None = None
    running_at: datetime | None = None

    @property
    def at(self) -> datetime:
        times = [at for at in (self.scheduled_at, self.running_at) if at is not None]
        return min(times)

    @property
    def order(self) -> tuple[datetime, str, str]:
        return self.at, self.pod, self.node_name


def moves_of(said: Iterable[PodSeen], lost: Sequence[LostNode]) -> list[Moved]:
    """Every pod evicted in one of `lost`, matched. The order in which things are given plays no part."""
    by_owner: dict[Owner, list[PodSeen]] = defaultdict(list)
    for one in said:
        by_owner[one.owner].append(one)
    by_machine: dict[int, list[LostNode]] = defaultdict(list)
    for node in sorted(lost, key=lambda node: (node.started_at, node.id)):
        by_machine[node.machine_id].append(node)
    return [moved for owner in sorted(by_owner) for moved in _of_owner(owner, by_owner[owner], by_machine)]


def placed(said: Iterable[PodSeen]) -> dict[int, tuple[datetime, int]]:
    """Evictions that name no node, by the machine that their pod is known to be on: when received, and which.

    A pod stays on its node for life, so its uid says which, whoever said it and whenever. A name alone does not:
    the next pod of a StatefulSet has it too.
    """
    listed = list(said)
    homes = {
        one.pod_uid: one.machine_id
        for one in sorted(listed, key=lambda one: (one.at, one.observation_id), reverse=True)
        if one.pod_uid and one.machine_id is not None
    }
    return {
        one.observation_id: (one.received_at, homes[one.pod_uid])
        for one in listed
        if one.kind == Kind.POD_EVICTED and one.machine_id is None and one.pod_uid in homes
    }


def _of_owner(owner: Owner, said: list[PodSeen], by_machine: dict[int, list[LostNode]]) -> list[Moved]:
    said.sort(key=lambda one: (one.at, one.pod, one.kind, one.node_name, one.feed_id))
    evictions = _evictions(said, by_machine)
    waiting = _arrivals(said)
    matched = []
    for eviction in evictions:
        found = next((arrival for arrival in waiting if _serves(arrival, eviction)), None)
        if found is not None:
            waiting.remove(found)
        matched.append(
            Moved(
                interruption_id=eviction.lost.id,
                machine_id=eviction.lost.machine_id,
                owner=owner,
                pod=eviction.first.pod,
                evicted_at=eviction.first.at,
                feed_id=eviction.first.feed_id,
                received_at=eviction.first.received_at,
                statefulness=eviction.lost.statefulness,
                scheduled_at=found.scheduled_at if found else None,
                running_at=found.running_at if found else None,
                to_node=found.node_name if found else "",
            )
        )
    return matched


def _serves(arrival: _Arrival, eviction: _Eviction) -> bool:
    is_kin = not arrival.owner_uid or not eviction.owner_uid or arrival.owner_uid == eviction.owner_uid
    is_elsewhere = arrival.machine_id != eviction.lost.machine_id
    return is_kin and is_elsewhere and arrival.at >= eviction.first.at and eviction.lost.covers(arrival.at)


def _evictions(said: Sequence[PodSeen], by_machine: dict[int, list[LostNode]]) -> list[_Eviction]:
    """One a pod and interruption, at its earliest; in the order of time."""
    found: dict[tuple[int, str], _Eviction] = {}
    for one in said:
        if one.kind != Kind.POD_EVICTED:
            continue
        lost = _home_of(one, said, by_machine)
        if lost is None:
            continue
        eviction = found.setdefault((lost.id, one.pod), _Eviction(lost, one, one.owner_uid))
        eviction.owner_uid = eviction.owner_uid or one.owner_uid
    return list(found.values())


def _home_of(one: PodSeen, said: Sequence[PodSeen], by_machine: dict[int, list[LostNode]]) -> LostNode | None:
    """The interruption it is attached to; where its node is not said, that of the node the pod is known from."""
    nodes = by_machine.get(one.machine_id or 0, ())
    if one.machine_id is not None and one.interruption_id is None and one.is_placed:
        return next((node for node in nodes if node.covers(one.at)), None)
    if one.machine_id is not None:
        return next((node for node in nodes if node.id == one.interruption_id), None)
    placed = [
        other
        for other in said
        if other.machine_id is not None and other.pod == one.pod and _is_same_pod(one, other)
    ]
    homes = [
        node
        for other in sorted(placed, key=lambda other: (other.at > one.at, abs(other.at - one.at)))
        for node in by_machine.get(other.machine_id or 0, ())
        if node.covers(one.at)
    ]
    return homes[0] if homes else None


def _is_same_pod(one: PodSeen, other: PodSeen) -> bool:
    return not one.pod_uid or not other.pod_uid or one.pod_uid == other.pod_uid


def _arrivals(said: Sequence[PodSeen]) -> list[_Arrival]:
    """One a pod and node, with when it was put there and when it first ran."""
    found: dict[tuple[str, int], _Arrival] = {}
    for one in said:
        if one.kind == Kind.POD_EVICTED or one.machine_id is None:
            continue
        arrival = found.setdefault(
            (one.pod, one.machine_id),
            _Arrival(one.pod, one.machine_id, one.node_name, one.owner_uid),
        )
        arrival.owner_uid = arrival.owner_uid or one.owner_uid
        if one.kind == Kind.POD_SCHEDULED:
            arrival.scheduled_at = min(arrival.scheduled_at or one.at, one.at)
        else:
            arrival.running_at = min(arrival.running_at or one.at, one.at)
    return sorted(found.values(), key=lambda arrival: arrival.order)
