"""M8 from replicas and volumes to figure, through the roll-up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.interruptions.measures import WEEK, Dimension, Measure, Scope, Window
from console.interruptions.measures_m8 import PARTS, Recoveries, replica_recovery, summary
from console.interruptions.rollups import roll_up
from console.lib.statistics import Status
from tests.make_fleet import NOON, make_machine, make_service
from tests.make_interruptions import make_interruption
from tests.make_records import make_replica, make_volume

AN_HOUR_AGO = NOON - timedelta(hours=1)


def m8(*, by: Dimension | None = None) -> list[Measure]:
    roll_up(now=NOON)
    window = Window.last(WEEK, as_of=NOON)
    return replica_recovery(Scope("live"), window=window, now=NOON, by=by)


@pytest.mark.django_db
def test_five_replicas_are_amber() -> None:
    """The example of the definition."""
    for seconds in (48, 75, 96, 110, 131):
        make_replica(make_interruption(started_at=AN_HOUR_AGO), seconds=seconds)
    (measure,) = m8()
    assert (measure.n, measure.figures["p50"], measure.value) == (5, 96, 131)
    assert (measure.status, measure.figures["within_target"]) == (Status.AMBER, 0.8)


@pytest.mark.django_db
def test_the_three_parts_add_up_to_the_whole() -> None:
    """Last write at the notice; let go at 70 s, attached at 100 s, ready at 131 s. Without a volume the machine's
    end at 120 s is when the loss was plain, and the rest is catching up.
    """
    with_volume = make_interruption(started_at=AN_HOUR_AGO)
    make_volume(
        with_volume,
        detached_at=AN_HOUR_AGO + timedelta(seconds=70),
        attached_at=AN_HOUR_AGO + timedelta(seconds=100),
    )
    make_replica(with_volume, seconds=131)
    make_replica(make_interruption(started_at=AN_HOUR_AGO), seconds=141)
    (measure,) = m8()
    assert [measure.figures[f"{part}_mean"] for part in PARTS] == [95, 15, 26]
    assert sum(measure.figures[f"{part}_mean"] or 0 for part in PARTS) == (131 + 141) / 2


@pytest.mark.django_db
def test_a_replica_that_is_ready_late_stops_being_pending() -> None:
    replica = make_replica(make_interruption(started_at=NOON - timedelta(days=4)), seconds=None)
    (pending,) = m8()
    assert (pending.figures["pending"], pending.is_at_least, pending.value) == (1, True, 4 * 86400)
    replica.ready_at = replica.last_write_at + timedelta(seconds=90)
    replica.save(update_fields=["ready_at"])
    (ready,) = m8()
    assert (ready.figures["pending"], ready.value) == (0, 90)


@pytest.mark.django_db
def test_it_groups_by_service_and_leaves_hints_out() -> None:
    for slug, seconds in (("quick", 40), ("slow", 300)):
        machine = make_machine(service=make_service(slug=slug))
        for _ in range(5):
            make_replica(make_interruption(machine=machine, started_at=AN_HOUR_AGO), seconds=seconds)
    make_replica(make_interruption(started_at=AN_HOUR_AGO, state="no_action"), seconds=9)
    assert [(g.key, g.n, g.value, g.status) for g in m8(by=Dimension.SERVICE)] == [
        ("quick", 5, 40, Status.GREEN),
        ("slow", 5, 300, Status.RED),
    ]


def test_little_or_nothing_gets_no_verdict() -> None:
    assert summary(Recoveries([50.0] * 4)).reason == "4 replicas; a verdict needs 5."
    nothing = summary(Recoveries())
    assert (nothing.value, nothing.status) == (None, Status.GREY)
