"""Interruptions and what was reported around them end after 25 months, and nothing that is still needed with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.alerts.models import AlertGroup, GroupEpisode, GroupMember, SetAside
from console.alerts.retention import expire
from console.interruptions import retention
from console.interruptions.models import (
    DirtyHours,
    Episode,
    Hook,
    Interruption,
    InterruptionAlias,
    InterruptionChange,
    Move,
    Replica,
    Volume,
    Work,
)
from tests.make_fleet import NOON, make_machine
from tests.make_interruptions import make_hook, make_interruption, make_move

pytestmark = pytest.mark.django_db
OLD = NOON - timedelta(days=763)
YOUNG = NOON - timedelta(days=761)


def make_group(member: Interruption, **fields: Any) -> AlertGroup:
    known = {"key": f"service:{member.service_id}", "title": "x", "triggered_at": OLD, "last_news_at": OLD}
    group = AlertGroup.objects.create(origin=member.origin, service=member.service, **(known | fields))
    GroupMember.objects.create(group=group, interruption=member, joined_at=OLD, reason="x")
    return group


def make_records(interruption: Interruption, **fields: Any) -> None:
    known = {
        "origin": interruption.origin,
        "machine": interruption.machine,
        "interruption": interruption,
        "at": interruption.started_at,
        "received_at": interruption.started_at,
    } | fields
    number = Volume.objects.count()
    Volume.objects.create(**known, report_id=f"v-{number}", volume="vol")
    Work.objects.create(**known, job="job", attempt=number, useful_seconds=1, lost_seconds=1)
    Replica.objects.create(**known, name=f"r-{number}", last_write_at=OLD)


def counts() -> dict[str, int]:
    models = (Interruption, Hook, Move, Work, Volume, Replica)
    return {model.__name__: model.objects.count() for model in models}


def test_what_is_older_than_25_months_ends_with_all_that_was_reported_around_it() -> None:
    for started_at in (OLD, YOUNG):
        one = make_interruption(started_at=started_at)
        make_hook(one)
        make_move(one, seconds=30)
        make_records(one)
        InterruptionAlias.objects.create(interruption=one, key=f"alias {started_at}")

    assert expire(now=NOON) == 1
    assert expire(now=NOON) == 0

    assert set(counts().values()) == {1}
    assert Interruption.objects.get().started_at == YOUNG
    assert InterruptionAlias.objects.count() == 1
    assert not DirtyHours.objects.filter(until__lte=NOON - retention.INTERRUPTIONS_FOR).exists()


def test_a_member_of_an_open_group_stays_whole_and_that_of_a_closed_one_leaves_its_group_behind() -> None:
    held, gone = make_interruption(started_at=OLD), make_interruption(started_at=OLD)
    make_hook(held)
    make_group(held)
    closed = make_group(gone, key="service:0", status="resolved", resolution="healed", resolved_at=OLD)

    assert expire(now=NOON) == 1

    assert Interruption.objects.get() == held
    assert (Hook.objects.count(), GroupMember.objects.get().interruption) == (1, held)
    assert AlertGroup.objects.filter(pk=closed.pk).exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "draining", "ended_at": None},
        {"last_received_at": YOUNG},
        {"ended_at": YOUNG},
    ],
)
def test_what_is_open_or_was_heard_of_lately_stays(fields: dict[str, Any]) -> None:
    make_interruption(started_at=OLD, **fields)

    assert expire(now=NOON) == 0


def test_what_a_younger_row_tells_of_stays_with_it() -> None:
    one, waits, aside = (make_interruption(started_at=OLD) for _ in range(3))
    make_move(one, seconds=None, at=YOUNG)
    make_hook(one)
    InterruptionChange.objects.create(interruption=waits, at=NOON)
    SetAside.objects.create(interruption=aside, detail="x", at=NOON, last_at=NOON)

    assert expire(now=NOON) == 0
    assert (Move.objects.count(), Hook.objects.count()) == (1, 1)


def test_one_that_was_merged_goes_before_the_one_it_turned_out_to_be() -> None:
    young = make_interruption(started_at=YOUNG)
    make_interruption(started_at=OLD, state="no_action", merged_into=young)
    survivor = make_interruption(started_at=OLD)
    make_interruption(started_at=OLD, state="no_action", merged_into=survivor)

    assert expire(now=NOON) == 3
    assert Interruption.objects.get() == young


def test_records_that_fell_into_no_interruption_end_too() -> None:
    machine = make_machine()
    for at in (OLD, YOUNG):
        hook = make_hook(make_interruption(machine=machine, started_at=YOUNG), at=at)
        Hook.objects.filter(pk=hook.pk).update(interruption=None)

    expire(now=NOON)

    assert [hook.at for hook in Hook.objects.all()] == [YOUNG]


def test_episodes_end_with_their_last_interruption_unless_an_open_group_covers_them() -> None:
    for key, status in (("service:1", {}), ("service:2", {"status": "resolved", "resolved_at": OLD})):
        one = make_interruption(started_at=OLD)
        episode = Episode.objects.create(
            service=one.service,
            started_at=OLD,
            last_started_at=OLD,
            ended_at=OLD,
            interruption_count=1,
        )
        Interruption.objects.filter(pk=one.pk).update(episode=episode)
        group = make_group(one, key=key, **status)
        GroupEpisode.objects.create(group=group, episode=episode)

    assert expire(now=NOON) == 1

    assert [one.group.key for one in GroupEpisode.objects.select_related("group")] == ["service:1"]
    assert Episode.objects.count() == 1


def test_much_is_ended_in_bounded_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_A_TIME", 10)
    machine = make_machine()
    for number in range(25):
        make_interruption(machine=machine, started_at=OLD - timedelta(hours=number))
    held = make_interruption(machine=machine, started_at=OLD - timedelta(days=9))
    make_group(held)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert expire(now=NOON) == 25

    selects = [query for query in queries.captured_queries if "LIMIT 10 FOR UPDATE OF i" in query["sql"]]
    assert len(selects) == 4 + 3  # 10, 10, 5 and none of live; none of the three other origins
    assert Interruption.objects.get() == held
