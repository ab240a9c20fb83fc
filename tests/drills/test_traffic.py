"""Requests of the sample fleet: the same each time they are told, and worse when machines go."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from console.drills.sample.history import BAD_DEPLOY_BEFORE, CASCADE_BEFORE, write_history
from console.drills.sample.live import Live
from console.drills.sample.machines import random_of
from console.drills.sample.traffic import (
    MINUTE,
    REQUESTS,
    TRAFFIC,
    Counter,
    days_back,
    losses_of,
    minutes_between,
)

NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)


def bad_share(counter: Counter, slug: str, since: datetime, minutes: int) -> float:
    rows = [row for n in range(minutes) for row in counter.rows(since + n * MINUTE) if row["service"] == slug]
    total = sum(row["total"] for row in rows)
    return (total - sum(row["good"] for row in rows)) / total


def test_a_minute_is_told_the_same_each_time() -> None:
    assert Counter(1, anchor=NOON).rows(NOON) == Counter(1, anchor=NOON).rows(NOON)
    assert Counter(1, anchor=NOON).rows(NOON) != Counter(2, anchor=NOON).rows(NOON)
    assert [row["service"] for row in Counter(1, anchor=NOON).rows(NOON)] == [one.slug for one in TRAFFIC]


def test_more_fails_while_machines_go_and_after_a_bad_deploy() -> None:
    calm = Counter(1, anchor=NOON)
    hurt = Counter(1, anchor=NOON, losses=losses_of(write_history(seed=1, anchor=NOON).past))
    cascade = NOON - CASCADE_BEFORE
    assert bad_share(hurt, "search-serving", cascade, 10) > 10 * bad_share(
        calm, "search-serving", cascade, 10
    )
    deploy = NOON - BAD_DEPLOY_BEFORE
    assert bad_share(calm, "video-transcoding", deploy, 60) > 0.1
    assert bad_share(calm, "video-transcoding", deploy - timedelta(hours=2), 60) < 0.01


def test_the_days_of_the_past_follow_each_other_without_a_gap() -> None:
    days = list(days_back(NOON + timedelta(seconds=20)))
    assert (len(days), days[0][1]) == (31, NOON)
    assert all(later[0] == earlier[1] for later, earlier in itertools.pairwise(days))
    assert len(list(minutes_between(*days[0]))) == 1440


def test_live_play_tells_each_minute_once_when_it_is_over() -> None:
    fleet = write_history(seed=1, anchor=NOON).fleet
    live = Live(fleet, now=NOON, chance=random_of(1, "live", 1))
    told = [
        (second, post.body)
        for second in range(301)
        for post in live.due(NOON + timedelta(seconds=second))
        if post.lane == REQUESTS
    ]
    assert sorted({second for second, _ in told}) == [64, 124, 184, 244]
    assert len({(body["service"], body["minute"]) for _, body in told}) == len(told) == 4 * len(TRAFFIC)
    assert live.counted_until == NOON + 4 * MINUTE
