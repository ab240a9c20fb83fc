"""The past of the sample fleet: the same every time, believable, and taken by the front door."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from console.drills.sample.company import SERVICES, TEAMS
from console.drills.sample.history import History, write_history
from console.drills.sample.lanes import AWS, NODES, Post
from console.drills.sample.machines import seats
from console.drills.setting_up import ORDERS
from console.feeds.normalised import ParseContext, Reading, Result
from console.feeds.reading import MAX_BODY, read_body

ANCHOR = datetime(2026, 3, 11, 12, tzinfo=UTC)
KINDS = {lane: order.kind.value for lane, order in ORDERS.items()}
WARNING = "EC2 Spot Instance Interruption Warning"


@cache
def the_past(seed: int = 1) -> History:
    return write_history(seed=seed, anchor=ANCHOR)


def posts() -> list[Post]:
    return [post for batch in the_past().batches for post in batch]


def read(lane: str, bodies: list[dict[str, Any]], *, received_at: datetime = ANCHOR) -> list[Any]:
    """What the front door makes of each, as it is sent: as one body."""
    body = msgspec.json.encode(bodies)
    assert len(body) <= MAX_BODY
    items = read_body(
        body,
        kind=KINDS[lane],
        content_type="application/json",
        headers={},
        context=ParseContext(),
        received_at=received_at,
    ).items
    assert len(items) == len(bodies)
    return [item.outcome for item in items]


def outcome(read_as: Any) -> str:
    return read_as.result.value if isinstance(read_as, Reading) else read_as.code


def test_the_company_has_eight_teams_25_services_of_all_ten_kinds_and_400_machines() -> None:
    assert (len(TEAMS), len(SERVICES), len(seats())) == (8, 25, 400)
    assert len({plan.slug for plan in SERVICES}) == len({plan.name for plan in SERVICES}) == 25
    assert len({plan.kind for plan in SERVICES}) == 10
    assert {plan.team for plan in SERVICES} == set(TEAMS)
    assert {pool.provider for plan in SERVICES for pool in plan.pools} == {"aws", "gcp", "azure"}
    assert {seat.lifecycle for seat in seats()} == {"spot", "on-demand", "warm"}


def test_the_same_seed_tells_the_same_past_and_another_one_another() -> None:
    again = write_history(seed=1, anchor=ANCHOR)
    assert (again.past, again.batches, again.running) == (
        the_past().past,
        the_past().batches,
        the_past().running,
    )
    assert the_past(2).past != the_past().past


def test_every_message_is_taken_and_ten_odd_ones_are_refused_or_unrecognised_on_purpose() -> None:
    outcomes: Counter[str] = Counter()
    for batch in the_past().batches:
        for lane in KINDS:
            bodies = [post.body for post in batch if post.lane == lane]
            outcomes.update(outcome(read_as) for read_as in (read(lane, bodies) if bodies else []))
    odd = {name: count for name, count in outcomes.items() if name != Result.ACCEPTED.value}
    assert odd == {
        "missing_instance_id": 4,
        "unrecognised": 3,
        "invalid_time": 2,
        "unsupported_version": 2,
    }, "ten, of which one is among the messages that are sent twice"
    assert outcomes["accepted"] > 1_800
    assert outcomes.total() <= 6_000


def test_nothing_of_the_past_is_fresh_enough_to_be_told_to_anybody() -> None:
    fresh = ANCHOR - timedelta(minutes=16)
    ends = [datetime.fromisoformat(row["ended_at"]) for row in the_past().past]
    assert max(ends) < fresh
    assert max(post.at for post in posts()) < fresh


def test_the_newest_days_come_first() -> None:
    starts = [max(post.at for post in batch) for batch in the_past().batches]
    assert starts[0] > ANCHOR - timedelta(days=3)
    assert min(post.at for post in the_past().batches[-1]) < ANCHOR - timedelta(days=80)


def test_41_machines_of_one_pool_go_within_130_seconds() -> None:
    inventory = {row["instance_id"]: row for row in the_past().past}
    warned = {
        post.body["detail"]["instance-id"]: datetime.fromisoformat(post.body["time"])
        for post in posts()
        if post.body.get("detail-type") == WARNING and post.body["detail"]["instance-id"] in inventory
    }
    day = ANCHOR - timedelta(days=23, hours=4, minutes=11)
    times = sorted(
        at
        for at in warned.values()
        if timedelta(0) <= at - day + timedelta(seconds=1) <= timedelta(minutes=3)
    )
    places = {
        (inventory[name]["zone"], inventory[name]["instance_type"])
        for name, at in warned.items()
        if at in times
    }
    assert len(times) == 41
    assert times[-1] - times[0] <= timedelta(seconds=131)
    assert places == {("us-east-1b", "m6i.xlarge")}


def test_one_machine_was_taken_without_a_warning_after_its_agent_fell_silent() -> None:
    evicted = {
        post.body["detail"]["serviceEventDetails"]["instanceIdSet"][0]
        for post in posts()
        if post.body.get("detail-type") == "AWS Service Event via CloudTrail"
    }
    warned = {
        post.body["detail"]["instance-id"] for post in posts() if post.body.get("detail-type") == WARNING
    }
    (missed,) = evicted - warned - {"i-0123456..."}
    said = [post.body["reports"] for post in posts() if post.body.get("instance_id") == missed]
    kinds = Counter(entry["type"] for entries in said for entry in entries)
    assert (kinds["notice"], kinds["hook"]) == (0, 0)
    assert any("no space left" in entry.get("message", "") for entries in said for entry in entries)
    assert max(entry.get("lost_seconds", 0) for entries in said for entry in entries) >= 900


def test_a_bad_deploy_breaks_the_hooks_of_one_service_for_a_day() -> None:
    begins = ANCHOR - timedelta(days=9, hours=9)
    failed = [
        post
        for post in posts()
        if post.lane == NODES
        and begins <= post.at < begins + timedelta(hours=9)
        and any(entry.get("outcome") == "failed" for entry in post.body["reports"])
        and "video-transcoding" in msgspec.json.encode(post.body).decode()
    ]
    assert len(failed) >= 12


def test_spot_machines_go_at_a_believable_rate_and_gpus_far_more_often() -> None:
    rows = [*the_past().past, *the_past().running]
    since = ANCHOR - timedelta(days=90)
    weeks: Counter[bool] = Counter()
    taken: Counter[bool] = Counter()
    gpu = {plan.slug for plan in SERVICES if plan.kind == "ml_training"}
    for row in rows:
        if row["lifecycle"] != "spot":
            continue
        is_gpu = row["tags"].get("app") in gpu
        end = datetime.fromisoformat(row["ended_at"]) if "ended_at" in row else ANCHOR
        weeks[is_gpu] += (end - max(datetime.fromisoformat(row["started_at"]), since)) / timedelta(weeks=1)
        taken[is_gpu] += "ended_at" in row
    assert 1.5 <= 100 * taken[False] / weeks[False] <= 5
    assert 30 <= 100 * taken[True] / weeks[True] <= 70


def test_some_weeks_are_quiet() -> None:
    ages = [(ANCHOR - datetime.fromisoformat(row["ended_at"])).days // 7 for row in the_past().past]
    by_week = Counter(ages)
    assert min(by_week[week] for week in range(12)) * 4 < max(by_week.values())


def test_providers_say_some_things_twice() -> None:
    ids = Counter(post.body["id"] for post in posts() if post.lane == AWS)
    assert 20 < sum(count > 1 for count in ids.values()) < 200
