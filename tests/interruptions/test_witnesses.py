"""The witness ledger: channels in the order heard, their delays, and repeats that are counted, not listed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.feeds.models import Feed
from console.interruptions.models import Interruption, Observation
from console.interruptions.witnesses import MOST_CHANNELS, ledger_of
from tests.make_accounts import make_token
from tests.make_feeds import make_feed
from tests.make_fleet import NOON
from tests.make_interruptions import make_interruption

pytestmark = pytest.mark.django_db


def say(
    one: Interruption, feed: Feed, seconds: float, *, happened: float = 0.0, **fields: Any
) -> Observation:
    """A statement received so many seconds after noon."""
    known = {
        "origin": one.origin,
        "machine": one.machine,
        "interruption": one,
        "feed": feed,
        "delivery_pk": 1,
        "event_id": f"{feed.pk}:{seconds}:{fields}",
        "machine_named": "i-1",
        "source": "aws.eventbridge",
        "kind": "interruption_notice",
        "outcome": "ok",
        "received_at": NOON + timedelta(seconds=seconds),
        "occurred_at": NOON + timedelta(seconds=happened),
    } | fields
    return Observation.objects.create(**known)


def test_each_channel_is_one_witness_and_the_first_heard_leads() -> None:
    one = make_interruption(first_received_at=NOON + timedelta(seconds=1))
    cloud, nodes = make_feed(slug="cloud"), make_feed(slug="nodes")
    say(one, cloud, 9, happened=2)
    say(one, nodes, 1.5, source="node.report")
    say(one, nodes, 4, source="node.report")
    say(one, nodes, 30, happened=29, source="node.report", kind="shutdown_started")
    say(one, cloud, 50, happened=45, source="aws.autoscaling", kind="shutdown_started")
    ledger = ledger_of(one)
    assert [(channel.name, channel.source) for channel in ledger.channels] == [
        (nodes.name, "node.report"),
        (cloud.name, "aws.eventbridge"),
        (cloud.name, "aws.autoscaling"),
    ]
    first, second, third = ledger.channels
    assert ledger.lead == second.behind == timedelta(seconds=7.5)
    assert (first.behind, third.behind) == (timedelta(0), timedelta(seconds=48.5))
    assert [(told.kind, told.count) for told in first.told] == [
        ("interruption_notice", 2),
        ("shutdown_started", 1),
    ]
    assert (first.repeats, first.statements, first.first.delay) == (1, 3, timedelta(seconds=1.5))
    assert second.first.delay == timedelta(seconds=7)


def test_an_only_witness_leads_nobody_and_a_removed_feed_is_still_one() -> None:
    one = make_interruption()
    feed = make_feed()
    say(one, feed, 0)
    Feed.objects.filter(pk=feed.pk).delete()
    ledger = ledger_of(one)
    assert (ledger.total, ledger.lead, ledger.channels[0].name) == (1, None, "a feed since removed")


def test_hundreds_of_statements_cost_two_queries() -> None:
    one = make_interruption()
    feeds = [make_feed(slug=f"feed-{number}") for number in range(MOST_CHANNELS + 3)]
    for number in range(400):
        say(one, feeds[number % len(feeds)], number)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        ledger = ledger_of(one)
    assert len(queries) == 2
    assert (len(ledger.channels), ledger.total, ledger.left_out) == (MOST_CHANNELS, MOST_CHANNELS + 3, 3)
    assert sum(channel.statements for channel in ledger.channels[:29]) == 29 * 8


def test_a_program_reads_the_ledger(client: Client) -> None:
    _, secret = make_token()
    one = make_interruption()
    feed, late = make_feed(slug="quick"), make_feed(slug="slow")
    say(one, feed, 1)
    say(one, feed, 2)
    say(one, late, 4)
    headers = {"Authorization": f"Bearer {secret}"}
    answer = client.get(f"/api/v1/interruptions/{one.pk}/witnesses", headers=headers).json()
    assert (answer["count"], answer["lead_seconds"]) == (2, 3.0)
    quick, slow = answer["witnesses"]
    assert (quick["feed"], quick["is_first"], quick["repeats"]) == ("quick", True, 1)
    assert (slow["feed"], slow["is_first"], slow["behind_seconds"]) == ("slow", False, 3.0)
    assert slow["told"][0]["delay_seconds"] == 4.0
    for number in (one.pk + 1, 10**25):
        assert client.get(f"/api/v1/interruptions/{number}/witnesses", headers=headers).status_code == 404
