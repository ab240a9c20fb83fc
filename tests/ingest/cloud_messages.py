"""What Google Cloud and Azure say, told at seconds from noon: one function a thing."""

from __future__ import annotations

import copy
import json
from email.utils import format_datetime
from typing import Any

from tests.ingest.hearing import Message, _captured, _time, at

NUMERIC = "4021885517233905166"
VM = "gke-shop-spot-7f3a-x2vq"
SUBSCRIPTION = "7c1e5a90-4b2d-4f6e-9a37-51d0c8e2b6f4"
EVENT = "9B1F7C20-44D1-4E0A-B7C3-0D5A6E8F1234"


def audit(seconds: float, *, case: str = "audit-preempted", operation: str = "", machine: str | None = NUMERIC,
          name: str = VM, received: float | None = None, feed: str = "gcp") -> Message:  # fmt: skip
    """An audit entry; without `machine` it names the VM only."""
    entry = copy.deepcopy(_captured(f"gcp/{case}"))
    entry |= {"timestamp": _time(seconds), "insertId": f"{case}:{machine}:{name}:{seconds}"}
    entry["operation"]["id"] = operation or f"systemevent-{machine}-{seconds}"
    entry["protoPayload"]["resourceName"] = f"projects/shop-prod-1/zones/europe-west1-c/instances/{name}"
    entry["resource"]["labels"]["instance_id"] = machine
    if machine is None:
        del entry["resource"]["labels"]["instance_id"], entry["operation"]
    return Message(feed, json.dumps(entry), seconds + 1 if received is None else received)


def operation(seconds: float, *, name: str, machine: str = NUMERIC) -> Message:
    body = copy.deepcopy(_captured("gcp_operations/preempted"))
    body |= {"name": name, "targetId": machine}
    body |= dict.fromkeys(("insertTime", "startTime", "endTime"), _time(seconds))
    return Message("operations", json.dumps(body), seconds + 2)


def metadata(seconds: float, *, word: str = "TRUE", boot: str = "b-1", machine: str = NUMERIC) -> Message:
    body = copy.deepcopy(_captured("gcp_metadata/preempted"))
    body["context"] |= {"instance_id": machine, "boot_id": boot, "first_seen_at": _time(seconds)}
    body["body"] = word
    return Message("metadata", json.dumps(body), seconds + 1)


def listed(*resources: str, event: str = EVENT, status: str = "Scheduled", until: float | None = None,
           kind: str = "Preempt") -> dict[str, Any]:  # fmt: skip
    """One event of a document; `until` is its NotBefore."""
    not_before = format_datetime(at(until), usegmt=True) if until is not None else ""
    return {
        "EventId": event,
        "EventType": kind,
        "EventStatus": status,
        "ResourceType": "VirtualMachine",
        "Resources": list(resources),
        "NotBefore": not_before,
    }


def document(seconds: float, *events: dict[str, Any], reporter: str = "checkout-7", number: int | None = None,
             received: float | None = None, feed: str = "azure", boot: str = "b-1", **said: Any) -> Message:  # fmt: skip
    """Scheduled Events as `reporter` polled them."""
    context = {"provider": "azure", "account": SUBSCRIPTION, "resource_group": "shop", "region": "westeurope",
               "instance_id": reporter, "boot_id": boot, "first_seen_at": _time(seconds)} | said  # fmt: skip
    body: dict[str, Any] = {"Events": list(events)}
    if number is not None:
        body["DocumentIncarnation"] = number
    wrapper = {"context": context, "path": "scheduledevents", "body": body}
    return Message(feed, json.dumps(wrapper), seconds + 1 if received is None else received)


def arm(name: str, *, scale_set: str = "", group: str = "shop") -> str:
    place = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute"
    inner = f"virtualMachineScaleSets/{scale_set}/" if scale_set else ""
    return f"{place}/{inner}virtualMachines/{name}"


def annotated(seconds: float, target: str, *, case: str = "preempted") -> Message:
    event = copy.deepcopy(_captured(f"azure/{case}"))
    event["id"] = f"{case}-{target}-{seconds}"
    properties = event["data"]["resourceInfo"]["properties"]
    properties |= {"targetResourceId": target, "occurredTime": _time(seconds)}
    return Message("grid", json.dumps(event), seconds + 5)
