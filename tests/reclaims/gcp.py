"""A reclaim on Google Cloud: the audit log through two sinks, the guest's half minute, operations, the cluster."""

from __future__ import annotations

import base64
import json
from random import Random

from tests.ingest.cloud_messages import audit, metadata, operation
from tests.ingest.hearing import Message, at, said
from tests.reclaims.told import CLUSTER, Reclaim, a_node, alert, kubelet, report, unique

PROJECT = "shop-prod-1"
OPENERS = frozenset({"audit", "second-sink", "relay", "metadata", "operations", "report", "handler"})
TYING = frozenset({"audit", "second-sink", "relay", "operations", "report", "metadata"})


def reclaim(number: int, begin: float, chance: Random, *, machine: str, node: str, life: int = 0) -> Reclaim:
    one = Reclaim(number, "gcp", begin, chance, needed=OPENERS, tying=TYING)
    deed = f"systemevent-{1773239500000 + number}-{chance.getrandbits(48):x}"
    end = round(begin + chance.uniform(20, 32), 3)
    entry = audit(end, operation=deed, machine=machine, name=node)
    one.tell("audit", _pushed(entry, feed="gcp", chance=chance))
    one.tell("second-sink", _pushed(entry, feed="gcp-2", chance=chance))
    one.tell("relay", _relayed(entry, chance=chance))
    one.tell("metadata", *_polled(one, machine, node, life=life))
    one.tell("operations", _linked(operation(end - 0.15, name=deed, machine=machine), node))
    named = {
        "provider": "gcp",
        "account": PROJECT,
        "region": "europe-west1",
        "instance_id": machine,
        "node_name": node,
    }
    one.tell("report", *report(one, **named))
    uid = f"uid-of-{machine}"
    one.tell("handler", said(one.soon(), "gke-node-termination-handler", "ImpendingNodeTermination",
                             about=a_node(node, uid)))  # fmt: skip
    one.tell("kubelet", *kubelet(one, node, uid=uid))
    one.tell("alerts", *alert(one, node=node, cluster=CLUSTER))
    return one


def _pushed(entry: Message, *, feed: str, chance: Random) -> Message:
    number = str(chance.getrandbits(50))
    message = {"data": base64.b64encode(entry.body.encode()).decode(), "attributes": {}, "messageId": number,
               "publishTime": at(entry.received).isoformat()}  # fmt: skip
    body = {"message": message, "subscription": f"projects/{PROJECT}/subscriptions/{feed}"}
    return Message(feed, json.dumps(body), entry.received + 1)


def _relayed(entry: Message, *, chance: Random) -> Message:
    body = {"specversion": "1.0", "id": unique(chance), "source": "/relay", "type": "audit",
            "data": json.loads(entry.body)}  # fmt: skip
    return Message("events", json.dumps(body), entry.received + 2)


def _linked(message: Message, node: str) -> Message:
    body = json.loads(message.body)
    zone = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/zones/europe-west1-c"
    return Message(
        message.feed, json.dumps(body | {"targetLink": f"{zone}/instances/{node}"}), message.received
    )


def _polled(one: Reclaim, machine: str, node: str, *, life: int) -> list[Message]:
    message = metadata(one.soon(0.2, 3), boot=f"b-{machine}-{life}", machine=machine)
    body = json.loads(message.body)
    body["context"] |= {"node_name": node, "account": PROJECT}
    raw = json.dumps(body)
    return [Message("metadata", raw, message.received + 5 * poll) for poll in range(2)]
