"""One message and the reclaims that its statements are about."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from tests.ingest.hearing import Message, at, node, said

CLUSTER = "shop-eu"


@dataclass(frozen=True)
class Told:
    """`about`: the reclaim by the machine's name in the statement; by "" whichever machine is named."""

    message: Message
    about: dict[str, int]

    def reclaim_of(self, named: str) -> int:
        return self.about.get(named.lower(), self.about.get("", -1))


@dataclass
class Reclaim:
    """One machine taken back once: what each channel says of it."""

    number: int
    provider: str
    begin: float
    chance: Random
    channels: dict[str, list[Told]] = field(default_factory=dict)
    """By channel; a reclaim is told by some of them."""
    needed: frozenset[str] = frozenset()
    """Channels of which at least one tells of it: they open an interruption."""
    tying: frozenset[str] = frozenset()
    """Channels that say which instance a node is; one of them is among those that tell where a cluster is."""

    def tell(self, channel: str, *messages: Message, about: dict[str, int] | None = None) -> None:
        told = self.channels.setdefault(channel, [])
        told += [Told(message, about or {"": self.number}) for message in messages]

    def soon(self, least: float = 0.5, most: float = 8.0) -> float:
        return round(self.begin + self.chance.uniform(least, most), 3)


NAMES_ONLY = frozenset({"kubelet", "karpenter", "alerts", "handler-queue", "problem-detector"})
"""They know the node by its name."""


def chosen(reclaim: Reclaim) -> list[Told]:
    """Three to six channels, one of which opens, and one of which ties the node to its instance where it must."""
    chance, names = reclaim.chance, sorted(reclaim.channels)
    while True:
        picked = set(chance.sample(names, min(chance.randint(3, 6), len(names))))
        if not picked & reclaim.needed:
            continue
        if picked & NAMES_ONLY and not picked & reclaim.tying:
            continue
        return [told for name in sorted(picked) for told in reclaim.channels[name]]


def unique(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def a_node(name: str, uid: str = "") -> dict[str, Any]:
    return {"kind": "Node", "name": name} | ({"uid": uid} if uid else {})


def kubelet(reclaim: Reclaim, name: str, *, uid: str) -> Iterable[Message]:
    """The node's own agent: its uid is the name. A pod is killed, and the controllers notice."""
    late = reclaim.chance.uniform(2, 20)
    this = a_node(name, name)
    pod = {"kind": "Pod", "namespace": "checkout", "name": f"cart-6f9d8c5b7-p{reclaim.number}",
           "uid": f"pod-of-{reclaim.number}"}  # fmt: skip
    yield said(reclaim.begin + late, "kubelet", "NodeNotSchedulable", about=this, host=name)
    yield said(reclaim.begin + late + 1, "kubelet", "Shutdown", "Shutdown manager detected shutdown event",
               about=this, host=name)  # fmt: skip
    yield said(reclaim.begin + late + 2, "kubelet", "Killing", about=pod, host=name)
    yield said(reclaim.begin + late + 25, "node-controller", "NodeNotReady", about=a_node(name, uid))


def alert(reclaim: Reclaim, **labels: str) -> Iterable[Message]:
    """Firing, and resolved some minutes later."""
    started = at(reclaim.soon(5, 20)).isoformat()
    for status, seconds in (("firing", 20.0), ("resolved", 240.0)):
        ended = at(reclaim.begin + seconds).isoformat() if status == "resolved" else "0001-01-01T00:00:00Z"
        one = {"status": status, "labels": {"alertname": "NodeGoing"} | labels, "startsAt": started,
               "endsAt": ended, "annotations": {}, "fingerprint": f"f{reclaim.number:015x}"}  # fmt: skip
        body = {"version": "4", "groupKey": "{}", "status": status, "truncatedAlerts": 0, "alerts": [one]}
        yield Message("alertmanager", json.dumps(body), reclaim.begin + seconds)


def report(reclaim: Reclaim, **machine: Any) -> Iterable[Message]:
    """The node's own word: the notice as it saw it, and how its shutdown hook went."""
    began = reclaim.begin + 4
    yield node(reclaim.soon(0.5, 5), {"type": "notice"}, **machine)
    hook = {"type": "hook", "started_at": began, "finished_at": began + 15, "outcome": "complete"}
    yield node(began + 16, hook, **machine)
