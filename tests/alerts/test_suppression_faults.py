"""Planned quiet when things go wrong: two workers, a decision under way, clocks that differ, what is edited meanwhile."""

from __future__ import annotations

from datetime import datetime
from threading import Barrier, Event, Thread
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from console.alerts.models import AlertGroup, Decision
from console.alerts.suppression import changing, turning
from console.alerts.suppression.consulting import consult
from console.alerts.suppression.hiding import write_down
from console.alerts.suppression.recurrence import moment
from console.alerts.touched import Touched
from console.fleet.models import Service
from tests.alerts.test_suppression import decisions, reclaim
from tests.make_fleet import make_service, make_team
from tests.make_reclaims import second
from tests.make_suppressions import make_suppression, manager, turn

pytestmark = pytest.mark.django_db
MINUTE = 60


@pytest.fixture
def checkout() -> Service:
    return make_service(
        slug="checkout", name="Checkout", criticality="batch", team=make_team(slug="payments")
    )


def is_hidden(group: AlertGroup, seconds: float) -> bool:
    return consult([group], now=second(seconds))[group.pk].suppressed_by is not None


@pytest.mark.django_db(transaction=True)
def test_two_workers_release_what_was_held_exactly_once(checkout: Service) -> None:
    make_suppression("team:payments", minutes=10)
    groups = [reclaim(make_service(team=checkout.team, criticality="batch"), at=60) for _ in range(3)]
    ready = Barrier(2)

    def work() -> None:
        ready.wait()
        for seconds in range(595, 605):
            turning.turn(now=second(seconds))
        connection.close()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for group in groups:
        assert decisions(group) == ["change: hidden", "released: told"]


@pytest.mark.django_db(transaction=True)
def test_what_a_worker_hides_in_the_last_moment_is_released_too(checkout: Service) -> None:
    """A decision taken before the end and committed after it is waited for, not forgotten."""
    group = reclaim(checkout, at=-60)
    window = make_suppression(minutes=10).occurrences.get()
    has_consulted, may_commit = Event(), Event()

    def decide_slowly() -> None:
        with transaction.atomic():
            held = AlertGroup.objects.get(pk=group.pk)
            answers = consult([held], now=second(599))
            has_consulted.set()
            may_commit.wait(10)
            touched = Touched([held], {held.pk: "change:1"})
            write_down(touched, answers, hidden={held.pk: Decision.PAGE}, now=second(599))
        connection.close()

    slow = Thread(target=decide_slowly)
    slow.start()
    has_consulted.wait(10)
    turning.turn(now=second(600))
    window.refresh_from_db()
    assert (window.released_at, window.due_at) == (second(600), second(600)), "it waits"
    may_commit.set()
    slow.join()
    assert window.hits.get().decision == "page"
    turning.turn(now=second(601))
    assert decisions(group)[-1] == "released: told"


def test_with_clocks_five_minutes_apart_nothing_stays_hidden_and_nothing_is_released_twice(
    checkout: Service,
) -> None:
    """The fast worker begins and ends early; the slow one hides nothing again that was let go."""
    fast, slow = 5 * MINUTE, -5 * MINUTE
    window = make_suppression(at=600, now=second(0), minutes=30).occurrences.get()
    group = reclaim(checkout, at=0)
    turn(301 + fast)
    assert decisions(group) == ["change: told", "suppressed: hidden"]
    turn(2101 + fast)
    assert decisions(group)[2:] == ["released: told"]
    assert not is_hidden(group, 2102 + slow), "its clock says that the window has ten minutes to go"
    for seconds in (2102 + slow, 2400, 2400 + slow, 2800 + slow):
        turn(seconds)
    assert decisions(group)[2:] == ["released: told"]
    window.refresh_from_db()
    assert window.due_at is None


def test_cancelling_before_it_begins_lets_go_of_what_a_fast_clock_had_hidden(checkout: Service) -> None:
    suppression = make_suppression(at=600, now=second(0), minutes=30)
    group = reclaim(checkout, at=0)
    turn(600)
    changing.cancel(suppression.pk, by=manager("bob"), now=second(301))
    turn(302)
    assert decisions(group) == ["change: told", "suppressed: hidden", "released: told"]


def test_a_window_that_ended_while_no_worker_ran_releases_what_it_hid_late_and_once(
    checkout: Service,
) -> None:
    make_suppression(minutes=10)
    group = reclaim(checkout, at=60)
    assert not is_hidden(group, 600), "by its end it hides nothing, though nobody has looked"
    for seconds in (1200, 1201):
        turn(seconds)
    assert decisions(group) == ["change: hidden", "released: told"]
    assert group.receipts.order_by("pk").last().at == second(1200)


def test_what_is_edited_in_the_middle_is_decided_on_as_it_is_by_then(checkout: Service) -> None:
    """The service leaves the team that the window covers, and gets worse: the next decision tells, the end once more."""
    make_suppression("team:payments", minutes=10)
    group = reclaim(checkout, at=60)
    Service.objects.filter(pk=checkout.pk).update(team=make_team(slug="search"))
    Service.objects.filter(pk=checkout.pk).update(criticality="critical")
    group = reclaim(checkout, at=120)
    assert decisions(group) == ["change: hidden", "change: told"]
    assert group.suppressed_by is None
    turn(600)
    turn(601)
    assert decisions(group) == ["change: hidden", "change: told", "released: told"]
    assert group.receipts.order_by("pk").last().inputs["severity"] == "critical"


@pytest.mark.parametrize(
    ("day", "ends"), [("2026-03-29", "2026-03-29 05:00"), ("2026-10-25", "2026-10-25 03:00")]
)
def test_a_change_of_the_clocks_inside_a_window_neither_shortens_nor_lengthens_it(
    checkout: Service, day: str, ends: str
) -> None:
    from_naive = datetime.fromisoformat
    berlin = ZoneInfo("Europe/Berlin")
    start, end = moment(from_naive(f"{day} 01:00"), berlin), moment(from_naive(ends), berlin)
    seconds = (start - second(0)).total_seconds()
    make_suppression(at=seconds, minutes=180, rrule="FREQ=WEEKLY", time_zone="Europe/Berlin")
    group = reclaim(checkout, at=seconds + 60)
    assert (group.suppressed_until, (end - start).total_seconds()) == (end, 3 * 3600)
    turn(seconds + 3 * 3600 - 1)
    assert decisions(group) == ["change: hidden"]
    turn(seconds + 3 * 3600)
    assert decisions(group) == ["change: hidden", "released: told"]
