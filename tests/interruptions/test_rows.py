"""A reclaim as a line of a board."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.interruptions.models import Interruption, Move
from console.interruptions.rows import interruption_rows
from tests.make_feeds import NOON
from tests.make_interruptions import make_interruption

pytestmark = pytest.mark.django_db
SOON = NOON + timedelta(seconds=30)


def left(*running: bool, **fields: object) -> Interruption:
    """A reclaim whose workloads left the machine; `running` says of each whether it runs again."""
    reclaim = make_interruption(evicted_at=NOON, running_at=SOON if any(running) else None, **fields)
    for number, is_running in enumerate(running):
        Move.objects.create(
            report_id=str(number), machine=reclaim.machine, interruption=reclaim, at=NOON, received_at=NOON,
            workload=f"shop/web-{number}", workload_class="stateless", evicted_at=NOON,
            running_at=SOON if is_running else None,
        )  # fmt: skip
    return reclaim


def stages(*reclaims: Interruption) -> list[tuple[int, str]]:
    rows = Interruption.objects.filter(pk__in=[one.pk for one in reclaims]).order_by("pk")
    chosen = rows.select_related("service__team", "machine", "pool")
    return [(row.stage_index, row.stage_label) for row in interruption_rows(chosen)]


def test_a_reclaim_is_rescheduled_only_when_no_move_is_pending() -> None:
    assert stages(left(True, False), left(True, False, False), left(True, True), left(False)) == [
        (4, "Gone, 1 move pending"),
        (4, "Gone, 2 moves pending"),
        (5, "Rescheduled"),
        (4, "Gone, 1 move pending"),
    ]


def test_a_machine_that_still_runs_is_where_it_stands_whatever_moves() -> None:
    assert stages(left(True, False, state="draining", ended_at=None)) == [(2, "Draining")]


def test_moves_are_asked_for_once_however_many_reclaims() -> None:
    reclaims = [left(True, False) for _ in range(5)]
    with CaptureQueriesContext(connection) as queries:
        stages(*reclaims)
    assert len(queries) == 2
