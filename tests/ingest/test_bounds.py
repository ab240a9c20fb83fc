"""Who is turned away when too much comes, and who never is."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.feeds.models import Delivery, Feed, FeedHour
from console.ingest import store
from console.ingest.directory import KnownFeed
from console.ingest.limiting import BURST, MOST_DEBT, FeedLimits
from console.ingest.receive import Receiver
from console.ingest.waiting import Waiting
from tests.ingest.conftest import Sender
from tests.ingest.test_receive import warning
from tests.ingest.test_receive_busy import pool_of_this_run, post
from tests.make_feeds import make_feed, make_secret

MakeSender = Callable[..., Sender]


@dataclass(eq=False)
class One:
    """A request that waits."""

    feed_id: int
    is_urgent: bool = False
    size: int = 1
    byte_count: int = 100


def waiting(rows: int = 10, size: int = 1_000_000) -> Waiting[One]:
    return Waiting(most_rows=rows, most_bytes=size)


# The line ----------------------------------------------------------------------------------------
@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.integers(1, 6)), max_size=60))
def test_nobody_urgent_is_turned_away_while_anything_else_waits(come: list[tuple[int, bool, int]]) -> None:
    line, inside = waiting(), list[One]()
    for feed_id, is_urgent, size in come:
        one = One(feed_id, is_urgent, size)
        inside.append(one)
        for gone in line.put(one):
            inside.remove(gone)
            assert not gone.is_urgent or all(other.is_urgent for other in inside)
        assert sum(each.size for each in inside) <= 10 or len(inside) == 1
    out = []
    while group := line.take(most_rows=3, most_bytes=1_000):
        out += group
    assert sorted(map(id, out)) == sorted(map(id, inside))
    assert not line


def test_a_chatty_feed_is_turned_away_and_not_those_that_say_little() -> None:
    line = waiting()
    quiet = [One(feed_id) for feed_id in (2, 3, 4)]
    gone = [away for one in [One(1) for _ in range(10)] + quiet for away in line.put(one)]
    assert [one.feed_id for one in gone] == [1, 1, 1]
    assert {one.feed_id for one in line.take(most_rows=4, most_bytes=10_000)} == {1, 2, 3, 4}


def test_bytes_take_room_as_rows_do() -> None:
    line = waiting(rows=10, size=10_000)
    assert line.put(One(1, byte_count=9_500)) == []
    (gone,) = line.put(One(2, byte_count=900))
    assert gone.feed_id == 1
    assert line.put(One(2, byte_count=50_000)), "the larger goes, and what waits stays"


def test_reclaims_are_stored_first_and_the_rest_is_not_kept_waiting_for_ever() -> None:
    line = waiting(rows=100)
    for one in [One(1) for _ in range(20)] + [One(2, is_urgent=True) for _ in range(60)]:
        line.put(one)
    group = line.take(most_rows=40, most_bytes=1_000_000)
    assert [one.is_urgent for one in group] == [True] * 36 + [False] * 4


# The limit of a feed -----------------------------------------------------------------------------
def feed_of(limit: int | None, pk: int = 1) -> KnownFeed:
    return KnownFeed(pk, "x", "node-report", "live", "", "", "", False, {}, most_per_second=limit)


def test_a_bucket_holds_a_burst_pays_back_and_follows_the_settings() -> None:
    now = 0.0
    limits = FeedLimits(clock=lambda: now)
    feed = feed_of(10)
    limits.charge(feed, int(10 * BURST), is_urgent=False)
    assert limits.wait_of(feed) == 1
    assert limits.wait_of(feed_of(10, pk=2)) == 0, "another feed is not concerned"
    now = 1.0
    assert limits.wait_of(feed) == 0
    limits.charge(feed, 60, is_urgent=False)
    assert limits.wait_of(feed) == 5
    limits.charge(feed, 1_000_000, is_urgent=True)
    assert limits.wait_of(feed) == MOST_DEBT, "a storm leaves a bounded debt"
    assert limits.wait_of(feed_of(20)) == 0, "a new limit begins anew"


def beat(number: int) -> dict[str, Any]:
    return {
        "schema": "node-report/1", "provider": "aws", "account": "111122223333", "region": "eu-west-1",
        "report_id": f"beat-{number}", "instance_id": f"i-{number:08x}", "reports": [{"type": "heartbeat"}],
    }  # fmt: skip


def notice(number: int) -> dict[str, Any]:
    report = {"type": "notice", "action": "terminate"}
    return beat(number) | {"report_id": f"notice-{number}", "reports": [report]}


@pytest.mark.parametrize(("kind", "status"), [("node-report", 429), ("alertmanager", 503)])
def test_who_sends_too_much_is_told_the_limit_and_when_to_come_back(
    sender: MakeSender, kind: str, status: int
) -> None:
    chatty = sender(kind=kind, most_per_second=1)
    full = [beat(number) for number in range(31)] if kind == "node-report" else [{"version": "4"}] * 31
    assert chatty.post(full).status == 202
    refused = chatty.post(beat(40))
    assert (refused.status, refused.code, refused.body["limit"]) == (status, "too_many_requests", "feed rate")
    assert 0 < int(refused.headers["retry-after"]) <= 30
    assert refused.headers["content-type"] == "application/problem+json"
    assert "1 messages a second" in refused.body["detail"]
    deadline = time.monotonic() + 5
    while not FeedHour.objects.filter(feed=chatty.feed, turned_away=1) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [hour.turned_away for hour in FeedHour.objects.filter(feed=chatty.feed)] == [1]


def test_reclaims_are_taken_beyond_the_limit_and_other_feeds_do_not_notice(sender: MakeSender) -> None:
    chatty, calm = sender(kind="node-report", most_per_second=1), sender(kind="node-report")
    chatty.post([beat(number) for number in range(60)])
    storm = [chatty.post(notice(number)).status for number in range(20)]
    assert storm == [202] * 20
    assert (chatty.post(beat(99)).status, calm.post(beat(99)).status) == (429, 202)
    assert chatty.post([beat(100), notice(100)]).status == 202, "a batch goes as the most urgent in it"
    assert len(chatty.stored()) == 21


# A full line -------------------------------------------------------------------------------------
def flood(feeds: list[tuple[Feed, dict[str, Any]]], *, room: int) -> list[int]:
    """All of it at once, before anything is written; the statuses in the order sent."""

    async def send() -> list[int]:
        async with pool_of_this_run(min_size=2, max_size=4) as pool:
            receiver = Receiver(pool)
            await post(receiver, "any", "wrong")
            posts = []
            for feed, body in feeds:
                posts.append(
                    asyncio.create_task(post(receiver, feed.slug, secrets[feed], json.dumps(body).encode()))
                )
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            receiver.start()
            answers = await asyncio.gather(*posts)
            await receiver.stop()
        away = [answer for answer in answers if answer[0] == 503]
        assert all(answer[2]["limit"] == "queue" and int(answer[1]["retry-after"]) > 0 for answer in away)
        return [answer[0] for answer in answers]

    secrets = {feed: make_secret(feed) for feed, _ in feeds}
    with patch.object(store, "MOST_WAITING", room):
        return asyncio.run(send())


@pytest.mark.django_db(transaction=True)
def test_a_storm_of_warnings_is_never_refused_while_heartbeats_are_let_in() -> None:
    aws, nodes = make_feed(kind="aws-eventbridge"), make_feed(kind="node-report")
    beats = [(nodes, beat(number)) for number in range(8)]
    storm = [(aws, warning(number)) for number in range(1, 9)]
    statuses = flood([*beats, *storm, (nodes, beat(50))], room=10)
    assert statuses[8:16] == [202] * 8
    assert sorted(statuses[:8]) == [202] * 2 + [503] * 6
    assert Delivery.objects.filter(feed=aws).count() == 8


@pytest.mark.django_db(transaction=True)
def test_only_a_storm_alone_is_ever_refused_and_then_the_longest() -> None:
    great, small = make_feed(kind="aws-eventbridge"), make_feed(kind="aws-eventbridge")
    many = [(great, warning(number)) for number in range(1, 13)]
    few = [(small, warning(number)) for number in range(50, 53)]
    statuses = flood([*many, *few], room=10)
    assert statuses[12:] == [202] * 3
    assert statuses[:12].count(202) == 7


# One beside another ------------------------------------------------------------------------------
def test_one_feed_over_its_limit_does_not_slow_another(sender: MakeSender) -> None:
    """A feed that posts as fast as it can, far beyond its limit, beside one that posts now and then."""
    chatty, calm = sender(kind="node-report", most_per_second=1), sender(kind="node-report")
    chatty.post([beat(number) for number in range(200)])

    async def both() -> tuple[list[float], set[int]]:
        is_over = asyncio.Event()
        seen: set[int] = set()

        async def shout() -> None:
            while not is_over.is_set():
                seen.add((await asyncio.to_thread(chatty.post, [beat(n) for n in range(50)])).status)

        shouting = [asyncio.create_task(shout()) for _ in range(4)]
        took = []
        for number in range(40):
            began = time.monotonic()
            answer = await asyncio.to_thread(calm.post, beat(number))
            took.append(time.monotonic() - began)
            assert answer.status == 202
        is_over.set()
        await asyncio.gather(*shouting)
        return took, seen

    took, seen = asyncio.run(both())
    assert seen == {429}
    assert sorted(took)[20] < 0.25, took
