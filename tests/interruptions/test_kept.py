"""Pages read the sums once a roll-up; nothing older than the newest roll-up is ever shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.interruptions import kept
from console.interruptions.measure_reading import (
    BY_SERVICE,
    BY_SERVICE_AND_TYPE,
    PLACE,
    Place,
    Reading,
    read_counts,
)
from console.interruptions.measures import Scope, Window
from console.interruptions.rollups import roll_up
from tests.make_fleet import make_machine, make_service
from tests.make_interruptions import make_interruption

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 11, 14, 31, tzinfo=UTC)
WEEK = timedelta(days=7)


def _read(as_of: datetime, grain: str = PLACE) -> Reading:
    return read_counts(Scope("live"), Window.last(WEEK, as_of=as_of), grain=grain)


def _reclaims(reading: Reading) -> int:
    return sum(counts.reclaim_count for _, counts in reading.cells)


def test_the_same_question_is_asked_once_a_roll_up() -> None:
    make_interruption(started_at=NOW - timedelta(hours=2))
    roll_up(now=NOW)
    first = _read(NOW)

    with CaptureQueriesContext(connection) as asked:
        again = _read(NOW)

    assert len(asked) == 0
    assert _reclaims(again) == _reclaims(first) == 1


def test_a_roll_up_shows_at_once() -> None:
    make_interruption(started_at=NOW - timedelta(hours=2))
    roll_up(now=NOW)
    assert _reclaims(_read(NOW)) == 1

    make_interruption(started_at=NOW - timedelta(hours=1))
    later = NOW + timedelta(minutes=1)
    roll_up(now=later)

    assert _reclaims(_read(later)) == 2


def test_large_answers_are_not_kept_and_old_ones_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_ITEMS_ONE", 10)
    monkeypatch.setattr(kept, "MOST_ITEMS", 20)
    shelf = kept.Shelf()
    keys = [("database", NOW, "SELECT", str(number)) for number in range(4)]

    shelf.put(keys[0], [([1] * 11,)])
    for key in keys[1:3]:
        shelf.put(key, [([1] * 9,)])
    assert shelf.get(keys[0]) is None
    assert shelf.get(keys[1]) == [([1] * 9,)]
    shelf.put(keys[3], [([1] * 9,)])

    assert [shelf.get(key) is not None for key in keys] == [False, True, False, True]
    assert shelf.items == 18


@pytest.mark.parametrize(
    ("grain", "place"),
    [
        (PLACE, lambda one: one),
        (BY_SERVICE, lambda one: (one.service, one.team, one.provider)),
        (BY_SERVICE_AND_TYPE, lambda one: (one.service, one.team, one.provider, one.type)),
    ],
)
def test_a_coarser_grain_has_the_same_sums(grain: str, place: Callable[[Place], object]) -> None:
    for slug in ("checkout", "search"):
        service = make_service(slug=slug)
        for kind in ("m6i.large", "m6i.xlarge", "m6i.large"):
            machine = make_machine(service=service, instance_type=kind)
            make_interruption(machine=machine, started_at=NOW - timedelta(hours=2))
    roll_up(now=NOW)
    fine, coarse = _read(NOW), _read(NOW, grain)

    expected = fine.fold(place)
    assert {key: sums.values for key, sums in coarse.fold(place).items()} == {
        key: sums.values for key, sums in expected.items()
    }
    assert len(coarse.cells) == len(expected)
    assert coarse.phi(lambda one: one.service, coarse.fold(lambda one: one.service)) == fine.phi(
        lambda one: one.service, fine.fold(lambda one: one.service)
    )
