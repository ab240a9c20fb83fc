"""Taking back within ten seconds: groups, escalations and messages stand as they stood, and nothing goes out twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from console.accounts.models import AuditEntry, User
from console.alerts import handling, undoing
from console.alerts.models import AlertGroup, EscalationStep, Undo
from console.alerts.undoing import Recorder, TooLate
from console.fleet.models import Service
from console.notifications.models import Notification
from tests.make_accounts import make_user
from tests.make_escalations import (
    by,
    decide,
    deliver,
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
from tests.make_fleet import make_service, make_team

pytestmark = pytest.mark.django_db
ALL = (
    "state",
    "level",
    "pass_number",
    "rounds_left",
    "told_count",
    "next_at",
    "due_at",
    "is_paging",
    "ended_at",
)


@pytest.fixture
def alice(monkeypatch: pytest.MonkeyPatch) -> User:
    """On call for Checkout, whose policy has two levels: Alice, then Bob five minutes later."""
    roster = put_on_call(monkeypatch)
    team = make_team(name="Payments")
    primary, secondary = make_rotation("Primary", team=team), make_rotation("Secondary", team=team)
    alice: User = make_user("alice")
    roster |= {primary.pk: alice, secondary.pk: make_user("bob")}
    make_user("dora", role="admin")
    service = make_service(name="Checkout", team=team)
    use_policy(make_policy((5, [primary]), (10, [secondary]), name="Payments", repeats=1), service=service)
    return alice


@pytest.fixture
def group(alice: User) -> AlertGroup:
    return make_group(service=Service.objects.get(name="Checkout"))


def seconds(count: float, *, after: float = 1) -> datetime:
    return minute(after) + timedelta(seconds=count)


def act(verb: str, group: AlertGroup, user: User, *, at: datetime = minute(1), **more: object) -> Undo:
    recorder = Recorder(verb, by(user), at)
    recorder.run(group.pk, lambda: getattr(handling, verb)(group.pk, by=by(user), now=at, **more))
    assert recorder.undo is not None
    return recorder.undo


def standing(group: AlertGroup) -> dict[str, object]:
    return {name: getattr(escalation_of(group), name) for name in ALL}


ACTS = [
    ("acknowledge", {}),
    ("resolve", {"is_sure": True}),
    ("silence", {"until": minute(31)}),
]


@pytest.mark.parametrize(("verb", "more"), ACTS)
def test_an_escalation_goes_on_from_where_it_was_and_tells_nobody_twice(
    alice: User, group: AlertGroup, verb: str, more: dict[str, object]
) -> None:
    decide(group)
    run(0)
    deliver()
    before = standing(group)
    undo = act(verb, group, alice, **more)
    undoing.take_back(undo.pk, by=by(alice), now=seconds(8))
    group.refresh_from_db()
    assert (group.status, group.silenced_until, group.resolved_at) == ("triggered", None, None)
    assert standing(group) == before
    run(4.9)
    assert told() == ["Alice"]
    run(5)
    assert told() == ["Alice", "Bob"]
    assert EscalationStep.objects.filter(group=group, kind="resumed").count() == 1


def test_a_page_that_was_called_off_before_it_went_out_waits_again(alice: User, group: AlertGroup) -> None:
    decide(group)
    run(0)
    undo = act("acknowledge", group, alice)
    page = Notification.objects.get(kind="page")
    assert page.state == "called_off"
    undoing.take_back(undo.pk, by=by(alice), now=seconds(3))
    page.refresh_from_db()
    assert (page.state, page.send_at, page.settled_at, page.called_off_at) == (
        "queued",
        seconds(3),
        None,
        None,
    )


def test_whoever_heard_that_it_is_over_hears_that_this_was_undone(alice: User, group: AlertGroup) -> None:
    decide(group)
    run(0)
    deliver()
    undo = act("resolve", group, alice, is_sure=True)
    deliver(kind="healed")
    undoing.take_back(undo.pk, by=by(alice), now=seconds(3))
    update = Notification.objects.get(kind="update")
    assert "took that back: it is as it was before" in update.text


def test_that_it_is_over_is_not_told_any_more_where_it_was_undone_in_time(
    alice: User, group: AlertGroup
) -> None:
    decide(group)
    run(0)
    deliver()
    undo = act("resolve", group, alice, is_sure=True)
    undoing.take_back(undo.pk, by=by(alice), now=seconds(3))
    assert Notification.objects.get(kind="healed").state == "called_off"
    assert not Notification.objects.filter(kind="update").exists()


def test_it_is_written_down_in_history_and_audit_trail_and_twice_is_harmless(
    alice: User, group: AlertGroup
) -> None:
    undo = act("acknowledge", group, alice)
    for _ in range(2):
        undoing.take_back(undo.pk, by=by(alice), now=seconds(3))
    assert list(group.events.values_list("kind", "text").order_by("pk"))[-1] == (
        "unacknowledged",
        "Undone: acknowledge of 12:01:00 UTC",
    )
    assert AuditEntry.objects.filter(action="alert_group.undo").count() == 1


def test_what_somebody_changed_since_stays_and_the_answer_says_so(alice: User, group: AlertGroup) -> None:
    undo = act("silence", group, alice, until=minute(31))
    bob = User.objects.get(email__startswith="bob")
    handling.acknowledge(group.pk, by=by(bob), now=seconds(2))
    outcome = undoing.take_back(undo.pk, by=by(alice), now=seconds(3))
    group.refresh_from_db()
    assert (group.status, group.acknowledged_by, group.silenced_until) == ("acknowledged", bob, minute(31))
    assert outcome.undone == []
    assert outcome.kept[0][1].startswith("It was changed since. Bob has it now.")


def test_machines_that_join_meanwhile_do_not_stand_in_its_way(alice: User, group: AlertGroup) -> None:
    undo = act("acknowledge", group, alice)
    AlertGroup.objects.update(version=99, member_count=40, last_news_at=seconds(1))
    undoing.take_back(undo.pk, by=by(alice), now=seconds(3))
    group.refresh_from_db()
    assert (group.status, group.member_count) == ("triggered", 40)


def test_a_newer_open_group_of_the_same_key_is_worked_instead(alice: User, group: AlertGroup) -> None:
    undo = act("resolve", group, alice)
    make_group(key=group.key)
    outcome = undoing.take_back(undo.pk, by=by(alice), now=seconds(3))
    assert outcome.kept[0][1] == "A newer group of the same key is open. Work that one."


def test_after_ten_seconds_and_for_anybody_else_it_is_refused(alice: User, group: AlertGroup) -> None:
    undo = act("acknowledge", group, alice)
    for user, at in ((alice, seconds(16)), (make_user("mallory"), seconds(3))):
        with pytest.raises(TooLate):
            undoing.take_back(undo.pk, by=by(user), now=at)
    group.refresh_from_db()
    assert group.status == "acknowledged"


def test_a_wave_is_taken_back_with_the_groups_that_it_was_handed_down_to(alice: User) -> None:
    wave = make_group(key="wave:aws/eu-central-1/b")
    children = [make_group(parent=wave) for _ in range(3)]
    bob = User.objects.get(email__startswith="bob")
    handling.acknowledge(children[0].pk, by=by(bob), now=minute(0))
    undo = act("acknowledge", wave, alice)
    undoing.take_back(undo.pk, by=by(alice), now=seconds(3))
    assert list(wave.children.order_by("pk").values_list("status", flat=True)) == [
        "acknowledged", "triggered", "triggered"]  # fmt: skip
    wave.refresh_from_db()
    assert wave.status == "triggered"


def test_an_act_that_changed_nothing_leaves_nothing_to_take_back(alice: User, group: AlertGroup) -> None:
    act("acknowledge", group, alice)
    recorder = Recorder("acknowledge", by(alice), seconds(1))
    recorder.run(group.pk, lambda: handling.acknowledge(group.pk, by=by(alice), now=seconds(1)))
    assert recorder.undo is None


def test_a_group_is_given_to_somebody_who_is_told_and_that_is_taken_back(
    alice: User, group: AlertGroup
) -> None:
    decide(group)
    run(0)
    deliver()
    bob = User.objects.get(email__startswith="bob")
    before = standing(group)
    undo = act("assign", group, alice, person_id=bob.pk)
    group.refresh_from_db()
    assert (group.status, group.acknowledged_by) == ("acknowledged", bob)
    assert told("update") == ["Bob"]
    run(6)
    assert told() == ["Alice"], "whoever was given it stops the escalation"
    undoing.take_back(undo.pk, by=by(alice), now=seconds(3))
    group.refresh_from_db()
    assert (group.status, group.acknowledged_by) == ("triggered", None)
    assert standing(group) == before
    assert Notification.objects.get(kind="update").state == "called_off"
