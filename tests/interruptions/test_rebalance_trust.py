"""Precision, recall and lead time of recommendations, from rows to figure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console.fleet.models import Machine
from console.interruptions.measures import Dimension, Scope, Window
from console.interruptions.models import Interruption
from console.interruptions.rebalance_trust import Trust, rebalance_trust
from console.interruptions.rollups import roll_up
from tests.make_accounts import make_token, make_user
from tests.make_fleet import NOON, make_machine, make_pool
from tests.make_interruptions import make_interruption
from tests.make_records import make_observation

pytestmark = pytest.mark.django_db
THIRTEEN_WEEKS = timedelta(weeks=13)


def hint(machine: Machine | None = None, *, days_ago: float) -> Interruption:
    """A recommendation that nothing promoted."""
    at = NOON - timedelta(days=days_ago)
    return make_interruption(
        machine=machine or make_machine(), started_at=at, at_risk_at=at, notice_at=None, deadline_at=None,
        ended_at=None, state="no_action",
    )  # fmt: skip


def reclaim(
    machine: Machine | None = None, *, days_ago: float, lead: float | None = None, **fields: Any
) -> Interruption:
    at = NOON - timedelta(days=days_ago)
    hinted_at = None if lead is None else at - timedelta(seconds=lead)
    return make_interruption(machine=machine or make_machine(), started_at=at, at_risk_at=hinted_at, **fields)


def trust(*, by: Dimension | None = None) -> list[Trust]:
    roll_up(now=NOON)
    return rebalance_trust(Scope("live"), window=Window.last(THIRTEEN_WEEKS, as_of=NOON), by=by)


def test_a_hint_is_right_where_its_machine_was_taken_within_seven_days() -> None:
    for days_ago in (20, 21, 22):
        hint(days_ago=days_ago)
    reclaim(days_ago=15, lead=120)
    reclaim(days_ago=14, lead=600)
    reclaim(days_ago=13)
    reclaim(days_ago=12, lead=60, cause="maintenance")
    (found,) = trust()
    assert (found.hints, found.followed, found.precision) == (6, 2, 2 / 6)
    assert (found.reclaims, found.hinted, found.recall) == (3, 2, 2 / 3)
    assert (found.lead_p05, found.lead_p50, found.lead_p95) == (120, 120, 600)
    assert found.precision_range is not None
    assert (round(found.precision_range.low, 3), round(found.precision_range.high, 3)) == (0.097, 0.7)
    assert found.is_low_confidence


def test_an_earlier_hint_counts_as_followed_unless_the_machine_stopped() -> None:
    for is_stopped in (False, True):
        machine = make_machine()
        earlier = hint(machine, days_ago=14)
        later = reclaim(machine, days_ago=10, lead=3600)
        if is_stopped:
            make_observation(earlier, after=86_400 * 2, kind="state_change", machine_state="stopped")
        assert later.at_risk_at is not None
    (found,) = trust()
    assert (found.hints, found.followed) == (4, 3)
    far = make_machine()
    hint(far, days_ago=40)
    reclaim(far, days_ago=32)
    (found,) = trust()
    assert (found.hints, found.followed) == (5, 3)


def test_a_hint_that_comes_with_its_notice_foretells_nothing() -> None:
    reclaim(days_ago=10, lead=0)
    reclaim(days_ago=10, lead=-5)
    (found,) = trust()
    assert (found.hints, found.beside, found.hinted, found.reclaims) == (0, 2, 0, 2)
    assert (found.precision, found.recall) == (None, 0)


def test_hints_younger_than_seven_days_are_not_judged_whatever_came_of_them() -> None:
    hint(days_ago=3)
    reclaim(days_ago=2, lead=300)
    (found,) = trust()
    assert (found.hints, found.young, found.hinted) == (0, 2, 1)
    roll_up(now=NOON + timedelta(days=8))
    later = Window.last(THIRTEEN_WEEKS, as_of=NOON + timedelta(days=8))
    (found,) = rebalance_trust(Scope("live"), window=later)
    assert (found.hints, found.followed, found.young) == (2, 1, 0)


def test_only_reclaims_of_aws_are_held_against_hints_and_pools_stand_apart() -> None:
    pools = {zone: make_pool(zone=zone) for zone in ("eu-west-1a", "eu-west-1b")}
    for zone, days in (("eu-west-1a", (10, 11)), ("eu-west-1b", (12,))):
        for days_ago in days:
            reclaim(make_machine(pool=pools[zone]), days_ago=days_ago, lead=90)
    google = make_machine(provider="gcp", pool=make_pool(provider="gcp", region="us-east1"))
    reclaim(google, days_ago=10)
    found = {one.label: (one.hints, one.reclaims) for one in trust(by=Dimension.POOL)}
    assert found == {"m7i.large · eu-west-1a": (2, 2), "m7i.large · eu-west-1b": (1, 1)}


def test_page_and_api_show_it(client: Client) -> None:
    client.force_login(make_user("alice"))
    now = timezone.now()
    roll_up(now=now)
    assert "No recommendation was received" in client.get("/interruptions/rebalance/").content.decode()
    at = now - timedelta(days=9)
    make_interruption(started_at=at, at_risk_at=at - timedelta(minutes=3))
    roll_up(now=now)
    page = client.get("/interruptions/rebalance/").content.decode()
    for words in ("100.0 %", "1 of 1 hints were followed", "3 min 00 s", "low confidence"):
        assert words in page, words
    _, secret = make_token()
    answer = client.get("/api/v1/rebalance", {"by": "pool"}, headers={"Authorization": f"Bearer {secret}"})
    (item,) = answer.json()["items"]
    assert (item["hints"], item["precision"], item["recall"], item["lead_p50"]) == (1, 1, 1, 180)
