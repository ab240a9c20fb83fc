"""A silence outlasts flapping: what closes and opens again before its end stays quiet, and says why."""

from __future__ import annotations

import pytest

from console.alerts import findings, handling
from console.alerts.handling import By
from console.alerts.models import AlertGroup, Severity
from console.fleet.models import Service
from tests.make_fleet import make_machine, make_pool, make_service
from tests.make_reclaims import alert, make_reclaim, make_running, second, tell
from tests.make_suppressions import manager

pytestmark = pytest.mark.django_db
MINUTE, HOUR = 60, 3600


@pytest.fixture
def alice() -> By:
    return manager("alice")


@pytest.fixture
def checkout() -> Service:
    return make_service(slug="checkout", name="Checkout")


def newest() -> AlertGroup:
    return AlertGroup.objects.order_by("pk").last()  # type: ignore[return-value]


def lines(group: AlertGroup) -> list[str]:
    return [f"{e.kind}: {e.text}" for e in group.events.order_by("pk") if "silence" in f"{e.kind}{e.text}"]


def test_a_new_group_of_the_same_key_takes_over_the_silence_of_the_one_before(
    checkout: Service, alice: By
) -> None:
    make_reclaim(make_machine(service=checkout), at=0)
    alert(1)
    first = newest()
    handling.silence(first.pk, until=second(2 * HOUR), by=alice, now=second(5))
    handling.resolve(first.pk, by=alice, now=second(10), is_sure=True)
    make_reclaim(make_machine(service=checkout), at=600)
    alert(601)
    second_one = newest()
    assert second_one.pk != first.pk
    assert (second_one.silenced_until, second_one.silenced_by) == (second(2 * HOUR), alice.user)
    assert lines(second_one) == [
        f"silenced: Carried over from #{first.pk}, which closed before its silence ended"
    ]
    handling.unsilence(second_one.pk, by=alice, now=second(700))
    handling.resolve(second_one.pk, by=alice, now=second(710), is_sure=True)
    make_reclaim(make_machine(service=checkout), at=900)
    alert(901)
    assert newest().silenced_until is None, "what somebody lifted stays lifted"


def test_a_silence_that_is_over_is_not_carried_over(checkout: Service, alice: By) -> None:
    make_reclaim(make_machine(service=checkout), at=0)
    alert(1)
    handling.silence(newest().pk, until=second(300), by=alice, now=second(5))
    handling.resolve(newest().pk, by=alice, now=second(10), is_sure=True)
    make_reclaim(make_machine(service=checkout), at=300)
    alert(301)
    assert (newest().silenced_until, lines(newest())) == (None, [])


def test_a_group_that_is_reopened_goes_on_being_silent_until_its_silence_ends(
    checkout: Service, alice: By
) -> None:
    make_reclaim(make_machine(service=checkout), at=0)
    alert(1)
    pk = newest().pk
    handling.silence(pk, until=second(20 * MINUTE), by=alice, now=second(5))
    handling.resolve(pk, by=alice, now=second(10), is_sure=True)
    group = handling.reopen(pk, by=alice, now=second(60))
    assert group.is_silenced(now=second(61))
    alert(20 * MINUTE)
    assert lines(group) == [
        "silenced: ",
        "reopened: Its silence goes on until 11 Mar 12:20 UTC.",
        "unsilenced: The silence ended",
    ]
    group.refresh_from_db()
    assert (group.silenced_until, group.is_open) == (None, True)


def test_a_wave_that_closes_by_itself_and_goes_on_is_silent_still(checkout: Service, alice: By) -> None:
    machines = make_running(make_pool(), 20, service=checkout)
    reclaims = [make_reclaim(machine) for machine in machines[:4]]
    alert(5)
    wave = AlertGroup.objects.get(key__startswith="wave:")
    handling.silence(wave.pk, until=second(2 * HOUR), by=alice, now=second(6))
    for reclaim in reclaims:
        tell(reclaim, state="ended", ended_at=second(60))
    alert(61)
    alert(61 + 10 * MINUTE)
    wave.refresh_from_db()
    assert (wave.is_open, wave.silenced_until) == (False, second(2 * HOUR))
    for machine in machines[4:8]:
        make_reclaim(machine, at=12 * MINUTE)
    alert(12 * MINUTE + 5)
    wave.refresh_from_db()
    assert wave.is_open
    assert wave.is_silenced(now=second(12 * MINUTE + 6))
    assert lines(wave)[-1] == "reopened: The cascade goes on. Its silence goes on until 11 Mar 14:00 UTC."


def test_a_finding_that_comes_and_goes_is_silent_still(alice: By) -> None:
    def fire(seconds: float) -> AlertGroup:
        return findings.open_finding(
            "feed_silent:aws", title="AWS is silent", text="", severity=Severity.WARNING, now=second(seconds)
        )

    first = fire(0)
    handling.silence(first.pk, until=second(HOUR), by=alice, now=second(1))
    findings.close_finding("feed_silent:aws", text="Heard", now=second(60))
    again = fire(120)
    assert (again.pk != first.pk, again.silenced_until, again.due_at) == (True, second(HOUR), second(HOUR))
    alert(HOUR)
    again.refresh_from_db()
    assert again.silenced_until is None
