"""What a cluster is made of now, and what of it is news for inventory and workloads. No clock, no network."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import msgspec

from console.feeds.normalised import Rejected
from console.feeds.pollers.kubernetes_objects import (
    BudgetSeen,
    Key,
    OwnerSeen,
    PodSeen,
    key_of,
    read_budget,
    read_node,
    read_owner,
    read_pod,
)
from console.feeds.pollers.kubernetes_watch import News
from console.fleet.inventory import InventoryRow
from console.fleet.workloads import WorkloadRow

logger = logging.getLogger(__name__)

_Seen = TypeVar("_Seen", PodSeen, BudgetSeen, OwnerSeen)
OWNERS = ("deployments", "statefulsets", "replicasets")


class Cluster:
    """One cluster as its watch tells it."""

    def __init__(self, name: str, *, account: str = "") -> None:
        self.name = name
        self._account = account
        self._nodes: dict[str, InventoryRow] = {}
        self._pods: dict[Key, PodSeen] = {}
        self._budgets: dict[Key, BudgetSeen] = {}
        self._owners: dict[str, dict[Key, OwnerSeen]] = {name: {} for name in OWNERS}
        self._listed: set[str] = set()
        self._ended: list[InventoryRow] = []
        self._fresh: set[str] = set()
        self._told: dict[Key, WorkloadRow] = {}

    def take(self, news: News, *, now: datetime) -> None:
        """What cannot be read is passed over: one strange object must not end the watch."""
        if news.what == "listed":
            self._forget(news, now=now)
            self._listed.add(news.resource)
        for raw in news.objects:
            try:
                self._remove(news, raw, now=now) if news.what == "removed" else self._put(news, raw, now=now)
            except (msgspec.MsgspecError, Rejected) as error:
                logger.warning(
                    "kubernetes_watch.unread", extra={"resource": news.resource, "error": str(error)[:200]}
                )

    def is_listed(self, resource: str) -> bool:
        return resource in self._listed

    @property
    def node_names(self) -> list[str]:
        return sorted(self._nodes)

    # Inventory -----------------------------------------------------------------------------------

    def inventory(self, *, is_whole: bool = False) -> list[InventoryRow]:
        """Machines that changed or ended since the last time; all that run where the whole is asked for."""
        names = self._nodes.keys() if is_whole else self._fresh & self._nodes.keys()
        rows = [*self._ended, *(self._nodes[name] for name in sorted(names))]
        self._ended, self._fresh = [], set()
        return rows

    # Workloads -----------------------------------------------------------------------------------

    def workloads(self, *, at: datetime, is_whole: bool = False) -> list[WorkloadRow]:
        """Workloads whose figures changed; one that is gone is told once, with nothing wanted."""
        if not {"pods", "nodes"} <= self._listed:
            return []
        now = {(row.namespace, row.workload): row for row in self._figures(at)}
        told = [row for key, row in now.items() if is_whole or not _is_same(row, self._told.get(key))]
        gone = [
            WorkloadRow(cluster=self.name, namespace=key[0], workload=key[1], at=at, wanted=0, ready=0)
            for key in self._told.keys() - now.keys()
        ]
        self._told = now
        return [*told, *gone]

    def _figures(self, at: datetime) -> Iterable[WorkloadRow]:
        members: dict[Key, list[PodSeen]] = defaultdict(list)
        for pod in self._pods.values():
            members[pod.key[0], pod.workload].append(pod)
        wanted: Counter[Key] = Counter()
        for owners in self._owners.values():
            for key, owner in owners.items():
                wanted[key] += owner.replicas
        for key in sorted(members.keys() | {key for key, count in wanted.items() if count}):
            pods = members.get(key, [])
            ready = [pod for pod in pods if pod.is_ready]
            yield WorkloadRow(
                cluster=self.name,
                namespace=key[0],
                workload=key[1],
                at=at,
                wanted=wanted[key] if key in wanted else len(pods),
                ready=len(ready),
                pending=sum(pod.is_pending for pod in pods),
                by_zone=dict(Counter(zone for pod in ready if (zone := self._zone(pod)))),
                disruptions_allowed=self._allowed(key[0], pods),
            )

    def _zone(self, pod: PodSeen) -> str:
        node = self._nodes.get(pod.node)
        return (node.zone or "") if node else ""

    def _allowed(self, namespace: str, pods: list[PodSeen]) -> int | None:
        """The least that any budget about one of these pods allows; None where there is none."""
        allowed = [
            budget.allowed
            for budget in self._budgets.values()
            if budget.key[0] == namespace
            and budget.selector is not None
            and any(budget.selector.fits(pod.labels) for pod in pods)
        ]
        return min(allowed, default=None)

    # What is known -------------------------------------------------------------------------------

    def _put(self, news: News, raw: bytes, *, now: datetime) -> None:
        if news.resource == "nodes":
            self._put_node(read_node(raw, cluster=self.name, account=self._account), now=now)
        elif news.resource == "pods":
            _keep(self._pods, read_pod(raw), raw)
        elif news.resource == "budgets":
            _keep(self._budgets, read_budget(raw), raw)
        else:
            _keep(self._owners[news.resource], read_owner(raw), raw)

    def _put_node(self, row: InventoryRow, *, now: datetime) -> None:
        name = row.node_name or ""
        before = self._nodes.get(name)
        if before is not None and before.node_uid != row.node_uid:
            self._end(before, now=now)
        if before != row:
            self._nodes[name] = row
            self._fresh.add(name)

    def _remove(self, news: News, raw: bytes, *, now: datetime) -> None:
        key = key_of(raw)
        if news.resource == "nodes":
            if (row := self._nodes.pop(key[1], None)) is not None:
                self._end(row, now=now)
        else:
            self._known(news.resource).pop(key, None)

    def _forget(self, news: News, *, now: datetime) -> None:
        """A list replaces what was known: nodes that are not on it have ended."""
        if news.resource != "nodes":
            self._known(news.resource).clear()
            return
        listed = {key_of(raw)[1] for raw in news.objects}
        for name in self._nodes.keys() - listed:
            self._end(self._nodes.pop(name), now=now)

    def _known(self, resource: str) -> dict[Key, PodSeen] | dict[Key, BudgetSeen] | dict[Key, OwnerSeen]:
        if resource in OWNERS:
            return self._owners[resource]
        return self._pods if resource == "pods" else self._budgets

    def _end(self, row: InventoryRow, *, now: datetime) -> None:
        started_at = min(row.started_at, now) if row.started_at else None
        self._ended.append(msgspec.structs.replace(row, started_at=started_at, ended_at=now))


def _keep(known: dict[Key, _Seen], seen: _Seen | None, raw: bytes) -> None:
    if seen is None:
        known.pop(key_of(raw), None)
    else:
        known[seen.key] = seen


def _is_same(row: WorkloadRow, before: WorkloadRow | None) -> bool:
    return before is not None and msgspec.structs.replace(before, at=row.at) == row
