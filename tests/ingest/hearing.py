"""Captured payloads told at seconds from noon, stored as the front door stores them, and worked off."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from console.alerts import pipeline as alerting
from console.feeds.models import Feed
from console.feeds.normalised import Reading
from console.feeds.reading import read_body
from console.ingest import pipeline
from console.ingest.directory import KnownFeed
from console.ingest.store import Incoming, storing
from console.ingest.taking import Request

PAYLOADS = Path(__file__).parents[1] / "feeds" / "payloads"
NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3600, 86400
MACHINE = "i-0d41c7a9be2f60538"
OTHER = "i-0aa17e52c4d93b806"
NODE = "ip-10-2-7-41.eu-central-1.compute.internal"

ELSEWHERE = "ip-10-2-9-80.eu-central-1.compute.internal"
THE_NODE = {"kind": "Node", "name": NODE, "uid": "c0a1d6f2-5b7e-4c1d-9e35-7f4a2b80d911"}


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Message:
    """A body, and the second at which it is received."""

    feed: str
    body: str
    received: float


@cache
def _captured(case: str) -> Any:
    return json.loads((PAYLOADS / f"{case}.json").read_text())


def aws(case: str, seconds: float, *, machine: str = MACHINE, received: float | None = None, feed: str = "aws",
        group: str = "", **changed: Any) -> Message:  # fmt: skip
    """An EventBridge event of `machine` at that second, with an id of its own; of `group` where it names one."""
    payload = copy.deepcopy(_captured(f"aws/{case}"))
    payload |= {"time": f"{at(seconds):%Y-%m-%dT%H:%M:%SZ}", "id": f"{case}:{machine}:{seconds}"} | changed
    detail = payload["detail"]
    for name in ("instance-id", "EC2InstanceId"):
        if name in detail:
            detail[name] = machine
    if group:
        detail["AutoScalingGroupName"] = group
    if evicted := detail.get("serviceEventDetails", {}).get("instanceIdSet"):
        evicted[:] = [machine if one == MACHINE else one for one in evicted]
    if "eventTime" in detail:
        detail |= {"eventTime": payload["time"], "eventID": payload["id"]}
    if payload["resources"] and ":instance/" in payload["resources"][0]:
        payload["resources"] = [f"arn:aws:ec2:{payload['region']}:{payload['account']}:instance/{machine}"]
    return Message(feed, json.dumps(payload), seconds + 1 if received is None else received)


def node(seconds: float, *reports: dict[str, Any], received: float | None = None, feed: str = "nodes",
         **machine: Any) -> Message:  # fmt: skip
    """A node's own report; times in the reports are seconds."""
    said = [
        {name: _time(value) if name.endswith("_at") or name == "at" else value for name, value in one.items()}
        for one in reports
    ]
    known: dict[str, Any] = {"provider": "aws", "account": "204816327500", "region": "eu-central-1"}
    known |= machine or {"instance_id": MACHINE}
    body = {"schema": "node-report/1", "reported_at": _time(seconds), "reports": said} | known
    body.setdefault("report_id", sha256(json.dumps(body, sort_keys=True).encode()).hexdigest())
    return Message(feed, json.dumps(body), seconds + 1 if received is None else received)


def said(seconds: float, component: str, reason: str, message: str = "", *, about: dict[str, Any] = THE_NODE,
         host: str = NODE, annotations: dict[str, str] | None = None, received: float | None = None) -> Message:  # fmt: skip
    """One Event of the cluster's, through the exporter."""
    uid = f"{component}:{reason}:{about['name']}:{seconds}"
    body = {
        "metadata": {"uid": uid, "annotations": annotations or {}},
        "involvedObject": about,
        "reason": reason,
        "message": message,
        "source": {"component": component, "host": host},
        "lastTimestamp": f"{at(seconds):%Y-%m-%dT%H:%M:%SZ}",
        "count": 1,
        "clusterName": "shop-eu",
    }
    return Message("kubernetes", json.dumps(body), seconds + 1 if received is None else received)


def pod(name: str) -> dict[str, Any]:
    return {"kind": "Pod", "namespace": "checkout", "name": name, "uid": f"uid-of-{name}"}


def _time(seconds: float) -> str:
    return at(seconds).isoformat().replace("+00:00", "Z")


KINDS = {
    "aws": "aws-eventbridge",
    "sns": "aws-sns",
    "sqs": "aws-sqs",
    "imds": "aws-imds",
    "nodes": "node-report",
    "events": "cloudevents",
    "gcp": "gcp-pubsub",
    "operations": "gcp-operations",
    "metadata": "gcp-metadata",
    "azure": "azure-scheduled-events",
    "grid": "azure-eventgrid",
    "kubernetes": "kubernetes",
    "nth": "nth-webhook",
    "alertmanager": "alertmanager",
}


def make_feed(slug: str = "aws", **fields: Any) -> Feed:
    kind = KINDS.get(slug.partition("-")[0], "aws-eventbridge")
    return Feed.objects.get_or_create(slug=slug, defaults={"name": slug, "kind": kind} | fields)[0]


def store(messages: Iterable[Message], *, origin: str = "live") -> int:
    """Store these as receiving does. Returns how many were new."""
    items: dict[tuple[int, str], Incoming] = {}
    for message in messages:
        feed = make_feed(message.feed if origin == "live" else f"{message.feed}-{origin}", origin=origin)
        known = KnownFeed(feed.pk, feed.slug, feed.kind, feed.origin, "", "", "", False, {})
        request = Request(
            known, {"content-type": "application/json"}, message.body.encode(), at(message.received)
        )
        body = read_body(request.body, kind=feed.kind, content_type="application/json", headers={},
                         context=known.context, received_at=request.received_at)  # fmt: skip
        for item in body.items:
            assert isinstance(item.outcome, Reading), item.outcome
            incoming = request.incoming(item.raw, item.outcome)
            items.setdefault(incoming.key, incoming)
    fresh = 0
    with transaction.atomic(), connection.cursor() as cursor:
        for sql, columns in storing([items[key] for key in sorted(items)]):
            cursor.execute(sql, columns)
            fresh += len(cursor.fetchall())
    return fresh


def record(*, seconds: float) -> int:
    """Record all that waits, at that second."""
    recorded = 0
    while count := pipeline.record_batch(now=at(seconds)):
        recorded += count
    return recorded


def hear(messages: Sequence[Message], *, origin: str = "live", seconds: float | None = None) -> None:
    """Everything in one go: stored, recorded, alerted on, a second after the last was received."""
    store(messages, origin=origin)
    now = max(message.received for message in messages) + 1 if seconds is None else seconds
    record(seconds=now)
    alerting.alert(now=at(now))


def hear_one_by_one(
    messages: Sequence[Message], *, origin: str = "live", seconds: float | None = None
) -> None:
    for message in messages:
        hear([message], origin=origin, seconds=seconds)
