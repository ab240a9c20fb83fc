"""Who else saw a reclaim: Google's and Azure's own channels, the cluster's events and its alerts.

Each is a source of chance of its own, so that the story stays the same whoever listens.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from console.drills.sample import aws_messages as aws
from console.drills.sample import azure_messages as azure
from console.drills.sample import cluster_messages as cluster
from console.drills.sample import gcp_messages as gcp
from console.drills.sample.lanes import ALERTS, CLUSTER, GRID, METADATA, PUBSUB, RELAY, SCHEDULED, Post
from console.drills.sample.machines import Machine, random_of

TELLS_PODS = frozenset({"queue_workers", "canary", "edge", "ci_runners"})
"""Services whose replicas are pods: where they went is the cluster's to say, not the node's."""
ALERTED = 0.45
RELAYED = 0.4


def of_google(machine: Machine, *, at: datetime, gone: datetime) -> Iterator[Post]:
    """The guest hears of it first; the audit log tells when it is done, to some sinks twice."""
    chance = random_of("google", machine.instance_id)
    yield Post(_after(at, 0.4), METADATA, gcp.preempted(machine, at=at))
    entry = gcp.log_entry(machine, at=gone, chance=chance)
    yield Post(_after(gone, chance.uniform(1, 4)), PUBSUB, gcp.push(entry, at=gone, chance=chance))
    if chance.random() < RELAYED:
        relayed = aws.cloud_event(entry, source="/meridian/relay/gcp", chance=chance)
        yield Post(_after(gone, chance.uniform(4, 12)), RELAY, relayed)


def of_azure(machine: Machine, *, at: datetime, gone: datetime, deadline: datetime) -> Iterator[Post]:
    """Polled by the node until the event starts; Event Grid tells when it is done."""
    chance = random_of("azure", machine.instance_id)
    event = aws.unique(chance).upper()
    noticed = azure.document(machine, event=event, at=at, until=deadline.replace(microsecond=0))
    yield Post(_after(at, 0.4), SCHEDULED, noticed)
    started = gone - timedelta(seconds=2)
    yield Post(_after(started, 0.4), SCHEDULED, azure.document(machine, event=event, at=started, until=None))
    annotated = azure.preempted(machine, at=gone, chance=chance)
    yield Post(_after(gone, chance.uniform(4, 20)), GRID, annotated)


def of_the_cluster(
    machine: Machine, *, at: datetime, gone: datetime, deadline: datetime, is_warned: bool
) -> Iterator[Post]:
    """A handler that knows, the kubelet that stops, the controller that misses the node; and perhaps an alert."""
    chance = random_of("cluster", machine.instance_id)
    if is_warned:
        for seconds, component, reason, message in _said_of_a_notice(machine, deadline=deadline):
            said_at = _after(at, seconds + chance.uniform(0, 1.5))
            if said_at < gone:
                body = cluster.node_event(machine, component, reason, message, at=said_at, chance=chance)
                yield Post(_after(said_at, chance.uniform(0.2, 1.5)), CLUSTER, body)
    missed = _after(gone, chance.uniform(15, 40))
    message = f"Node {machine.node_name} status is now: NodeNotReady"
    body = cluster.node_event(machine, "node-controller", "NodeNotReady", message, at=missed, chance=chance)
    yield Post(_after(missed, 0.5), CLUSTER, body)
    if chance.random() < ALERTED:
        yield from _alerts(machine, at=_after(at, chance.uniform(10, 25)), until=_after(gone, 240))


def _said_of_a_notice(machine: Machine, *, deadline: datetime) -> Iterator[tuple[float, str, str, str]]:
    """Seconds after the notice, who, and what."""
    if machine.provider == "aws" and machine.seat.index % 2:
        until = f"{deadline:%Y-%m-%dT%H:%M:%SZ}"
        yield (
            2.5,
            cluster.NTH,
            "SpotInterruption",
            f"Spot ITN received. Instance will be interrupted at {until} \n",
        )
        yield 4.5, cluster.NTH, "Cordon", "Node successfully cordoned"
    elif machine.provider == "aws":
        yield 2.5, "karpenter", "SpotInterrupted", "Spot interruption warning was triggered"
        yield (
            5.0,
            "karpenter",
            "TerminatingOnInterruption",
            "Interruption triggered termination for the NodeClaim",
        )
    yield 6.5, "kubelet", "NodeNotSchedulable", f"Node {machine.node_name} status is now: NodeNotSchedulable"
    if machine.provider != "aws":
        yield 8.0, "kubelet", "Shutdown", "Shutdown manager detected shutdown event"


def _alerts(machine: Machine, *, at: datetime, until: datetime) -> Iterator[Post]:
    summary = f"{machine.node_name} drains its pods"
    for ended_at, sent_at in ((None, _after(at, 5)), (until, _after(until, 5))):
        body = cluster.alert(machine, "NodeDraining", summary=summary, started_at=at, ended_at=ended_at)
        yield Post(sent_at, ALERTS, body)


def of_a_pod(
    machine: Machine, replica: int, *, evicted_at: datetime, running_at: datetime, to: Machine
) -> Iterator[Post]:
    """A pod stops here, and another of its set starts there."""
    chance = random_of("pod", machine.instance_id, replica)
    old = cluster.pod_name(machine, replica, generation=machine.generation)
    new = cluster.pod_name(machine, replica, generation=machine.generation + 1)
    team = machine.service.team or "default"
    killed = cluster.pod_event(
        machine, old, "kubelet", "Killing", "Stopping container app", at=evicted_at, chance=chance
    )
    yield Post(_after(evicted_at, 0.5), CLUSTER, killed)
    placed_at = evicted_at + (running_at - evicted_at) * 0.4
    assigned = f"Successfully assigned {team}/{new} to {to.node_name}"
    placed = cluster.pod_event(
        to, new, "default-scheduler", "Scheduled", assigned, at=placed_at, chance=chance
    )
    yield Post(_after(placed_at, 0.5), CLUSTER, placed)
    started = cluster.pod_event(
        to, new, "kubelet", "Started", "Started container app", at=running_at, chance=chance
    )
    yield Post(_after(running_at, 0.5), CLUSTER, started)


def _after(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)
