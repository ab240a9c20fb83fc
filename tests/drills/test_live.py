"""Live play: lively in the first minute, consistent, and the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from console.drills.sample.company import SERVICES
from console.drills.sample.history import write_history
from console.drills.sample.lanes import AWS, INVENTORY, NODES, Post
from console.drills.sample.live import WORKLOADS, Live
from console.drills.sample.machines import DEAF_SEAT, random_of
from console.drills.sample.progress import (
    FeedAddress,
    Progress,
    fleet_of,
    posts_of,
    seated,
    unsent_of,
)
from tests.drills.test_history import KINDS, WARNING, outcome, read

NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)


def make_live(seed: int = 1) -> Live:
    fleet = write_history(seed=seed, anchor=NOON).fleet
    return Live(fleet, now=NOON, chance=random_of(seed, "live", 1))


def play(live: Live, *, minutes: float, since: datetime = NOON) -> Iterator[tuple[datetime, Post]]:
    for second in range(int(minutes * 60) + 1):
        now = since + timedelta(seconds=second)
        for post in live.due(now):
            yield now, post


def test_within_the_first_minute_machines_of_several_services_are_under_notice() -> None:
    live = make_live()
    warned = [post for _, post in play(live, minutes=1) if post.body.get("detail-type") == WARNING]
    services = {leaving.sitting.machine.service.slug for leaving in live.leaving.values()}
    assert len(warned) >= 8
    assert len(services) >= 5


def test_everything_it_says_is_taken_but_for_what_is_odd_on_purpose() -> None:
    outcomes: Counter[str] = Counter()
    for now, post in play(make_live(), minutes=20):
        if post.lane in KINDS:
            outcomes.update(map(outcome, read(post.lane, [post.body], received_at=now)))
    odd = {"missing_instance_id", "unrecognised", "invalid_time", "unsupported_version"}
    assert outcomes["accepted"] > 7_000
    assert set(outcomes) <= odd | {"accepted"}
    assert 1 <= sum(outcomes[name] for name in odd) <= 2


def test_the_same_seed_plays_the_same() -> None:
    assert list(play(make_live(), minutes=5)) == list(play(make_live(), minutes=5))
    assert list(play(make_live(2), minutes=1)) != list(play(make_live(1), minutes=1))


def test_the_first_half_hour_is_lively_and_a_day_of_play_is_no_worse_than_one_of_history() -> None:
    live, taken = make_live(), Counter[bool]()
    for minute in range(24 * 60):
        before = live.turned
        live.due(NOON + timedelta(minutes=minute))
        taken[minute < 30] += live.turned - before
    assert 11 <= taken[True] <= 20
    assert 1 <= taken[False] <= 7  # 17.3 a week: 2.5 a day


def test_a_later_run_begins_with_two_reclaims_only() -> None:
    fleet = write_history(seed=1, anchor=NOON).fleet
    live = Live(fleet, now=NOON, chance=random_of(1, "live", 2), is_first=False)
    list(play(live, minutes=10))
    assert live.turned == 2


def test_a_machine_that_has_gone_neither_beats_nor_is_listed_as_running() -> None:
    gone: dict[str, datetime] = {}
    for now, post in play(make_live(), minutes=45):
        name = post.body.get("instance_id", "")
        if post.lane == INVENTORY and "ended_at" in post.body:
            gone[name] = now
        is_alive = post.lane == INVENTORY or any(
            e["type"] == "heartbeat" for e in post.body.get("reports", [])
        )
        if is_alive and "ended_at" not in post.body and post.body.get("reported_at") != "{{ now }}":
            assert name not in gone, f"{name} went at {gone.get(name)} and was alive at {now}"
    assert len(gone) > 12


def test_replicas_go_down_and_come_back_within_what_is_wanted() -> None:
    wanted = {plan.slug: plan.wanted for plan in SERVICES}
    seen: dict[str, set[int]] = {}
    last: dict[str, dict[str, int]] = {}
    for _, post in play(make_live(), minutes=30):
        if post.lane == WORKLOADS:
            row = post.body
            assert row["ready"] + row["pending"] == row["wanted"] == wanted[row["workload"]]
            assert min(row["ready"], row["pending"], *row["by_zone"].values()) >= 0
            seen.setdefault(row["workload"], set()).add(row["ready"])
            last[row["workload"]] = row
    assert set(last) == set(wanted)
    assert any(len(levels) > 2 for levels in seen.values())
    assert sum(row["pending"] for row in last.values()) < 30


def test_every_machine_but_one_is_heard_within_the_first_seconds_and_then_at_least_every_75() -> None:
    heard: dict[str, list[datetime]] = {}
    live = make_live()
    there = {sitting.machine.instance_id for sitting in live.fleet.sittings}
    for now, post in play(live, minutes=5):
        if post.lane == NODES and post.body["reports"][0] == {"type": "heartbeat"}:
            heard.setdefault(post.body["instance_id"], []).append(now)
    stayed = {sitting.machine.instance_id for sitting in live.fleet.sittings} & there
    (deaf,) = stayed - set(heard)
    assert live.fleet.sittings[DEAF_SEAT].machine.instance_id == deaf
    for name in stayed - {deaf}:
        assert heard[name][0] < NOON + timedelta(seconds=10)
        assert max(b - a for a, b in pairwise(heard[name])) <= timedelta(seconds=76)


def test_heartbeats_come_a_few_dozen_at_a_time() -> None:
    by_second = Counter(
        now
        for now, post in play(make_live(), minutes=3)
        if post.lane == NODES and post.body["reports"][0] == {"type": "heartbeat"}
    )
    assert max(by_second.values()) <= 60


def test_a_new_machine_is_heard_as_soon_as_it_runs() -> None:
    live = make_live()
    starts: dict[str, datetime] = {}
    first: dict[str, datetime] = {}
    for now, post in play(live, minutes=5):
        body = post.body
        if post.lane == INVENTORY and "replaces" in body and "ended_at" not in body:
            starts.setdefault(body["instance_id"], now)
        if post.lane == NODES and body["reports"][0] == {"type": "heartbeat"}:
            first.setdefault(body["instance_id"], now)
    assert len(starts) >= 8
    assert all(first[name] - at <= timedelta(seconds=1) for name, at in starts.items())


def test_what_was_said_just_before_a_kill_is_said_again_under_the_same_id() -> None:
    live = make_live()
    said = [post for now, post in play(live, minutes=1) if now >= NOON + timedelta(seconds=40)]
    stories = [post for post in said if post.lane == AWS]
    assert len(stories) > 3
    assert all(post in live.unsent() for post in stories)
    told = [post.body.get("reports", []) for post in live.unsent()]
    assert not any(reports and {entry["type"] for entry in reports} == {"heartbeat"} for reports in told), (
        "a heartbeat is worth nothing later; only what a reclaim says of itself is"
    )


def test_what_was_not_said_before_a_stop_is_said_after_it_and_machines_keep_their_seats() -> None:
    live = make_live()
    began = list(play(live, minutes=1))
    under_notice = set(live.leaving)
    progress = Progress(
        seed=1,
        feeds={AWS: FeedAddress(slug="a", secret="b")},
        token="t",
        running=[seated(sitting) for sitting in live.seated()],
        unsent=unsent_of(live.unsent()),
    )
    fleet = fleet_of(progress)
    assert fleet is not None
    again = Live(
        fleet, now=NOON + timedelta(hours=1), chance=random_of(1, "live", 2), unsent=posts_of(progress)
    )
    rest = [post for post in again.due(NOON + timedelta(hours=1)) if post.lane == INVENTORY]
    ended = {post.body["instance_id"] for post in rest if "ended_at" in post.body}
    assert began
    assert under_notice == ended
    assert under_notice.isdisjoint(sitting.machine.instance_id for sitting in fleet.sittings)


@pytest.mark.parametrize("seed", [1, 7, 99])
def test_after_all_stories_are_over_nobody_is_left_under_notice(seed: int) -> None:
    live = make_live(seed)
    list(play(live, minutes=10))
    overdue = [leaving for leaving in live.leaving.values() if leaving.successor.started_at < NOON]
    assert not overdue
    assert len({sitting.machine.instance_id for sitting in live.fleet.sittings}) == 400
