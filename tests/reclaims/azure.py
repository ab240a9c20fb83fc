"""Reclaims on Azure: one event of several machines polled by all, Event Grid, and the cluster's detector."""

from __future__ import annotations

from random import Random
from uuid import UUID

from tests.ingest.cloud_messages import SUBSCRIPTION, annotated, arm, document, listed
from tests.ingest.hearing import Message, at, said
from tests.reclaims.told import CLUSTER, Reclaim, a_node, alert, kubelet, report

OPENERS = frozenset({"scheduled", "grid", "report", "problem-detector"})


def together(
    numbers: list[int], begin: float, chance: Random, *, scale_set: str, indexes: list[int]
) -> list[Reclaim]:
    """One event takes these machines of a scale set: each is a reclaim of its own."""
    event = str(UUID(int=chance.getrandbits(128), version=4))
    resources = [f"{scale_set}_{index}" for index in indexes]
    about = {name.lower(): number for name, number in zip(resources, numbers, strict=True)}
    until = round(begin + chance.uniform(30, 45))
    made = []
    for number, index in zip(numbers, indexes, strict=True):
        one = Reclaim(number, "azure", begin, chance, needed=OPENERS, tying=OPENERS)
        reporter = f"{scale_set}_{index}"
        one.tell("scheduled", *_polled(one, resources, event, until=until, reporter=reporter), about=about)
        one.tell("grid", annotated(until + 1, arm(str(index), scale_set=scale_set)))
        node = f"{scale_set}{base36(index)}"
        one.tell("report", *report(one, provider="azure", account=SUBSCRIPTION, node_name=node))
        until_text = f"{at(until):%a, %d %b %Y %H:%M:%S} GMT"
        found = f"Preempt Scheduled: {until_text}. DurationInSeconds: -1. EventId: {event.upper()}"
        one.tell("problem-detector", *(
            said(one.soon(), "node-problem-detector", "PreemptScheduled", found, about=a_node(node, node)) for _ in range(2)
        ))  # fmt: skip
        one.tell("kubelet", *kubelet(one, node, uid=f"uid-{number}"))
        one.tell("alerts", *alert(one, node=node, cluster=CLUSTER))
        made.append(one)
    return made


def _polled(one: Reclaim, resources: list[str], event: str, *, until: float, reporter: str) -> list[Message]:
    """Noticed, then started, as this machine polled it; case and the reporter's feed vary."""
    written = event.upper() if one.chance.random() < 0.5 else event
    feed = one.chance.choice(["azure", "azure-2"])
    boot = f"b-{reporter}-{one.number}"
    first = listed(*resources, event=written, until=until)
    then = listed(*resources, event=written, status="Started")
    return [
        document(one.soon(0.2, 3), first, reporter=reporter, number=2, feed=feed, boot=boot),
        document(one.soon(8, 12), first, reporter=reporter, number=2, feed=feed, boot=boot),
        document(until, then, reporter=reporter, number=3, feed=feed, boot=boot),
    ]


def base36(index: int) -> str:
    digits = ""
    while index:
        index, rest = divmod(index, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits.rjust(6, "0")
