"""A fleet in trouble, told through the front door in the senders' own formats: what the boards are looked at with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import count
from typing import Any

from django.test import Client

from console.accounts.models import Scope
from console.feeds.models import Feed
from console.fleet.models import Service, WorkloadStatus
from tests.make_accounts import make_token
from tests.make_feeds import make_feed, make_secret
from tests.make_fleet import make_service, make_team

ACCOUNT = "204816327500"
REGION = "eu-central-1"
_numbers = count(1)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Node:
    """A machine as its node report names it."""

    service: str
    zone: str = "eu-central-1a"
    type: str = "m7i.2xlarge"
    id: str = field(default_factory=lambda: f"i-0{next(_numbers) * 0x9E3779B97F4A7C15 % 16**16:016x}")

    @property
    def name(self) -> str:
        return f"ip-10-2-{int(self.id[-4:-2], 16)}-{int(self.id[-2:], 16)}.{REGION}.compute.internal"


class Sender:
    """Two feeds, and whoever knows their secrets: EventBridge, and the nodes themselves."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.aws = make_feed(slug="aws-production", name="AWS production")
        self.nodes = make_feed(slug="nodes", name="Nodes", kind="node-report")
        self._secrets = {feed.slug: make_secret(feed) for feed in (self.aws, self.nodes)}

    def post(self, feed: Feed, body: object) -> int:
        client = HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Authorization": f"Bearer {self._secrets[feed.slug]}", "Content-Type": "application/json"}
        try:
            client.request("POST", f"/ingest/{feed.slug}", json.dumps(body).encode(), headers)
            answer = client.getresponse()
            said = answer.read()
        finally:
            client.close()
        assert answer.status in (200, 202), said
        return answer.status

    def warn(self, *nodes: Node, at: datetime) -> None:
        """The provider's two-minute warning."""
        detail = "EC2 Spot Instance Interruption Warning"
        self.post(
            self.aws, [self._event(node, at, detail, {"instance-action": "terminate"}) for node in nodes]
        )

    def terminate(self, *nodes: Node, at: datetime) -> None:
        detail = "EC2 Instance State-change Notification"
        self.post(self.aws, [self._event(node, at, detail, {"state": "terminated"}) for node in nodes])

    def report(self, node: Node, *entries: dict[str, Any], at: datetime) -> None:
        """The node's own report. Times in the entries are datetimes."""
        told = [{k: iso(v) if isinstance(v, datetime) else v for k, v in one.items()} for one in entries]
        body = {"schema": "node-report/1", "provider": "aws", "account": ACCOUNT, "region": REGION}
        body |= {
            "zone": node.zone,
            "instance_id": node.id,
            "instance_type": node.type,
            "node_name": node.name,
        }
        body |= {"service": node.service, "reported_at": iso(at), "report_id": f"report-{next(_numbers)}"}
        self.post(self.nodes, body | {"reports": told})

    def introduce(self, *nodes: Node, at: datetime) -> None:
        """What the inventory lists: from here on the console knows whose each machine is."""
        rows = [
            {"provider": "aws", "account": ACCOUNT, "region": REGION, "zone": node.zone, "instance_id": node.id,
             "instance_type": node.type, "node_name": node.name, "service": node.service, "lifecycle": "spot",
             "started_at": iso(at)}
            for node in nodes
        ]  # fmt: skip
        headers = {"Authorization": f"Bearer {make_token(Scope.FACTS)[1]}"}
        answer = Client(headers=headers).put("/api/v1/inventory", rows, content_type="application/json")
        assert answer.status_code == 200, answer.content

    def _event(self, node: Node, at: datetime, kind: str, detail: dict[str, str]) -> dict[str, object]:
        arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{node.id}"
        head = {"version": "0", "id": f"event-{next(_numbers)}", "detail-type": kind, "source": "aws.ec2"}
        place = {"account": ACCOUNT, "region": REGION, "time": iso(at), "resources": [arn]}
        return head | place | {"detail": {"instance-id": node.id} | detail}


def make_services() -> dict[str, Service]:
    """Four teams and what they run; what clusters report of two of them."""
    teams = {slug: make_team(slug=slug, name=name) for slug, name in (
        ("payments", "Payments"), ("search", "Search and discovery"), ("media", "Media"), ("data", "Data platform"))}  # fmt: skip
    services = {slug: make_service(slug=slug, name=name, team=teams[team], criticality=criticality) for slug, name, team, criticality in (
        ("checkout", "Checkout", "payments", "critical"),
        ("search-api", "Search API", "search", "user_facing"),
        ("transcode", "Video transcoding", "media", "batch"),
        ("feature-store", "Recommendation feature store", "data", "user_facing"))}  # fmt: skip
    _workload(services["checkout"], wanted=12, ready=7, pending=3, needed=9, by_zone={"a": 4, "b": 3, "c": 0})
    _workload(services["search-api"], wanted=20, ready=18, pending=2, needed=12, by_zone={"a": 9, "b": 9})
    return services


def _workload(service: Service, **fields: Any) -> None:
    known = {
        "origin": service.origin,
        "cluster": "prod",
        "namespace": service.slug,
        "workload": f"{service.slug}-web",
    }
    WorkloadStatus.objects.create(service=service, at=datetime.now(UTC), **known, **fields)


def make_trouble(sender: Sender, *, now: datetime) -> dict[str, Node]:
    """Nine machines of four services, each at another point of its last two minutes."""

    def ago(seconds: float) -> datetime:
        return now - timedelta(seconds=seconds)

    nodes = {name: Node(service, zone=f"{REGION}{zone}", type=kind) for name, service, zone, kind in (
        ("draining", "checkout", "c", "m7i.2xlarge"), ("fresh", "checkout", "c", "m7i.2xlarge"),
        ("spare", "checkout", "c", "c7g.4xlarge"), ("late", "search-api", "b", "c7g.4xlarge"),
        ("search", "search-api", "b", "c7g.4xlarge"), ("over", "transcode", "a", "g6.xlarge"),
        ("encoder", "transcode", "a", "g6.xlarge"), ("store", "feature-store", "a", "r7i.4xlarge"),
        ("quiet", "feature-store", "b", "r7i.4xlarge"))}  # fmt: skip
    sender.introduce(*nodes.values(), at=ago(400))
    sender.warn(nodes["spare"], at=ago(300))
    sender.warn(nodes["late"], at=ago(280))
    sender.warn(nodes["over"], at=ago(130))
    sender.warn(nodes["draining"], nodes["store"], at=ago(70))
    sender.warn(nodes["search"], nodes["encoder"], at=ago(40))
    sender.warn(nodes["fresh"], at=ago(5))
    sender.report(nodes["draining"], *_evacuation(nodes["draining"], ago(68)), at=ago(20))
    sender.report(nodes["spare"], *_evacuation(nodes["spare"], ago(295), outcome="complete"), at=ago(250))
    sender.report(nodes["late"], *_evacuation(nodes["late"], ago(270), outcome="failed"), at=ago(200))
    sender.report(nodes["store"], *_state(ago(60)), at=ago(15))
    sender.terminate(nodes["spare"], at=ago(211))
    sender.terminate(nodes["late"], at=ago(146))
    return nodes


def _evacuation(node: Node, at: datetime, *, outcome: str = "") -> list[dict[str, Any]]:
    """Pods leave one by one; the hook drains connections; three lines of its log."""

    def after(seconds: float) -> datetime:
        return at + timedelta(seconds=seconds)

    moved = [(f"{node.service}/web-{letter}", after(3 + 4 * place), after(19 + 9 * place) if place < 3 or outcome == "complete" else None)
             for place, letter in enumerate("abcd")]  # fmt: skip
    told: list[dict[str, Any]] = [
        {
            "type": "move",
            "workload": workload,
            "class": "stateless",
            "evicted_at": start,
            "to_node": "ip-10-2-9-17",
        }
        | ({"running_at": end} if end else {})
        for workload, start, end in moved
    ]
    if outcome:
        said = {"failed": "connection pool did not drain: 14 requests in flight after 60 s"}.get(
            outcome, "drained 212 connections"
        )
        told.append(
            {
                "type": "hook",
                "started_at": after(6),
                "finished_at": after(66),
                "outcome": outcome,
                "message": said,
            }
        )
    lines = (
        "draining connections",
        "212 connections open",
        "waiting for in-flight requests of payment-gateway to finish before the listener closes",
    )
    return told + [
        {"type": "log", "at": after(6 + n), "level": "info", "message": line} for n, line in enumerate(lines)
    ]


def _state(at: datetime) -> list[dict[str, Any]]:
    """What a stateful machine hands over: a volume, a replica, and the work it had in hand."""

    def after(seconds: float) -> datetime:
        return at + timedelta(seconds=seconds)

    return [
        {"type": "volume", "volume": "vol-0f3c9a7be21d55481", "detached_at": after(8), "attached_at": after(31)},
        {"type": "volume", "volume": "vol-0a81be44c03d9f672", "detached_at": after(12)},
        {"type": "replica", "name": "features-7", "last_write_at": after(5), "ready_at": after(38)},
        {"type": "work", "job": "nightly-embedding-backfill", "attempt": 2, "useful_seconds": 7200, "lost_seconds": 310,
         "restart_seconds": 45},
        {"type": "move", "workload": "feature-store/online-7", "class": "stateful", "evicted_at": after(4)},
    ]  # fmt: skip
