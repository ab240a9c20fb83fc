"""What rules read of each service: F2, F4, F6 and F7, in a fixed number of queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.interruptions.failure_modes import failure_readings
from console.interruptions.measures import WEEK, Scope, Window
from console.interruptions.rollups import roll_up
from tests.make_fleet import NOON, make_machine, make_service
from tests.make_interruptions import make_hook, make_interruption
from tests.make_records import make_replica, make_sample, make_work

pytestmark = pytest.mark.django_db
AT = NOON - timedelta(hours=2)


def lose(slug: str) -> None:
    one = make_interruption(machine=make_machine(service=make_service(slug=slug)), started_at=AT)
    make_hook(one, outcome="partial", finished_at=AT + timedelta(seconds=100))
    make_work(one, useful=300, lost=100)
    make_replica(one, seconds=40)
    for signal, seconds in (("telemetry", 110), ("audit", 50)):
        make_sample(AT + timedelta(seconds=seconds), machine=one.machine, signal=signal)


def test_each_service_is_read_with_all_its_failure_modes_at_the_same_price() -> None:
    window = Window.last(WEEK, as_of=NOON)
    costs = []
    for slugs in (("a",), ("b", "c", "d")):
        for slug in slugs:
            lose(slug)
        roll_up(now=NOON)
        with CaptureQueriesContext(connection) as told:
            found = failure_readings(Scope("live"), window=window, now=NOON)
        costs.append(len(told))
    assert costs[0] == costs[1] <= 10
    assert set(found) == {"a", "b", "c", "d"}
    one = found["c"]
    assert (one.slow_shutdowns, one.partial_hooks) == (1, 1)
    assert one.lost_work is not None
    assert one.recovery is not None
    assert one.telemetry_gap is not None
    assert (one.lost_work.value, one.recovery.value, one.telemetry_gap.figures["silent"]) == (0.25, 40, 1)
    assert (one.audit_cut_short.value, one.audit_cut_short.n) == (1, 1)
