"""What is done to a wave reaches the groups under it."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import Client

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry, User
from console.alerts import handing_down, handling, settle
from console.alerts.handling import By, StillFiring
from console.alerts.models import AlertEvent, AlertGroup
from tests.ingest.hearing import at
from tests.make_accounts import make_user
from tests.make_fleet import make_service, make_team

pytestmark = pytest.mark.django_db


def make_group(key: str, **fields: object) -> AlertGroup:
    told = {"title": key, "triggered_at": at(0), "last_news_at": at(0)} | fields
    return AlertGroup.objects.create(key=key, **told)


@pytest.fixture
def wave() -> AlertGroup:
    return make_group("wave:aws/eu-central-1/b", member_count=3, running_out_count=2)


@pytest.fixture
def children(wave: AlertGroup) -> list[AlertGroup]:
    return [make_group(f"service:{n}", parent=wave) for n in range(3)]


@pytest.fixture
def alice() -> By:
    user: User = make_user("alice")
    return By(user=user, actor=Actor.person(user))


def statuses(wave: AlertGroup) -> list[str]:
    return list(wave.children.order_by("pk").values_list("status", flat=True))


def story(group: AlertGroup) -> list[tuple[str, str, User | None, datetime]]:
    return [(e.kind, e.text, e.by, e.at) for e in group.events.select_related("by").order_by("pk")]


def test_acknowledging_a_wave_acknowledges_its_children_and_says_so_once(
    wave: AlertGroup, children: list[AlertGroup], alice: By
) -> None:
    for _ in range(2):
        handling.acknowledge(wave.pk, by=alice, now=at(10))
    assert statuses(wave) == ["acknowledged"] * 3
    for child in children:
        assert story(child) == [("acknowledged", f"With its wave #{wave.pk}", alice.user, at(10))]
    assert AuditEntry.objects.filter(action="alert_group.acknowledge").count() == 4


def test_taking_it_back_spares_what_somebody_took_by_itself(
    wave: AlertGroup, children: list[AlertGroup], alice: By
) -> None:
    handling.acknowledge(children[1].pk, by=alice, now=at(5))
    handling.acknowledge(wave.pk, by=alice, now=at(10))
    handling.unacknowledge(wave.pk, by=alice, now=at(12))
    assert statuses(wave) == ["triggered", "acknowledged", "triggered"]
    assert [kind for kind, *_ in story(children[1])] == ["acknowledged"]
    assert [kind for kind, *_ in story(children[0])] == ["acknowledged", "unacknowledged"]


def test_a_silence_covers_the_children_while_it_lasts(
    wave: AlertGroup, children: list[AlertGroup], alice: By
) -> None:
    longer = at(0) + timedelta(hours=5)
    handling.silence(children[2].pk, until=longer, by=alice, now=at(5))
    until = at(10) + timedelta(minutes=5)
    handling.silence(wave.pk, until=until, by=alice, now=at(10))
    assert list(wave.children.order_by("pk").values_list("silenced_until", flat=True)) == [
        until,
        until,
        longer,
    ]
    settle.settle([children[0].pk], now=until)
    assert not AlertGroup.objects.get(pk=children[0].pk).is_silenced(now=until)
    handling.unsilence(wave.pk, by=alice, now=at(20))
    assert list(wave.children.order_by("pk").values_list("silenced_until", flat=True)) == [None, None, longer]


def test_resolving_a_wave_asks_while_machines_run_out_and_leaves_the_children_to_their_own_rules(
    wave: AlertGroup, children: list[AlertGroup], alice: By
) -> None:
    with pytest.raises(StillFiring):
        handling.resolve(wave.pk, by=alice, now=at(10))
    handling.resolve(wave.pk, by=alice, now=at(11), is_sure=True)
    assert statuses(wave) == ["triggered"] * 3
    shown = AlertGroup.objects.open().nested()
    assert set(shown) == set(children), "they are seen on the board again"


def test_a_note_stays_where_it_was_written(wave: AlertGroup, children: list[AlertGroup], alice: By) -> None:
    handling.add_note(wave.pk, "the zone is out of capacity", by=alice, now=at(10))
    assert not AlertEvent.objects.filter(group__in=children).exists()


def test_a_group_that_comes_under_a_wave_later_is_taken_as_the_wave_is(wave: AlertGroup, alice: By) -> None:
    handling.acknowledge(wave.pk, by=alice, now=at(10))
    handling.silence(wave.pk, until=at(600), by=alice, now=at(11))
    late = make_group("service:9", parent=wave)
    for _ in range(2):
        handing_down.inherit([late.pk], now=at(20))
    late.refresh_from_db()
    assert (late.status, late.acknowledged_by, late.silenced_until) == ("acknowledged", alice.user, at(600))
    assert [kind for kind, *_ in story(late)] == ["acknowledged", "silenced"]
    handling.unacknowledge(wave.pk, by=alice, now=at(30))
    assert statuses(wave) == ["triggered"]


def test_a_closed_child_is_left_alone(wave: AlertGroup, alice: By) -> None:
    closed = make_group("service:9", parent=wave, status="resolved", resolution="healed", resolved_at=at(5))
    handling.acknowledge(wave.pk, by=alice, now=at(10))
    assert not closed.events.exists()


def test_a_filter_by_service_or_team_shows_the_wave_that_holds_its_group(
    wave: AlertGroup, client: Client
) -> None:
    service = make_service(slug="checkout", team=make_team(slug="payments"))
    make_group(f"service:{service.pk}", parent=wave, service=service)
    client.force_login(make_user("bob"))
    assert f'/alerts/{wave.pk}/"' in client.get("/alerts/?service=checkout").content.decode()
    make_service(slug="search", team=make_team(slug="finding"))
    assert f'/alerts/{wave.pk}/"' not in client.get("/alerts/?service=search").content.decode()
    for asked in ("team=payments", "service=checkout"):
        assert f'/alerts/{wave.pk}/"' in client.get(f"/oncall/?{asked}").content.decode()
    for asked in ("team=finding", "service=search"):
        assert f'/alerts/{wave.pk}/"' not in client.get(f"/oncall/?{asked}").content.decode()


@pytest.mark.django_db(transaction=True)
def test_people_at_once_on_a_wave_and_its_children_never_wait_for_ever(
    wave: AlertGroup, children: list[AlertGroup], alice: By
) -> None:
    start, errors = Barrier(4), []

    def act(number: int) -> None:
        try:
            start.wait()
            for n in range(5):
                group = wave if number % 2 else children[n % 3]
                handling.acknowledge(group.pk, by=alice, now=at(10 + n))
                handling.unacknowledge(group.pk, by=alice, now=at(10 + n))
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=act, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert statuses(wave) == ["triggered"] * 3
