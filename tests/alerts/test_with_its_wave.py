"""A group under a wave that pages: its own pages wait meanwhile, and go on when it stands alone again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.accounts.models import User
from console.alerts import handling
from console.alerts.escalation import plan
from console.alerts.models import AlertGroup, EscalationState, GroupMember
from console.alerts.regrouping import acts
from console.alerts.regrouping.taking_back import take_back
from console.fleet.models import Service
from console.notifications.models import Notification
from tests.make_accounts import make_user
from tests.make_escalations import (
    by,
    decide,
    escalation_of,
    make_group,
    make_policy,
    make_rotation,
    minute,
    put_on_call,
    run,
    told,
    use_policy,
)
from tests.make_fleet import NOON, make_machine, make_service, make_team
from tests.make_reclaims import make_reclaim

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(monkeypatch: pytest.MonkeyPatch) -> User:
    """On call for both services; Bob is next."""
    roster = put_on_call(monkeypatch)
    make_user("dora", role="admin")
    first, second = make_rotation("Primary"), make_rotation("Secondary")
    alice = make_user("alice")
    roster |= {first.pk: alice, second.pk: make_user("bob")}
    use_policy(make_policy((5, [first]), (10, [second]), name="Payments"), service=_checkout())
    return alice


def person(name: str) -> User:
    return User.objects.get(email__startswith=name)


def _lose(group: AlertGroup) -> None:
    """A machine of its service, which is still running out."""
    reclaim = make_reclaim(make_machine(service=_checkout()), state="noticed")
    GroupMember.objects.create(group=group, interruption=reclaim, joined_at=NOON)


def _checkout() -> Service:
    return Service.objects.filter(slug="checkout").first() or make_service(
        slug="checkout", name="Checkout", criticality="user_facing", team=make_team(name="Payments")
    )


@pytest.fixture
def group(alice: User) -> AlertGroup:
    """Alice was paged for it at noon."""
    group = make_group(service=_checkout())
    _lose(group)
    decide(group)
    run(0)
    assert told() == ["Alice"]
    return group


@pytest.fixture
def wave(group: AlertGroup) -> AlertGroup:
    wave = make_group(key="wave:aws/us-east-1/us-east-1c", title="Wave")
    _lose(wave)
    return wave


def page(wave: AlertGroup, *, at: float) -> None:
    handling.page(wave.pk, person("alice").pk, by=by(person("dora")), now=minute(at))


def state(group: AlertGroup) -> EscalationState:
    return EscalationState(escalation_of(group).state)


def test_it_waits_under_a_wave_that_pages_and_goes_on_alone(group: AlertGroup, wave: AlertGroup) -> None:
    page(wave, at=1)
    act = acts.attach(group.pk, wave.pk, reason="", by=by(person("dora")), now=minute(2))
    assert state(group) == "with_wave"
    ahead = plan.plan_ahead(escalation_of(group), now=minute(2))
    assert [(one.at, one.what) for one in ahead] == [(None, "Its wave is told of for it")]
    run(6)
    assert [name for name in told() if name == "Bob"] == [], "nobody else is told of it meanwhile"

    take_back(act.pk, by=by(person("dora")), now=minute(7))
    assert state(group) == "running"
    run(7)
    run(12)
    assert told().count("Bob") == 1, "it goes on from where it was"


def test_under_a_wave_that_tells_nobody_it_pages_on(group: AlertGroup, wave: AlertGroup) -> None:
    acts.attach(group.pk, wave.pk, reason="", by=by(person("dora")), now=minute(2))
    run(5)
    assert (state(group), told()) == ("running", ["Alice", "Bob"])


def test_it_goes_on_within_a_minute_of_its_waves_end(group: AlertGroup, wave: AlertGroup) -> None:
    page(wave, at=1)
    acts.attach(group.pk, wave.pk, reason="", by=by(person("dora")), now=minute(2))
    handling.resolve(wave.pk, by=by(person("dora")), now=minute(3), is_sure=True)
    run(4)
    assert state(group) == "running"


def test_a_critical_service_below_its_need_pages_by_itself(group: AlertGroup, wave: AlertGroup) -> None:
    page(wave, at=1)
    Service.objects.update(criticality="critical")
    AlertGroup.objects.filter(pk=group.pk).update(parent=wave, below_need_since=NOON)
    run(5)
    assert (state(group), told()[-1]) == ("running", "Bob")


def test_escalated_by_hand_under_its_wave_the_next_one_is_told(group: AlertGroup, wave: AlertGroup) -> None:
    page(wave, at=1)
    acts.attach(group.pk, wave.pk, reason="", by=by(person("dora")), now=minute(2))
    handling.escalate(group.pk, by=by(person("dora")), now=minute(3))
    assert state(group) == "with_wave"
    assert Notification.objects.get(person=person("bob")).state == "queued"


def test_what_its_wave_held_lapses_once_it_stands_alone(
    group: AlertGroup, wave: AlertGroup, alice: User
) -> None:
    """Alice took both: under the wave hers lasts as long as the wave's; taken out, it has an end of its own."""
    handling.acknowledge(wave.pk, by=by(person("alice")), now=minute(1))
    handling.acknowledge(group.pk, by=by(person("alice")), now=minute(1))
    acts.attach(group.pk, wave.pk, reason="", by=by(person("dora")), now=minute(2))
    AlertGroup.objects.filter(pk=group.pk).update(status="acknowledged")
    escalation_of(group)  # it is open
    handling.keep(group.pk, by=by(person("alice")), now=minute(3))
    assert escalation_of(group).next_at is None
    acts.detach(group.pk, reason="", by=by(person("dora")), now=minute(4))
    group.refresh_from_db()
    lasts = timedelta(minutes=escalation_of(group).frozen.acknowledged_minutes)
    assert (group.status, escalation_of(group).next_at) == ("acknowledged", minute(4) + lasts)


def test_held_by_its_wave_it_is_looked_at_again_when_the_wave_is_over(
    group: AlertGroup, wave: AlertGroup
) -> None:
    handling.acknowledge(wave.pk, by=by(person("alice")), now=minute(1))
    acts.attach(group.pk, wave.pk, reason="", by=by(person("dora")), now=minute(2))
    assert escalation_of(group).next_at is None
    handling.resolve(wave.pk, by=by(person("dora")), now=minute(3), is_sure=True)
    run(4)
    assert escalation_of(group).next_at is not None, "the acknowledgement has an end now"
