"""A reclaim on AWS: events, queues, metadata, proofs, handlers and the cluster."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.ingest.hearing import Message, at, aws, said
from tests.reclaims.told import CLUSTER, Reclaim, a_node, alert, kubelet, report, unique

ACCOUNT, REGION = "204816327500", "eu-central-1"
OPENERS = frozenset({"eventbridge", "sns", "sqs", "imds", "report", "cloudtrail", "webhook", "handler", "handler-queue",
                     "karpenter"})  # fmt: skip
TYING = frozenset({"imds", "report", "webhook", "handler"})


def reclaim(number: int, begin: float, chance: Random, *, machine: str, node: str, life: int = 0) -> Reclaim:
    """`life` counts the machine's boots: a stopped machine comes back as a node with another uid."""
    one = Reclaim(number, "aws", begin, chance, needed=OPENERS, tying=TYING)
    given = unique(chance)
    is_stop = life > 0 or chance.random() < 0.1
    case = "spot-warning-stop" if is_stop else "spot-warning-terminate"
    warning = aws(case, begin, machine=machine, id=given)
    end = begin + chance.uniform(80, 118)
    states = [aws("state-stopped" if is_stop else "state-terminated", end, machine=machine)]
    if chance.random() < 0.5 and not is_stop:
        states += [aws("state-shutting-down", begin + chance.uniform(60, 79), machine=machine)]
    if chance.random() < 0.3:
        states += [aws("rebalance", begin - chance.uniform(20, 600), machine=machine)]
    one.tell("eventbridge", warning, *states)
    one.tell("sns", _in_sns(warning, feed="sns", chance=chance))
    one.tell(
        "sqs",
        _in_sns(warning, feed="sqs", chance=chance) if chance.random() < 0.5 else _moved(warning, "sqs"),
    )
    one.tell("imds", *_polled(one, machine, node, life=life))
    named = {
        "provider": "aws",
        "account": ACCOUNT,
        "region": REGION,
        "instance_id": machine,
        "node_name": node,
    }
    one.tell("report", *report(one, **named))
    one.tell(
        "cloudtrail",
        aws("bid-evicted", end + 2, machine=machine, detail=_evicted(end + 2, [machine], chance)),
    )
    one.tell("webhook", _webhook(one, machine, node, given=given))
    uid = f"uid-of-{machine}"
    one.tell("handler", *_handler(one, machine, node))
    sent = f"Spot Interruption notice for instance {machine} was sent at {_go(begin)} \n"
    one.tell(
        "handler-queue",
        said(one.soon(), _NTH, "SQSTermination", sent, about=a_node(node), host="another-node"),
    )
    one.tell("karpenter", said(one.soon(), "karpenter", "SpotInterrupted", about=a_node(node, uid)),
             said(one.soon(9, 12), "karpenter", "TerminatingOnInterruption", about=a_node(node, uid)))  # fmt: skip
    one.tell("kubelet", *kubelet(one, node, uid=uid))
    labels = {"instance_id": machine} if chance.random() < 0.5 else {"node": node, "cluster": CLUSTER}
    one.tell("alerts", *alert(one, **labels))
    return one


_NTH = "aws-node-termination-handler"


def evicted_together(first: Reclaim, second: Reclaim, machines: list[str]) -> None:
    """One proof that names both machines."""
    chance, end = first.chance, max(first.begin, second.begin) + 119
    message = aws("bid-evicted", end, machine="", detail=_evicted(end, machines, chance), id=unique(chance))
    about = {machines[0]: first.number, machines[1]: second.number}
    for one in (first, second):
        one.channels.pop("cloudtrail")
    first.tell("cloudtrail", message, about=about)


def _evicted(seconds: float, machines: list[str], chance: Random) -> dict[str, Any]:
    time = f"{at(seconds):%Y-%m-%dT%H:%M:%SZ}"
    return {"eventVersion": "1.11", "eventTime": time, "eventSource": "ec2.amazonaws.com", "eventName": "BidEvictedEvent",
            "awsRegion": REGION, "eventID": unique(chance), "eventType": "AwsServiceEvent", "recipientAccountId": ACCOUNT,
            "serviceEventDetails": {"instanceIdSet": machines}}  # fmt: skip


def _moved(message: Message, feed: str) -> Message:
    return Message(feed, message.body, message.received + 1)


def _in_sns(message: Message, *, feed: str, chance: Random) -> Message:
    envelope = {"Type": "Notification", "MessageId": unique(chance), "Message": message.body, "SignatureVersion": "2",
                "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:spot", "Timestamp": at(message.received).isoformat()}  # fmt: skip
    return Message(feed, json.dumps(envelope), message.received + 1)


def _polled(one: Reclaim, machine: str, node: str, *, life: int) -> list[Message]:
    """The deadline as metadata gives it, seen by the watcher seconds after the notice, polled again and again."""
    body = {"action": "stop" if life else "terminate", "time": f"{at(one.begin + 120):%Y-%m-%dT%H:%M:%SZ}"}
    context = {"provider": "aws", "account": ACCOUNT, "region": REGION, "instance_id": machine, "node_name": node,
               "boot_id": f"{machine}-{life}-{one.number}", "first_seen_at": at(one.soon()).isoformat()}  # fmt: skip
    wrapper = {"context": context, "path": "spot/instance-action", "body": body}
    return [Message("imds", json.dumps(wrapper), one.begin + 10 + 5 * poll) for poll in range(2)]


def _webhook(one: Reclaim, machine: str, node: str, *, given: str) -> Message:
    """In queue mode the id holds EventBridge's; in IMDS mode it is a hash that machines share."""
    is_queue_mode = one.chance.random() < 0.5
    event_id = (
        f"spot-itn-event-{given.encode().hex()}" if is_queue_mode else "spot-itn-" + "3fa9c1" * 10 + "b7e2"
    )
    start = _go(one.begin if is_queue_mode else one.begin + 120)
    text = (f"[NTH][Instance Interruption] EventID: {event_id} - Kind: SPOT_ITN - Instance: {machine} - Node: {node}"
            f" - Description: Spot Interruption notice for instance {machine} was sent at {start} \n"
            f" - Start Time: {start}")  # fmt: skip
    return Message("nth", json.dumps({"text": text}), one.begin + 6)


def _handler(one: Reclaim, machine: str, node: str) -> list[Message]:
    known = {"account-id": ACCOUNT, "instance-id": machine, "region": REGION}
    until = f"Spot ITN received. Instance will be interrupted at {at(one.begin + 120):%Y-%m-%dT%H:%M:%SZ} \n"
    this = a_node(node)
    return [
        said(one.soon(), _NTH, "SpotInterruption", until, about=this, host=node, annotations=known),
        said(one.soon(9, 12), _NTH, "Cordon", about=this, host=node, annotations=known),
        said(one.soon(30, 70), _NTH, "CordonAndDrain", about=this, host=node, annotations=known),
    ]


def _go(seconds: float) -> str:
    """A time as Go prints it."""
    return f"{at(seconds):%Y-%m-%d %H:%M:%S} +0000 UTC"
