"""With a backlog before it a worker takes up one lane, in which all messages about a machine stand."""

from __future__ import annotations

import pytest
from django.db import transaction

from console.feeds.models import QueuedDelivery
from console.feeds.normalised import MachineRef, Reading
from console.ingest import claimed
from console.ingest.lanes import LANES, lane_of
from console.interruptions.models import Interruption
from tests.ingest.hearing import Message, at, aws, record, store

CASES = ("rebalance", "spot-warning-terminate", "state-shutting-down", "state-terminated")
MACHINES = [f"i-{n:017x}" for n in range(40)]


def reading(machine: str) -> Reading:
    return Reading(delivery_id="one", machine=MachineRef(instance_id=machine))


def lives() -> list[Message]:
    """Four messages about each machine, mixed as feeds mix them."""
    return [aws(case, 60 * n, machine=machine) for n, case in enumerate(CASES) for machine in MACHINES]


def taken(most: int = 2_000) -> list[int]:
    with transaction.atomic():
        return [one.id for one in claimed.claim(most, now=at(600))]


def lanes(ids: list[int]) -> set[int]:
    return set(QueuedDelivery.objects.filter(pk__in=ids).values_list("lane", flat=True))


def test_machines_spread_over_all_lanes() -> None:
    assert {lane_of(reading(f"i-{n:017x}")) for n in range(1_000)} == set(range(LANES))


def test_what_names_no_machine_has_a_lane_too() -> None:
    assert lane_of(Reading(delivery_id="one")) == 0


@pytest.mark.django_db
def test_a_few_deliveries_are_taken_up_as_they_came() -> None:
    store(lives())
    everything = list(QueuedDelivery.objects.order_by("pk").values_list("pk", flat=True))
    assert taken() == everything
    assert taken(7) == everything[:7]


@pytest.mark.django_db
def test_of_a_backlog_the_lane_of_the_oldest_is_taken_up_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    store(lives())
    monkeypatch.setattr(claimed, "BACKLOG", 100)
    oldest = QueuedDelivery.objects.order_by("pk")[0]
    mates = QueuedDelivery.objects.filter(lane=oldest.lane).order_by("pk")
    assert taken() == list(mates.values_list("pk", flat=True))
    assert len(lanes(taken())) == 1


@pytest.mark.django_db
def test_what_rests_is_not_taken_up_with_its_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    store(lives())
    monkeypatch.setattr(claimed, "BACKLOG", 100)
    first = QueuedDelivery.objects.order_by("pk")[0]
    QueuedDelivery.objects.filter(lane=first.lane).update(due_at=at(3_600))
    assert lanes(taken()) == {QueuedDelivery.objects.exclude(lane=first.lane).order_by("pk")[0].lane}


@pytest.mark.django_db
def test_lane_after_lane_every_machine_is_decided_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    store(lives())
    monkeypatch.setattr(claimed, "BACKLOG", 1)
    assert record(seconds=600) == len(MACHINES) * len(CASES)
    assert not QueuedDelivery.objects.exists()
    written = Interruption.objects.values_list("observation_count", "version")
    assert list(written) == [(len(CASES), 1)] * len(MACHINES)
