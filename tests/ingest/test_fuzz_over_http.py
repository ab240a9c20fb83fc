"""Whatever is sent to whichever kind of feed, its sender is never told that the console failed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.plugin import DjangoDbBlocker

from console.feeds.models import Delivery, HeartbeatDelivery, QueuedDelivery
from console.feeds.normalised import REFUSALS
from console.feeds.reading import PARSERS
from tests.feeds.conftest import KINDS
from tests.feeds.test_reading_fuzz import CASES, places, values
from tests.ingest.conftest import Answer, Sender, remove
from tests.make_feeds import make_feed, make_secret

unhurried = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
RELAYS = ("gcp-pubsub", "azure-eventgrid")
TYPES = ["application/json", "application/x-ndjson", "application/cloudevents+json", "text/plain",
         "application/cloudevents-batch+json", ""]  # fmt: skip


@pytest.fixture(scope="module")
def senders(front_door: int, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, Sender]]:
    """Somebody for each kind that can be read."""
    with django_db_blocker.unblock():
        made = {kind: make_feed(kind=kind, slug=f"fuzzed-{kind}", origin="test") for kind in PARSERS}
        yield {kind: Sender(front_door, feed, make_secret(feed)) for kind, feed in made.items()}
        for feed in made.values():
            for model in (Delivery, HeartbeatDelivery, QueuedDelivery):
                model.objects.filter(feed_id=feed.pk).delete()
            remove(feed)


def check(answer: Answer) -> None:
    """Taken, or refused by one of the codes, never as a failure of ours."""
    assert answer.status < 500
    assert answer.status in (200, 202) or answer.status == REFUSALS[answer.code]


def mutated(data: st.DataObject, document: Any) -> Any:
    """Some values replaced or gone."""
    for _ in range(data.draw(st.integers(1, 3))):
        found = places(document)
        if not found:
            return document
        *way, last = data.draw(st.sampled_from(found))
        parent = document
        for key in way:
            parent = parent[key]
        if data.draw(st.booleans()) or not isinstance(parent, dict):
            parent[last] = data.draw(values)
        else:
            del parent[last]
    return document


@unhurried
@given(data=st.data())
def test_a_changed_payload_is_taken_or_refused(data: st.DataObject, senders: dict[str, Sender]) -> None:
    path = data.draw(st.sampled_from(CASES))
    kind = data.draw(st.sampled_from([KINDS[path.parent.name], *PARSERS]))
    document = mutated(data, json.loads(path.read_bytes()))
    check(senders[kind].post(json.dumps(document).encode(), headers=_typed(data)))


@unhurried
@given(data=st.data(), document=values)
def test_any_json_and_any_bytes_are_taken_or_refused(
    data: st.DataObject, document: Any, senders: dict[str, Sender]
) -> None:
    kind = data.draw(st.sampled_from(sorted(PARSERS)))
    check(senders[kind].post(json.dumps(document).encode(), headers=_typed(data)))
    check(senders[kind].post(data.draw(st.binary(max_size=200)), headers=_typed(data)))


def _typed(data: st.DataObject) -> dict[str, str]:
    return {"Content-Type": data.draw(st.sampled_from(TYPES))}


@unhurried
@given(data=st.data())
def test_a_batch_of_good_and_bad_is_answered_with_counts_that_add_up(
    data: st.DataObject, senders: dict[str, Sender]
) -> None:
    paths = data.draw(st.lists(st.sampled_from(CASES), min_size=2, max_size=6))
    kind = data.draw(st.sampled_from(["aws-eventbridge", "azure-eventgrid", "cloudevents", "node-report"]))
    items = [mutated(data, json.loads(path.read_bytes())) for path in paths]
    answer = senders[kind].post(items)
    assert answer.status == 202
    said = ("accepted", "duplicates", "ignored", "unrecognised", "rejected")
    assert sum(answer.body[name] for name in said) == len(items)
    assert len(answer.body["errors"]) == answer.body["rejected"]


@unhurried
@given(data=st.data())
def test_what_a_relay_brings_is_2xx_once_it_is_quarantined(
    data: st.DataObject, senders: dict[str, Sender]
) -> None:
    """Anything else would only make it send the same again."""
    inner = mutated(data, json.loads(data.draw(st.sampled_from(_of("gcp"))).read_bytes()))
    raw = json.dumps(inner).encode()
    coded = base64.b64encode(raw).decode() if data.draw(st.booleans()) else data.draw(st.text(max_size=50))
    message = {"data": coded, "messageId": str(data.draw(st.integers(1, 9)))}
    push = {"message": message, "subscription": "projects/shop-prod-1/subscriptions/spot"}
    assert senders["gcp-pubsub"].post(push).status in (200, 202)
    event = mutated(data, json.loads(data.draw(st.sampled_from(_of("azure"))).read_bytes()))
    assert senders["azure-eventgrid"].post([event]).status < 500
    grid = {"id": "1", "eventType": "Microsoft.ResourceNotifications.HealthResources.ResourceAnnotated",
            "topic": "/t", "subject": "/s", "eventTime": "2026-03-11T14:31:40Z", "dataVersion": "1",
            "data": data.draw(values)}  # fmt: skip
    assert senders["azure-eventgrid"].post([grid]).status in (200, 202)


def _of(vendor: str) -> list[Any]:
    return [path for path in CASES if path.parent.name == vendor]


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize(
    "kind", ["aws-eventbridge", "node-report", "kubernetes", "gcp-metadata", "alertmanager"]
)
def test_a_clock_off_by_an_hour_is_taken_and_flagged(
    sender: Callable[..., Sender], kind: str, hours: int
) -> None:
    one = sender(kind=kind, origin="test")
    said = datetime.now(UTC) + timedelta(hours=hours)
    answer = one.post(_stamped(kind, said.isoformat(timespec="seconds").replace("+00:00", "Z")))
    assert (answer.status, answer.body["accepted"]) == (202, 1)
    queued = QueuedDelivery.objects.get(feed_id=one.feed.pk)
    (event,) = json.loads(bytes(queued.reading))["events"]
    assert event.get("is_future", False) is (hours > 0)
    queued.delete()


def _stamped(kind: str, at: str) -> Any:
    machine = "i-0d41c7a9be2f60538"
    return {
        "aws-eventbridge": {
            "id": at, "detail-type": "EC2 Spot Instance Interruption Warning", "source": "aws.ec2", "time": at,
            "account": "204816327500", "region": "eu-central-1", "resources": [],
            "detail": {"instance-id": machine, "instance-action": "terminate"},
        },
        "node-report": {
            "schema": "node-report/1", "reported_at": at, "provider": "aws", "account": "204816327500",
            "instance_id": machine, "reports": [{"type": "notice"}],
        },
        "kubernetes": {
            "metadata": {"uid": at}, "reason": "SpotInterrupted", "source": {"component": "karpenter"},
            "involvedObject": {"kind": "Node", "name": "node-1"}, "lastTimestamp": at,
        },
        "gcp-metadata": {
            "path": "instance/preempted", "body": "TRUE",
            "context": {"provider": "gcp", "account": "shop-prod-1", "instance_id": "402188", "first_seen_at": at},
        },
        "alertmanager": {
            "version": "4", "groupKey": "{}", "status": "firing", "truncatedAlerts": 0,
            "alerts": [{"status": "firing", "labels": {"node": "node-1"}, "startsAt": at, "fingerprint": "a1"}],
        },
    }[kind]  # fmt: skip
