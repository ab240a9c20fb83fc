"""What has outlived its keep goes, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.feeds.models import FeedHour, QuarantinedItem, QuarantineReplay
from console.ingest import keeping
from console.interruptions.models import MeasureDay, MeasureHour
from tests.make_feeds import NOON, make_feed, make_held
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db
MONTHS = timedelta(days=762)
QUARTER = timedelta(days=90)
SECOND = timedelta(seconds=1)


def decided(at: datetime, **fields: Any) -> QuarantinedItem:
    return make_held(make_feed(), state="discarded", decided_at=at, **fields)


def test_decided_items_of_the_quarantine_end_ninety_days_after_the_decision_and_held_ones_stay() -> None:
    decided(NOON - QUARTER - SECOND)
    kept = decided(NOON - QUARTER + SECOND, received_at=NOON - MONTHS)
    held = make_held(make_feed(), received_at=NOON - MONTHS, last_at=NOON - MONTHS)
    keeping.keep(now=NOON)
    assert set(QuarantinedItem.objects.all()) == {kept, held}


def test_finished_replays_end_and_open_ones_stay() -> None:
    fields = {"up_to_pk": 1, "wanted_count": 1, "asked_by": "alice", "asked_at": NOON - MONTHS}
    QuarantineReplay.objects.create(**fields, finished_at=NOON - QUARTER - SECOND)
    waiting = QuarantineReplay.objects.create(**fields)
    keeping.keep(now=NOON)
    assert list(QuarantineReplay.objects.all()) == [waiting]


def test_sums_live_as_long_as_what_they_were_summed_from() -> None:
    service, feed = make_service(), make_feed()
    for age in (MONTHS + timedelta(hours=1), MONTHS - timedelta(hours=1)):
        MeasureHour.objects.create(service=service, hour=NOON - age, reclaim_count=1)
        MeasureDay.objects.create(service=service, day=NOON - age, reclaim_count=1)
        FeedHour.objects.create(feed=feed, hour=NOON - age)
    keeping.keep(now=NOON)
    assert [MeasureHour.objects.count(), MeasureDay.objects.count(), FeedHour.objects.count()] == [1, 1, 1]
    assert MeasureHour.objects.get().hour == NOON - MONTHS + timedelta(hours=1)


def test_pruning_goes_in_bounded_statements_however_much_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PRUNE_AT_A_TIME", 10)
    service = make_service()
    MeasureHour.objects.bulk_create(
        MeasureHour(service=service, hour=NOON - MONTHS - timedelta(hours=number)) for number in range(1, 26)
    )
    with CaptureQueriesContext(connection) as queries:
        keeping.keep(now=NOON)
    assert MeasureHour.objects.count() == 0
    assert sum("DELETE FROM interruptions_measurehour" in query["sql"] for query in queries) == 3
